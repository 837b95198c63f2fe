"""The market's side towards Mesa: its key, its agents, its threads, copies of it, and its end."""

import itertools
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar

import mesa

from meanwatt.agents.numerics.randomness import seed_of
from meanwatt.agents.prosumer import Prosumer
from meanwatt.agents.utility import Utility


class MesaMarket(mesa.Model):  # type: ignore[misc]
    """A Mesa model whose agents are rows of columns and whose draws follow from one key.

    Households and utility come with the market and stay: to add or remove one of them is refused in one line, while
    agents of your own come and go as in any model. The market can be pickled and deep-copied between two days.

    Parameters
    ----------
    key
        State of the streams of all draws; see ``meanwatt.agents.numerics.randomness.key_from``.
    threads
        Threads of the compiled parts.

    Attributes
    ----------
    key : int
        The whole number in [0, 2⁶⁴) that repeats the run, as ``rng``; it stands in every table.
    threads : int
        As given.
    """

    _PEOPLE: ClassVar = (Prosumer, Utility)
    _complete = False
    _closed = False
    _executor: ThreadPoolExecutor | None
    _digester: ThreadPoolExecutor | None

    def __init__(self, key: int, threads: int) -> None:
        super().__init__(rng=seed_of(key))
        self.key = seed_of(key)
        self.threads = threads
        self._start_threads()

    def register_agent(self, agent: Any) -> None:
        """Register an agent, as Mesa asks for.

        Raises
        ------
        ValueError
            In one line, for another household or utility.
        """
        if self._complete and isinstance(agent, self._PEOPLE):
            raise ValueError(
                "households and the utility are made with their market; give ProsumerMarket(households=...), or ask"
                " market.prosumer(household) for one of them"
            )
        super().register_agent(agent)

    def deregister_agent(self, agent: Any) -> None:
        """Let go of an agent, as Mesa asks for; ``ValueError`` in one line for a household or the utility."""
        if self._complete and isinstance(agent, self._PEOPLE):
            who = f"household {agent.household}" if isinstance(agent, Prosumer) else "the utility"
            raise ValueError(
                f"{who} cannot be removed from its market; make a market of other households, or close() this one"
            )
        super().deregister_agent(agent)

    def reset_rng(self, rng: Any = None) -> None:
        """Refuse: a market's draws follow from its key.

        Raises
        ------
        ValueError
            Always, in one line.
        """
        again = self.key if rng is None else rng
        raise ValueError(f"a market's draws follow from its key; make a new one with ProsumerMarket(rng={again!r})")

    def reset_randomizer(self, seed: int | None = None) -> None:
        """Refuse likewise; ``ValueError`` in one line."""
        self.reset_rng(seed)

    def close(self) -> None:
        """Stop for good: threads end, agents are unregistered, Mesa lets go of the market. Its records stay readable.

        Mesa 3.3 keeps every model alive in a class-level registry of agent numbers; others are not touched by this.
        """
        for executor in (self._executor, self._digester):
            if executor:
                executor.shutdown(wait=True)
        self._executor, self._digester = None, None
        self._closed = True
        self.running = False
        self._complete = False
        self.remove_all_agents()
        _registry().pop(self, None)
        for wrapper in ("step", "_user_step"):  # Mesa's bound methods, a cycle through the market
            self.__dict__.pop(wrapper, None)

    @contextmanager
    def _people_come_and_go(self) -> Iterator[None]:
        """Let households be registered and let go of inside the block."""
        self._complete = False
        try:
            yield
        finally:
            self._complete = True

    @property
    def executor(self) -> ThreadPoolExecutor | None:
        """The threads of the compiled parts; None where there is one."""
        return self._executor

    def _start_threads(self) -> None:
        """Start what more than one thread needs; it ends with the market."""
        several = self.threads > 1 and not self._closed
        self._executor = ThreadPoolExecutor(self.threads) if several else None
        self._digester = ThreadPoolExecutor(1) if several else None
        for executor in (self._executor, self._digester):
            if executor:
                weakref.finalize(self, executor.shutdown, wait=False)

    def __getstate__(self) -> dict[str, Any]:
        """All but the threads; Mesa 3.3 keeps the number of the next agent outside the model."""
        state = {**self.__dict__, "_executor": None, "_digester": None}
        if self in _registry():
            number = next(_registry()[self])
            _registry()[self] = itertools.count(number)
            state["_next_agent"] = number
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        number = state.pop("_next_agent", None)
        self.__dict__.update(state)
        if number is not None:
            _registry()[self] = itertools.count(number)
        self._start_threads()


def _registry() -> Any:
    """Numbers of agents by model, where Mesa 3.3 keeps them; empty with later versions."""
    return getattr(mesa.Agent, "_ids", {})
