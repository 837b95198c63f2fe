"""The objective among cold households for a page, as ``meanwatt design`` prints it: computed when asked for, shared."""

from collections.abc import Callable
from typing import Final

from meanwatt.analysis.dashboard.leader import side_words, words
from meanwatt.analysis.dashboard.leader.choice import Choice
from meanwatt.analysis.dashboard.leader.searching import alone
from meanwatt.analysis.dashboard.leader.sighted import Sighted
from meanwatt.analysis.dashboard.shared.choices import tariff_titles
from meanwatt.analysis.dashboard.shared.figures import number
from meanwatt.analysis.dashboard.shared.memo import Memo
from meanwatt.analysis.dashboard.shared.payload import to_json
from meanwatt.analysis.dashboard.shared.side_table import filled, side_board, under_way
from meanwatt.analysis.dashboard.shared.solved import Work
from meanwatt.analysis.design.cold import DESIGNED, ColdComparison, cold_messages, compare_cold
from meanwatt.model.progress.watch import Cancelled, Progress, Watch

TITLE: Final = "Among cold households"
OFFER: Final = (
    "What are the tariffs worth to this leader if households make no slips at all (temperature 0)? The tariff found,"
    " the one in force and the scenario's own are solved once more: seconds on the textbook island, minutes elsewhere."
)
HALF_WAY: Final = 200
"""Answers of the households after which the progress bar stands at one half; nobody knows the number in advance."""

_known: Memo[Choice, ColdComparison] = Memo(12)


def compared_cold(
    choice: Choice, seen: Sighted, *, progress: Callable[[Work], None], cancelled: Callable[[], bool]
) -> ColdComparison | None:
    """Value a search's tariffs cold, or find them valued already; None if cancelled, or the search has not ended."""
    if seen.design is None:
        return None
    key = choice.search
    answers = 0

    def told(report: Progress) -> None:
        nonlocal answers
        answers += 1
        progress(Work(text=f"Cold households: {report.stage}", fraction=answers / (answers + HALF_WAY)))

    with _known.turn(key, cancelled) as mine:
        known = None if seen.stopped else _known.get(key)
        if known is None and mine:
            try:
                with alone(progress, cancelled):
                    watch = Watch(progress=told, cancelled=cancelled)
                    known = compare_cold(seen.in_force.economy, seen.aims, seen.design, watch)
            except Cancelled:
                return None
            if not seen.stopped:
                _known.put(key, known)
    return known


def cold_json(choice: Choice, seen: Sighted, found: ColdComparison | None, work: Work | None) -> str:
    """JSON of the table, or of the button that asks for it; the component is `side_table`."""
    board = side_board("cold", TITLE, "read-leader-cold", offer=OFFER, label="Ask cold households")
    if found is None:
        return to_json(under_way(board, work))
    titles, digits = tariff_titles(choice.settings.preset()), words.objective_digits(seen)
    gains = [_gain(found, digits, key) for key in ("objective", "cold_objective")]
    values = [
        (side_words.cold_name(one.name, titles, designed=DESIGNED), one.objective, one.cold_objective)
        for one in found.distinct
    ]
    values.append(("Gain of the tariff found", gains[0], gains[1]))
    return to_json(
        filled(
            board,
            ["Tariff", f"at {found.temperature_usd:g} USD", "cold"],
            [[name, number(warm, digits), number(cold, digits)] for name, warm, cold in values],
            caption=side_words.cold_caption(gains[0], gains[1], seen),
            messages=[words.said(text) for text in cold_messages(found, seen.aims.definition.unit, annealed=True)],
        )
    )


def _gain(found: ColdComparison, digits: int, key: str) -> float | None:
    """What the design gains over the tariff in force, of the numbers as printed; None where one is undefined."""
    before = getattr(found.in_force, key)
    after = None if found.designed is None else getattr(found.designed, key)
    return None if before is None or after is None else round(after, digits) - round(before, digits)
