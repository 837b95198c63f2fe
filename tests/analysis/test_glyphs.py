"""Figures with letters that their usual font lacks."""

import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure

from meanwatt.analysis.cli import main
from meanwatt.analysis.figures import glyphs
from meanwatt.analysis.figures.glyphs import glyph_messages
from meanwatt.analysis.figures.inline import inline_svg
from meanwatt.analysis.figures.own_settings import own_settings
from meanwatt.analysis.figures.saved import image
from meanwatt.analysis.figures.shown import ShownFigure, picture

NOWHERE = "囚"


@pytest.fixture
def dejavu_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No font but matplotlib's own is installed, which has no Chinese letters."""
    own = {"DejaVu Sans": glyphs._files()["DejaVu Sans"]}
    monkeypatch.setattr(glyphs, "_files", lambda: own)
    glyphs._fonts.cache_clear()
    yield
    glyphs._fonts.cache_clear()


def drawn(text: str, kind: type[Figure] = Figure) -> Figure:
    figure = kind()
    figure.text(0.1, 0.5, text)
    return figure


@pytest.fixture
def without_arabic() -> Iterator[None]:
    """Both fonts come with matplotlib; STIX has no Arabic letters, DejaVu has."""
    with own_settings({"font.sans-serif": ["STIXGeneral"]}):
        yield


@pytest.mark.usefixtures("without_arabic")
def test_a_letter_that_the_usual_font_lacks_is_drawn_in_one_that_has_it() -> None:
    figure = drawn("a \u0634")
    assert glyph_messages([figure]) == ()
    found = image(figure, "svg").decode()
    assert "STIXGeneral-" in found
    assert "DejaVu" in found
    assert matplotlib.rcParams["font.sans-serif"] == ["STIXGeneral"]
    assert figure.texts[0].get_fontfamily() == ["sans-serif"], "as it was"


def test_a_file_holds_letters_as_outlines_whatever_the_process_is_set_to() -> None:
    usual = image(drawn("net load"), "svg")
    with own_settings({"svg.fonttype": "none"}):
        assert image(drawn("net load"), "svg") == usual
    assert b"<text" not in usual


@pytest.mark.usefixtures("dejavu_alone")
def test_letters_that_no_font_has_are_one_message_and_no_warning() -> None:
    figures = [drawn(NOWHERE), drawn(NOWHERE, ShownFigure)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image(figures[0], "svg")
        image(figures[0], "png")
        inline_svg(figures[0], "name", "a figure")
        picture(figures[1])
        figures[1].savefig("/dev/null", format="png")
    (said,) = glyph_messages(figures)
    assert said.startswith(f"Figures: no installed font has {NOWHERE}, drawn as boxes; install one that does")
    assert glyph_messages([drawn("plain, ε and θ")]) == ()


def test_a_game_with_names_in_other_scripts_is_drawn_without_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    game = tmp_path / "game.toml"
    game.write_text(
        'title = "囚人"\ndiscount = 0.5\n[reward."黙"]\n"秘" = [1, 1]\n"自" = [-2, 2]\n'
        '[reward."白"]\n"秘" = [2, -2]\n"自" = [-1, -1]\n',
        encoding="utf-8",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["game", str(game), "--out", str(tmp_path / "out")]) in (0, 1)
    said = capsys.readouterr()
    assert said.err == ""
    notes = [line for line in said.out.splitlines() if line.startswith("Note: Figures: no installed font has ")]
    assert len(notes) == (1 if glyph_messages([drawn("囚人黙秘自白")]) else 0)


def setting() -> str:
    """What the process is set to, while nobody draws: a page of an earlier test may still be at it."""
    with own_settings({}):
        return str(matplotlib.rcParams["svg.fonttype"])


def test_threads_that_draw_at_once_leave_the_settings_as_they_were() -> None:
    before = setting()
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with own_settings({"svg.fonttype": "none"}):
            inside.set()
            leave.wait(20)

    def second() -> None:
        with own_settings({"svg.hashsalt": "meanwatt"}):
            seen.append(matplotlib.rcParams["svg.fonttype"])

    seen: list[str] = []
    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert inside.wait(20)
    threads[1].start()
    threads[1].join(0.1)  # it waits for its turn
    leave.set()
    for thread in threads:
        thread.join(20)
    assert seen == [before]
    assert setting() == before


def test_settings_come_back_although_solara_keeps_them_by_visitor() -> None:
    """In a process of its own: what Solara patches stays patched."""
    code = (
        "import matplotlib; import solara.server.app; from solara.server import patch; patch.patch_heavy_imports();"
        "from meanwatt.analysis.figures.own_settings import own_settings\n"
        "with own_settings({'svg.fonttype': 'none'}): print(matplotlib.rcParams['svg.fonttype'])\n"
        "print(matplotlib.rcParams['svg.fonttype'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["none", "path"]
