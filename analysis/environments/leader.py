"""A leader who learns which tariff to post: a Gymnasium environment of the continuum, or of a running market.

A step is a round of days under one tariff. What the leader sees and is rewarded by is what its meters read, as for
the learners of ``meanwatt.analysis.learning``; the households behind them are those of the mean field or of
`ProsumerMarket`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from meanwatt.agents.leader.meter import MeterReading
from meanwatt.agents.tariff.tariff import Recovery, Tariff
from meanwatt.analysis.leader.leader_spec import leader_spec_of
from meanwatt.analysis.leader.registry import DEFAULT, find
from meanwatt.analysis.learning.books import BooksKind, MeteredBooks, books_kind
from meanwatt.analysis.learning.campaign import NO_EQUILIBRIUM_USD
from meanwatt.analysis.learning.environment import Environment, MeanFieldEnvironment
from meanwatt.analysis.learning.meter import MeteredObjective
from meanwatt.analysis.learning.running_market import RunningMarketEnvironment
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.setup import find_economy, whole_number
from meanwatt.model.mean_field.equilibrium import Equilibrium, solve_equilibrium
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.nearest import unknown
from meanwatt.model.scenario.ranges import DAYS, EVALUATIONS, HOUSEHOLDS

Observation = npt.NDArray[np.float32]

WORLDS: Final = ("mean_field", "market")
"""What ``world`` may be."""

MOST_USD_PER_KWH: Final = 100.0
"""Prices and rates beyond this are cut off in observations. [USD/kWh]"""
LONGEST: Final = 200
"""Characters of an action that an error repeats."""
MOST_USD: Final = 10_000.0
"""So are bills and the margin. [USD per household-day]"""


class LeaderEnv(gymnasium.Env[Observation, Observation]):
    """A leader that posts a tariff each round and reads its meters.

    *Action*: a point of the unit cube, one number for each free parameter of the leader's tariff family
    (`parameter_names`); 0 and 1 are the bounds. A utility's fixed charge is its own, the others' recovers cost.

    *Observation*: what the meters read in the round, per household and averaged over its days, with names in
    `observation_names`: both registers [kW], the rates charged and the wholesale price [USD/kWh] by slot, the bill of
    each income group [USD per household-day], the leader's margin [USD per household-day] and the price's
    volatility [USD/kWh]. After ``reset`` those of the tariff in force.

    *Reward*: the leader's objective by its meters, `MeteredObjective.estimate(…).score`: the utility's margin, or
    the commission's welfare gained over the tariff in force less its penalties. A tariff under which households come to
    no equilibrium, or that was metered in weather never seen under the tariff in force, brings the worst reward so far
    of the episode less 1, or that of the round before. [``aims.definition.unit``, mostly USD per household-day]

    *Books*: by default the leader balances them itself, from its meters (`MeteredBooks`): the fixed charges billed in a
    round are a forecast and the true-up of past balances, and the round is rewarded at the level that would have
    balanced it.

    *Info*: ``tariff`` (its parameters by name), ``outcome`` (``metered``, ``no_equilibrium`` or ``unknown_weather``),
    and of a metered round ``half_width_usd`` (``half_width`` if the objective is no money), ``violation_usd_per_kwh``
    of `Estimate`, ``days``, and ``balance_usd``, where the leader's own books stand [USD per household].

    An episode is truncated after ``rounds`` rounds.

    Parameters
    ----------
    scenario
        Name of a preset, path of a TOML file, a ``Scenario``, or an ``Economy``.
    leader
        One of `meanwatt.analysis.leader.registry.names`: ``commission``, ``utility``, ….
    world
        ``mean_field``: the continuum at each tariff's equilibrium, without noise. ``market``: one running market that
        the tariffs are posted in; batteries, weather and, with ``behaviour="belief"``, what households believe carry
        over from round to round.
    rounds, round_days
        Length of an episode in rounds, and of a round in days; the mean field knows no days. A market remembers what
        its households made of each tariff until the episode is over: about 5 MB a round on ``oahu``.
    households, behaviour
        Size of the market, and how its households decide; as for `ProsumerMarket`.
    tariff
        The tariff in force, as for `ProsumerMarket`.
    equity, stability, weights
        Weights of the leader's objective by name, as for `meanwatt.analysis.leader.leader_spec.LeaderSpec`; the first
        two are those of the commission.
    price_cap_usd_per_kwh
        As for the same; the cap of the utility is 1.5 times the reference price by default.
    books
        Who balances the books of a leader who recovers cost: ``account``, itself; ``model``, the solved model, which
        gives every tariff the fixed charges of its equilibrium.
    overrides
        Of scenario keys, e.g. ``{"battery_levels": 11}``, those under ``tariff`` of the tariff in force; for a scenario
        by name, path or object.
    render_mode
        None: there is nothing to render.

    Raises
    ------
    ValueError
        In one line, if the arguments make no environment.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 (as Gymnasium declares it)

    def __init__(  # noqa: PLR0913 - as gymnasium.make takes them, by name
        self,
        scenario: str | Path | Scenario | Economy = "textbook",
        *,
        leader: str = DEFAULT,
        world: str = "mean_field",
        rounds: int = 12,
        round_days: int = 30,
        households: int = 1000,
        behaviour: Any = "equilibrium",
        tariff: str | Path | Tariff | None = None,
        equity: float | None = None,
        stability: float | None = None,
        weights: Mapping[str, float] | None = None,
        price_cap_usd_per_kwh: float | None = None,
        books: str = "account",
        overrides: Mapping[str, Any] | None = None,
        render_mode: None = None,
    ) -> None:
        find(leader)
        if world not in WORLDS:
            raise ValueError(unknown("world", world, WORLDS))
        self.rounds = whole_number("rounds", rounds, EVALUATIONS, 12)
        days = whole_number("round_days", round_days, DAYS, 30)
        size = whole_number("households", households, HOUSEHOLDS, 1000)
        self.render_mode = render_mode
        economy, posted = find_economy(scenario, tariff, None, overrides)
        given = {name: value for name, value in (("equity", equity), ("stability", stability)) if value is not None}
        self._books_kind = books_kind(books)
        self.aims = leader_spec_of(economy, leader, {**given, **(weights or {})}, price_cap_usd_per_kwh)
        self.family = self.aims.family(economy, posted)
        self.in_force = solve_equilibrium(economy, posted, certify=False)
        if not self.in_force.converged:
            raise ValueError(f"tariff {posted.name} cannot be in force: {self.in_force.message}")
        self._environment = _environment(world, self.in_force, size, days, behaviour)
        self._before = self._environment.in_force()
        self._known = np.unique(self._before.common_state)
        self._half_width = f"half_width{'_usd' * self.aims.definition.is_money}"
        self._objective = MeteredObjective(economy, self.aims, self._before)
        self.parameter_names = self.family.free
        self.action_space = spaces.Box(0.0, 1.0, (len(self.family.free),), np.float32)
        self.observation_names, self._low, self._high = _layout(economy)
        self.observation_space = spaces.Box(self._low, self._high, dtype=np.float32)
        self._books = self._new_books()
        self._round = self.rounds
        self._seen: Observation = self._observation(self._before)
        self._reward = self._worst = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode: the tariff in force has been metered, in the market a new one begins."""
        super().reset(seed=seed)
        self._environment.begin(int(self.np_random.integers(1 << 63)))
        self._round, self._books = 0, self._new_books()
        self._seen = self._observation(self._before)
        self._reward = self._worst = self._objective.estimate(self._before).score
        return self._seen, {"tariff": self.in_force.tariff.name, "outcome": "metered"}

    def step(self, action: Observation) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Post the tariff at a point of the unit cube for a round, and read the meters.

        Raises
        ------
        ValueError
            If the action is not such a point, or no episode is running.
        """
        if self._round >= self.rounds:
            raise ValueError("no episode is running; call reset() first")
        tariff, days = self._tariff(action), self._environment.trial_days
        offer = None if self._books is None else self._books.offer(tariff, days)
        reading = self._environment.post(offer or tariff, self._round + 1).reading
        info: dict[str, Any] = {"tariff": self.family.describe(self.family.at(np.asarray(action, dtype=float)))}
        if reading is None:
            info["outcome"] = "no_equilibrium"
            self._reward = self._worst - NO_EQUILIBRIUM_USD
        else:
            self._seen = self._observation(reading)
            scored = reading
            if self._books is not None:
                scored = self._books.close(reading, days)
                info["balance_usd"] = self._books.balance_usd
            if np.isin(reading.common_state, self._known).any():
                estimate = self._objective.estimate(scored)
                self._reward = estimate.score
                info |= {
                    "outcome": "metered",
                    self._half_width: estimate.half_width,
                    "violation_usd_per_kwh": estimate.violation_usd_per_kwh,
                }
            else:
                info["outcome"] = "unknown_weather"
            info["days"] = len(reading.weight)
        self._worst = min(self._worst, self._reward)
        self._round += 1
        return self._seen, self._reward, False, self._round == self.rounds, info

    @property
    def market(self) -> ProsumerMarket | None:
        """The running market of this episode; None in the mean field."""
        return self._environment.market

    def judge(self, action: npt.ArrayLike) -> float:
        """The leader's true objective of a tariff in the mean field, which no meter shows: for the user, not the agent.

        Returns
        -------
        float
            In its unit; −inf where households come to no equilibrium, or a rate exceeds the cap.
        """
        found = solve_equilibrium(self.in_force.economy, self._tariff(action), start=self.in_force, certify=False)
        violation = self.aims.violation()
        over_cap = violation is not None and float(violation(found).max()) > 1e-9
        return float(self.aims.objective()(found)) if found.converged and not over_cap else -np.inf

    def _new_books(self) -> MeteredBooks | None:
        """Books at the beginning of an episode; None where the model balances them, or tariffs post everything."""
        if self._books_kind is BooksKind.MODEL or self.aims.recovery is Recovery.POSTED:
            return None
        return MeteredBooks(self.in_force.economy, self._before)

    def close(self) -> None:
        """Let go of the market."""
        self._environment.close()

    def _tariff(self, action: npt.ArrayLike) -> Tariff:
        try:
            point = np.asarray(action, dtype=np.float64)
        except (TypeError, ValueError):
            point = np.empty(0)
        inside = point.shape == self.action_space.shape and bool(((point >= 0) & (point <= 1)).all())
        if not inside:  # nan is not inside either
            raise ValueError(
                f"action is {_in_short(action)}; give {len(self.parameter_names)} numbers in [0, 1]:"
                f" {', '.join(self.parameter_names)}"
            )
        return self.family.tariff(self.family.at(point))

    def _observation(self, reading: MeterReading) -> Observation:
        """A reading as the vector of `observation_names`."""
        share, bill = reading.group_share, reading.by_group(reading.bill_usd_per_day)
        by_row = np.column_stack(
            [
                reading.imported_kw.sum(axis=1),
                reading.exported_kw.sum(axis=1),
                np.einsum("g,rgh->rh", reading.account_share, reading.import_usd_per_kwh),
                np.einsum("g,rgh->rh", reading.account_share, reading.export_usd_per_kwh),
                reading.wholesale_usd_per_kwh,
                np.divide(bill, share, out=np.zeros_like(bill), where=share > 0),
                reading.margin_usd_per_day,
                reading.volatility_usd_per_kwh,
            ]
        )
        return np.asarray(np.clip((reading.weight @ by_row).astype(np.float32), self._low, self._high))


