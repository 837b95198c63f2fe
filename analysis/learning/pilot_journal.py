"""The record of pilots that are done, see `meanwatt.analysis.output.run_journal`: no kill loses one."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from meanwatt.analysis.learning.fingerprint import fingerprint, tariff_sha256
from meanwatt.analysis.learning.menus import Menu
from meanwatt.analysis.learning.pilot import PilotPlan, PilotResult
from meanwatt.analysis.output.run_journal import RunJournal
from meanwatt.model.mean_field.equilibrium import Equilibrium


class PilotJournal(RunJournal[PilotResult]):
    """The journal of pilots with the seeds S, S + 1, …: a line for each.

    Parameters
    ----------
    menu, in_force, plan
        As for `meanwatt.analysis.learning.pilot.run_pilot`; the plan's seed is S.
    path, resume
        As for `RunJournal`.
    """

    called: ClassVar[str] = "pilot"

    def __init__(self, path: str | Path, menu: Menu, in_force: Equilibrium, plan: PilotPlan, *, resume: bool) -> None:
        self._plan = plan
        settings = {
            **fingerprint(menu.economy, in_force.tariff, menu.aims),
            "menu": menu.names,
            "menu_sha256": [tariff_sha256(tariff) for tariff in menu.tariffs],
            **asdict(plan),
        }
        super().__init__(path, settings, resume=resume)

    def entry_of(self, part: PilotResult) -> Mapping[str, Any]:
        """What is written of a pilot: all but its plan, of which the seed says enough."""
        found = {one.name: getattr(part, one.name) for one in fields(PilotResult) if one.name != "plan"}
        return {"seed": part.plan.seed, **found}

    def part_of(self, entry: dict[str, Any], number: int) -> PilotResult | None:
        """The pilot that an entry is of."""
        names = {one.name for one in fields(PilotResult)} - {"plan"} | {"seed"}
        plan = replace(self._plan, seed=self._plan.seed + number - 1)
        if set(entry) != names or entry.pop("seed") != plan.seed:
            return None
        return PilotResult(
            plan=plan,
            score=np.array(entry.pop("score"), dtype=float),
            half_width=np.array(entry.pop("half_width"), dtype=float),
            messages=tuple(entry.pop("messages")),
            **entry,
        )
