"""Serving the form from one process: threaded, quiet, stopped by Ctrl-C."""

from __future__ import annotations

import ipaddress
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from webapp.app import create_app
from webapp.settings import Settings


class PortTaken(OSError):
    """The address cannot be listened on; the message says which and what to do."""


class DemoExposed(RuntimeError):
    """The demo's passwords stand in its code: whoever reaches it can log in. The message says what to do."""


class QuietHandler(WSGIRequestHandler):
    """Logs failures only, and never a query: addresses of records are nobody's business."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Only what failed on the server's side."""
        if str(getattr(code, "value", code)).startswith("5"):
            logging.getLogger("webapp").error("%s %s %s", self.command, self.path.split("?")[0], code)

    def version_string(self) -> str:
        """No versions for strangers."""
        return "yyassess"


def make(settings: Settings, host: str, port: int) -> BaseWSGIServer:
    """The server, bound and ready to `serve_forever`; port 0 takes a free one.

    Raises:
        PortTaken: somebody else listens there, or this machine has no such address.
    """
    app = create_app(settings)
    # Werkzeug itself prints to stderr and exits when a port is taken: look first.
    _check_free(host, port)
    return make_server(host, port, app, threaded=True, request_handler=QuietHandler)


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    db: str | None = None,
    rules: Sequence[str] = (),
    demo: bool = False,
    place: str | None = None,
) -> None:
    """Serve the form until it is stopped. Prints the address once it answers.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one.
        db: a SQLite file or a database URL.
        rules: folders of rules on top of the shipped ones.
        demo: put a fictional person into an empty database.
        place: the place new visits start with.

    Raises:
        PortTaken: the address cannot be listened on.
        DemoExposed: the demo would be shown to the network, and nothing says that it may.
    """
    settings = Settings.from_environment(database=db, rules=tuple(rules) or None, demo=demo or None, place=place)
    refuse_to_expose_the_demo(settings, host)
    server = make(settings, host, port)
    shown = f"[{host}]" if ":" in host else host
    print(f"yyassess: http://{shown}:{server.server_port}/  (Ctrl-C stops)", flush=True)
    if not is_loopback(host) and not settings.https:
        print(
            "yyassess: plain http: whoever sits between a phone and this machine can read passwords and answers. "
            "Put a proxy with HTTPS in front and set YYASSESS_HTTPS=1 (docs/accounts.md).",
            file=sys.stderr,
        )
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    finally:
        server.server_close()


def is_loopback(host: str) -> bool:
    """Only this machine itself can reach that address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_to_expose_the_demo(settings: Settings, host: str) -> None:
    """Raises `DemoExposed` where the network could reach a demo."""
    if settings.demo and not settings.demo_open and not is_loopback(host):
        raise DemoExposed(
            f"The demo's passwords are known to everybody, and {host} can be reached from outside. "
            "Add --no-demo, or set YYASSESS_DEMO_OPEN=1 to show the demo to the network."
        )


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def _check_free(host: str, port: int) -> None:
    import socket

    if not port:
        return
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise PortTaken(f"Cannot listen on {host}:{port} ({error.strerror or error}). Try another --port.") from None
