"""The documents as a site: it builds without a warning, needs nothing from elsewhere, and leaves nothing out."""

import ast
import html
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from built_site import Site
from repository import ROOT

import meanwatt
from meanwatt.analysis.cli.command_options import commands
from meanwatt.analysis.notebook.simulated import Comparison, SimulatedMarket
from meanwatt.analysis.notebook.solution import Solution
from meanwatt.analysis.reference.file_keys import FILES, file_keys

DOCS = ROOT / "docs"
LOADED = {"src", "srcset", "poster", "data", "background", "xlink:href", "action", "formaction", "manifest"}
"""Attributes whose address a browser loads or sends to, on any element; ``href`` of a link element is another."""


class Page(HTMLParser):
    """What a page of the site loads, links to and holds."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[tuple[str, str | None]] = []
        self.places: Counter[str] = Counter()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Sort the addresses and places of an element."""
        for name, value in attrs:
            if name == "id" and value:
                self.places[value] += 1
            elif (name == "href" and tag == "a") and value:
                self.links.append((value, dict(attrs).get("class")))
            elif (name in LOADED or name == "href") and value:
                self.loads.append(value)


@cache
def page(path: Path) -> Page:
    return Page(path)


def pages(site: Site) -> list[Path]:
    return sorted(site.folder.rglob("*.html"))


def test_the_site_builds_without_a_warning(site: Site) -> None:
    assert site.said == ""
    assert len(pages(site)) > 20


def test_every_page_of_the_documents_is_in_the_site_and_on_its_front(site: Site) -> None:
    sources = {path.relative_to(DOCS).with_suffix("") for path in DOCS.rglob("*.md")} - {Path("index")}
    assert {path.parts[0] for path in sources} == {"tutorial", "how_to", "discussion", "reference"}
    front = {urlsplit(link).path for link, _ in page(site.folder / "index.html").links}
    assert {f"{path}.html" for path in sources} <= front


def test_no_page_loads_anything_from_elsewhere(site: Site) -> None:
    seen = 0
    for path in pages(site):
        for address in page(path).loads:
            parts = urlsplit(address)
            assert not parts.netloc, f"{path} loads {address}"
            assert parts.scheme in ("", "data"), f"{path} loads {address}"
            if parts.scheme == "" and parts.path:
                assert (path.parent / unquote(parts.path)).exists(), f"{path} loads {address}, which is missing"
                seen += 1
    assert seen > 200
    styles = [*site.folder.rglob("*.css"), *pages(site)]
    for path in styles:
        for address in re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s;]+)", path.read_text(encoding="utf-8")):
            assert address.startswith(("data:", "#")) or not urlsplit(address).netloc, f"{path} loads {address}"
    assert len(styles) > 20


def test_every_link_within_the_site_arrives(site: Site) -> None:
    seen = 0
    for path in pages(site):
        for link, _ in page(path).links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme in ("https", "http")
                continue
            aim = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert aim.exists(), f"{path}: {link}"
            if parts.fragment and aim.suffix == ".html":
                assert unquote(parts.fragment) in page(aim).places, f"{path}: {link}"
            seen += 1
    assert seen > 2000


