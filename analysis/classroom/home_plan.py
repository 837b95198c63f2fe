"""A student's plan for the battery of one home: a wish for each slot of a day, made a move when the slot comes."""

from enum import StrEnum
from typing import Final

from meanwatt.agents.behaviour.protocol import Situation


class Wish(StrEnum):
    """What the battery is to do in one slot, as far as charge and power allow. Its value is the letter of the plan."""

    REST = "r"
    """Neither charge nor discharge."""
    SUN = "s"
    """Store the solar surplus, and buy nothing for it."""
    CHARGE = "c"
    """Charge at full power, bought where the sun does not suffice."""
    COVER = "u"
    """Cover the home's own use, and sell nothing of it."""
    SELL = "d"
    """Discharge at full power; what the home does not use is sold."""


Plan = tuple[Wish, ...]
"""A wish for each slot of a day."""

WORDS: Final = {
    Wish.REST: "rest",
    Wish.SUN: "store sun",
    Wish.CHARGE: "charge",
    Wish.COVER: "cover use",
    Wish.SELL: "sell",
}


def read_plan(letters: object, slots: int) -> Plan:
    """Read a plan: a text with one letter of `Wish` for each slot.

    Raises
    ------
    ValueError
        In one line, if it is none.
    """
    known = {wish.value: wish for wish in Wish}
    if not isinstance(letters, str) or len(letters) != slots or not set(letters) <= known.keys():
        shown = repr(letters) if isinstance(letters, str) else type(letters).__name__
        meaning = ", ".join(f"{wish.value} {word}" for wish, word in WORDS.items())
        raise ValueError(f"plan is {shown[:60]}; give {slots} letters, one for each slot: {meaning}")
    return tuple(known[letter] for letter in letters)


def written(plan: Plan) -> str:
    """The text that `read_plan` reads."""
    return "".join(plan)


def move_for(wish: Wish, situation: Situation) -> int:
    """The move that comes closest to a wish, of those that are open.

    Returns
    -------
    int
        One of ``situation.moves``; where resting is not open, and for a wish that no move meets, the smallest move.
    """
    moves, net_load_kw = situation.moves, situation.net_load_kw
    rest = int(min(moves.tolist(), key=abs))
    if wish is Wish.CHARGE:
        return max(int(moves[-1]), rest)
    if wish is Wish.SELL:
        return min(int(moves[0]), rest)
    if wish is Wish.SUN:
        fits = moves[(moves > 0) & (net_load_kw <= 0)]
        return int(fits.max()) if fits.size else rest
    if wish is Wish.COVER:
        fits = moves[(moves < 0) & (net_load_kw >= 0)]
        return int(fits.min()) if fits.size else rest
    return rest


class PlannedHome:
    """A household that follows a plan; without one it does as the equilibrium's policy says.

    Parameters
    ----------
    plan
        Of the day to come.
    """

    def __init__(self, plan: Plan | None) -> None:
        self.plan = plan

    def move(self, situation: Situation) -> int:
        """The move of the slot."""
        if self.plan is None:
            return situation.planned_move
        return move_for(self.plan[situation.slot], situation)
