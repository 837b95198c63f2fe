"""The program's own tariff: the commission's commitment with the weights that make its objective the mean score."""

from meanwatt.analysis.challenge.attempt import Attempt, outcome
from meanwatt.analysis.challenge.scale import Scale
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.model.mean_field.leader.commitment import commit
from meanwatt.model.progress.watch import Watch


def equal_weights(scale: Scale) -> dict[str, float]:
    """Weights with which the commission's objective is the mean of the three scores, but for a factor and a constant.

    A score is 100 times the gain over the room that there is, so a unit of burden gap, or of volatility, is worth as
    much welfare as the rooms stand to each other. An axis without room has no weight.

    Raises
    ------
    ValueError
        In one sentence, if the filed tariff cannot be beaten in efficiency.
    """
    efficiency, *others = (scale.zero - scale.best).tolist()
    if not efficiency > 0:
        raise ValueError("nothing beats the filed tariff in efficiency, so there are no equal weights")
    return {
        name: efficiency / room if room > 0 else 0.0 for name, room in zip(("equity", "stability"), others, strict=True)
    }


def computed(scale: Scale, watch: Watch | None = None) -> Attempt:
    """Find the tariff of the family with the highest mean score, from the best that the scale's search saw.

    Raises
    ------
    Cancelled
        If asked to stop before any tariff was tried.
    ValueError
        As `equal_weights`.
    """
    economy, weights = scale.filed.economy, equal_weights(scale)
    problem = LeaderSpec(leader="commission", weights=weights).problem(economy, scale.filed.tariff)
    start = max(scale.trials, key=lambda one: scale.mean(one.criteria))
    found = commit(problem, starts=[start.parameters], certify=False, watch=watch).equilibrium
    return outcome(found, scale)
