"""What the page of the challenge says."""

import math
from collections.abc import Sequence

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.challenge.board import BOARDS
from meanwatt.analysis.challenge.board import TRIES as COUNTED
from meanwatt.analysis.challenge.hint import Hint
from meanwatt.analysis.challenge.scale import Scale
from meanwatt.analysis.dashboard.shared.figures import number, usd
from meanwatt.model.scenario.economy import DAYS_PER_MONTH

TITLE = "Challenge"
SENTENCE = "You are the commission: set the tariff."
TARIFF = "Your tariff"
SCORES = "Your scores"
TRIES = "Your tries"
BEFORE = "Draw the rates, set the rest, and submit. The homes answer, and their answer is scored."
SCALE = (
    "0 is the filed tariff. 100 is the best that the commission's own search found on that one measure, among tariffs"
    " of a time-of-use pattern, a share of the wholesale price, an export credit and a fixed charge that rises at most"
    " in proportion to income. You may pass either end."
)
RECOVERY = (
    "Every try covers the same cost: the program sets the fixed charge to what your rates leave of it, in the parts"
    " you give. If the rates bring more, the charge is a refund."
)
AXES = ("Efficiency", "Equity", "Stability")
MEASURES = ("Welfare, $ per home and month", "Burden gap, % of income", "Price swing, ¢/kWh")
ANCHORS = ("welfare", "burden-gap", "imv")
HELP = "read-challenge"
TRIES_BEFORE_HINT = 3
BOARD = "Leaderboard"
BOARD_ALONE = "Play with others: open a board, and let them type its code here, or open its link."
BOARD_LIVES = (
    f"Counted is each player's try with the highest mean, of the first {COUNTED}. The board lives as long as this"
    f" server, or until {BOARDS} others are looked at later, and holds names and scores, nothing else."
)
NO_BOARD = (
    "There is no board of this code on this server, or it is gone with the last start; open a new one, or look at the"
    " code again"
)


NOT_BEATEN = "★ No other try is better on one score without being worse on another."


def until_hint(count: int) -> str:
    """When the hint comes."""
    left = TRIES_BEFORE_HINT - count
    return f"After {left} more {'try' if left == 1 else 'tries'} there is a hint." if left > 0 else ""


def score(value: float) -> str:
    """A score; a dash where there is none."""
    return number(None if math.isnan(value) else round(value) + 0.0, 0)


def measured(axis: int, criterion: float) -> str:
    """A criterion in the unit of its measure: dollars gained, percent, cents."""
    if axis > 0:
        return number(100 * criterion, 2)
    gained = round(-criterion * DAYS_PER_MONTH, 2) + 0.0
    return f"{'+' if gained > 0 else ''}{number(gained, 2)}"


def ends(axis: int, filed: float, best: float) -> str:
    """The criteria where the scores 0 and 100 lie."""
    return f"0: {measured(axis, filed)}, 100: {measured(axis, best)}"


def charge(usd_per_month: float) -> str:
    """A fixed charge, or a refund."""
    return f"{usd(usd_per_month, 2)}/month"


def hint(found: Hint | None) -> str:
    """A hint as a sentence."""
    if found is None:
        return "Hint: no small change of the rates in three hours raises the mean. Try larger changes, or the rest."
    way = "dearer" if found.change_usd_per_kwh > 0 else "cheaper"
    size = f"{number(100 * abs(found.change_usd_per_kwh), 0)} ¢ {way}"
    parts = ", ".join(
        f"{name.lower()} {_signed(gain)}" for name, gain in zip(AXES, found.gain.tolist(), strict=True) if gain == gain
    )
    return (
        f"Hint: {size} at {found.first_hour}–{found.last_hour} h changes the scores by: {parts};"
        f" the mean {_signed(found.mean_gain)}. Computed, not guessed."
    )


def listed(scores: Sequence[float], mean: float) -> str:
    """Three scores and their mean in a sentence."""
    parts = ", ".join(f"{name.lower()} {score(value)}" for name, value in zip(AXES, scores, strict=True))
    return f"{parts}, mean {score(mean)}"


def computed_caption(scale: Scale, point: Floats, mine: Floats | None, name: str) -> str:
    """What the computed tariff is, beside the visitor's best try of a name; criteria (3,) of both."""
    told = (
        "Computed: the commission commits to the tariff of its family with the highest mean score;"
        f" {listed(scale.scores(point).tolist(), scale.mean(point))}."
    )
    if mine is None:
        return told
    return f"{told} Your best, {name}: {listed(scale.scores(mine).tolist(), scale.mean(mine))}."


def _signed(value: float) -> str:
    text = number(abs(value), 1)
    return f"{'' if text == '0.0' else '+' if value > 0 else '−'}{text}"
