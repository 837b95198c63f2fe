"""The record of levels that are done, see `meanwatt.analysis.output.run_journal`: no kill loses one."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from meanwatt.analysis.hosting.sweep import Cell, HostingPlan
from meanwatt.analysis.output.run_journal import RunJournal
from meanwatt.analysis.output.strict_json import dumps
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.network.feeder_file import table_of_feeder
from meanwatt.model.scenario.identity import identifying_table


class HostingJournal(RunJournal[Cell]):
    """The journal of a sweep: a line for each tariff at each level.

    Parameters
    ----------
    path, resume
        As for `RunJournal`.
    plan
        What is swept.
    """

    called: ClassVar[str] = "level"

    def __init__(self, path: str | Path, plan: HostingPlan, *, resume: bool) -> None:
        self._plan = plan
        settings = {
            "feeder": plan.feeder.name,
            "feeder_sha256": _sha256(identifying_table(table_of_feeder(plan.feeder))),
            "tariffs": list(plan.scenarios),
            "scenario": plan.scenario.name,
            "scenario_sha256": [_sha256(identifying_table(one)) for one in plan.scenarios.values()],
            "swept": plan.swept,
            "incomes": plan.residence,
            "levels": plan.levels,
            "placements": plan.placements,
            "key": plan.key,
        }
        super().__init__(path, settings, resume=resume)

    def entry_of(self, part: Cell) -> Mapping[str, Any]:
        """What is written of a level."""
        return {
            "tariff": part.tariff,
            "level": part.level,
            "outcome": part.outcome,
            "message": part.message,
            "measured": part.measured,
        }

    def part_of(self, entry: dict[str, Any], number: int) -> Cell | None:
        """The level that an entry is of."""
        cells = self._plan.cells
        if number > len(cells) or (entry.get("tariff"), entry.get("level")) != cells[number - 1]:
            return None
        try:
            measured = {name: np.array(row, dtype=float) for name, row in entry["measured"].items()}
            whole = not measured or set(measured) == set(self._plan.measures)
            if not whole or any(row.shape != (self._plan.placements,) for row in measured.values()):
                return None
            outcome, message = Outcome(entry["outcome"]), str(entry["message"])
        except (AttributeError, KeyError, TypeError, ValueError):
            return None
        return Cell(tariff=entry["tariff"], level=entry["level"], outcome=outcome, message=message, measured=measured)


def _sha256(value: Any) -> str:
    return hashlib.sha256(dumps(value).encode()).hexdigest()
