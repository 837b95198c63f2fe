"""What a validation says of each criterion: a status, and a sentence with the numbers it rests on."""

from collections.abc import Callable
from typing import Final

from meanwatt.analysis.validation.exploitability import CHOICE_LAW
from meanwatt.analysis.validation.result import Validation
from meanwatt.analysis.validation.scaling import Interval
from meanwatt.analysis.validation.verdict import Status, shown, within

SLOPE_MARGIN: Final = 0.05
"""Over three decades of N an error with a slope off by this is within 40 % of the law's."""
SIZE_MARGIN: Final = 0.05
"""Measured over expected size: within 5 %."""
EXPLOITABILITY_MARGIN: Final = 0.02
CALM_RATIO: Final = 1.1
"""Learners' prices stray at most this many times as far as those of households that are given the equilibrium."""
LOSS_SHARE: Final = 0.05
"""Of the leader's gain over the tariff in force; a loss below it changes no decision."""
METER_ROUNDING: Final = 1e-6
"""Share of the mean load: meters are read in single precision, with 24 bits."""
_CERTAIN: Final = "Nothing is drawn: households of a type all do the same, and what is left is the rounding of meters."
_WORST_FIRST: Final = (Status.FAIL, Status.UNDECIDED, Status.NOT_APPLICABLE)
_FEW: Final = "No interval: it takes two or more replications and two or more numbers of households."


def _nothing_drawn(result: Validation) -> bool:
    """Whether households of a type do all the same, so that what is left of an error is the rounding of meters."""
    return max(result.expected_scatter_kw) <= METER_ROUNDING * abs(result.mean_load_kw)


def load_slope(result: Validation) -> tuple[Status, str]:
    """Judge how fast the error of the load falls with the number of households."""
    if _nothing_drawn(result):
        return Status.NOT_APPLICABLE, _CERTAIN
    slope = result.scatter.slope
    status = within(slope, -0.5 - SLOPE_MARGIN, -0.5 + SLOPE_MARGIN)
    if status is Status.NOT_APPLICABLE:
        return status, _FEW
    return status, f"The error falls as N to the power {shown(slope)}."


def load_size(result: Validation) -> tuple[Status, str]:
    """Judge the size of the error of the load against that of independent households."""
    if _nothing_drawn(result):
        return Status.NOT_APPLICABLE, _CERTAIN
    ratio = result.load_ratio
    status = within(ratio, 1 - SIZE_MARGIN, 1 + SIZE_MARGIN)
    if status is Status.NOT_APPLICABLE:
        return status, _FEW
    return status, f"The error is {shown(ratio)} times that of independent households."


def class_size(result: Validation) -> tuple[Status, str]:
    """Judge the same of every rate class's load; the worst decides."""
    if _nothing_drawn(result):
        return Status.NOT_APPLICABLE, _CERTAIN
    each = [(one, within(one.ratio, 1 - SIZE_MARGIN, 1 + SIZE_MARGIN)) for one in result.classes]
    told = "; ".join(f"{one.name} {shown(one.ratio)}" for one, _ in each)
    status = next((worst for worst in _WORST_FIRST if any(worst is own for _, own in each)), Status.PASS)
    if status is Status.NOT_APPLICABLE:
        return status, _FEW
    return status, f"Times that of independent households: {told}."


def load_floor(result: Validation) -> tuple[Status, str]:
    """Judge whether a part of the error of the load stays however many the households are."""
    if _nothing_drawn(result):
        return Status.NOT_APPLICABLE, _CERTAIN
    squared, floor = result.scatter.floor_squared, result.scatter.floor
    if squared.low is None or squared.high is None or floor is None:
        return Status.NOT_APPLICABLE, _FEW
    if squared.low > 0 and squared.high is not None:
        text = (
            f"A floor of {floor:.4f} kW stays however many the households (95 %: {squared.low**0.5:.4f} to"
            f" {squared.high**0.5:.4f}), {floor / result.mean_load_kw:.2%} of the mean load."
        )
        if result.day_types == 1:
            return Status.FAIL, f"{text} With one kind of day there is nothing to forget: there should be none."
        return Status.FAIL, f"{text} It is what older day types than the model remembers leave behind: raise memory."
    most = max(squared.high, 0.0) ** 0.5
    return Status.PASS, "No floor is seen." + (f" One above {most:.1g} kW would have been." if most > 0 else "")