@pytest.mark.parametrize("source", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_every_link_works_on_a_git_host_too(source: Path) -> None:
    text = re.sub(r"^```.*?^```", "", source.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\(([^)\s:]+)\)", text)
    for link in links:
        assert (source.parent / urlsplit(link).path).exists() if urlsplit(link).path else link.startswith("#"), link


def test_the_reference_of_the_files_has_every_key(site: Site) -> None:
    text = (site.folder / "reference" / "files.html").read_text(encoding="utf-8")
    shown = Counter(re.findall(r"<tr[^>]*><td><p><code[^>]*><span class=\"pre\">(\w+)</span></code></p></td>", text))
    assert shown == Counter(key.name for file in FILES for key in file_keys(file) if not key.heading)
    headings = {key.heading.strip("[]") for file in FILES for key in file_keys(file) if key.heading}
    assert headings <= set(re.findall(r"<h3><code[^>]*><span class=\"pre\">\[{1,2}([\w.]+)\]{1,2}</span>", text))


def test_the_reference_of_the_command_line_has_every_option(site: Site) -> None:
    text = (site.folder / "reference" / "cli.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr[^>]*><td><p><code[^>]*>(.*?)</code>", text)
    shown = Counter(html.unescape(re.sub(r"<[^>]+>", "", row)) for row in rows)
    assert shown == Counter(option.written[0] for command in commands() for option in command.options)


def defined() -> Iterator[tuple[str, str]]:
    """Module and name of every public function and class of the rooms, programs for people left out."""
    for floor in ("agents", "model", "analysis"):
        for path in sorted((ROOT / floor).rglob("*.py")):
            module = "meanwatt." + ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if module.startswith(("meanwatt.analysis.cli", "meanwatt.analysis.dashboard")):
                continue
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    yield module, node.name


def test_the_reference_of_the_code_has_the_face_and_every_public_function_and_class_once(site: Site) -> None:
    places: Counter[str] = Counter()
    for path in (site.folder / "reference").glob("api*.html"):
        places += page(path).places
    names = {f"{module}.{name}" for module, name in defined()}
    assert len(names) > 700
    assert {name: places[name] for name in names if places[name] != 1} == {}
    front = page(site.folder / "reference" / "api.html").places
    text = (site.folder / "reference" / "api.html").read_text(encoding="utf-8")
    for name in meanwatt.__all__:
        assert f'<span class="pre">meanwatt.{name}</span>' in text
        thing = getattr(meanwatt, name)
        assert f"{thing.__module__}.{thing.__name__}" in front
    for result in (Solution, SimulatedMarket, Comparison):
        assert {f"{result.__module__}.{result.__name__}.{name}" for name in ("plot", "to_frame")} <= set(front)


def test_names_of_the_glossary_are_links_to_their_rows(site: Site) -> None:
    linked = Counter()
    for path in (site.folder / "reference").glob("api*.html"):
        found = page(path)
        linked.update(link for link, style in found.links if style and "glossary" in style.split())
    assert sum(linked.values()) > 200
    assert all(link.startswith("glossary.html#term-") for link in linked)
    assert {"glossary.html#term-net-load-kw", "glossary.html#term-wholesale-usd-per-kwh"} <= set(linked)


def test_names_of_the_code_in_the_theory_are_links_to_its_reference(site: Site) -> None:
    links = [link for link, style in page(site.folder / "reference" / "theory.html").links if style and "code" in style]
    assert len(links) > 80
    assert "api.html#meanwatt.model.mean_field.first_best.solve_first_best" in links


FAULTS = {
    "page.md": "# A page\n\n[to nowhere](nowhere.md), [to no heading](index.md#no-heading)\n\n![](no_picture.png)\n"
    "\n`agents.never_there` and `agents`.\n",
    "forgotten.md": "# A page that the front does not list\n",
    "code.md": "# Code\n\n<!-- generated: code agents -->\n",
    "index.md": "# Front\n\n## Part\n\n* [A page](page.md)\n* [Code](code.md)\n",
}


def test_a_broken_link_a_forgotten_page_and_a_name_that_leads_nowhere_fail_the_build(tmp_path: Path) -> None:
    shutil.copytree(DOCS / "builder", tmp_path / "docs" / "builder", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conf.py", "site.css"):
        shutil.copy(DOCS / name, tmp_path / "docs")
    for name, text in FAULTS.items():
        (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
    for name in ("meanwatt", "agents", "model", "analysis"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('"""See `meanwatt.agents.gone`."""\n__all__ = []\n')
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", ".", "../site"]
    done = subprocess.run(command, cwd=tmp_path / "docs", capture_output=True, text=True, check=False)
    assert done.returncode != 0
    for told in ("nowhere.md", "no-heading", "no_picture.png", "forgotten.md: ", "agents.gone", "never_there"):
        assert told in done.stderr
    assert done.stderr.count("WARNING") == 6, done.stderr
