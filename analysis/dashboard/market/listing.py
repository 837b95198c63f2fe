"""The list of tariffs tried: what a visitor's browser kept, what was in force in this visit, and what it takes home."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from meanwatt.analysis.dashboard.market.dragging import Dragging
from meanwatt.analysis.dashboard.market.protocol import Engine
from meanwatt.analysis.dashboard.market.tray import tray_json
from meanwatt.analysis.dashboard.market.tried import Tried, added, completed, merged, read, tried_csv
from meanwatt.analysis.dashboard.market.view import Stage


class Listing(Dragging):
    """A run that remembers the tariffs that were in force in each scenario."""

    def __init__(self, engine: Engine, stage: Stage) -> None:
        """Nothing was tried yet."""
        super().__init__(engine, stage)
        self._tried: dict[str, tuple[Tried, ...]] = {}
        self._recalled: Counter[str] = Counter()

    def recall(self, message: Mapping[str, Any]) -> None:
        """Take what the visitor's browser kept of a scenario; empty text if it kept nothing."""
        scenario = str(message.get("scenario"))
        kept = read(scenario, str(message.get("text", "")))
        with self._lock:
            if scenario != self._stage.base.scenario:
                return
            entries = merged(kept, self._tried.get(scenario, ()))
            self._tried[scenario] = completed(entries, self._engine.best_welfare)
            self._recalled[scenario] += 1
        self._publish()

    def forget(self, _message: object = None) -> None:
        """Empty the list of tariffs tried in this scenario, but for what is in force."""
        with self._lock:
            scenario, now = self._stage.base.scenario, self._applied
            entries = self._tried.get(scenario, ())
            self._tried[scenario] = tuple(e for e in entries if now is not None and e.settings == now.market_only)
        self._publish()

    def tried_csv(self) -> str:
        """The tariffs tried in the scenario at hand, with their key numbers."""
        with self._lock:
            base = self._stage.base
            now = self._applied if self._applied is not None and self._applied.scenario == base.scenario else base
            return tried_csv(self._tried.get(base.scenario, ()), now)

    def _list(self, entry: Tried) -> None:
        """Take one more tariff into the list."""
        scenario = entry.settings.scenario
        self._tried[scenario] = added(self._tried.get(scenario, ()), entry)
        self._complete(scenario)

    def _complete(self, scenario: str) -> None:
        """Tell the efficiency gaps that can be told now."""
        self._tried[scenario] = completed(self._tried.get(scenario, ()), self._engine.best_welfare)

    def _tray(self) -> str:
        scenario = self._stage.base.scenario
        now = None if self._applied is None else self._applied.market_only
        return tray_json(scenario, self._tried.get(scenario, ()), now, self._recalled[scenario])