def state_slope(result: Validation) -> tuple[Status, str]:
    """Judge how fast the distance of states of charge falls with the number of households."""
    if result.wasserstein is None:
        return Status.NOT_APPLICABLE, "No household of these markets has a battery."
    slope = result.wasserstein.slope
    status = within(slope, -0.5 - SLOPE_MARGIN, -0.5 + SLOPE_MARGIN)
    if status is Status.NOT_APPLICABLE:
        return status, _FEW
    return status, f"The distance falls as N to the power {shown(slope)}."


def state_size(result: Validation) -> tuple[Status, str]:
    """Judge the size of that distance against that of independent households."""
    if result.wasserstein is None:
        return Status.NOT_APPLICABLE, "No household of these markets has a battery."
    ratio = result.wasserstein_ratio
    status = within(ratio, 1 - SIZE_MARGIN, 1 + SIZE_MARGIN)
    if status is Status.NOT_APPLICABLE:
        return status, _FEW
    return status, f"The distance is {shown(ratio)} times that of independent households."


def exploitability_sign(result: Validation) -> tuple[Status, str]:
    """Judge whether gains are at least 0, and their limit within the softmax bound."""
    found = result.exploit
    if found is None:
        return Status.NOT_APPLICABLE, "Not computed."
    least = min((*found.values, found.limit))
    bound = found.bound[0] if found.bound else None
    text = f"The least gain is {least:.6f} USD per household-day"
    bounded = found.cooled[:1] != (None,) and (not found.bound or (found.cooled[0] or 0.0) <= found.bound[0] + 1e-9)
    text += f", its limit {found.limit:.6f}" + ("." if bound is None else f" under a bound of {bound:.4f}.")
    return Status.PASS if least >= -1e-9 and bounded else Status.FAIL, text


def exploitability_slope(result: Validation) -> tuple[Status, str]:
    """Judge how fast the exploitability nears its limit, against the law that applies."""
    found = result.exploit
    if found is None:
        return Status.NOT_APPLICABLE, "Not computed."
    under = (
        ""
        if found.coupled
        else (
            f"No rate of the tariff in force depends on the wholesale price, so ε_N = ε_∞ for every N. Under"
            f" {found.tariff}: "
        )
    )
    if not found.coupled and found.slope is None:
        return Status.NOT_APPLICABLE, "No rate depends on the wholesale price, so ε_N = ε_∞ for every N."
    if found.law is None:
        return Status.NOT_APPLICABLE, "Nobody has a battery or use that answers a rate: there is nothing to gain."
    if found.slope is None:
        return Status.NOT_APPLICABLE, f"{under}the difference vanishes, or changes its sign among very many households."
    inside = abs(found.slope - found.law) <= EXPLOITABILITY_MARGIN
    text = (
        f"|ε_N − ε_∞| falls as N to the power {found.slope:.4f} from {found.tail[0]:,.0f} households on; the law is"
        f" {found.law:g}."
    )
    curve = "" if found.affine else " The supply curve bends, but not at these loads."
    if inside:
        return Status.PASS, f"{under}{text}{curve}"
    if not found.affine:
        kinked = f"The supply curve has a kink near these loads: there it is {found.law / 2:g}."
        return Status.NOT_APPLICABLE, f"{under}{text} {kinked}"
    return Status.FAIL, f"{under}{text}"


