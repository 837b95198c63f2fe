"""In a folder that holds a stranger's model.py, agents.py, analysis.py and app.py everything still works.

Every Mesa user's folder holds a `model.py`. Whoever imports one of the four here ends with an error.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

STRANGERS = ("model", "agents", "analysis", "app")
GUARD = "if __name__ == '__main__':\n"
MARKET = """
    from meanwatt.model.market.market import ProsumerMarket
    market = ProsumerMarket("textbook", households=20, rng=1, behaviour="belief", power_flow=False)
    market.step()
    print(len(market.day_digest))
"""
BATCH = """
    from mesa.batchrunner import batch_run
    from meanwatt.model.market.market import ProsumerMarket
    parameters = {"scenario": "textbook", "households": 10, "behaviour": "belief", "power_flow": False}
    keys = {"rng": [1, 2]} if "rng" in __import__("inspect").signature(batch_run).parameters else {"iterations": 2}
    rows = batch_run(ProsumerMarket, parameters, number_processes=2, max_steps=1, display_progress=False, **keys)
    print(len({row["RunId"] for row in rows}))
"""
WORKERS = """
    from meanwatt.analysis.simulation.sharded import simulate_feeders
    from meanwatt.model.scenario.economy import build_economy, build_tariff
    from meanwatt.model.mean_field.equilibrium import solve_equilibrium
    from meanwatt.model.scenario.loading import load_scenario
    scenario = load_scenario("textbook")
    game = build_economy(scenario), build_tariff(scenario, "flat")
    equilibrium = solve_equilibrium(*game)
    run = simulate_feeders(*game, households=20, feeders=2, days=1, seed=1, equilibrium=equilibrium, workers=1)
    print(len(run.feeder_days))
"""
SOLARAVIZ = """
    from mesa.visualization import SolaraViz, make_plot_component
    from meanwatt.model.market.market import ProsumerMarket
    market = ProsumerMarket("textbook", households=20, rng=1, behaviour="belief")
    print(SolaraViz(market, components=[make_plot_component("net_load_kw")]) is not None)
"""
SERVED = """
    import subprocess, sys, urllib.request
    code = "from meanwatt.analysis.dashboard.server import serve; raise SystemExit(serve(0, False))"
    with subprocess.Popen([sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().split()[3]
            print(urllib.request.urlopen(address, timeout=60).status)
        finally:
            server.terminate()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of somebody who names files as we do."""
    for name in STRANGERS:
        (tmp_path / f"{name}.py").write_text(f"raise RuntimeError('a stranger’s {name}.py was imported')\n")
    return tmp_path


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in the folder, as somebody would in a shell there."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize(
    ("codes", "printed"),
    [((MARKET, BATCH, WORKERS, SOLARAVIZ), ["1", "2", "2", "True"]), ((SERVED,), ["200"])],
    ids=["script, batch_run, workers, SolaraViz", "page"],
)
def test_a_script_in_a_folder_with_files_named_as_ours_are_works(
    folder: Path, codes: tuple[str, ...], printed: list[str]
) -> None:
    (folder / "mine.py").write_text(GUARD + "".join(codes), encoding="utf-8")
    done = run(folder, sys.executable, "mine.py")
    assert (done.returncode, done.stdout.split()) == (0, printed), done.stderr


def test_the_stranger_s_own_files_are_what_he_imports(folder: Path) -> None:
    (folder / "model.py").write_text("NAME = 'his'\n")
    (folder / "mine.py").write_text("import meanwatt.model.scenario.economy\nimport model\nprint(model.NAME)\n")
    assert run(folder, sys.executable, "mine.py").stdout == "his\n"


def test_the_console_command_works_there(folder: Path) -> None:
    program = Path(sys.executable).with_name("meanwatt")
    done = run(folder, str(program), "solve", "textbook", "--certify", "none", "--json")
    assert done.returncode == 0, done.stderr
    assert '"outcome": "converged"' in done.stdout


def test_a_notebook_works_there(folder: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    from nbclient import NotebookClient

    cells = ["from meanwatt.model.scenario.loading import load_scenario", "print(load_scenario('textbook').name)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    assert notebook.cells[1].outputs[0].text == "textbook\n"
