"""The market in Mesa's own page (with altair, as developers have), which asks nothing of another host.

``SOLARA_TELEMETRY_MIXPANEL_ENABLE=False uv run solara run --production docs/examples/solaraviz.py``
"""

import solara
from mesa.visualization import Slider, SolaraViz, make_plot_component

from meanwatt.model.market.market import ProsumerMarket

PARAMETERS = {
    "scenario": "textbook",
    "tariff": {"type": "Select", "value": "filed", "values": ["filed", "flat", "tou", "rtp"], "label": "Tariff"},
    "households": Slider("Households", value=500, min=100, max=5000, step=100),
}


@solara.component
def Page() -> None:  # noqa: N802
    """Build the model for this visitor alone, not at import, and show two of its figures."""
    model = solara.use_memo(lambda: ProsumerMarket(tariff="filed", households=500), [])
    plots = [make_plot_component(name) for name in ("net_load_peak_kw", "wholesale_mean_usd_per_kwh")]
    SolaraViz(model, components=plots, model_params=PARAMETERS, name="Meanwatt")
