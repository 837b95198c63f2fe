"""The record of the years of a path, see `meanwatt.analysis.output.run_journal`: no kill loses one."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.adoption.market import Standing
from meanwatt.analysis.adoption.worth import Worth
from meanwatt.analysis.leader.leader_spec import LeaderSpec
from meanwatt.analysis.learning.fingerprint import scenario_sha256, tariff_sha256
from meanwatt.analysis.output.run_journal import RunJournal
from meanwatt.model.mean_field.equilibrium import Outcome
from meanwatt.model.scenario.economy import Economy


class AdoptionJournal(RunJournal[Standing]):
    """The journal of a path: a line for each year, today's first.

    Parameters
    ----------
    economy
        Of the scenario.
    before, posted
        Tariff in force today, and the one that is posted from then on.
    aims
        Of the leader who posts a tariff every year, if any.
    path, resume
        As for `RunJournal`.
    """

    called: ClassVar[str] = "year"

    def __init__(
        self,
        path: str | Path,
        economy: Economy,
        before: Tariff,
        posted: Tariff,
        *,
        aims: LeaderSpec | None = None,
        resume: bool,
    ) -> None:
        settings = {
            "scenario": economy.scenario.name,
            "scenario_sha256": scenario_sha256(economy),
            "today": before.name,
            "today_sha256": tariff_sha256(before),
            "tariff": posted.name,
            "tariff_sha256": tariff_sha256(posted),
            "leader": None if aims is None else asdict(aims),
        }
        super().__init__(path, settings, resume=resume)

    def entry_of(self, part: Standing) -> Mapping[str, Any]:
        """What is written of a year."""
        return {
            one.name: getattr(part, one.name) if one.name != "worth" or part.worth is None else asdict(part.worth)
            for one in fields(Standing)
        }

    def part_of(self, entry: dict[str, Any], number: int) -> Standing | None:
        """The year that an entry is of; undefined numbers are nan, and years that repay nothing inf."""
        entry = {"limit_curtailed_kwh": None, **entry}  # journals from before there was any
        if set(entry) != {one.name for one in fields(Standing)}:
            return None
        worth = entry.pop("worth")
        found = None if worth is None else {name: np.array(value, dtype=float) for name, value in worth.items()}
        if found is not None:
            unpaid = np.isnan(found["payback_years"]) & ~np.isnan(found["saving_usd_per_year"])
            found["payback_years"][unpaid] = np.inf
        bills, burdens = (_row(entry.pop(name)) for name in ("bill_usd_per_year", "burden"))
        return Standing(
            share=np.array(entry.pop("share"), dtype=float),
            outcome=Outcome(entry.pop("outcome")),
            recovery=Recovery(entry.pop("recovery")),
            worth=None if found is None else Worth(**found),
            bill_usd_per_year=bills,
            burden=burdens,
            messages=tuple(entry.pop("messages")),
            **entry,
        )


def _row(numbers: list[Any] | None) -> tuple[Any, ...] | None:
    return None if numbers is None else tuple(numbers)
