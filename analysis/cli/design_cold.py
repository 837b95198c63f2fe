"""What ``meanwatt design`` tells of tariffs among cold households."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from meanwatt.analysis.cli.watching import Work
    from meanwatt.analysis.design.cold import ColdComparison
    from meanwatt.analysis.design.design import Design
    from meanwatt.analysis.leader.leader_spec import LeaderSpec
    from meanwatt.model.scenario.economy import Economy
    from meanwatt.model.scenario.messages import Messages


def compare_cold(done: "Design", aims: "LeaderSpec", economy: "Economy", work: "Work") -> "ColdComparison | None":
    """The design and the scenario's tariffs among cold households; None if the work was stopped."""
    from meanwatt.analysis.design.cold import compare_cold as compare
    from meanwatt.model.mean_field.equilibrium import Outcome
    from meanwatt.model.progress.watch import Cancelled

    if done.outcome is Outcome.CANCELLED or warm_alone(done):
        return None
    work.new_stage("cold households")
    with suppress(Cancelled):
        return compare(economy, aims, done, work.watch)
    return None


def warm_alone(done: "Design") -> "Messages":
    """A sentence where components or envelopes keep out a comparison among cold households; none otherwise."""
    from meanwatt.model.scenario.envelopes import limits_load

    if limits_load(done.baseline.economy.types):
        return ("No objective among cold households: feeder.envelopes are held at the scenario's temperature.",)
    tariffs = [done.baseline.tariff, *([] if done.commitment is None else [done.commitment.tariff])]
    if not any(one.has_components for one in tariffs):
        return ()
    return ("No objective among cold households: tariffs with components are solved at the scenario's temperature.",)


def cold_json(cold: "ColdComparison | None") -> dict[str, Any] | None:
    """The object under ``cold`` of ``design --json``."""
    if cold is None:
        return None
    from meanwatt.analysis.design.cold import cold_json as of_found

    return of_found(cold)


def cold_messages(cold: "ColdComparison | None", done: "Design", aims: "LeaderSpec", *, annealed: bool) -> "Messages":
    """What is said of them."""
    from meanwatt.analysis.design.cold import cold_messages as of_found

    if cold is None:
        return warm_alone(done) or ("No objective among cold households: stopped before.",)
    return of_found(cold, aims.definition.unit, annealed=annealed)
