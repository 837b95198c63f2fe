"""The record of a search over windows: a line for every combination, see `meanwatt.analysis.output.run_journal`."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from meanwatt.analysis.design.design import DesignProblem, OpenJournal
from meanwatt.analysis.learning.fingerprint import family_sha256, fingerprint
from meanwatt.analysis.output.run_journal import RunJournal
from meanwatt.analysis.output.strict_json import dumps
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.mean_field.leader.leader_problem import Trial
from meanwatt.model.mean_field.leader.own_family import OwnFamilies
from meanwatt.model.mean_field.leader.window_stage import WindowStage

KEYS = ("place", "outcome", "objective", "parameters", "net_load_kw", "trials", "error")


class WindowJournal(RunJournal[WindowStage]):
    """The journal of a search over windows: a line for every combination whose search ended."""

    called: ClassVar[str] = "combination"

    def entry_of(self, part: WindowStage) -> Mapping[str, Any]:
        """What is written of a combination; numbers come back to the last bit."""
        return {
            "combination": len(self.parts) + 1,
            **{name: getattr(part, name) for name in KEYS},
            "trials": [[one.parameters, one.objective, one.violation] for one in part.trials],
        }

    def part_of(self, entry: dict[str, Any], number: int) -> WindowStage | None:
        """The combination that an entry is of."""
        if set(entry) != {"combination", *KEYS} or entry["combination"] != number:
            return None
        try:
            best = [
                None if entry[name] is None else np.array(entry[name], dtype=float)
                for name in ("parameters", "net_load_kw")
            ]
            if len({entry["objective"] is None, *(one is None for one in best)}) > 1:
                return None
            return WindowStage(
                place=int(entry["place"]),
                outcome=Outcome(entry["outcome"]),
                objective=None if entry["objective"] is None else float(entry["objective"]),
                parameters=best[0],
                net_load_kw=best[1],
                trials=tuple(
                    Trial(
                        parameters=np.array(parameters, dtype=float),
                        objective=-np.inf if objective is None else float(objective),
                        violation=np.inf if violation is None else float(violation),
                    )
                    for parameters, objective, violation in entry["trials"]
                ),
                error=str(entry["error"]),
            )
        except (TypeError, ValueError):
            return None


def window_journal(path: Path, families: OwnFamilies, evaluations: int, *, resume: bool) -> OpenJournal:
    """What opens the journal of a search at a path, once the problem is known."""

    def opened(problem: DesignProblem) -> WindowJournal:
        return WindowJournal(path, journal_head(problem, families, evaluations), resume=resume)

    return opened


def journal_head(problem: DesignProblem, families: OwnFamilies, evaluations: int) -> dict[str, Any]:
    """What fixes a search: scenario, tariff in force, aims, the family with all places of its windows, evaluations."""
    places = [family_sha256(families.family(one)) for one in families.combinations.allowed]
    return {
        **fingerprint(problem.economy, problem.baseline.tariff, problem.aims),
        "combinations": len(places),
        "windows_sha256": hashlib.sha256(dumps(places).encode()).hexdigest(),
        "evaluations": evaluations,
    }
