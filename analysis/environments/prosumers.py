"""Prosumers who learn what to do with their batteries: a PettingZoo parallel environment of the finite market.

A step is one slot of a day, for all agents at once; an episode is a number of days. The market is `ProsumerMarket`
itself: households that are no agents follow its behaviour, the price answers everybody's load, and each day is
recorded, billed and digested by the market as any other.
"""

import operator
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils.conversions import parallel_to_aec

from meanwatt.agents.numerics.arrays import Floats
from meanwatt.agents.tariff.tariff import Tariff
from meanwatt.model.market.market import ProsumerMarket
from meanwatt.model.market.setup import find_economy, whole_number
from meanwatt.model.market.stepwise_day import DayBySlot, SlotSettled
from meanwatt.model.mean_field.solvers.price_fixed_point import first_guess
from meanwatt.model.scenario.economy import Economy
from meanwatt.model.scenario.loading import Scenario
from meanwatt.model.scenario.ranges import DAYS, HOUSEHOLDS

MASK: Final = "action_mask"
"""Which actions are open, (action,) of 0 and 1: in every observation and every info."""


class ProsumersEnv(ParallelEnv):  # type: ignore[misc]
    """Some prosumers of a market as agents.

    *Action*: number of a battery move, from the deepest discharge to the strongest charge; ``env.moves(agent)`` gives
    them in levels, ``action_mask`` those that the charge allows; any other stops where the battery is full or empty.
    Use of electricity is no action, nor is curtailing the sun: both answer the rates that the market's behaviour plans
    with, in closed form.

    *Observation*: ``{"observation": vector, "action_mask": mask}``. The vector, with names in ``observation_names``:
    slot of the day as a share, own charge as a share, own load shock as a factor, common state (weather) as one-hot,
    the wholesale price of every slot (of slots that are over as it came, else yesterday's), and the import and export
    rate of the agent's group that follow from the posted tariff at these prices. [USD/kWh]

    *Reward*: Δ·U(q) − wear − payment of the slot, at the realised price, without standing charges. [USD]

    *Info*: ``day``, ``slot``, ``common_state``, ``level``, ``shock`` (whole numbers, e.g. for a table of values);
    ``planned_action``, what the market's own behaviour would do with the household's own draw; ``action_mask``; and of
    the slot that is over ``move`` (in levels, as carried out), ``energy_kwh``, ``curtailed_kwh``, ``payment_usd``,
    ``utility_usd``, ``wear_usd``, ``wholesale_usd_per_kwh``. After the last slot of a day ``bill_usd``, the market's
    bill with standing charges.

    All agents are truncated together after ``days`` days.

    Parameters
    ----------
    scenario
        Name of a preset, path of a TOML file, a ``Scenario``, or an ``Economy``.
    prosumers
        Number of agents, spread evenly over the households with a battery.
    households
        Size of the market.
    days
        Length of an episode.
    tariff
        As for `ProsumerMarket`.
    behaviour
        What other households do, and what an agent's use is planned with; as for `ProsumerMarket`.
    overrides
        Of scenario keys, e.g. ``{"battery_levels": 5}``, those under ``tariff`` of the tariff in force; for a scenario
        by name, path or object.
    render_mode
        None: there is nothing to render.

    Attributes
    ----------
    market : ProsumerMarket
        The market of this episode; its history has the days that are over.
    household : dict
        Id of each agent's household, by the agent's name.

    Raises
    ------
    ValueError
        In one line, if the arguments make no environment.
    """

    metadata: Final = {"name": "meanwatt_prosumers_v0", "render_modes": [], "is_parallelizable": True}

    def __init__(
        self,
        scenario: str | Path | Scenario | Economy = "textbook",
        *,
        prosumers: int = 8,
        households: int = 100,
        days: int = 7,
        tariff: str | Path | Tariff | None = None,
        behaviour: Any = "equilibrium",
        overrides: Mapping[str, Any] | None = None,
        render_mode: None = None,
    ) -> None:
        count = whole_number("prosumers", prosumers, HOUSEHOLDS, 8)
        self.days = whole_number("days", days, DAYS, 7)
        self.render_mode = render_mode
        economy, posted = find_economy(scenario, tariff, None, overrides)
        self._make = partial(
            ProsumerMarket,
            economy,
            households=whole_number("households", households, HOUSEHOLDS, 100),
            behaviour=behaviour,
            power_flow=False,
        )
        market = self._make(tariff=posted)
        if market.equilibrium is None:
            self._make = partial(self._make, tariff=posted)
        else:
            self._make = partial(self._make, policies=market.equilibrium)
        owners = [
            household
            for type_index, type_ in enumerate(market.household_types)
            if type_.battery
            for household in range(market.households)[market.population.of_type(type_index)]
        ]
        if count > len(owners):
            raise ValueError(
                f"prosumers is {count}, but of {market.households} households {len(owners)} have a battery;"
                " give fewer prosumers or more households"
            )
        chosen = [owners[k * len(owners) // count] for k in range(count)]
        self.possible_agents = [f"prosumer_{k}" for k in range(count)]
        self.household = dict(zip(self.possible_agents, chosen, strict=True))
        self.agents: list[str] = []
        self._ids = chosen
        self._lay_out(market)
        self._seed, self._episode = int(np.random.SeedSequence().generate_state(1, np.uint64)[0]), 0
        self.market = market
        self._day: DayBySlot | None = None

    def _lay_out(self, market: ProsumerMarket) -> None:
        """Spaces and names, from a market of the kind that every episode has."""
        economy = market.economy
        self._states = np.eye(len(economy.common.probability))
        self._shock_levels = economy.shock_levels
        start = market.equilibrium.wholesale_usd_per_kwh if market.equilibrium else first_guess(economy)
        self._planned_usd_per_kwh: Floats = np.asarray(start)
        slots = range(economy.slots)
        self.observation_names = (
            "slot",
            "charge",
            "shock",
            *(f"common_state_{c}" for c in range(len(self._states))),
            *(f"{name}_{h}" for name in ("wholesale", "import", "export") for h in slots),
        )
        low = np.concatenate([np.zeros(3 + len(self._states)), np.full(3 * len(slots), -np.inf)])
        high = np.concatenate(
            [[1.0, 1.0, self._shock_levels.max()], np.ones(len(self._states)), np.full(3 * len(slots), np.inf)]
        )
        people, policies = market.population, market.behaviour.policies
        self._moves = [policies[people.class_of(household)].moves for household in self._ids]
        self._levels = [market.household_types[people.type_of(household)].levels for household in self._ids]
        self.action_spaces = {
            agent: spaces.Discrete(len(moves)) for agent, moves in zip(self.possible_agents, self._moves, strict=True)
        }
        self.observation_spaces = {
            agent: spaces.Dict(
                {
                    "observation": spaces.Box(low.astype(np.float32), high.astype(np.float32)),
                    MASK: spaces.MultiBinary(len(moves)),
                }
            )
            for agent, moves in zip(self.possible_agents, self._moves, strict=True)
        }

    def observation_space(self, agent: str) -> spaces.Dict:
        """Space of an agent's observations, the same object each time."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        """Space of an agent's actions, the same object each time."""
        return self.action_spaces[agent]

    def moves(self, agent: str) -> npt.NDArray[np.int64]:
        """Battery move of each action, in levels of charge; positive charges. (action,)"""
        return self._moves[self.possible_agents.index(agent)]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Begin an episode with a new market.

        Parameters
        ----------
        seed
            Key of the market, as ``ProsumerMarket(rng=seed)``. Without it the episode's number since the last seed is
            added to the key: episodes differ, and follow from the last seed.
        options
            Not used.
        """
        if seed is not None:
            self._seed, self._episode = seed, 0
        else:
            self._episode += 1
        self.market.close()
        self.market = self._make(rng=(self._seed, self._episode) if self._episode else self._seed)
        self.agents = list(self.possible_agents)
        self._day = self._next_day(self._planned_usd_per_kwh[self.market.coming_state])
        return self._observe(None)

    def step(
        self, actions: dict[str, int]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Let all agents act in the slot; see the class.

        Raises
        ------
        ValueError
            If an agent has no action, or a number beyond the last one; nothing has happened then.
        """
        if self._day is None or not self.agents:
            raise ValueError("no episode is running; call reset() first")
        strangers = actions.keys() - set(self.agents)
        if strangers:
            raise ValueError(f"{min(strangers, key=str)} is no agent; give an action for each of env.agents")
        settled = self._day.play([self._move(k, actions) for k in range(len(self._ids))])
        bills: Floats | None = None
        if self._day.over:
            bills = self.market.population.bill_usd[self._ids] - self._billed_before
            self._day = self._next_day(self._day.wholesale_usd_per_kwh)
        observations, infos = self._observe(settled)
        if bills is not None:
            for info, bill in zip(infos.values(), bills.tolist(), strict=True):
                info["bill_usd"] = bill
        over = self.market.day == self.days
        rewards = dict(zip(self.agents, settled.reward_usd.tolist(), strict=True))
        terminated, truncated = dict.fromkeys(self.agents, False), dict.fromkeys(self.agents, over)
        if over:
            self.agents = []
        return observations, rewards, terminated, truncated, infos

    def render(self) -> None:
        """Nothing: see the market's history, or the app."""

    def close(self) -> None:
        """Let go of the market."""
        self.market.close()
        self.agents, self._day = [], None

    def _next_day(self, yesterday_usd_per_kwh: Floats) -> DayBySlot:
        self._billed_before: Floats = self.market.population.bill_usd[self._ids].copy()
        return DayBySlot(self.market, self._ids, yesterday_usd_per_kwh)

    def _move(self, k: int, actions: dict[str, int]) -> int:
        """The battery move that agent k's action stands for."""
        assert self._day is not None
        agent, moves = self.possible_agents[k], self._moves[k]
        if agent not in actions:
            raise ValueError(f"{agent} has no action; give one for each of env.agents")
        open_moves = self._day.situations[k].moves
        try:
            action = operator.index(actions[agent])
        except TypeError:
            action = -1
        if not 0 <= action < len(moves):
            raise ValueError(f"{agent} took action {actions[agent]!r}; give a whole number from 0 to {len(moves) - 1}")
        return int(np.clip(moves[action], open_moves[0], open_moves[-1]))

    def _observe(self, settled: SlotSettled | None) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Observation and info of every agent, at the beginning of a slot."""
        day = self._day
        assert day is not None
        weather, share = self._states[day.common_state], day.slot / len(day.wholesale_usd_per_kwh)
        observations, infos = {}, {}
        for k, (agent, situation, rates) in enumerate(zip(self.agents, day.situations, day.rates(), strict=True)):
            lowest, highest = situation.moves[0], situation.moves[-1]
            mask = ((self._moves[k] >= lowest) & (self._moves[k] <= highest)).astype(np.int8)
            own = (share, situation.level / (self._levels[k] - 1), self._shock_levels[situation.shock])
            prices = (day.wholesale_usd_per_kwh, rates.import_usd_per_kwh[0], rates.export_usd_per_kwh[0])
            vector = np.concatenate([own, weather, *prices]).astype(np.float32)
            observations[agent] = {"observation": vector, MASK: mask}
            infos[agent] = {
                "day": situation.day,
                "slot": situation.slot,
                "common_state": situation.common_state,
                "level": situation.level,
                "shock": situation.shock,
                "planned_action": situation.planned_move - int(self._moves[k][0]),
                MASK: mask,
            }
            if settled is not None:
                infos[agent].update(
                    move=int(settled.moves[k]),
                    energy_kwh=float(settled.energy_kwh[k]),
                    curtailed_kwh=float(settled.curtailed_kwh[k]),
                    payment_usd=float(settled.payment_usd[k]),
                    utility_usd=float(settled.utility_usd[k]),
                    wear_usd=float(settled.wear_usd[k]),
                    wholesale_usd_per_kwh=settled.wholesale_usd_per_kwh,
                )
        return observations, infos


def parallel_env(*args: Any, **settings: Any) -> ProsumersEnv:
    """PettingZoo's name for ``ProsumersEnv``."""
    return ProsumersEnv(*args, **settings)


def env(*args: Any, **settings: Any) -> AECEnv[str, Any, Any]:
    """The same environment for learners that move one agent at a time."""
    return parallel_to_aec(ProsumersEnv(*args, **settings))
