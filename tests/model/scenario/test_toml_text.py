"""TOML that this program writes is read back as what was written."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meanwatt.model.scenario.loading import load_scenario, presets
from meanwatt.model.scenario.toml_text import toml_text

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
PLAIN = st.one_of(TEXTS, st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False))
VALUES = st.one_of(PLAIN, st.lists(st.one_of(PLAIN, st.lists(PLAIN, max_size=2)), max_size=3))
TABLES = st.recursive(
    st.dictionaries(TEXTS, VALUES, max_size=4),
    lambda inner: st.dictionaries(TEXTS, st.one_of(VALUES, inner), max_size=4),
    max_leaves=8,
)


@given(TABLES)
def test_every_table_is_read_back_with_all_its_digits(table: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(table)) == table


@pytest.mark.parametrize("name", presets())
def test_a_scenario_written_whole_is_the_scenario(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(name)
    file = tmp_path / f"{name}.toml"
    file.write_text(toml_text(scenario.model_dump(exclude_defaults=True)), encoding="utf-8")
    assert load_scenario(file) == scenario
