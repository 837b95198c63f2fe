"""What ``meanwatt game`` prints for people: a page on a solved game."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from meanwatt.analysis.tabular.played import played

if TYPE_CHECKING:
    from meanwatt.agents.numerics.arrays import Floats
    from meanwatt.analysis.tabular.solution import ConceptResult, GameSolution, TemperatureRun
    from meanwatt.model.tabular.named_game import NamedGame
    from meanwatt.model.tabular.stackelberg_games import StackelbergEquilibrium

ROUND: Final = 5
"""Round of the iteration whose error is printed."""
ROUNDING: Final = 1e-10
"""Distances and regrets below this are what the iteration's tolerance leaves."""
SAID: Final = {
    "commitment": ("Commitment, for ever", "Commitment to a pure policy, for ever"),
    "commitment_mixed": ("Commitment with lotteries, for ever",) * 2,
    "feedback": ("Feedback, day by day, pure", "Feedback, day by day, pure"),
    "feedback_mixed": ("Feedback, day by day, with lotteries", "Feedback, day by day, with lotteries"),
}
"""Headings of the concepts, with lotteries and without."""
ORDER: Final = ("commitment", "commitment_mixed", "feedback", "feedback_mixed")
"""Concepts as they follow each other on the page."""


def say_game(solution: "GameSolution", messages: Iterable[str]) -> None:
    """Print the concepts, whether iterated softmax responses converge, their errors, and the messages."""
    from meanwatt.analysis.cli.show import say, say_notes

    say(f"{_about(solution.named)}\n")
    for name in ORDER:
        found = solution.concepts.get(name)
        again = name == "commitment_mixed" and solution.named.game.separates and found is not None
        if found is not None and not (again and found.outcome == "exact"):  # as commitment has lotteries, too, then
            _say_concept(solution.named, name, found)
    if solution.runs:
        _say_iteration(solution)
        _say_errors(solution)
    if solution.outcome != "converged":
        say(solution.message)
    say_notes(messages)


def _about(named: "NamedGame") -> str:
    game = named.game
    states = f"States {', '.join(named.states)}; d" if len(named.states) > 1 else "D"
    discount = f"iscount {game.discount_leader:g}"
    if game.discount_leader != game.discount_follower:
        discount += f" ({named.leader}) and {game.discount_follower:g} ({named.follower})"
    unit = f"; {named.unit}" if named.unit else ""
    return (
        f"{named.title}. {named.leader} ({', '.join(named.leader_actions)}) leads,"
        f" {named.follower} ({', '.join(named.follower_actions)}) follows.\n{states}{discount}{unit}."
    )


def _say_concept(named: "NamedGame", name: str, found: "ConceptResult") -> None:
    from meanwatt.analysis.cli.show import figure, say, table

    heading = SAID[name][0 if found.mixed else 1]
    one = found.equilibrium
    if one is None:
        say(f"{heading}: {_without(found)}\n")
        return
    say(heading)
    leader, follower = one.leader_value, one.follower_value
    rows = [
        (state, leads, answers, figure(own), figure(other))
        for state, leads, answers, own, other in zip(
            named.states,
            played(named.leader_actions, one.leader_policy, named.leader_matters),
            played(named.follower_actions, one.follower_policy, named.follower_matters),
            leader.tolist(),
            follower.tolist(),
            strict=True,
        )
    ]
    leads, follows = named.leader, named.follower
    table("", ("state", f"play: {leads}", f"play: {follows}", f"value: {leads}", f"value: {follows}"), rows)
    if one.bound is not None:
        say(_bounded(named, one) + "\n")


def _bounded(named: "NamedGame", one: "StackelbergEquilibrium") -> str:
    """What is known of the best promise: that this is it, or how much more one may be worth."""
    from meanwatt.model.scenario.counted import counted

    law = named.game.start_law
    first = [name for name, share in zip(named.states, law.tolist(), strict=True) if share > 0]
    if len(first) == 1:
        begins = f"from {first[0]} on" if len(named.states) > 1 else "in all"
    elif law.min() == law.max():
        begins = "from a first state that may be any alike"
    else:
        begins = "from a first state drawn by its law"
    worth = f"Worth {one.leader_objective:.6g} to the {named.leader} {begins}"
    bound = one.leader_objective if one.bound is None else one.bound
    if one.outcome == "exact":
        return f"{worth}: no stationary promise is worth more, to within {max(1e-6, bound - one.leader_objective):.0e}."
    boxes = counted(one.rounds, "box", "boxes")
    return f"{worth}: the best found in {boxes}; no stationary promise is worth more than {bound:.6g}."


