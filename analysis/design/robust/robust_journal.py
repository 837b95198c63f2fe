"""The record of a robust design: a line for every search that ended, see `meanwatt.analysis.output.run_journal`."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.analysis.design.design import DesignProblem
from meanwatt.analysis.learning.fingerprint import fingerprint, scenario_sha256
from meanwatt.analysis.output.run_journal import RunJournal
from meanwatt.analysis.output.strict_json import dumps
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.leader.leader_problem import Trial
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.variants_file import VariantsFile, variant_called


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """A search that ended.

    Attributes
    ----------
    name
        The variant it was for; None of that for all.
    parameters : (free,)
        The tariff found.
    value
        What the leader makes of it: its objective in the variant, or CVaR over all.
    outcome
        Converged, or evaluation limit.
    trials
        Every tariff tried.
    """

    name: str | None
    parameters: Floats
    value: float
    outcome: Outcome
    trials: tuple[Trial, ...]

    @property
    def label(self) -> str:
        """For whom it was, in words."""
        return "all variants" if self.name is None else variant_called(self.name)


class RobustJournal(RunJournal[Stage]):
    """The journal of a robust design: a line for every search."""

    called: ClassVar[str] = "stage"

    def entry_of(self, part: Stage) -> Mapping[str, Any]:
        """What is written of a search."""
        return {
            "stage": len(self.parts) + 1,
            "variant": part.name,
            "parameters": part.parameters.tolist(),
            "value": part.value,
            "outcome": str(part.outcome),
            "trials": [
                [one.parameters.tolist(), one.objective if np.isfinite(one.objective) else None, one.violation]
                for one in part.trials
            ],
        }

    def part_of(self, entry: dict[str, Any], number: int) -> Stage | None:
        """The search that an entry is of."""
        try:
            if set(entry) != {"stage", "variant", "parameters", "value", "outcome", "trials"}:
                return None
            if entry["stage"] != number:
                return None
            return Stage(
                name=entry["variant"],
                parameters=np.array(entry["parameters"], dtype=float),
                value=float(entry["value"]),
                outcome=Outcome(entry["outcome"]),
                trials=tuple(
                    Trial(
                        parameters=np.array(parameters, dtype=float),
                        objective=-np.inf if objective is None else float(objective),
                        violation=float(violation),
                    )
                    for parameters, objective, violation in entry["trials"]
                ),
            )
        except (TypeError, ValueError):
            return None


def journal_head(
    problem: DesignProblem, file: VariantsFile, economies: Sequence[Economy], evaluations: int
) -> dict[str, Any]:
    """What fixes a robust design: scenario, aims, family, variants with their weights, and the measure."""
    variants = [
        [one.name, one.weight, scenario_sha256(economy)] for one, economy in zip(file.variants, economies, strict=True)
    ]
    return {
        **fingerprint(problem.economy, problem.baseline.tariff, problem.aims),
        "robust": file.measure,
        "alpha": file.alpha,
        "variants_sha256": hashlib.sha256(dumps(variants).encode()).hexdigest(),
        "evaluations": evaluations,
    }