def _environment(world: str, in_force: Equilibrium, households: int, days: int, behaviour: Any) -> Environment:
    """Where the tariffs are posted; the mean field knows no households, days or behaviour."""
    if world == "mean_field":
        return MeanFieldEnvironment(in_force)
    return RunningMarketEnvironment(in_force, households=households, days=days, behaviour=behaviour)


def _in_short(action: npt.ArrayLike) -> str:
    """What was given, on one line."""
    text = " ".join(repr(action.tolist() if isinstance(action, np.ndarray) else action).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _layout(economy: Economy) -> tuple[tuple[str, ...], Observation, Observation]:
    """Names and bounds of an observation. No household can draw or feed in more than its type's bound on power."""
    slots = [str(h) for h in range(economy.slots)]
    most_kw = 0.0
    for household in economy.types:
        use = household.reference_kw.max() * economy.shock_levels.max() * (1 + household.flexibility)
        battery = np.abs(household.storage_day(economy.slot_hours).power_kw)
        most_kw = max(most_kw, float(use + household.pv_kw.max() + battery.max()))
    columns = [
        *((f"{name}_kw_{h}", 0.0, most_kw) for name in ("imported", "exported") for h in slots),
        *(
            (f"{name}_usd_per_kwh_{h}", -MOST_USD_PER_KWH, MOST_USD_PER_KWH)
            for name in ("import", "export", "wholesale")
            for h in slots
        ),
        *((f"bill_usd_per_day_{group}", -MOST_USD, MOST_USD) for group in economy.groups),
        ("margin_usd_per_day", -MOST_USD, MOST_USD),
        ("volatility_usd_per_kwh", 0.0, MOST_USD_PER_KWH),
    ]
    names, low, high = zip(*columns, strict=True)
    return tuple(names), np.array(low, dtype=np.float32), np.array(high, dtype=np.float32)