def _without(found: "ConceptResult") -> str:
    """Why there is nothing to show, in the words of a page."""
    if found.exists is False:
        return f"none exists. {found.message.partition(': ')[2].capitalize()}"
    if found.outcome == "cycle":
        return "none was reached, the rounds of value iteration cycle."
    return found.message


def _say_iteration(solution: "GameSolution") -> None:
    from meanwatt.analysis.cli.show import say, table

    named = solution.named
    lean = f"{solution.start[0, 0]:.2f} on {named.leader_actions[0]}"
    say(
        f"Softmax responses iterated at temperature η, from {lean}.\n"
        "A round multiplies distances by d_L·d_F or less, as measured and as proven; below 1 the iteration converges"
    )
    table(
        "",
        ("η", "d_L", "d_F", "measured", "proven", "ends", "rounds", f"value: {named.leader}"),
        [_constants(named, one) for one in solution.runs],
    )
    converged = [one for one in solution.runs if one.converged]
    if not converged:
        say("It converges at none of these temperatures.\n")
        return
    say(f"Where it converges: the error after {ROUND} rounds, the regret of each at the fixed point, and their bounds")
    heads = ["η", "error", "at most"]
    for who in (named.leader, named.follower):
        heads += [f"regret: {who}", "at most"]
    table("", heads, [_error(one) for one in converged])
    if any(_bounds(one)[1] for one in converged):
        say("~: by the measured product, which is no proof.\n")


def _say_errors(solution: "GameSolution") -> None:
    """Print what softmax costs the leader against the best promise to exact followers."""
    from meanwatt.analysis.cli.show import say, table

    errors, named = solution.errors, solution.named
    if errors is None:
        return
    say(
        f"What softmax leaves the {named.leader} short of the best promise: in turn, as above; or where it promises the"
        f" best to a\n{named.follower} that answers by softmax (below 0: slips serve it)"
    )
    columns = (errors.turns, errors.turns_bound, errors.promise, errors.promise_bound)
    rows = [
        (f"{one.temperature:g}", *("–" if value != value else short(value) for value in row))
        for one, row in zip(solution.runs, zip(*(c.tolist() for c in columns), strict=True), strict=True)
    ]
    table("", ("η", "in turn", "at most", "promised", "at most"), rows)


def _constants(named: "NamedGame", one: "TemperatureRun") -> tuple[str, ...]:
    """Row of a temperature: the Lipschitz constants, how the iteration ends, and what the leader gets there."""
    constants = one.lipschitz
    measured = (constants.leader_measured, constants.follower_measured, constants.product_measured)
    if one.converged:
        end, value = "converges", short(float(named.game.start_law @ one.run.leader_value))
    else:
        end, value = f"cycle of {one.run.period}" if one.run.period else "goes on", "–"
    stretch = map(short, (*measured, constants.product_bound))
    return (f"{one.temperature:g}", *stretch, end, str(len(one.run.residuals)), value)


def _error(one: "TemperatureRun") -> tuple[str, ...]:
    """Row of a run that converges: the error after some rounds, both regrets, and the bounds of all three."""
    run = one.run
    bounds, mark = _bounds(one)
    last = min(ROUND, len(run.residuals))
    return (
        f"{one.temperature:g}",
        short(float(run.errors()[last])),
        "–" if bounds is None else f"{mark}{short(float(bounds[last]))}",
        short(run.leader_regret),
        short(run.leader_regret_bound),
        short(run.follower_regret),
        short(run.follower_regret_bound),
    )


def _bounds(one: "TemperatureRun") -> tuple["Floats | None", str]:
    """Bound of the distance by round, and a mark if only by the measured constants."""
    proven = one.error_bounds(one.lipschitz.product_bound)
    if proven is not None:
        return proven, ""
    measured = one.error_bounds(one.lipschitz.product_measured)
    return measured, "" if measured is None else "~"


def short(value: float) -> str:
    """Three digits, or one where the number is small; what is no more than rounding is 0."""
    if abs(value) < ROUNDING:
        return "0"
    return f"{value:.0e}" if abs(value) < 5e-4 else f"{value:.3g}"
