"""Softmax against the true Stackelberg value over random games: ``python docs/examples/softmax_error.py``."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from meanwatt.analysis.tabular.error_figure import error_figure
from meanwatt.analysis.tabular.softmax_error import SoftmaxErrors, softmax_errors
from meanwatt.model.tabular.tabular_game import random_game

SIZES = ((2, 2, 2), (2, 3, 2), (2, 2, 3))  # states, actions of the leader and of the follower
TEMPERATURES = (2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)  # rewards are normal with deviation 1


def drawn(games: int) -> list[SoftmaxErrors]:
    """Measure the errors of games drawn with seeds from 0 on, their sizes in turn."""
    return [
        softmax_errors(
            random_game(
                np.random.default_rng(seed), states=states, leader_actions=own, follower_actions=other, discount=0.8
            ),
            TEMPERATURES,
        )
        for seed, (states, own, other) in ((seed, SIZES[seed % len(SIZES)]) for seed in range(games))
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the largest and the median error at each temperature, with their bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=30, help="how many to draw")
    parser.add_argument("--figure", type=Path, help="draw all errors and bounds into this file")
    chosen = parser.parse_args(arguments)
    errors = drawn(chosen.games)
    exact = sum(one.best.outcome == "exact" for one in errors)
    lines = [
        f"{chosen.games} games, {exact} with the Stackelberg value known to 1e-6",
        "            leader commits, follower softens       both soften, in turn",
        "    η   median error  most error  most bound   settle  median error  most bound",
    ]
    for k, t in enumerate(TEMPERATURES):
        promise = np.array([one.promise[k] for one in errors])
        turns = np.array([one.turns[k] for one in errors])
        above = max(one.promise_bound[k] for one in errors), max(one.turns_bound[k] for one in errors)
        settled = turns[np.isfinite(turns)]
        middle = f"{np.median(settled):.4f}" if len(settled) else "–"
        lines.append(
            f"{t:5g} {np.median(promise):14.4f} {promise.max():11.4f} {above[0]:11.4f} {len(settled):8}"
            f" {middle:>13} {above[1]:11.4f}"
        )
    wide = [
        sum(int((bound > one.span).sum()) for one, bound in pairs)
        for pairs in (
            [(one, one.promise_bound) for one in errors],
            [(one, one.turns_bound) for one in errors],
        )
    ]
    rows = len(errors) * len(TEMPERATURES)
    lines.append(f"Bounds above the whole range of the leader's values: {wide[0]} and {wide[1]} of {rows}")
    print("\n".join(lines))  # noqa: T201
    if chosen.figure:
        error_figure(errors).savefig(chosen.figure, dpi=90)


if __name__ == "__main__":
    main()
