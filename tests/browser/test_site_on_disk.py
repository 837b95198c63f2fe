"""The documents opened from disk in a browser without a network: nothing is missing, and the search works."""

from collections.abc import Callable, Iterator

import pytest
from built_site import Site
from watching import PATIENCE_MS, expect, watch

NAMED = "meanwatt.model.mean_field.equilibrium_state.Equilibrium"


@pytest.fixture
def read(browser, site: Site) -> Iterator[Callable]:
    """Open a page of the site as a reader without a network; at the end nothing may have gone wrong."""
    contexts, wrong = [], []

    def open_page(name: str, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "offline": True} | options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        watch(page, wrong, lambda url: url.startswith(("file:", "data:")))
        page.goto((site.folder / name).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def test_a_reader_without_a_network_goes_from_the_front_to_a_page_to_a_name_and_to_its_glossary_row(read) -> None:
    page = read("index.html")
    page.click("article >> text=First equilibrium, first market")
    page.wait_for_selector("h1:has-text('First equilibrium, first market')")
    pictures = page.evaluate("[...document.images].map((picture) => picture.naturalWidth)")
    assert pictures
    assert min(pictures) > 100
    page.click(".sidebar-drawer >> text=The face")
    page.wait_for_selector(f"[id='{NAMED}']")
    page.click("a.glossary >> text=net_load_kw >> nth=0")
    page.wait_for_url("**/glossary.html#term-net-load-kw")
    expect(page.locator("#term-net-load-kw").first).to_contain_text("L is the population mean", use_inner_text=True)
    assert page.evaluate("getComputedStyle(document.querySelector('article table')).borderCollapse") == "collapse"


def test_the_search_works_without_a_network(read) -> None:
    page = read("index.html")
    page.fill(".sidebar-search", "burden_gap")
    page.press(".sidebar-search", "Enter")
    page.wait_for_selector("#search-results li")
    expect(page.locator("#search-results li a", has_text="meanwatt.analysis.metrics.equity.burden_gap")).to_have_count(
        1
    )


@pytest.mark.parametrize(
    "name", ["index", "reference/files", "reference/api", "reference/theory", "discussion/leaders"]
)
def test_a_telephone_needs_no_sideways_scroll(read, name: str) -> None:
    page = read(f"{name}.html", viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
