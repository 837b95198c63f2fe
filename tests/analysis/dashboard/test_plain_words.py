"""What readers stumbled over is said plainly, with the field's word and a unit, on every page."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import meanwatt.analysis.dashboard as dashboard
from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.analysis.dashboard.compare.words import higher
from meanwatt.analysis.dashboard.finite.words import gain_caption
from meanwatt.analysis.dashboard.shared.figures import recovered

SOURCES = sorted(
    path
    for path in Path(next(iter(dashboard.__path__))).rglob("*")
    if path.suffix in {".py", ".vue", ".js", ".html"} and path.is_file()
)
STUMBLED = (
    "chance makes",
    "by chance alone",
    "use is worth",
    "Tariffs a start",
    "to the utility's surplus",
    ", each for {",
)


@pytest.mark.parametrize("phrase", STUMBLED)
def test_a_phrase_that_readers_stumbled_over_is_on_no_page(phrase: str) -> None:
    assert len(SOURCES) > 100
    assert [path.name for path in SOURCES if phrase in " ".join(path.read_text(encoding="utf-8").split())] == []


def test_no_amount_is_written_with_its_sign_behind_the_currency() -> None:
    """``${number(x, 2)}`` would print ``$−8.00``; `meanwatt.analysis.dashboard.shared.figures.usd` does not."""
    wrong = re.compile(r"\$\{number\(")
    assert [path.name for path in SOURCES if path.suffix == ".py" and wrong.search(path.read_text("utf-8"))] == [
        "key_figures.py"  # the efficiency gap, which is never negative
    ]


def test_the_gain_of_a_home_has_its_unit_in_both_markets() -> None:
    found = SimpleNamespace(coupled=True, values=(0.0612, 0.0245))
    assert gain_caption((300, 3000), found) == (  # type: ignore[arg-type]
        "A home that deviates gains 6.12 cents a day in a market of 300 homes and 2.45 cents a day in one of 3,000."
    )


def test_a_change_of_a_cost_is_higher_lower_or_unchanged() -> None:
    assert [higher(cents).replace("\u2060", "") for cents in (120, -5, 0)] == [
        "$1.20 higher",
        "$0.05 lower",
        "unchanged",
    ]


def test_a_fixed_charge_that_is_a_refund_has_its_sign_before_the_dollar() -> None:
    def said(*usd_per_day: float) -> str:
        tariff = SimpleNamespace(recovery=Recovery.FIXED)
        equilibrium = SimpleNamespace(tariff=tariff, fixed_charge_usd_per_day=np.array(usd_per_day))
        return recovered(SimpleNamespace(equilibrium=equilibrium))  # type: ignore[arg-type]

    assert said(-0.27, -0.27) == "fixed charge −$8/month"
    assert said(0.4, -0.27) == "fixed charge −$8 to $12/month"
