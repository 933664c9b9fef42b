"""The demo stays on this machine, and plain http beyond it is called by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from webapp import DemoExposed, Settings, serving
from webapp.serving import is_loopback, refuse_to_expose_the_demo
from yyassess.cli import main

OUTSIDE = ("0.0.0.0", "::", "192.168.1.5", "2001:db8::1", "form.example")
HERE = ("127.0.0.1", "127.8.8.8", "::1", "localhost")


@pytest.mark.parametrize("host", OUTSIDE)
def test_a_demo_is_not_shown_to_the_network(settings: Settings, host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(DemoExposed, match="--no-demo"):
        refuse_to_expose_the_demo(replace(settings, demo=True), host)
    refuse_to_expose_the_demo(settings, host)
    refuse_to_expose_the_demo(replace(settings, demo=True, demo_open=True), host)


@pytest.mark.parametrize("host", HERE)
def test_on_this_machine_a_demo_is_fine(settings: Settings, host: str) -> None:
    refuse_to_expose_the_demo(replace(settings, demo=True), host)


def test_the_command_refuses_with_a_message_and_makes_no_database(tmp_path: Any) -> None:
    file = tmp_path / "x.sqlite3"
    found = CliRunner().invoke(main, ["serve", "--host", "0.0.0.0", "--port", "0", "--db", str(file)])
    assert found.exit_code == 2 and "--no-demo" in found.output and "Traceback" not in found.output
    assert not file.exists()


def test_a_setting_that_cannot_be_read_is_named_by_the_command(tmp_path: Any) -> None:
    words = ["serve", "--db", str(tmp_path / "x.sqlite3"), "--port", "0"]
    found = CliRunner().invoke(main, words, env={"YYASSESS_LOCK_AFTER": "often"})
    assert found.exit_code == 2 and "YYASSESS_LOCK_AFTER" in found.output


@pytest.mark.parametrize(
    ("host", "https", "warned"), [("127.0.0.1", False, False), ("0.0.0.0", False, True), ("0.0.0.0", True, False)]
)
def test_plain_http_beyond_this_machine_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str, https: bool, warned: bool
) -> None:
    class Server:
        server_port = 8000

        def serve_forever(self) -> None:
            raise KeyboardInterrupt

        def server_close(self) -> None:
            pass

    make: Callable[..., Server] = lambda *_: Server()  # noqa: E731
    monkeypatch.setattr(serving, "make", make)
    monkeypatch.setenv("YYASSESS_HTTPS", "1" if https else "0")
    serving.serve(host)
    said = capsys.readouterr()
    assert ("plain http" in said.err) is warned and f"http://{host}" in said.out
