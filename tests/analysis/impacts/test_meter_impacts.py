"""Bills of a file of meters under two tariffs, beside a biller in plain loops and laws of the accounts."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from plain_biller import plain_bill
from ratebook_records import FLAT, TIERED, write_record

from meanwatt.analysis.cli import main
from meanwatt.analysis.impacts.meters import MeterImpacts, meter_impacts
from meanwatt.model.billing.meter_format import MeterFormat, read_meter_format
from meanwatt.model.billing.tariff_gallery import gallery_text

HOURS = 8760
FORM: dict[str, Any] = {
    "customer": "id",
    "time": "when",
    "label": "start",
    "minutes": 60,
    "unit": "kWh",
    "zone": "UTC",
    "stamps": "UTC",
    "begin": "2018-01",  # a year of 365 days from a Monday on, as the plain biller has it
    "use": "kwh",
    "generation": "pv",
    "income": "group",
    "income_usd_per_year": "usd",
    "technology": "owns",
}
RULES = {"a": {"metering": "net_billing"}, "b": {"metering": "net_billing_carryover"}}


@cache
def customers() -> pd.DataFrame:
    """Five customers, two of them with solar."""
    when = pd.date_range("2018-01-01", periods=HOURS, freq="h").strftime("%Y-%m-%d %H:%M")
    rng = np.random.default_rng(3)
    hour = np.arange(HOURS) % 24
    parts = []
    for k in range(5):
        sun = np.clip(np.cos((hour - 12.5) / 6 * np.pi / 2), 0, None) * (3.0 if k in (1, 4) else 0.0)
        parts.append(
            pd.DataFrame(
                {
                    "id": f"home {k}",
                    "when": when,
                    "kwh": rng.uniform(0, 1 + k / 2, HOURS).round(3),
                    "pv": sun.round(3),
                    "group": ["low", "low", "high", "high", "high"][k],
                    "usd": [9_000, 20_000, 60_000, 90_000, 200_000][k],
                    "owns": "solar" if k in (1, 4) else "nothing",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def files(folder: Path, rows: pd.DataFrame, one: dict[str, Any], other: dict[str, Any]) -> tuple[str, str, Path]:
    rows.to_csv(folder / "m.csv", index=False)
    return write_record(folder / "a.json", one), write_record(folder / "b.json", other), folder / "m.csv"


def done(folder: Path, rows: pd.DataFrame, one: dict[str, Any], other: dict[str, Any], **form: Any) -> MeterImpacts:
    layout = MeterFormat.model_validate({"format": FORM, **RULES, **form})
    return meter_impacts(*files(folder, rows, one, other), layout)


def format_file(folder: Path, **more: str) -> Path:
    lines = [f"{key} = {json.dumps(value)}" for key, value in (FORM | more).items()]
    file = folder / "f.toml"
    file.write_text(
        "[format]\n" + "\n".join(lines) + '\n[a]\nmetering = "net_billing"\n[b]\nmetering = "net_billing"\n'
    )
    return file


def test_every_bill_is_that_of_a_biller_in_plain_loops(tmp_path: Path) -> None:
    found = done(tmp_path, customers(), FLAT, TIERED)
    assert found.changes is not None
    assert found.names == tuple(f"home {k}" for k in range(5))
    for k, (_, part) in enumerate(customers().groupby("id")):
        load, sun = part["kwh"].tolist(), part["pv"].tolist()
        assert found.changes.before_usd_per_year[k] == pytest.approx(sum(plain_bill(FLAT, load, sun, "net_billing")))
        due = sum(plain_bill(TIERED, load, sun, "net_billing_carryover"))
        assert found.changes.after_usd_per_year[k] == pytest.approx(due)
        bought = sum(max(one - other, 0) for one, other in zip(load, sun, strict=True))
        assert found.changes.customers.bought_kwh_per_year[k] == pytest.approx(bought)
    who = found.changes.customers
    assert [who.incomes[k] for k in who.income_index] == ["low", "low", "high", "high", "high"]
    assert [who.technologies[k] for k in who.technology_index] == ["nothing", "solar", "nothing", "nothing", "solar"]


def test_the_same_tariff_changes_exactly_nothing(tmp_path: Path) -> None:
    same = {"a": RULES["b"], "b": RULES["b"]}
    found = done(tmp_path, customers(), TIERED, TIERED, **same)
    assert found.changes is not None
    assert (found.changes.change_usd_per_year == 0).all()


def test_a_fixed_charge_on_top_changes_every_bill_by_itself(tmp_path: Path) -> None:
    more = {**TIERED, "fixed": (0.4 + 0.25, "day")}
    found = done(tmp_path, customers(), TIERED, more, a=RULES["a"], b=RULES["a"])
    assert found.changes is not None
    assert found.changes.change_usd_per_year == pytest.approx(np.full(5, 365 * 0.25), abs=1e-9)


def test_customers_in_another_order_have_the_same_bills(tmp_path: Path) -> None:
    order = [3, 0, 4, 2, 1]
    mixed = pd.concat([customers().iloc[k * HOURS : (k + 1) * HOURS] for k in order])
    one, other = (done(tmp_path, rows, FLAT, TIERED) for rows in (customers(), mixed))
    assert one.changes is not None
    assert other.changes is not None
    assert other.names == tuple(one.names[k] for k in order)
    assert (other.changes.after_usd_per_year == one.changes.after_usd_per_year[order]).all()


def test_the_command_says_that_there_is_no_response_and_what_was_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = customers().astype({"kwh": object})
    rows.loc[7, "kwh"] = "broken"
    rows.loc[HOURS : 2 * HOURS - 1, "usd"] = 0
    a, b, meters = files(tmp_path, rows, FLAT, TIERED)
    form, out = format_file(tmp_path), tmp_path / "run"
    call = ["impacts", a, b, "--meters", str(meters), "--format", str(form)]
    assert main([*call, "--json", "--out", str(out)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["customers"] == 3
    assert result["shown"] == "without_response"
    assert result["with_response"] is result["response"] is None
    assert result["change_usd_per_year"] == result["without_response"]["change_usd_per_year"]
    assert result["messages"][0].startswith("Meters alone: only the bills without a response are told.")
    assert "1 row left out: no number." in result["messages"]
    assert "1 customer left out: readings are missing." in result["messages"]
    assert "1 customer left out: no income above 0." in result["messages"]
    assert result["meters"]["bad_rows_listed"] == ["line 9: kwh is 'broken': no number"]
    total = result["revenue"]["b"] - result["revenue"]["a"]
    assert total == pytest.approx(result["customers"] * result["change_usd_per_year"]["mean"])
    assert {path.name for path in out.iterdir()} >= {
        "impacts.json",
        "customers.parquet",
        "groups.parquet",
        "report.html",
    }
    table = pq.read_table(out / "customers.parquet").to_pydict()
    assert table["customer"] == ["home 2", "home 3", "home 4"]
    assert table["income"] == ["high"] * 3
    assert table["technology"] == ["nothing", "nothing", "solar"]
    assert table["income_usd_per_year"] == [60_000, 90_000, 200_000]
    assert main(call) == 0
    shown = capsys.readouterr().out
    assert "Bills from A to B, without a response" in shown
    assert "Left out: line 9: kwh is 'broken': no number" in shown
    assert "Left out: customer home 0: 1 reading missing" in shown


def test_where_nobody_can_be_billed_the_status_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, meters = files(tmp_path, customers().head(100), FLAT, TIERED)
    assert main(["impacts", a, b, "--meters", str(meters), "--format", str(format_file(tmp_path)), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert result["outcome"] == "no_customers"
    assert result["customers"] is None


REFUSED = {
    "octopus_agile ofgem_cap": "follows a wholesale price, which impacts cannot bill",
    "heco_r ofgem_cap": "tariff heco_r is in USD and tariff ofgem_cap in GBP",
    "hecor heco_r": "unknown tariff 'hecor'; did you mean 'heco_r'?",
}


@pytest.mark.parametrize("tariffs", REFUSED)
def test_tariffs_that_cannot_be_compared_are_one_line(
    tariffs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meters = tmp_path / "m.csv"
    meters.write_text("id,when,kwh,pv,group,usd,owns\n")
    assert main(["impacts", *tariffs.split(), "--meters", str(meters), "--format", str(format_file(tmp_path))]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.count("\n") == 1
    assert REFUSED[tariffs] in found.err


def test_a_territory_is_asked_for_where_the_tariff_names_none(tmp_path: Path) -> None:
    tariff = tmp_path / "e1.toml"
    tariff.write_text(re.sub(r"(?m)^territory = .*$", "", gallery_text("pge_e1")))
    with pytest.raises(
        ValueError, match=r"has a baseline by territory; give territory in \[b\] of the format, one of X"
    ):
        meter_impacts("heco_r", str(tariff), tmp_path / "m.csv", MeterFormat.model_validate({"format": FORM, **RULES}))


def test_a_rule_of_metering_is_asked_for_where_something_is_fed_in(tmp_path: Path) -> None:
    form = MeterFormat.model_validate({"format": FORM})
    with pytest.raises(ValueError, match=r"does not say how what is fed in is metered; give metering in \[a\]"):
        meter_impacts(*files(tmp_path, customers().head(3), FLAT, TIERED), form)
    net = {name: value for name, value in FORM.items() if name not in ("use", "generation")} | {"net": "kwh"}
    form = MeterFormat.model_validate({"format": net, "a": {"metering": "buy_all_sell_all"}})
    with pytest.raises(ValueError, match="net readings hold neither use nor generation; give another"):
        meter_impacts(*files(tmp_path, customers().head(3), FLAT, TIERED), form)


def test_a_column_of_names_where_groups_are_wanted_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meanwatt.analysis.impacts.meters.MOST_GROUPS", 4)
    rows = customers().assign(group=lambda rows: "of " + rows["id"])
    with pytest.raises(ValueError, match="column 'group' holds more than 4 different names, such as 'of home 4'"):
        done(tmp_path, rows, FLAT, TIERED)


def test_the_format_of_the_how_to_page_is_one(tmp_path: Path) -> None:
    from repository import ROOT

    page = (ROOT / "docs" / "how_to" / "impacts.md").read_text(encoding="utf-8")
    blocks = page.split("```toml\n")[1:]
    assert blocks
    for block in blocks:
        file = tmp_path / "f.toml"
        file.write_text(block.split("```")[0])
        read_meter_format(file)
