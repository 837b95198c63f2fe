"""Tariffs edited, drawn, read from files and taken home on the page Compare, on a projector and a telephone."""

from pathlib import Path
from urllib.parse import urlsplit

from page_server import PageServer
from watching import PATIENCE_MS, expect, watch

from meanwatt.agents.tariff.tariff import Recovery
from meanwatt.model.scenario.economy import build_tariff
from meanwatt.model.scenario.loading import load_scenario

ISLAND = 'extends = "textbook"\ntitle = "My <i>island</i>"\nbattery_share_scale = 2.0\n'
NOON = 'title = "Cheap <b>power</b>"\nrecovery = "volumetric"\nenergy_usd_per_kwh = 0.05\n'
READING = Path(__file__).with_name("reading.js").read_text(encoding="utf-8")
START = "compare?scenario=textbook&a=filed&b=flat"
SCRIPT = "<img src=x onerror=alert(1)>"


def settled(page, title: str, side: str) -> dict[str, str]:
    """Figures, once they are of this tariff on this side and the first best is there."""
    page.wait_for_function(
        "said => [...document.querySelectorAll('.mw-day-key > span')].some(entry => entry.textContent.trim() === said)",
        arg=f"{side}: {title}",
    )
    page.wait_for_selector(".mw-compare-top:not(:has(progress))")
    page.wait_for_selector('.mw-numbers tr[data-key="efficiency"]:not(:has-text("…"))')
    return {part: page.inner_text(part) for part in (".mw-numbers", ".mw-payers", ".mw-bills", ".mw-terms-differ")}


def rates(page, side: str) -> list[float]:
    """What is drawn, as a screen reader hears it."""
    form = page.locator(f'[aria-label="Edit tariff {side}"]')
    return [float(bar.get_attribute("aria-valuenow")) for bar in form.locator(".mw-draw-hour").all()]


def readable(page) -> None:
    """Check names, contrast, and that nothing is wider than the window."""
    page.evaluate(READING)
    assert page.evaluate("meanwattReading.nameless()") == []
    read, faint = page.evaluate("meanwattReading.faint()")
    assert read > 60
    assert faint == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def query(page) -> str:
    return urlsplit(page.url).query


def taken_home(page, side: str, folder: Path):
    """The tariff in a side's file, as ``meanwatt solve`` reads it."""
    with page.expect_download() as taken:
        page.click(f"text=Download {side} (TOML)")
    file = folder / f"{side}.toml"
    taken.value.save_as(file)
    return build_tariff(load_scenario("textbook", tariff=str(file)))


