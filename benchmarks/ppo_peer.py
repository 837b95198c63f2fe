"""PPO of stable-baselines3 in a process of its own: it asks for rounds and is told what they brought.

Nothing of our code runs here, nothing of stable-baselines3 in the process that answers. A message is one line of JSON.
Of the first line it reads `Peer`; then it writes ``reset``, ``action`` and, before the first round and after every
update of the policy, ``recommend``: what the policy posts without noise where the tariff in force was metered last. An
answer with ``stop`` ends the run.
"""

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import RescaleAction
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What is asked of PPO.

    Attributes
    ----------
    low, high
        Bounds of an observation.
    parameters
        Numbers of an action, each in [0, 1].
    settings
        Of PPO, by name: ``n_steps``, ``learning_rate``; None for PPO as it comes, on the environment as it comes.
    bandit
        Whether every episode is one round, which then ends the episode for good: no value follows it.
    seed, rounds
        Of PPO, and most rounds that it may ask for.
    """

    low: list[float]
    high: list[float]
    parameters: int
    settings: dict[str, Any] | None
    bandit: bool
    seed: int
    rounds: int


class Enough(Exception):  # noqa: N818 - nothing went wrong
    """The other side has seen enough."""


def ask(message: dict[str, Any]) -> dict[str, Any]:
    """Write a message and read the answer."""
    print(json.dumps(message), flush=True)
    answer: dict[str, Any] = json.loads(sys.stdin.readline())
    if answer.get("stop"):
        raise Enough
    return answer


class RoundsElsewhere(gymnasium.Env):
    """The leader's environment, whose rounds another process plays."""

    def __init__(self, peer: Peer) -> None:
        low, high = (np.array(bound, dtype=np.float32) for bound in (peer.low, peer.high))
        self.observation_space = spaces.Box(low, high, dtype=np.float32)
        self.action_space = spaces.Box(0.0, 1.0, (peer.parameters,), np.float32)
        self._bandit = peer.bandit
        self.first: np.ndarray = low

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        self.first = np.array(ask({"reset": seed})["observation"], dtype=np.float32)
        return self.first, {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Post a tariff for a round."""
        told = ask({"action": np.clip(action, 0.0, 1.0).tolist()})
        over = bool(told["truncated"])
        seen = np.array(told["observation"], dtype=np.float32)
        return seen, float(told["reward"]), over and self._bandit, over and not self._bandit, {}


class Recommends(BaseCallback):
    """Tells what the policy would post, before the first round and after every update."""

    def __init__(self, env: RoundsElsewhere, *, rescaled: bool) -> None:
        super().__init__()
        self._env, self._rescaled = env, rescaled

    def _on_rollout_start(self) -> None:
        seen = self._env.first[None]
        if isinstance(self.training_env, VecNormalize):
            seen = self.training_env.normalize_obs(seen)
        action = self.model.predict(seen, deterministic=True)[0][0]
        unit = (action + 1) / 2 if self._rescaled else action
        ask({"recommend": np.clip(unit, 0.0, 1.0).tolist()})

    def _on_training_end(self) -> None:
        self._on_rollout_start()

    def _on_step(self) -> bool:
        return True


def learn(peer: Peer) -> None:
    """Let PPO learn until it has had its rounds or is stopped."""
    env = RoundsElsewhere(peer)
    tuned = peer.settings is not None
    world: VecEnv | gymnasium.Env = env
    if tuned:
        world = VecNormalize(DummyVecEnv([lambda: RescaleAction(env, np.float32(-1.0), np.float32(1.0))]))
    settings: dict[str, Any] = dict(peer.settings or {})
    if tuned:
        settings["batch_size"] = min(64, settings["n_steps"])
    model = PPO("MlpPolicy", world, seed=peer.seed, device="cpu", **settings)
    model.learn(peer.rounds, callback=Recommends(env, rescaled=tuned))


def main() -> None:
    """Answer the one request on stdin."""
    import torch

    torch.set_num_threads(1)
    peer = Peer(**json.loads(sys.stdin.readline()))
    began = time.process_time()
    with suppress(Enough):
        learn(peer)
    print(json.dumps({"done": time.process_time() - began}), flush=True)


if __name__ == "__main__":
    main()
