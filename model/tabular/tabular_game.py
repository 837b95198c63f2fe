"""The tabular Stackelberg Markov game: its arrays, checked, joined or drawn, and what two policies earn in it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from meanwatt.agents.numerics.arrays import Floats, read_only, require_finite, require_shape
from meanwatt.agents.numerics.short_repr import short_repr

STOCHASTIC = 1e-9
"""How far from 1 a row of probabilities may sum."""
TIE = 1e-9
"""Actions this close to the best are tied, relative to the largest reward over 1 − discount."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StackelbergGame:
    """A discounted Markov game of one leader and one follower; rewards are per period, in any common unit.

    Attributes
    ----------
    reward_leader, reward_follower : (state, leader action, follower action)
        What each earns in a period.
    kernel : (state, leader action, follower action, next state)
        Probability of the next state.
    discount_leader, discount_follower
        Weight of the next period, in [0, 1).
    start : (state,), optional
        Law of the first state, which weighs the leader's values under commitment; without it, uniform.

    Raises
    ------
    ValueError
        If a shape, a number, a probability or a discount is wrong; one line that names the place.
    """

    __repr__ = short_repr

    reward_leader: Floats
    reward_follower: Floats
    kernel: Floats
    discount_leader: float
    discount_follower: float
    start: Floats | None = None

    def __post_init__(self) -> None:
        """Keep checked, read-only copies."""
        shape = np.shape(self.reward_leader)
        if len(shape) != 3 or 0 in shape:
            raise ValueError(
                f"reward_leader has shape {shape}; give (state, leader action, follower action), none of them empty"
            )
        wanted = {"reward_leader": shape, "reward_follower": shape, "kernel": (*shape, shape[0])}
        if self.start is not None:
            wanted["start"] = shape[:1]
        axes = ("state", "leader action", "follower action", "next state")
        for name, size in wanted.items():
            array = read_only(getattr(self, name))
            require_shape(name, array, size, f"({', '.join(axes[: len(size)])})")
            require_finite(name, array)
            object.__setattr__(self, name, array)
        require_stochastic("kernel", self.kernel)
        if self.start is not None:
            require_stochastic("start", self.start)
        for name in ("discount_leader", "discount_follower"):
            value = getattr(self, name)
            if not 0.0 <= value < 1.0:
                raise ValueError(f"{name} is {value}; give a number in [0, 1), e.g. 0.9")

    @classmethod
    def from_product(
        cls,
        *,
        kernel_leader: npt.ArrayLike,
        kernel_follower: npt.ArrayLike,
        reward_leader: npt.ArrayLike,
        reward_follower: npt.ArrayLike,
        discount_leader: float,
        discount_follower: float,
    ) -> "StackelbergGame":
        """Join a leader's and a follower's own state, which move independently given both actions.

        Parameters
        ----------
        kernel_leader : (leader state i, leader action, follower action, next leader state)
        kernel_follower : (follower state j, leader action, follower action, next follower state)
        reward_leader, reward_follower : (i, j, leader action, follower action)

        Returns
        -------
        StackelbergGame
            Joint state i·J + j for J follower states: ``policy.reshape(I, J, -1)`` separates them again.
        """
        own, other = read_only(kernel_leader), read_only(kernel_follower)
        rewards = {"reward_leader": read_only(reward_leader), "reward_follower": read_only(reward_follower)}
        for name, array in {"kernel_leader": own, "kernel_follower": other, **rewards}.items():
            if array.ndim != 4:
                raise ValueError(f"{name} has shape {array.shape}; give four axes, see from_product")
        shape = (own.shape[0], other.shape[0], *own.shape[1:3])
        for name, kernel in (("kernel_leader", own), ("kernel_follower", other)):
            require_shape(name, kernel, (len(kernel), *shape[2:], len(kernel)), "(own state, a, b, next own state)")
            require_stochastic(name, kernel)
        for name, array in rewards.items():
            require_shape(name, array, shape, "(leader state, follower state, a, b)")
        states = shape[0] * shape[1]
        joint = np.einsum("iabk,jabl->ijabkl", own, other).reshape(states, *shape[2:], states)
        return cls(
            reward_leader=rewards["reward_leader"].reshape(states, *shape[2:]),
            reward_follower=rewards["reward_follower"].reshape(states, *shape[2:]),
            kernel=joint,
            discount_leader=discount_leader,
            discount_follower=discount_follower,
        )

    @property
    def start_law(self) -> Floats:
        """Law of the first state. (state,)"""
        states = len(self.kernel)
        return np.full(states, 1.0 / states) if self.start is None else self.start

    @property
    def separates(self) -> bool:
        """Whether the follower answers for today alone: it is myopic, or does not move the state."""
        return self.discount_follower == 0.0 or bool(np.ptp(self.kernel, axis=2).max() <= STOCHASTIC)


