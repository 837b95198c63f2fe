"""Mesa's own page over the market page's market: what ``visitors.py --peer`` times. It shows two series, no more."""

import solara
from mesa.visualization import SolaraViz, make_plot_component

from meanwatt.model.market.market import ProsumerMarket


@solara.component
def Page() -> None:  # noqa: N802
    """A market for each visitor, as on the market page."""
    model = solara.use_memo(lambda: ProsumerMarket("oahu", tariff="filed", households=1000), [])
    plots = [make_plot_component(name) for name in ("net_load_peak_kw", "wholesale_mean_usd_per_kwh")]
    SolaraViz(model, components=plots, name="Meanwatt")
