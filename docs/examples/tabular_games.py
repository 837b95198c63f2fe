"""Two games a student can print: ``uv run python docs/examples/tabular_games.py``, also with ``--figure FILE``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from meanwatt.model.tabular.game_file import load_game
from meanwatt.model.tabular.mixed_commitment import mixed_commitment
from meanwatt.model.tabular.softmax_games import SoftmaxRun, contractive_temperature, iterate_softmax, lipschitz
from meanwatt.model.tabular.stackelberg_games import (
    StackelbergEquilibrium,
    commitment_equilibrium,
    feedback_equilibrium,
)
from meanwatt.model.tabular.tabular_game import StackelbergGame, chase_game

HIGH = 0  # the utility's charge
GRID = 0  # where a home is
PRODUCT = 0.5  # of the proven Lipschitz constants, at the warmest of three temperatures


def line(name: str, found: StackelbergEquilibrium) -> str:
    """Return one row: how the solve ended, the chance of the high charge, and both values on the grid."""
    if found.outcome == "cycle":
        return f"{name:<19}cycle: no such equilibrium was reached"
    values = f"utility {found.leader_value[GRID]:5.2f}   home {found.follower_value[GRID]:6.2f}"
    return f"{name:<19}P(high) {found.leader_policy[GRID, HIGH]:.2f}   {values}"


def runs() -> tuple[StackelbergGame, list[tuple[float, SoftmaxRun]]]:
    """Let leader and follower of a drawn chase respond in turn, at a proven contractive temperature and below."""
    game = chase_game(np.random.default_rng(1))
    warm = contractive_temperature(game, PRODUCT)
    return game, [
        (t, iterate_softmax(game, leader_temperature=t, follower_temperature=t))
        for t in (warm, 0.6 * warm, 0.25 * warm)
    ]


def draw(path: Path) -> None:
    """Draw the error against its proven bound, and what becomes of the leader's policy at three temperatures."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    found = runs()[1]
    figure, (left, right) = plt.subplots(ncols=2, figsize=(8.0, 3.2), layout="constrained")
    temperature, warm = found[0]
    error, bound = warm.errors()[:-1], warm.error_bounds(PRODUCT)[:-1]
    left.semilogy(error, "o", ms=3, color="#0072b2", label=f"error, η = {temperature:.2f}")
    left.semilogy(bound, "--", color="#0072b2", label=f"bound, {PRODUCT:.2f}$^k$ first step / (1 − {PRODUCT:.2f})")
    left.set(xlabel="round k", ylabel="distance to the fixed point")
    for (temperature, run), colour in zip(found, ("#0072b2", "#009e73", "#d55e00"), strict=True):
        right.plot(run.policies[:, 0, 0], "o-", ms=3, lw=1, color=colour, label=f"η = {temperature:.2f}")
    right.set(xlabel="round", ylabel="leader's P(action 0) in state 0", ylim=(-0.02, 1.02))
    left.legend(frameon=False, fontsize="small")
    right.legend(
        frameon=False, fontsize="small", ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), columnspacing=1
    )
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both games."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", type=Path, help="draw the softmax iteration into this file")
    chosen = parser.parse_args(arguments)
    game = load_game("defection").game
    lines = ["Grid defection (USD, discounted)"]
    lines.append(line("commitment, pure", commitment_equilibrium(game)))
    lines.append(line("commitment, mixed", mixed_commitment(game)))
    lines.append(line("feedback, pure", feedback_equilibrium(game)))
    lines.append(line("feedback, mixed", feedback_equilibrium(game, mixed=True)))
    game, found = runs()
    lines += ["", f"A chase: by committing the leader gets {commitment_equilibrium(game).leader_objective:.3f}"]
    for t, run in found:
        slopes = lipschitz(game, np.random.default_rng(0), leader_temperature=t, follower_temperature=t)
        product = f"d_L·d_F measured {slopes.product_measured:.2f}, proven {slopes.product_bound:.2f}"
        gets = f", gets {game.start_law @ run.leader_value:.3f}" if run.outcome == "converged" else ""
        lines.append(f"temperature {t:.2f}: {product}: {run.outcome.value} after {len(run.residuals)} rounds{gets}")
    print("\n".join(lines))  # noqa: T201
    if chosen.figure:
        draw(chosen.figure)


if __name__ == "__main__":
    main()