def test_a_tariff_is_drawn_by_mouse_keyboard_and_numbers_and_its_link_and_its_file_repeat_it(visit, tmp_path) -> None:
    page = visit(START, ready=False)
    named = settled(page, "One price all day", "B")
    page.click("text=Edit B")
    form = page.locator('[aria-label="Edit tariff B"]')
    form.locator(".mw-draw-plot").wait_for()
    flat = rates(page, "B")
    assert set(flat) == {13.9}
    form.locator("text=Apply").click()
    page.wait_for_selector("[role=alert]:has-text('Nothing is changed yet.')")

    # by mouse: a quick pull from 2 to 5 h skips no hour; by keyboard: an hour on, five cents and one more
    first, last = (form.locator(f".mw-draw-hour[data-hour='{hour}']") for hour in (2, 5))
    first.scroll_into_view_if_needed()
    first, last = first.bounding_box(), last.bounding_box()
    page.mouse.move(first["x"] + 3, first["y"] + first["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(last["x"] + 3, last["y"] + last["height"] * 0.5)
    page.mouse.up()
    drawn = rates(page, "B")
    assert drawn == [*flat[:2], *[30] * 4, *flat[6:]]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowUp")
    assert rates(page, "B")[6] == 19.9
    # by numbers, of what exports earn
    form.locator("text=draw what an exported one earns").click()
    for name, text in (("from", "10"), ("to", "14"), ("rate", "99")):
        form.locator(f"input[name='{name}']").fill(text)
    form.locator("text=Set").click()
    page.wait_for_selector("text=Give a rate from 0 to 60 ¢.")
    form.locator("input[name='rate']").fill("4.25")
    form.locator("input[name='rate']").press("Enter")
    assert rates(page, "B") == [*[0] * 10, *[4.25] * 4, *[0] * 10]
    form.locator("select[name='b-recovery']").select_option("posted")
    form.locator("input[name='b-fixed-0']").fill("")
    form.locator("text=Apply").click()
    page.wait_for_selector("[role=alert]:has-text('A number is missing: Fixed charge: low income.')")
    form.locator("input[name='b-fixed-0']").fill("0.1")
    form.locator("input[name='b-fixed-2']").fill("0.5")
    form.locator("text=Apply").click()
    mine = settled(page, "One price all day, edited", "B")
    assert all(mine[part] != named[part] for part in mine)
    assert query(page) == (
        "scenario=textbook&a=filed&b=flat&b.rates=13.9*2_30*4_19.9_13.9*17&b.credit=0*10_4.25*4_0*10"
        "&b.recovery=posted&b.fixed=0.1_0_0.5"
    )
    assert "An exported kWh earns: 7 ¢ under A" in mine[".mw-terms-differ"]
    readable(page)
    tariff = taken_home(page, "B", tmp_path)
    assert tariff.energy_usd_per_kwh[0].tolist() == [0.139] * 2 + [0.3] * 4 + [0.199] + [0.139] * 17
    assert (tariff.recovery, tariff.fixed_charge_usd_per_day.tolist()) == (Recovery.POSTED, [0.1, 0.0, 0.5])

    page.go_back()
    assert settled(page, "One price all day", "B") == named
    page.go_forward()
    settled(page, "One price all day, edited", "B")
    page.click("text=Compare at equal cost")
    page.wait_for_selector("text=Equal cost recovery: under A and under B the utility covers its cost.")
    assert "a.recovery=fixed" in query(page)
    assert "b.recovery=fixed" in query(page)
    expect(page.locator("text=Compare at equal cost")).to_have_count(0)
    page.go_back()
    settled(page, "One price all day, edited", "B")
    page.wait_for_selector("text=Compare at equal cost")
    page.click("text=⇄ Swap")
    settled(page, "One price all day, edited", "A")
    phone = visit(
        f"compare?{query(page)}",
        ready=False,
        viewport={"width": 390, "height": 844},
        color_scheme="dark",
        has_touch=True,
    )
    settled(phone, "One price all day, edited", "A")
    phone.click("text=Edit A")
    phone.wait_for_selector(".mw-draw-plot")
    assert rates(phone, "A") == [*flat[:2], *[30] * 4, 19.9, *flat[7:]]
    readable(phone)
    phone.click("text=Undo all edits of A")
    settled(phone, "One price all day", "A")
    assert rates(phone, "A") == flat
    phone.click("text=Close A")
    phone.wait_for_selector(".mw-draw-plot", state="detached")


def test_a_file_is_read_as_text_refused_in_words_and_carried_by_the_link(visit, tmp_path) -> None:
    page = visit(START, ready=False)
    settled(page, "One price all day", "B")
    file = tmp_path / "mine.toml"
    for text, said in (
        ("recovery = ", "mine.toml is not used: not valid TOML"),
        ('recovery = "posted"\nenergy_usd_per_kwh = { sun = 1.0 }', "mine.toml is not used: scenario textbook: "),
        ("#" * 70_000, "mine.toml is larger than 64 kB; give a file with one tariff."),
    ):
        file.write_text(text, encoding="utf-8")
        page.set_input_files("input[name='file-b']", file)
        page.wait_for_selector(f".mw-side-card [role=alert]:has-text('{said}')")
    file.write_text(f'title = "{SCRIPT}"\nrecovery = "posted"\nenergy_usd_per_kwh = 0.2\n', encoding="utf-8")
    page.set_input_files("input[name='file-b']", file)
    read = settled(page, SCRIPT, "B")
    page.wait_for_selector(".mw-side-card [role=alert]", state="detached")
    expect(page.locator("img")).to_have_count(0)
    assert set(taken_home(page, "B", tmp_path).energy_usd_per_kwh.ravel()) == {0.2}
    other = visit(f"compare?{query(page)}", ready=False)
    assert settled(other, SCRIPT, "B") == read
    expect(other.locator("img")).to_have_count(0)
    cut = visit(f"compare?{query(page)[:-4]}", ready=False)
    cut.wait_for_selector(".mw-notice:has-text('b.file: it cannot be read; copy the whole link')")
    page.select_option("select[name='b']", "rtp")
    settled(page, "Real-time price with carbon", "B")
    assert query(page) == "scenario=textbook&a=filed"


def test_the_app_opens_on_a_scenario_and_a_tariff_of_ones_own_and_no_address_opens_a_file(browser, tmp_path) -> None:
    (tmp_path / "island.toml").write_text(ISLAND, encoding="utf-8")
    (tmp_path / "noon.toml").write_text(NOON, encoding="utf-8")
    (tmp_path / "secret.toml").write_text(ISLAND, encoding="utf-8")
    server, wrong = PageServer(tmp_path, ["island.toml", "--tariff", "noon.toml"]), []
    context = browser.new_context(reduced_motion="reduce")
    try:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        watch(page, wrong, lambda url: url.startswith(("data:", "blob:", server.address, f"ws{server.address[4:]}")))
        page.goto(server.opening)
        page.wait_for_selector(".mw-play:not([disabled])")
        assert query(page) == "scenario=island&tariff=noon"
        assert chosen(page, "scenario") == "My <i>island</i> (yours)"
        assert chosen(page, "tariff") == "Cheap <b>power</b>"
        page.click('.mw-nav a:has-text("Compare")')
        page.wait_for_selector(".mw-payers")
        page.select_option("select[name='a']", "noon")
        settled(page, "Cheap <b>power</b>", "A")
        expect(page.locator(".mw-page i, .mw-page b:has-text('power')")).to_have_count(0)
        page.goto(f"{server.address}/compare?scenario=secret.toml")
        page.wait_for_selector(".mw-notice:has-text(\"unknown scenario 'secret.toml'\")")
    finally:
        context.close()
        server.close()
    assert wrong == []


def chosen(page, name: str) -> str:
    """What a list to choose from shows."""
    return page.eval_on_selector(f"select[name='{name}']", "list => list.selectedOptions[0].textContent")
