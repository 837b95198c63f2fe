"""The figure of the choice between two rate classes: ``uv run python docs/examples/opt_in.py``; a minute."""

from pathlib import Path

from meanwatt.analysis.adoption.adoption import adopt
from meanwatt.analysis.adoption.figures import adoption_figure
from meanwatt.model.scenario.economy import build_economy, build_rate_classes
from meanwatt.model.scenario.loading import load_scenario

HERE = Path(__file__).parent
IMAGE = HERE.parent / "images" / "opt_in.png"
SCENARIO = HERE / "opt_in.toml"


def main() -> None:
    """Draw what the guide shows."""
    today = load_scenario(SCENARIO)
    later = load_scenario(SCENARIO, overrides=["rate_classes.opt_in.tariff=offer"])
    done = adopt(build_economy(later, opt_in=True), build_rate_classes(today), build_rate_classes(later), years=20)
    adoption_figure(done).savefig(IMAGE, dpi=100)


if __name__ == "__main__":
    main()
