"""The wheel beside a stranger's distribution with a package `agents`; ``.ci/wheel`` runs it, beside other tests."""

import importlib.metadata as metadata
from pathlib import Path

import agents
import meanwatt
import meanwatt.agents.tariff.tariff


def test_the_wheel_holds_one_top_level_name() -> None:
    files = metadata.files("meanwatt") or []
    tops = {file.parts[0] for file in files if not file.parts[0].startswith("..")}
    assert tops == {"meanwatt", f"meanwatt-{metadata.version('meanwatt')}.dist-info"}


def test_types_and_rooms_lie_in_the_package() -> None:
    here = Path(meanwatt.__file__).parent
    assert (here / "py.typed").is_file()
    assert {"agents", "model", "analysis"} <= {path.name for path in here.iterdir()}
    assert [Path(place) for place in meanwatt.__path__] == [here]


def test_a_stranger_s_package_of_the_same_name_is_his() -> None:
    assert agents.NAME == "a stranger"
    assert Path(meanwatt.agents.tariff.tariff.__file__).parent != Path(agents.__file__).parent
