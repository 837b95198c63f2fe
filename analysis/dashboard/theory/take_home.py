"""The solved game as a table that a visitor takes home."""

from collections.abc import Iterator

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.dashboard.shared.csv_text import csv_text
from meanwatt.analysis.dashboard.theory.choice import Choice, query
from meanwatt.analysis.tabular.solution import GameSolution

COLUMNS = ("concept", "outcome", "state", "player", "action", "probability", "value")


def csv_of(choice: Choice, found: GameSolution) -> str:
    """Policies and values of every concept and of the softmax responses, a row an action of a player in a state."""
    game = found.named.game
    head = {
        "game": choice.game,
        "discount_leader": f"{game.discount_leader:.12g}",
        "discount_follower": f"{game.discount_follower:.12g}",
        "temperature": f"{choice.temperature:.12g}",
        "unit": found.named.unit or "none",
        "link": f"?{query(choice)}",
    }
    rows: list[tuple[str, ...]] = []
    for name, concept in found.concepts.items():
        one = concept.equilibrium
        if one is None:
            rows.append((name, str(concept.outcome), *[""] * (len(COLUMNS) - 2)))
            continue
        plays = ((one.leader_policy, one.leader_value), (one.follower_policy, one.follower_value))
        rows += [(name, str(concept.outcome), *row) for row in _rows(found, *plays)]
    for at in found.runs:
        run = at.run
        plays = ((run.leader_policy, run.leader_value), (run.follower_policy, run.follower_value))
        rows += [("softmax", str(run.outcome), *row) for row in _rows(found, *plays)]
    return csv_text(head, COLUMNS, rows)


def _rows(found: GameSolution, lead: tuple[Floats, Floats], follow: tuple[Floats, Floats]) -> Iterator[tuple[str, ...]]:
    named = found.named
    sides = ((named.leader, named.leader_actions, lead), (named.follower, named.follower_actions, follow))
    for place, state in enumerate(named.states):
        for who, actions, (policy, value) in sides:
            for action, probability in zip(actions, policy[place].tolist(), strict=True):
                yield state, who, action, f"{probability:.12g}", f"{float(value[place]):.12g}"
