"""Bills from ``flat`` to ``filed``, twice: ``uv run python docs/examples/impacts.py`` draws them, one minute."""

from pathlib import Path

import matplotlib.pyplot as plt

from meanwatt.analysis.impacts.figures import draw_impacts
from meanwatt.analysis.impacts.population import population_impacts
from meanwatt.model.scenario.economy import build_economy, build_tariff
from meanwatt.model.scenario.loading import load_scenario

IMAGE = Path(__file__).parents[1] / "images" / "impacts.png"
SIZE = {"households": 1000, "rng": 0, "threads": 1}

figure, rows = plt.subplots(2, 2, figsize=(10, 7), layout="constrained")
for preset, (left, right) in zip(("oahu", "california"), rows, strict=True):
    scenario = load_scenario(preset)
    flat, filed = (build_tariff(scenario, name) for name in ("flat", "filed"))
    done = population_impacts(build_economy(scenario), flat, filed, size=SIZE, days=365)
    draw_impacts(done.without_response, done.with_response, left, right)
    left.set_title(f"{preset}: customers [%]", loc="left")
figure.savefig(IMAGE, dpi=110)