def require_stochastic(name: str, array: Floats) -> None:
    """Raise ``ValueError`` unless the last axis holds probabilities that sum to one."""
    require_finite(name, array)
    negative = np.argwhere(array < 0)
    if negative.size:
        place = tuple(int(i) for i in negative[0])
        raise ValueError(f"{name} is {array[place]} at index {list(place)}; give probabilities >= 0")
    total = array.sum(axis=-1)
    off = np.argwhere(np.abs(total - 1.0) > STOCHASTIC)
    if len(off):  # a lone row has an empty index, of size 0
        row = tuple(int(i) for i in off[0])
        at = f" at index {list(row)}" if row else ""
        raise ValueError(f"{name} sums to {total[row]:g} over its last axis{at}; divide the row by its sum")


def checked_policy(name: str, policy: npt.ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Return a policy (state, action) as an array; raise ``ValueError`` unless its rows are probabilities."""
    array = np.asarray(policy, dtype=np.float64)
    require_shape(name, array, shape, "(state, action)")
    require_stochastic(name, array)
    return array


def least_tie(reward: Floats, discount: float) -> float:
    """Difference in discounted value that counts as none."""
    return float(TIE * np.abs(reward).max() / (1.0 - discount))


def evaluate(game: StackelbergGame, leader_policy: Floats, follower_policy: Floats) -> tuple[Floats, Floats]:
    """Discounted values (leader's, follower's) of two stationary policies, from each state. (state,)"""
    x, y = (
        checked_policy("leader_policy", leader_policy, game.reward_leader.shape[:2]),
        checked_policy("follower_policy", follower_policy, game.reward_leader.shape[::2]),
    )
    step = np.einsum("sabt,sa,sb->st", game.kernel, x, y)
    gains = ((game.reward_leader, game.discount_leader), (game.reward_follower, game.discount_follower))
    leader, follower = (
        np.linalg.solve(np.eye(len(step)) - discount * step, np.einsum("sab,sa,sb->s", reward, x, y))
        for reward, discount in gains
    )
    return leader, follower


def random_game(
    rng: np.random.Generator,
    *,
    states: int,
    leader_actions: int,
    follower_actions: int,
    discount: float,
    coupling: float = 1.0,
) -> StackelbergGame:
    """Draw a game: rewards normal with deviation 1, kernel rows Dirichlet(1).

    Parameters
    ----------
    coupling
        In [0, 1]: share of rewards and of the kernel that depends on both actions at once. At 0 a player's action
        moves neither the other's reward nor the state, so both response maps are constant.
    """
    if not 0.0 <= coupling <= 1.0:
        raise ValueError(f"coupling is {coupling}; give a number in [0, 1]")
    shape = (states, leader_actions, follower_actions)
    alone = rng.dirichlet(np.ones(states), size=(states, 1, 1))
    joint = rng.dirichlet(np.ones(states), size=shape)
    own_leader, own_follower = rng.normal(size=(states, leader_actions, 1)), rng.normal(size=(states, 1, shape[2]))
    return StackelbergGame(
        reward_leader=(1.0 - coupling) * own_leader + coupling * rng.normal(size=shape),
        reward_follower=(1.0 - coupling) * own_follower + coupling * rng.normal(size=shape),
        kernel=(1.0 - coupling) * alone + coupling * joint,
        discount_leader=discount,
        discount_follower=discount,
    )


def chase_game(
    rng: np.random.Generator, *, states: int = 2, actions: int = 2, discount: float = 0.5, noise: float = 0.1
) -> StackelbergGame:
    """Draw a game of matching pennies in every state: the leader wants to match, the follower to be one ahead.

    At low temperature neither has an answer that the other leaves alone, so alternating responses chase each other
    round a cycle. Rewards are 1 on a match (leader) and one ahead (follower), plus uniform noise in ±``noise``; the
    state moves by itself.
    """
    leader = np.eye(actions)
    shape = (states, actions, actions)
    return StackelbergGame(
        reward_leader=leader + rng.uniform(-noise, noise, size=shape),
        reward_follower=np.roll(leader, 1, axis=1) + rng.uniform(-noise, noise, size=shape),
        kernel=np.broadcast_to(rng.dirichlet(np.ones(states), size=(states, 1, 1)), (*shape, states)),
        discount_leader=discount,
        discount_follower=discount,
    )
