"""The command line's frame: exit status, one line for every mistake, nothing on standard output then."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from meanwatt.analysis.cli import main
from meanwatt.analysis.cli.design_methods import METHODS
from meanwatt.analysis.cli.interrupt import stop_on_ctrl_c
from meanwatt.analysis.cli.watching import watched
from meanwatt.model.scenario.loading import load_scenario, presets


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a command with a mistake leaves on standard error."""
    status = main(arguments)
    said = capsys.readouterr()
    assert status == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.endswith("\n")
    assert said.err.startswith("meanwatt: ")
    return said.err.removeprefix("meanwatt: ").rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("solve texbook", "scenario texbook: unknown preset 'texbook'; did you mean 'textbook'?"),
        ("solve textbook --set memry=1", "scenario textbook: unknown key 'memry'; did you mean 'memory'?"),
        ("solve textbook --set tariff.recovry=fixed", "did you mean 'tariff.recovery'?"),
        ("solve textbook --set memory", "override 'memory' is not of the form key=value"),
        ("solve textbook --tariff flt", "unknown tariff 'flt'; did you mean 'flat'?"),
        ("solve textbook --set battery.capacity_kwh=-10", "battery.capacity_kwh is -10; give a number from 0.001"),
        ("solve textbook --set temperature_usd=nan", "temperature_usd is nan; give a finite number"),
        ("solve textbook --set load.use_kwh_per_day=inf", "load.use_kwh_per_day is inf; give a finite number"),
        ("solve textbook --set battery.capacity_wh=1", "did you mean 'battery.capacity_kwh'?"),
        ("solve textbook --set load.shape=[1,2,3]", "load.shape has 3 entries; give 24, or one number"),
        ("solve textbook --set income_groups.low.share=0.5", "income_groups shares sum to 1.16667"),
        ("solve textbook --set day_type_kernel=[[0.9]]", "day_type_kernel"),
        ("solve textbook --set shock.kernel=[[1,0,0],[0,1,0],[0,0.5,0.6]]", "shock.kernel"),
        ("solve textbook --set tariff.export.rule=net_meter", "give net_metering, net_billing or none"),
        ("solve nowhere/scenario.toml", "scenario nowhere/scenario.toml: file not found"),
    ],
)
def test_a_mistake_in_the_scenario_is_told_in_one_line(
    arguments: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line in refused(arguments.split(), capsys)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("--loud", "unknown option '--loud'"),
        ("slove textbook", "unknown command 'slove'; did you mean 'solve'?"),
        ("solve", "missing argument 'SCENARIO'; see meanwatt solve --help"),
        ("solve textbook oahu", "got unexpected extra argument"),
        ("solve textbook --jsn", "unknown option '--jsn'; did you mean '--json'?"),
        ("solve textbook --tariff", "option '--tariff' requires an argument"),
        (
            "simulate textbook --households 0",
            "--households is '0'; give a whole number from 1 to 1000000000",
        ),
        (
            "simulate textbook --households -5",
            "--households is '-5'; give a whole number from 1 to 1000000000",
        ),
        (
            "simulate textbook --households ten",
            "--households is 'ten'; give a whole number from 1 to 1000000000",
        ),
        ("simulate textbook --days 1.5", "--days is '1.5'; give a whole number from 1 to 100000, e.g. 28"),
        ("simulate textbook --seed -1", "--seed is '-1'; give a whole number from 0 to 9223372036854775807"),
        ("simulate textbook --threads 0", "--threads is '0'; give a whole number from 1 to 1024, e.g. 2"),
        ("simulate textbook --behaviour blief", "unknown behaviour 'blief'; did you mean 'belief'?"),
        ("simulate textbook --behaviour belief=.5,passive=.4", "shares of behaviour sum to 0.9; give shares that sum"),
        ("simulate textbook --behaviour belief:stager=2", "unknown setting of belief 'stager'; did you mean"),
        (
            "validate textbook --households 30,x",
            "--households (entry 2) is 'x'; give a whole number from 1",
        ),
        (
            "validate textbook --households 10,30,10",
            "--households is '10,30,10': 10 comes twice; give every number",
        ),
        ("validate textbook --households 10 --memory 0,0", "--memory is '0,0': 0 comes twice; give every number once"),
        ("simulate textbook --days 1e12", "--days is '1e12'; give a whole number from 1 to 100000, e.g. 28"),
        ("simulate textbook --days 1000000000000", "--days is '1000000000000'; give a whole number from 1 to 100000"),
        ("validate textbook --households ,", "--households is ','; give whole numbers between commas"),
        ("validate textbook --replications 0", "--replications is '0'; give a whole number from 1 to 100000, e.g. 20"),
        ("design textbook", "missing option '--leader'; see meanwatt design --help"),
        ("design textbook --leader king", "unknown leader 'king'; give one of commission, utility"),
        ("design textbook --leader utility --method magic", "unknown method 'magic'"),
        ("design textbook --leader commission --weights equty=1", "--weights: unknown weight 'equty'; did you mean"),
        ("design textbook --leader commission --weights equity", "--weights is 'equity'; give equity=1,stability=1"),
        (
            "design textbook --leader commission --weights equity=-1",
            "--weights: equity is '-1'; give a number from 0",
        ),
        ("design textbook --leader commission --weights equity=1,equity=2", "--weights gives equity twice"),
        (
            "design textbook --leader commission --weights equity=nan",
            "--weights: equity is 'nan'; give a number from 0",
        ),
        ("design textbook --leader utility --weights equity=1", "--weights belong to the commission"),
        ("design textbook --leader commission --price-cap 0.3", "--price-cap belongs to the utility"),
        (
            "design textbook --leader utility --price-cap 0",
            "--price-cap is '0'; give a number from 1e-06 to 100000 USD/kWh, e.g. 0.3",
        ),
        (
            "design textbook --leader utility --method softmax --resume --out nowhere",
            "--resume: there is no journal",
        ),
        ("export textbook", "missing option '--to'; see meanwatt export --help"),
        ("export textbook --to game.csv", "--to is 'game.csv'; give a file name that ends in .npz, e.g. game.npz"),
        ("export textbook --to nowhere/game.npz", "--to nowhere/game.npz: its directory does not exist"),
        ("app --port 99999", "--port is '99999'; give a whole number from 0 to 65535, e.g. 8765"),
    ],
)
def test_a_wrong_use_is_told_in_one_line(arguments: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(arguments.split(), capsys).startswith(line)


def test_a_broken_scenario_file_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.toml"
    file.write_text('extends = "textbook"\n[battery\n', encoding="utf-8")
    assert "line 2" in refused(["solve", str(file)], capsys)


@pytest.mark.parametrize("name", presets())
def test_a_preset_is_printed_as_a_file_that_is_the_preset(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["scenarios", "--show", name]) == 0
    file = tmp_path / "mine.toml"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert load_scenario(file) == load_scenario(name)
    assert "#" in file.read_text(encoding="utf-8")
    assert main(["scenarios", "--show", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["toml"] == file.read_text(encoding="utf-8")


def test_a_preset_that_is_not_there_is_named_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios", "--show", "oahuu"]) == 2
    assert capsys.readouterr().err == "meanwatt: unknown preset 'oahuu'; did you mean 'oahu'?\n"


def test_the_scenarios_come_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["textbook", "oahu", "california", "stress"]
    assert "rtp, two_part (as rtp), income_graduated" in lines[1]
    assert main(["scenarios", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["scenarios"]
    assert [entry["name"] for entry in found] == ["textbook", "oahu", "california", "stress"]
    assert {"flat", "tou", "rtp", "filed"} <= set(found[0]["tariffs"])
    assert found[1]["same_tariffs"] == {"two_part": "rtp"}


def test_the_bare_program_shows_its_commands_and_a_way_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    words = " ".join(said.out.split())
    assert "To begin: meanwatt app opens the browser page" in words
    assert all(f" {command} " in words for command in ("scenarios", "solve", "simulate", "design", "app"))


@pytest.mark.parametrize(
    "command",
    [
        "",
        "scenarios",
        "solve",
        "simulate",
        "validate",
        "design",
        "practice",
        "adoption",
        "study",
        "export",
        "game",
        "app",
    ],
)
def test_help_says_what_an_option_takes_and_names_no_type_of_the_programming_language(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command.split(), "--help"]) == 0
    assert re.findall(r"<\w+>|BOOLEAN|\bTEXT\b", capsys.readouterr().out) == []


def test_the_help_of_design_names_its_methods(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["design", "--help"]) == 0
    words = re.sub(r"[│\s]+", " ", capsys.readouterr().out)
    assert ", ".join(METHODS) in words


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["solve", "--help"], ["--version"]])
def test_asking_for_help_is_no_mistake(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert "meanwatt" in said.out
    assert said.err == ""


def test_starting_does_not_load_what_only_other_commands_need() -> None:
    """Mesa, pandas and their like take seconds to load; neither listing nor solving needs them.

    What reads a scenario takes half a second, and not even that is loaded before a command wants one.
    """
    code = (
        "import sys; from meanwatt.analysis.cli import main; main(['--version']);"
        "assert not [m for m in ('numpy', 'pydantic', 'numba', 'scipy') if m in sys.modules];"
        "main(['scenarios']); main(['solve', 'texbook']);"
        "import meanwatt.analysis.cli.inputs, meanwatt.analysis.output.solution_json;"
        "print([m for m in ('mesa', 'pandas', 'matplotlib', 'solara', 'dask', 'pyarrow', 'networkx', 'rich.table',"
        " 'meanwatt.analysis.reference.file_keys') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_solving_the_textbook_does_not_load_optimisers_and_graphs() -> None:
    """They would be a fifth of a second start."""
    code = (
        "import sys; from meanwatt.analysis.cli import main; main(['solve', 'textbook', '--certify', 'none']);"
        "print([m for m in ('scipy.optimize', 'scipy.sparse', 'scipy.stats', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_first_ctrl_c_asks_and_the_second_one_ends() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_ctrl_c() as stop:
        assert not stop()
        signal.raise_signal(signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_nobody_can_be_interrupted() -> None:
    found: list[bool] = []

    def work() -> None:
        with stop_on_ctrl_c() as stop:
            found.append(stop())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]


@pytest.mark.parametrize("module", ["meanwatt.analysis.cli.entry", "typer", "meanwatt.analysis.cli.solve"])
def test_ctrl_c_while_modules_are_loaded_is_one_line(module: str) -> None:
    code = f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background inherits deafness

class Pressed:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Pressed())
from meanwatt.analysis.cli import main
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", code, "scenarios"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "meanwatt: interrupted\n")


def test_sigterm_unwinds_a_command_and_is_one_line() -> None:
    """Where it comes while a file is being written, nothing of it stays."""
    code = """
import os, signal, sys
from meanwatt.analysis.cli import entry, main
from meanwatt.analysis.output.result_files import staged_directory

def busy(arguments):
    with staged_directory(sys.argv[1]) as stage:
        (stage / "half").write_text("written")
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # a second one breaks nothing off

entry._run = busy
sys.exit(main())
"""
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run([sys.executable, "-c", code, f"{place}/out"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "meanwatt: terminated\n")
        assert list(Path(place).iterdir()) == []


def test_after_the_second_ctrl_c_tidying_up_is_not_broken_off() -> None:
    tidy = []

    def pressed_three_times() -> None:
        with stop_on_ctrl_c():
            signal.raise_signal(signal.SIGINT)
            try:
                signal.raise_signal(signal.SIGINT)
            finally:
                signal.raise_signal(signal.SIGINT)
                tidy.append(True)

    with pytest.raises(KeyboardInterrupt):
        pressed_three_times()
    assert tidy == [True]


def test_without_a_terminal_a_long_command_prints_a_line_every_few_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meanwatt.model.progress.heartbeat.EVERY_SECONDS", 0.05)
    said = ""
    with watched(quiet=False) as work:
        work.show("point 3 of 4", 0.5)
        while said.count("point 3 of 4, 50% done\n") < 2:
            said += capsys.readouterr().err
        work.new_stage("first best")  # nobody tells anything any more: the line comes all the same
        while "first best\n" not in said:
            said += capsys.readouterr().err
    assert all(re.fullmatch(r"meanwatt: \d+ s: [^,]+(, \d+% done)?", line) for line in said.splitlines())
    capsys.readouterr()
    with watched(quiet=True) as work:
        work.show("point 3 of 4", 0.5)
        time.sleep(0.3)
    assert capsys.readouterr().err == ""


def test_ctrl_c_ends_a_long_command_with_its_json() -> None:
    command = """
import sys
from contextlib import contextmanager
from meanwatt.analysis.cli import main, watching

@contextmanager
def announced(listen=watching.stop_on_ctrl_c):
    with listen() as stop:
        print('up', file=sys.stderr, flush=True)
        yield stop

watching.stop_on_ctrl_c = announced
sys.exit(main())
"""
    arguments = [sys.executable, "-c", command, "design", "california", "--leader", "commission", "--json"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "up\n"
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=600)  # on a busy machine that compiles first
    assert process.returncode == 1
    assert err == ""
    assert json.loads(out)["outcome"] == "cancelled"


def test_a_second_ctrl_c_ends_a_long_solve_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Exit status 1, as of every result that was not reached."""
    code = """
import signal, sys, threading
from meanwatt.analysis.cli import main, watching

signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background inherits deafness
shown = watching.Work.show

def once(work, text, fraction):
    watching.Work.show = shown
    print('up', file=sys.stderr, flush=True)

watching.Work.show = once
sys.exit(main())
"""
    large = ["--set", "battery_levels=601", "--set", "temperature_usd=0.002"]
    out = tmp_path / "out"
    arguments = [
        sys.executable,
        "-c",
        code,
        "solve",
        "textbook",
        "--tariff",
        "rtp",
        *large,
        "--out",
        str(out),
        "--json",
    ]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "up\n"
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    said, err = process.communicate(timeout=60)
    assert (process.returncode, said, err) == (1, "", "meanwatt: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_who_leaves_early_is_no_error() -> None:
    code = "import sys; from meanwatt.analysis.cli import main; sys.exit(main(['scenarios', '--json']))"
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_the_app_serves_on_the_port_and_under_the_names_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[int, bool, str, list[str], Path | None, int, bool]] = []

    def serve(
        port: int,
        open_browser: bool,
        *,
        host: str,
        names: Sequence[str],
        rooms: Path | None,
        opening: None,
        visitors: int,
        demo: bool,
    ) -> int:
        asked.append((port, open_browser, host, list(names), rooms, visitors, demo))
        return 0

    monkeypatch.setattr("meanwatt.analysis.dashboard.server.serve", serve)
    assert main(["app", "--port", "0", "--no-browser", "--host", "0.0.0.0"]) == 0
    assert main(["app", "--allow-host", "a.example", "--allow-host", "b.example"]) == 0
    assert main(["app", "--rooms", str(tmp_path / "rooms.db"), "--visitors", "40", "--demo"]) == 0
    assert asked == [
        (0, False, "0.0.0.0", [], None, 100, False),
        (8765, True, "localhost", ["a.example", "b.example"], None, 100, False),
        (8765, True, "localhost", [], tmp_path / "rooms.db", 40, True),
    ]
    assert main(["app", "--rooms", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"meanwatt: rooms: {tmp_path} cannot be used (unable to open database file); name a file in a folder of your"
        " own\n"
    )
    assert main(["app", "--visitors", "0"]) == 2
    assert capsys.readouterr().err == ("meanwatt: --visitors is '0'; give a whole number from 1 to 10000, e.g. 100\n")
    assert len(asked) == 3


@pytest.mark.parametrize(("given", "threads"), [(None, "1"), ("2", "2")])
def test_the_linear_algebra_of_the_command_has_one_thread_unless_its_user_says_otherwise(
    given: str | None, threads: str
) -> None:
    """A system of some hundred rows has other last bits on two threads: results would depend on the machine."""
    code = (
        "import os, sys\n"
        "from meanwatt.analysis.cli import main\n"
        "assert 'numpy' not in sys.modules, 'it reads the variable when it is imported'\n"
        "sys.argv = ['meanwatt', 'scenarios', '--json']\n"
        "status = main()\n"
        "print(os.environ['OPENBLAS_NUM_THREADS'], file=sys.stderr)\n"
        "sys.exit(status)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=environment if given is None else {**environment, "OPENBLAS_NUM_THREADS": given},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert ended.stderr == f"{threads}\n"


def test_a_second_sigterm_is_not_heard_although_it_comes_late() -> None:
    """On a busy machine it comes when all is unwound, and the process only has to end."""
    code = (
        "import os, signal, sys\n"
        "from meanwatt.analysis.cli.interrupt import Terminated, unwound_by_sigterm\n"
        "try:\n"
        "    with unwound_by_sigterm():\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        signal.pause()\n"
        "except Terminated:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "with unwound_by_sigterm():\n"
        "    pass\n"
        "print('ended by itself')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ended by itself\n", "")
