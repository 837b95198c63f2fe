"""Draw the outcome of ``docs/examples/study.toml``: uv run python docs/examples/study_figure.py storage storage.png."""

import sys
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

COLORS = {"flat": "#d55e00", "rtp": "#0072b2", "tou": "#009e73"}


def draw(results: Path, image: Path) -> None:
    """Peak to average over storage: one panel for each number of households, one line for each tariff."""
    table = pd.read_parquet(results)
    sizes = sorted(table["households"].unique())
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    panels = figure.subplots(1, len(sizes), sharey=True, squeeze=False)[0]
    for panel, size in zip(panels, sizes, strict=True):
        markets = table[table["households"] == size].groupby(["tariff", "battery_share_scale"])["peak_to_average"]
        for tariff, rows in markets.agg(["mean", "std"]).groupby("tariff"):
            scale = rows.index.get_level_values("battery_share_scale")
            panel.errorbar(
                scale,
                rows["mean"],
                2 * rows["std"],
                marker="o",
                capsize=5,
                lw=2,
                label=tariff,
                color=COLORS.get(tariff),
            )
        panel.set_title(f"{size:,} households", fontsize=16)
        panel.set_xlabel("batteries, × the preset's", fontsize=14)
        panel.tick_params(labelsize=13)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("peak to average of net load", fontsize=14)
    panels[-1].legend(title="tariff", fontsize=14, title_fontsize=14)
    figure.savefig(image, dpi=100)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) / "results.parquet", Path(sys.argv[2]))