def exploitability_cold(result: Validation) -> tuple[Status, str]:
    """Judge whether the exploitability stays within its bound, and falls, as the temperature does."""
    found = result.exploit
    if found is None or not found.cooled:
        return Status.NOT_APPLICABLE, "At temperature 0 there is nothing to cool."
    if found.law != CHOICE_LAW:
        return Status.NOT_APPLICABLE, "Nobody has a battery, so no move is drawn: the temperature changes nothing."
    known = [
        (t, e, b) for t, e, b in zip(found.temperature_usd, found.cooled, found.bound, strict=True) if e is not None
    ]
    if len(known) < 2:
        return Status.NOT_APPLICABLE, "No colder equilibrium was found."
    held = all(e <= b + 1e-9 for _, e, b in known)
    first, last = known[0], known[-1]
    return (
        Status.PASS if held and last[1] < first[1] else Status.FAIL,
        f"From temperature {first[0]:g} to {last[0]:g} USD it falls from {first[1]:.5f} to {last[1]:.5f} USD per"
        f" household-day ({found.tariff}).",
    )


def beliefs_arrive(result: Validation) -> tuple[Status, str]:
    """Judge whether learners' beliefs come as near to the prices as chance lets them."""
    if _nothing_drawn(result):
        return Status.NOT_APPLICABLE, "Nothing is drawn, so there is no chance to compare an error with."
    found = result.learners
    if found is None or found.last_belief_error.value is None or found.noise.value is None:
        return Status.NOT_APPLICABLE, "Not run."
    last, noise = found.last_belief_error, found.noise
    text = (
        f"In the last quarter of {found.days} days beliefs are off by {last.value:.5f} USD/kWh;"
        f" chance alone moves a day's prices by {noise.value:.5f}."
    )
    if last.high is None or noise.low is None:
        return Status.NOT_APPLICABLE, _FEW
    if last.high <= noise.low:
        return Status.PASS, text
    first = found.first_belief_error.value or 0.0
    if (last.value or 0.0) < first:
        return (
            Status.UNDECIDED,
            f"{text} They started at {first:.5f} and are still coming closer: rare kinds of days teach slowly.",
        )
    return Status.FAIL, f"{text} They started at {first:.5f} and do not come closer."


def prices_calm(result: Validation) -> tuple[Status, str]:
    """Judge whether learners' prices stray no further than those of households that know them."""
    found = result.learners
    if found is None:
        return Status.NOT_APPLICABLE, "Not run."
    status = within(found.ratio, 0.0, CALM_RATIO)
    if status is Status.NOT_APPLICABLE:
        return status, _FEW
    return status, (
        f"Realised prices of learners stray {shown(found.ratio)} times as far from the equilibrium as those of"
        " households that are given it."
    )


def leader_loss(result: Validation) -> tuple[Status, str]:
    """Judge what the mean field's tariff loses in a finite market, against what it gains there."""
    found = result.leader
    if found is None:
        return Status.NOT_APPLICABLE, "No tariff of the leader's family has an equilibrium here."
    loss, count = found.loss[-1], found.households[-1]
    if found.gain <= 0:
        return Status.NOT_APPLICABLE, "The leader gains nothing over the tariff in force to compare a loss with."
    if loss.high is None:
        return Status.NOT_APPLICABLE, _FEW
    allowed = LOSS_SHARE * found.gain
    text = (
        f"Among {count:,} households the mean field's tariff loses {shown(loss, 6)} USD per household-day against the"
        f" best found; the gain over the tariff in force is {found.gain:.5f}."
    )
    return within(loss, -float("inf"), allowed), text


def grid_slope(name: str, what: str) -> Callable[[Validation], tuple[Status, str]]:
    """Make the judge of how fast an error of the feeder falls; ``name`` is that of the check's result."""

    def judged(result: Validation) -> tuple[Status, str]:
        if result.grid is None:
            return Status.NOT_APPLICABLE, "The feeder has no state under some of the loads (voltage collapse)."
        slope: Interval = getattr(result.grid, name).slope
        status = within(slope, -float("inf"), -0.5 + SLOPE_MARGIN)
        if status is Status.NOT_APPLICABLE:
            return status, _FEW
        return status, f"The error of the {what} falls as N to the power {shown(slope)}."

    return judged
