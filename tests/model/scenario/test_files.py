"""Files that are no files, and texts that are no TOML: one line each, and nothing is waited for."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from meanwatt.analysis.study.plan_file import load_study
from meanwatt.model.scenario.files import DEEPEST, MOST_BYTES, FileError, parse_toml, read_text, require_shallow
from meanwatt.model.scenario.loading import ScenarioError, load_scenario, load_tariff

Read = Callable[[Path], object]


def extended(path: Path) -> object:
    """Read a scenario that extends the file."""
    mine = path.parent / "extending.toml"
    mine.write_text(f'extends = "{path}"', encoding="utf-8")
    return load_scenario(mine)


READERS: dict[str, Read] = {
    "scenario": load_scenario,
    "extends": extended,
    "tariff": load_tariff,
    "tariff of a scenario": lambda path: load_scenario("textbook", tariff=path),
    "study": load_study,
}


def error_of(read: Read, path: Path) -> str:
    with pytest.raises(ValueError) as caught:
        read(path)
    text = str(caught.value)
    assert "\n" not in text
    return text.rpartition("toml): " if "toml): " in text else f"{path}: ")[2]


@pytest.fixture
def links(tmp_path: Path) -> Path:
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    return loop


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_is_refused_without_being_opened(reader: str, tmp_path: Path, links: Path) -> None:
    read = READERS[reader]
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")  # opening it would wait for a writer for ever
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(tmp_path / "plug.toml"))
    (tmp_path / "zeros.toml").symlink_to("/dev/zero")
    wanted = "give the path of a TOML file"
    assert error_of(read, tmp_path / "folder.toml") == f"is a directory, not a file; {wanted}"
    assert error_of(read, tmp_path / "pipe.toml") == f"is a named pipe, not a file; {wanted}"
    assert error_of(read, tmp_path / "plug.toml") == f"is a socket, not a file; {wanted}"
    assert error_of(read, tmp_path / "zeros.toml") == f"is a device, not a file; {wanted}"
    assert error_of(read, links) == f"cannot be read (Too many levels of symbolic links); {wanted}"


@pytest.mark.parametrize("reader", READERS)
def test_a_file_without_end_is_read_to_its_bound(reader: str, tmp_path: Path) -> None:
    large = tmp_path / "large.toml"
    with large.open("wb") as file:
        file.truncate(2**40)  # holes take no space
    bound = MOST_BYTES / 2**20
    assert error_of(READERS[reader], large) == f"is larger than {bound:g} MB; give the path of a TOML file"


@pytest.mark.parametrize("text", ["a = " + "[" * 10_000 + "]" * 10_000, "a" + ".a" * 10_000 + " = 1", "[a" + ".a" * 40])
@pytest.mark.parametrize("reader", READERS)
def test_toml_nested_deep_is_one_line(reader: str, text: str, tmp_path: Path) -> None:
    deep = tmp_path / "deep.toml"
    deep.write_text(text + ("]\nb = 1" if text.startswith("[") else ""), encoding="utf-8")
    assert error_of(READERS[reader], deep) == (
        f"has tables or lists inside one another more than {DEEPEST} deep; give a flatter one"
    )


@pytest.mark.parametrize("depth", [100, 10_000])
def test_an_override_nested_deep_is_one_line(depth: int) -> None:
    said = "|".join(
        ["has tables or lists inside one another more than 16 deep; give a flatter one$", "has no TOML value"]
    )
    for text in ("[" * depth, "[" * depth + "]" * depth):
        with pytest.raises(ScenarioError, match=rf"^scenario textbook: override 'memory=\[\[.*… ({said})"):
            load_scenario("textbook", overrides=[f"memory={text}"])


def test_an_override_that_holds_itself_is_one_line() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ScenarioError, match="override memory has tables or lists inside one another"):
        load_scenario("textbook", overrides={"memory": endless})


def test_values_are_shallow_up_to_the_depth_and_not_beyond() -> None:
    value: object = 1
    for _ in range(DEEPEST):
        value = [value]
    require_shallow(value)
    with pytest.raises(FileError):
        require_shallow([value])


def test_dots_in_numbers_and_texts_are_not_taken_for_depth() -> None:
    row = ", ".join(["0.125"] * 9_000)
    assert len(parse_toml(f'a = [{row}]\nb = "{"." * 500}"  # {"." * 500}')["a"]) == 9_000


@pytest.mark.parametrize("reader", READERS)
def test_a_byte_order_mark_is_no_mistake(reader: str, tmp_path: Path) -> None:
    marked = tmp_path / "marked.toml"
    content = {
        "study": 'scenario = "textbook"\nmeasure = "solve"',
        "tariff": 'recovery = "posted"\nenergy_usd_per_kwh = 0.2',
        "tariff of a scenario": 'recovery = "posted"\nenergy_usd_per_kwh = 0.2',
    }.get(reader, 'extends = "textbook"')
    marked.write_bytes(content.encode())
    without = repr(READERS[reader](marked))
    marked.write_bytes(b"\xef\xbb\xbf" + content.encode())
    assert repr(READERS[reader](marked)) == without


def test_a_null_character_in_a_name_is_told_with_the_name(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('extends = "a\\u0000.toml"', encoding="utf-8")
    with pytest.raises(ScenarioError, match="holds a null character; give the path of a TOML file"):
        load_scenario(mine)
    with pytest.raises(ScenarioError, match=r"unknown preset 'a\\x00'"):
        load_scenario("a\0")
    with pytest.raises(ScenarioError, match="holds a null character"):
        load_scenario("textbook", tariff="a\0.toml")


def test_a_name_too_long_for_a_file_is_one_short_line() -> None:
    with pytest.raises(ScenarioError, match=r"unknown preset 'x+…'"):
        load_scenario("x" * 5_000)
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario("x/" + "x" * 5_000)


def test_a_chain_of_files_without_end_is_refused(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.toml").write_text(f'extends = "{number + 1}.toml"', encoding="utf-8")
    with pytest.raises(ScenarioError, match="extends leads on beyond 16 files; end the chain at a preset"):
        load_scenario(tmp_path / "0.toml")


@pytest.mark.parametrize("number", ["1" * 6_000, "0x" + "f" * 6_000])
def test_a_whole_number_of_thousands_of_digits_is_one_line(number: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario("textbook", overrides=[f"memory={number}"])
    assert len(str(caught.value)) < 200


def test_text_is_read_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "text.csv"
    file.write_text("kwh\n1.5\n", encoding="utf-8")
    assert read_text(file, "a CSV file") == "kwh\n1.5\n"
    with pytest.raises(FileError, match=r"^file not found; give the path of a CSV file$"):
        read_text(tmp_path / "gone.csv", "a CSV file")
