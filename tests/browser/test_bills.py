"""The page of bills in a real browser: chosen, read from files, refused in words, on a wide screen and a telephone."""

import json
import math
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from watching import expect

from meanwatt.model.billing.customer import Asked, bill_customer
from meanwatt.model.billing.local_calendar import Clock

READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")
START = "bills?scenario=textbook"
SCRIPT = "<img src=x onerror=alert(1)>"
RECORD = {
    "name": SCRIPT,
    "utility": "A utility",
    "country": "USA",
    "sector": "Residential",
    "energyratestructure": [[{"rate": 0.2, "unit": "kWh"}], [{"rate": 0.45, "unit": "kWh"}]],
    "energyweekdayschedule": [[0] * 16 + [1] * 5 + [0] * 3] * 12,
    "energyweekendschedule": [[0] * 24] * 12,
    "fixedchargefirstmeter": 12.5,
    "fixedchargeunits": "$/month",
}


IN_PICTURE = re.compile(r"\d\.\d{3} ")
"""Prices within the picture, whose colour goes by the field that they stand on, not by the card below."""


def readings(folder: Path, name: str, scale: float, late: float = 0.0) -> Path:
    """A year of hours in a file; ``late`` moves its waves."""
    file = folder / name
    rows = (f"{scale * (1 + math.sin(hour / 3.8 + late)):.3f}" for hour in range(8760))
    file.write_text("kwh\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return file


def settled(page) -> None:
    """Wait until a bill is there, and nothing is under way."""
    page.wait_for_selector(".mw-compare-top:not(:has(progress))")
    expect(page.locator("main.mw-old")).to_have_count(0)
    expect(page.locator(".mw-statement-statement tbody tr").first).to_be_visible()


def printed(page, head: str) -> list[float]:
    """A column of the statement, its months and their sum."""
    heads = page.locator(".mw-statement-statement thead th").all_inner_texts()
    cells = page.locator(f".mw-statement-statement tbody td:nth-child({heads.index(head) + 1})").all_inner_texts()
    return [float(text.replace("−", "-")) for text in cells]


def fits(page) -> None:
    """Check names, contrast, and that nothing is wider than the window."""
    page.evaluate(READING)
    assert page.evaluate("meanwattReading.nameless()") == []
    read, faint = page.evaluate("meanwattReading.faint()")
    assert read > 60
    assert [text for text in faint if not IN_PICTURE.match(text)] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_home_is_billed_under_the_tariff_that_is_chosen_and_its_link_repeats_it(visit, width: int) -> None:
    page = visit(START, ready=False, viewport={"width": width, "height": 800})
    settled(page)
    bills = printed(page, "bill, USD")
    assert len(bills) == 13
    assert sum(bills[:-1]) == pytest.approx(bills[-1], abs=0.07)  # cents of each month are rounded
    expect(page.locator(".mw-month-bars [data-month]")).to_have_count(12)
    fits(page)
    for row in (0, 11, 12):  # the bill is on the screen, and nothing lies on it, before anybody swipes
        assert page.evaluate(
            """(row) => {
              const cell = document.querySelectorAll(".mw-statement-statement tbody tr")[row]
                .querySelector(".mw-statement-kept");
              cell.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
              const box = cell.getBoundingClientRect();
              const on_top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
              return box.left >= 0 && box.right <= window.innerWidth && on_top === cell
                && cell.closest(".mw-scroll-x").scrollLeft === 0;
            }""",
            row,
        )
    page.select_option('select[name="tariff"]', "pge_e_tou_c")
    expect(page.locator(".mw-bill-says li").first).to_have_text(
        "Territory X is taken, the first there is; choose another above."
    )
    settled(page)
    other = printed(page, "bill, USD")
    assert other != bills
    assert urlsplit(page.url).query == "scenario=textbook&tariff=pge_e_tou_c"
    page.select_option('select[name="home"]', "low/none")
    expect(page.locator(".mw-statement-statement .mw-caption")).to_contain_text("A home of type low/none")
    expect(page.locator(".mw-statement-statement th", has_text="kWh sold")).to_have_count(0)
    page.go_back()
    expect(page.locator(".mw-statement-statement .mw-caption")).to_contain_text("middle/pv_battery")
    settled(page)
    assert printed(page, "bill, USD") == other


def test_files_are_billed_as_the_command_bills_them_and_refused_in_words(visit, tmp_path: Path) -> None:
    page = visit(START, ready=False)
    settled(page)
    tariff, load, solar = (
        tmp_path / "mine.json",
        readings(tmp_path, "load.csv", 0.7),
        readings(tmp_path, "sun.csv", 0.6, late=2.0),
    )
    tariff.write_text(json.dumps(RECORD | {"fixedchargeunits": "$/fortnight"}), encoding="utf-8")
    page.set_input_files("input[name='tariff_file']", tariff)
    expect(page.locator(".mw-notice")).to_contain_text("fortnight")
    expect(page.locator(".mw-statement-statement")).to_have_count(0)
    tariff.write_text(json.dumps(RECORD), encoding="utf-8")
    page.set_input_files("input[name='tariff_file']", tariff)
    expect(page.locator(".mw-rate-picture p").first).to_contain_text(SCRIPT)
    settled(page)
    expect(page.locator(".mw-notice, img[src='x']")).to_have_count(0)
    page.set_input_files("input[name='load']", load)
    expect(page.locator(".mw-statement-statement .mw-caption")).to_contain_text("The customer of load.csv")
    page.set_input_files("input[name='solar']", solar)
    expect(page.locator(".mw-statement-statement th", has_text="kWh sold")).to_have_count(1)
    settled(page)
    found = bill_customer(
        Asked(tariff=str(tariff), load=str(load), generation=str(solar), metering="net_billing", clock=Clock())
    )
    assert printed(page, "bill, USD")[:-1] == [round(usd, 2) for usd in found.bill.monthly_usd[0].tolist()]
    assert printed(page, "kWh sold")[:-1] == [round(kwh, 1) for kwh in found.bill.fed_kwh[0].tolist()]
    link = page.url
    page.set_input_files("input[name='load']", {"name": "load.csv", "mimeType": "text/csv", "buffer": b"kwh\n1\nx\n"})
    expect(page.locator(".mw-notice")).to_contain_text("load.csv: line 3: kwh is 'x'")
    page.set_input_files("input[name='load']", {"name": "big.csv", "mimeType": "text/csv", "buffer": b"1\n" * 2**22})
    expect(page.locator("[role=alert].mw-draw-problem")).to_have_text("big.csv is larger than 4 MB, and is not read.")
    page.set_input_files("input[name='load']", load)
    page.click("text=Back to a tariff of the gallery")
    page.select_option('select[name="tariff"]', "octopus_agile")
    expect(page.locator(".mw-notice")).to_contain_text("follows a wholesale price; open a file of these prices")
    prices = tmp_path / "spot.csv"
    prices.write_text("usd_per_kwh\n" + "0.2\n" * 8760, encoding="utf-8")
    page.set_input_files("input[name='wholesale']", prices)
    settled(page)
    found = bill_customer(
        Asked(
            tariff="octopus_agile",
            load=str(load),
            generation=str(solar),
            metering="net_billing",
            wholesale=str(prices),
            clock=Clock(),
        )
    )
    assert printed(page, "bill, GBP")[:-1] == [round(usd, 2) for usd in found.bill.monthly_usd[0].tolist()]
    page.click("text=Back to a home of the scenario")
    expect(page.locator(".mw-statement-statement .mw-caption")).to_contain_text("A home of type middle/pv_battery")
    other = visit(f"bills?{urlsplit(link).query}", ready=False)
    expect(other.locator(".mw-notice")).to_contain_text("A link does not hold the file 'mine.json'; open it again.")
    settled(other)
