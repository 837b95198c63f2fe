#!/usr/bin/env bash
# gymnasium 1.4.0: RescaleAction hands an environment actions outside its own action space: a valid action at a bound of
# the wrapper comes out beyond the bound of the box, by rounding, about one time in six over random boxes.
#
# The affine map is computed in the box's float32 and not clipped (the wrapper of the older package gym clipped). An
# environment that checks its actions fails, now and then, on a policy that clips to the wrapper's bounds; the checker
# that gymnasium.make adds says nothing. Boxes such as [0, 1] and [-2, 2] are exact and hide it; clip after rescaling.
# Exit status 0 while this is so, 1 when it changes.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check gymnasium==1.4.0 numpy==2.4.6
"$place/env/bin/python" - <<'PYTHON'
import sys

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.wrappers import RescaleAction


class Room(gymnasium.Env):
    observation_space = spaces.Box(-1, 1, (1,), np.float32)

    def __init__(self, low, high):
        self.action_space = spaces.Box(low, high, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.seen = action
        return np.zeros(1, np.float32), 0.0, False, False, {}


def left(low, high, say=False):
    room = Room(low, high)
    wrapper = RescaleAction(room, np.float32(-1), np.float32(1))
    wrapper.reset(seed=0)
    outside = 0
    for action in (wrapper.action_space.low, wrapper.action_space.high):
        assert wrapper.action_space.contains(action)
        wrapper.step(action)
        inside = room.action_space.contains(room.seen)
        outside += not inside
        if say:
            print(f"{room.action_space}: action {action} becomes {room.seen!r}, in the box: {inside}")
    return outside


known = left(0.05, 0.3, say=True)
boxes = np.sort(np.random.default_rng(0).normal(size=(2000, 2)), axis=1)
share = sum(left(low, high) for low, high in boxes) / (2 * len(boxes))
print(f"random boxes: {share:.0%} of the actions at a bound leave the box")
sys.exit(0 if known == 1 and share > 0.1 else 1)
PYTHON
