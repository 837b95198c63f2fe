"""What the theory lab says."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from meanwatt.analysis.dashboard.theory.choice import Choice
from meanwatt.analysis.tabular.softmax_error import SoftmaxErrors
from meanwatt.analysis.tabular.solution import NO_SLOPE, ConceptResult, GameSolution, TemperatureRun
from meanwatt.model.scenario.counted import counted
from meanwatt.model.tabular.named_game import NamedGame
from meanwatt.model.tabular.softmax_games import contractive_temperature
from meanwatt.model.tabular.stackelberg_games import StackelbergEquilibrium

TITLE = "Theory lab"
SENTENCE = "A leader and a follower in a game that fits on a page: promise, day by day, or by softmax in turn."
WAITING = "The game is being solved."
CURVE_WAITS = "The curve over all temperatures is being computed."
LABELS: Final = {
    "commitment": "Commitment",
    "commitment_mixed": "Commitment with lotteries",
    "feedback": "Feedback, pure",
    "feedback_mixed": "Feedback with lotteries",
}
"""What concepts are called in a list."""
SAID_ROUND: Final = 5
"""Round of which the distance is said."""
LEAST: Final = 1e-5
"""Errors that are drawn; the best promise is known to a tenth of it."""
ROUNDING: Final = 1e-6
"""A difference of values below this is none: the best promise is known no better."""
ZERO: Final = 1e-9
"""A number below this is rounding."""
SMALL: Final = 1e-3
"""A number below this is written with a power of ten."""
RAISED: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def said(value: float) -> str:
    """Three digits, with a true minus sign; what is no more than rounding is 0."""
    if abs(value) < ZERO:
        return "0"
    if abs(value) < SMALL:
        digits, _, power = f"{value:.1e}".partition("e")
        return f"{digits.replace('-', '−')}·10{str(int(power)).translate(RAISED)}"
    return f"{value:.3g}".replace("-", "−")


def money(value: float, named: NamedGame) -> str:
    """A value in the unit of the game."""
    return f"{said(value)} {named.unit}" if named.unit else said(value)


def exact_label(name: str, found: ConceptResult) -> str:
    """What a concept that was solved is called: whether the leader could draw lots is said of a commitment, too."""
    if name == "commitment":
        return "Commitment" if found.mixed else "Commitment, pure"
    return LABELS[name]


def verdict(choice: Choice, found: GameSolution) -> str:
    """What the concept chosen is worth, or why there is nothing."""
    named, concept = found.named, found.concepts[choice.concept]
    label, one = exact_label(choice.concept, concept), concept.equilibrium
    if one is None:
        return f"{label}: {without(concept)}"
    return (
        f"{label} is worth {money(one.leader_objective, named)} to the {named.leader}"
        f" and {money(follower_gets(found, one), named)} to the {named.follower}."
    )


def follower_gets(found: GameSolution, one: StackelbergEquilibrium) -> float:
    """What the follower gets from the first state on."""
    return float(found.named.game.start_law @ one.follower_value)


def without(found: ConceptResult) -> str:
    """Why a concept has nothing to show."""
    if found.exists is False:
        return f"none exists. {found.message.partition(': ')[2].capitalize()}"
    if found.outcome == "cycle":
        return "none was reached, the rounds of value iteration cycle."
    return found.message


def notes(choice: Choice, found: GameSolution) -> list[str]:
    """What must be known of a concept: how its promise is bounded, and where a theorem does not speak."""
    named, concept = found.named, found.concepts[choice.concept]
    one = concept.equilibrium
    texts = []
    if one is not None and choice.concept == "commitment":
        texts.append(
            "The game separates (the follower does not move the state, or is myopic), so linear programmes"
            " find the best promise exactly, lotteries included."
            if concept.mixed
            else f"The game does not separate: the follower moves the state, so the linear programmes do not"
            f" apply, and only the {counted(one.rounds, 'pure promise')} were compared."
        )
    if one is not None and one.bound is not None:
        if one.outcome == "exact":
            texts.append("No stationary promise is worth more, to within 1e-6: branch and bound proves it.")
        else:
            texts.append(
                f"The best found, no proof that it is the best: none is worth more than {money(one.bound, named)}."
            )
    if choice.concept.startswith("feedback"):
        texts.append("The best promise always exists; a feedback equilibrium need not.")
    return texts


def maps_caption(found: GameSolution, drawn: int) -> str:
    """Read the maps: where the responses meet, and whether taking turns gets there."""
    named, at = found.named, found.runs[0]
    if not drawn:
        return "Nobody's choice depends on the other's: there is nothing to answer."
    run, warm = at.run, said(at.temperature)
    if not at.converged:
        how = f"goes round in a cycle of {run.period}" if run.period else f"has not settled after {len(run.residuals)}"
        return f"At η = {warm} taking turns {how} rounds: it does not come to where the softened responses meet."
    state = int(np.argmax(named.game.start_law))
    lead, follow = run.leader_policy[state, 0], run.follower_policy[state, 0]
    where = f" in {named.states[state]}" if len(named.states) > 1 else ""
    return (
        f"At η = {warm} the softened responses meet where{where} the {named.leader} plays {named.leader_actions[0]}"
        f" with probability {lead:.2f} and the {named.follower} {named.follower_actions[0]} with {follow:.2f}; taking"
        f" turns gets there in {counted(len(run.residuals), 'round')}. That is a softened Nash equilibrium, no promise."
    )


def contraction_caption(found: GameSolution) -> str:
    """Read the contraction: whether its theorem's condition holds, and what came."""
    at = found.runs[0]
    if at.lipschitz.product_bound <= NO_SLOPE:
        return (
            "The certified factor is 0: a player does not answer the other at all, so one round comes to rest"
            f" ({counted(len(at.run.residuals), 'round')} here)."
        )
    return f"{_condition(found, at)} {_came(at)}"


