"""The leader's loss on the validation page is what its command prints."""

import re
import runpy

import pytest
from repository import ROOT

PAGE = (ROOT / "docs" / "discussion" / "validation.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "docs" / "examples" / "leader_loss.py"


def row(label: str) -> list[str]:
    """Cells of a row of the page's table: label, textbook, oahu."""
    (found,) = re.findall(rf"^\| {label}[^|]*\|.*\|$", PAGE, flags=re.MULTILINE)
    return [cell.strip() for cell in found.strip("|").split("|")]


def numbers(cell: str) -> list[float]:
    return [float(text.replace("−", "-")) for text in re.findall(r"−?\d+\.\d+(?=·10⁻⁵)", cell)]


def test_the_page_gives_the_leaders_loss_on_textbook_as_its_command_measures_it() -> None:
    """Twelve processor seconds: some 160 markets of 1,000 households and 28 days are all there is to it."""
    example = runpy.run_path(str(EXAMPLE))
    loss, gain = example["cells"](example["measured"]("textbook"))
    _, written, _ = row("leader's loss at N = 1,000")
    assert len(numbers(written)) == 3
    for one, other in ((loss, written), (written, loss)):  # a search by values ends where the last bits send it
        value, (_, low, high) = numbers(one)[0], numbers(other)
        assert low <= value <= high
    assert float(gain) == pytest.approx(float(row("… of a gain of")[1]), rel=0.01)
    assert list(example["IN_FORCE"]) == ["textbook", "oahu"]
