"""Serving: settings before the framework, a page from anywhere, an orderly end."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from analysis.dashboard import server

CODE = "from analysis.dashboard.server import serve; raise SystemExit(serve(0, False))"


def test_a_port_that_is_taken_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind((server.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert server.serve(port, False) == 2
    written, said = capsys.readouterr()
    assert written == ""
    assert said.count("\n") == 1
    assert said.startswith(f"meanwatt: port {port} cannot be used (")
    assert "give another one, or 0 for any" in said


def test_what_the_caller_has_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in server.ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SOLARA_KERNEL_CULL_TIMEOUT", "1h")
    monkeypatch.setattr(os, "environ", dict(os.environ))
    server.prepare()
    assert os.environ["SOLARA_KERNEL_CULL_TIMEOUT"] == "1h"
    assert os.environ["SOLARA_TELEMETRY_MIXPANEL_ENABLE"] == "False"
    assert os.environ["SOLARA_THEME_SHOW_BANNER"] == "False"
    assert os.environ["SOLARA_MODE"] == "production"


def test_the_page_answers_from_anywhere_names_no_other_host_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SOLARA_", "COV_"))}
    process = subprocess.Popen(
        [sys.executable, "-c", CODE],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = line.split()[3]
        assert line == f"Meanwatt runs at {address} (stop with Ctrl+C)\n"
        with urllib.request.urlopen(address, timeout=60) as answer:
            page = answer.read().decode()
        assert answer.status == 200
        assert "<title>Meanwatt</title>" in page
        assert re.findall(r"<(?:script|link|iframe|img)[^>]*(?:src|href)=.?https?://", page) == []
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, errors) == (0, "")
    assert list(tmp_path.iterdir()) == []