def _condition(found: GameSolution, at: TemperatureRun) -> str:
    proven, measured = at.lipschitz.product_bound, at.lipschitz.product_measured
    if proven < 1.0:
        return (
            f"The theorem's condition holds: a round shrinks distances to {said(proven)} of what they were or less,"
            " which is proven, so from every start there is one place to come to (Banach)."
        )
    warm = said(contractive_temperature(found.named.game, 1.0))
    if measured < 1.0:
        return (
            f"The theorem's condition does not hold: the proven factor is {said(proven)}, not below 1 (it would be from"
            f" η = {warm} on). The largest factor found is {said(measured)}, which is evidence, no proof."
        )
    return (
        f"The theorem's condition does not hold: the largest factor found is {said(measured)}, not below 1, and at most"
        f" {said(proven)} is proven (below 1 from η = {warm} on), so nothing is certified here."
    )


def _came(at: TemperatureRun) -> str:
    run = at.run
    rounds = counted(len(run.residuals), "round")
    if at.converged:
        last = min(SAID_ROUND, len(run.residuals))
        away = float(run.errors()[last])
        near = said(away) if away >= ZERO else "less than 10⁻⁹"
        text = f"It came to rest after {rounds}; after {counted(last, 'round')} it was {near} away"
        bounds = at.error_bounds(at.lipschitz.product_bound)
        return f"{text}." if bounds is None else f"{text}, at most {said(bounds[last])} by the theorem."
    if run.period:
        return f"It cycles: the same {run.period} policies come back for ever, by steps of {said(run.residuals[-1])}."
    return f"After {rounds} it had not come to rest; the last step was {said(run.residuals[-1])}."


def errors_caption(found: GameSolution, errors: SoftmaxErrors, *, drawn: bool) -> str:
    """Read the softmax errors at the temperature at hand, and say which bound says nothing."""
    named = found.named
    turns, most, promise, bound = (
        float(row[0]) for row in (errors.turns, errors.turns_bound, errors.promise, errors.promise_bound)
    )
    warm = said(float(errors.temperatures[0]))
    text = (
        f"The best promise is worth {money(errors.best.leader_objective, named)}. At η = {warm} the {named.leader}"
        f" {_short_of(promise, named)} where it commits and the answers are soft (at most {said(bound)} short)"
    )
    text += (
        f", and {_short_of(turns, named)} where both soften in turn (at most {said(most)} short)."
        if np.isfinite(turns)
        else "; where both soften in turn it does not come to rest, so there is no error to tell."
    )
    if min(promise, turns if np.isfinite(turns) else promise) < LEAST:
        text += " The axis, in steps of ten, cannot show what is 0 or below."
    if promise < -ROUNDING:
        text += f" Here slips of the {named.follower} serve the {named.leader}."
    idle = [
        name
        for name, value, there in (("committing", bound, True), ("taking turns", most, np.isfinite(turns)))
        if there and value > errors.span
    ]
    if idle:
        which = " and that of ".join(idle)
        text += f" The bound of {which} is above all there is to lose ({said(errors.span)}): it says nothing."
    return text if drawn else f"{text} {CURVE_WAITS}"


def _short_of(error: float, named: NamedGame) -> str:
    if error < -ROUNDING:
        return f"gets {money(-error, named)} more than that"
    return f"falls {money(max(error, 0.0), named)} short"


def _beyond(more: float, than: str) -> str:
    if abs(more) < ROUNDING:
        return f"as much as {than}"
    return f"{said(abs(more))} {'more' if more > 0 else 'less'} than {than}"


def values_caption(found: GameSolution, gets: float | None) -> str:
    """Read the values: what a promise for ever is worth beyond each other concept."""
    named = found.named
    values = {name: one.equilibrium.leader_objective for name, one in found.concepts.items() if one.equilibrium}
    best = values.get("commitment_mixed")
    parts = []
    if best is not None:
        parts.append(f"A promise with lotteries is worth {money(best, named)} to the {named.leader}")
        compared = {
            "the best pure one": None if found.concepts["commitment"].mixed else values.get("commitment"),
            "pure feedback": values.get("feedback"),
            "feedback with lotteries": values.get("feedback_mixed"),
            "softmax in turn": gets,
        }
        more = [_beyond(best - value, than) for than, value in compared.items() if value is not None]
        parts[0] += f": {', '.join(more)}." if more else "."
    parts += [f"{LABELS[name]}: {without(one)}" for name, one in found.concepts.items() if one.equilibrium is None]
    if gets is None:
        parts.append("Softmax in turn does not come to rest at this temperature, and has no value.")
    return " ".join(parts)


def settings_line(named: NamedGame) -> str:
    """Players, actions and discounts."""
    game = named.game
    discount = f"discount {game.discount_leader:g}"
    if game.discount_leader != game.discount_follower:
        discount += f" ({named.leader}), {game.discount_follower:g} ({named.follower})"
    return (
        f"{named.leader} ({', '.join(named.leader_actions)}) leads, {named.follower}"
        f" ({', '.join(named.follower_actions)}) follows; {discount}."
    )


def file_name(choice: Choice) -> str:
    """Name of the file to take home."""
    return f"meanwatt-game-{choice.game}.csv"


def titles(found: Mapping[str, str]) -> list[dict[str, str]]:
    """Names and words for a list to choose from."""
    return [{"value": name, "label": label} for name, label in found.items()]
