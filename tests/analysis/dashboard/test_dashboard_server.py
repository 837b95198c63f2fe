"""Serving: settings before the framework, a page from anywhere, an orderly end."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from meanwatt.analysis.dashboard import server

CODE = "from meanwatt.analysis.dashboard.server import serve; raise SystemExit(serve(0, False))"


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
        _only_its_own_visitors_are_served(address)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, errors) == (0, "")
    assert list(tmp_path.iterdir()) == []


def _only_its_own_visitors_are_served(address: str) -> None:
    """Ask the running server for pages and websockets in the name of others; its own are what a browser opens."""
    place = urlsplit(address)
    own, foreign = {"Host": place.netloc}, {"Host": f"page.example:{place.port}"}

    def page(**headers: str) -> int:
        try:
            with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def websocket(**headers: str) -> int:
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        known = {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
        lines = "".join(f"{name}: {value}\r\n" for name, value in (upgrade | known | headers).items())
        with socket.create_connection((place.hostname, place.port), timeout=60) as asked:
            asked.sendall(f"GET /jupyter/api/kernels/any/channels?session_id=any HTTP/1.1\r\n{lines}\r\n".encode())
            return int(asked.recv(64).split()[1])

    by_number = f"127.0.0.1:{place.port}"  # as those of the network come: by no name, without a word of cookies
    assert page(**own) == page(**own, Origin=address) == page(Host=by_number) == 200
    for ask in (page, websocket):
        assert ask(**own, Origin="http://page.example") == 403
        assert ask(**foreign) == 403
        assert ask(**foreign, Origin=f"http://{foreign['Host']}") == 403


def test_an_address_of_another_machine_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert server.serve(0, False, host="no address") == 2
    written, said = capsys.readouterr()
    assert written == ""
    assert said.startswith("meanwatt: --host is 'no address', no address of this machine (")
    assert said.endswith("; give localhost, or 0.0.0.0 for everybody who reaches it\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("ended", [False, True])
def test_a_warm_start_that_the_end_of_the_server_interrupts_is_no_fault(
    ended: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise RuntimeError("cannot schedule new futures after shutdown")

    monkeypatch.setattr("meanwatt.analysis.dashboard.market.engine.Engine.solve", refused)
    server.warm_up(lambda: ended)
    assert [record.message for record in caplog.records] == ([] if ended else ["the warm start failed"])
