"""What a finite memory leaves of the distance from the mean field, however many the homes, as a table of the page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from meanwatt.analysis.dashboard.finite.drawn import Drawn
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.side_table import filled, side_board, under_way
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.model.scenario.counted import counted

if TYPE_CHECKING:
    from meanwatt.analysis.validation.result import MemoryFloor

TITLE: Final = "The floor, and what the mean field remembers"
OFFER: Final = (
    "The mean field knows the last days' weather alone; what older days left in the batteries moves all homes at once"
    " and stays however many they are. The same markets are set beside mean fields that remember 0, 1 and 2 days:"
    " a minute or more."
)
NOTHING: Final = (
    "This town has one kind of day: there is nothing to forget, and no floor to expect. Choose a town with weather."
)
WATTS: Final = 1000


def floors_json(drawn: Drawn, found: "tuple[MemoryFloor, ...] | None", work: Work | None) -> str:
    """JSON of the table, or of the button that asks for it."""
    board = side_board("floors", TITLE, "read-floors", offer=OFFER, label="Measure the floors")
    if drawn.solution.equilibrium.economy.common.count == 1 or drawn.study is None or drawn.study.day_types == 1:
        return to_json({**board, "ask": False, "caption": NOTHING})
    if found is None:
        return to_json(under_way(board, work))
    now = drawn.solution.equilibrium.economy.scenario.memory
    return to_json(
        filled(
            board,
            [
                "Days remembered",
                "Floor, W per home",
                "at least, by the law",
                f"Share at {drawn.households[-1]:,}",
            ],
            [
                [
                    f"{one.memory} (this town)" if one.memory == now else str(one.memory),
                    _floor(one),
                    number(WATTS * one.closure_error_kw, 2),
                    share(one),
                ]
                for one in found
            ],
            caption=_caption(found, now, drawn.households[-1]),
        )
    )


def seen(one: "MemoryFloor") -> bool:
    """Whether a floor is seen: whether the interval of its square lies above 0."""
    low = one.scatter.floor_squared.low
    return low is not None and low > 0


def share(one: "MemoryFloor") -> str:
    """Share f² over RMS² of the largest markets' squared distance that is floor, or at most is if none is seen."""
    squared, rms = one.scatter.floor_squared, one.scatter.rms[-1].value
    if squared.value is None or squared.high is None or not rms:
        return "–"
    part = min(max(squared.value if seen(one) else squared.high, 0.0) / rms**2, 1.0)
    return f"{100 * part:.0f} %" if seen(one) else f"at most {100 * part:.0f} %"


def _floor(one: "MemoryFloor") -> str:
    """The floor with its interval, or what would have been seen."""
    squared, floor = one.scatter.floor_squared, one.scatter.floor
    if squared.low is None or squared.high is None or floor is None:
        return "–"
    high = WATTS * max(squared.high, 0.0) ** 0.5
    if not seen(one):
        return f"none seen (below {number(high, 1)})"
    return f"{number(WATTS * floor, 1)} ({number(WATTS * squared.low**0.5, 1)} to {number(high, 1)})"


def _caption(found: "Sequence[MemoryFloor]", now: int, largest: int) -> str:
    here = next((one for one in found if one.memory == now), None)
    told = "" if here is None else f"With this town's memory of {counted(now, 'day')} "
    if here is not None and seen(here):
        told += f"{share(here)} of the squared distance of {largest:,} homes is floor, the rest is sampling error. "
    elif here is not None:
        told += f"no floor is seen: {share(here)} of the squared distance of {largest:,} homes could be one. "
    return f"{told}Numbers in brackets are ends of 95 % intervals."
