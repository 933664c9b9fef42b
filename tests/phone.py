"""The phone's evaluator in a real browser: Chromium runs the very files that the form serves.

Chromium lives in a thread of its own, so that it can run beside another browser of the same test process.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from decimal import Decimal
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

import webapp
from yyassess.entitlement.engine import Verdicts
from yyassess.entitlement.plan import ready
from yyassess.exchange.trees import tree_json
from yyassess.rulebook.book import Ruleset

SCRIPTS = Path(webapp.__file__).parent / "static" / "evaluator"
ORIGIN = "http://phone.test"
#: Calls one function for each line of arguments; what it throws comes back as ``{"thrown": name, …}``.
BATCH = """async ([name, calls]) => {
    const phone = await import("/evaluator.js");
    const answer = (given) => {
        try {
            return phone[name](...given);
        } catch (error) {
            if (error instanceof phone.InputError) return {thrown: "InputError", errors: error.errors};
            if (error instanceof phone.NotHere) return {thrown: "NotHere", message: error.message};
            return {thrown: "fault", message: String(error.stack)};
        }
    };
    const rules = globalThis.rules;
    return JSON.stringify(JSON.parse(calls).map((given) => answer(name === "decideAll" ? given : [rules, ...given])));
}"""


class Phone:
    """Chromium with the evaluator loaded."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = SimpleQueue()
        # A daemon: it must outlive the threads that Python waits for at its end, so that the browser can be closed then.
        threading.Thread(target=self._work, name="phone", daemon=True).start()
        self._do(self._start)

    def _work(self) -> None:
        while True:
            future, task, given = self._tasks.get()
            try:
                future.set_result(task(*given))
            except BaseException as error:
                future.set_exception(error)

    def _do(self, task: Callable[..., Any], *given: Any) -> Any:
        future: Future[Any] = Future()
        self._tasks.put((future, task, given))
        return future.result()

    def _start(self) -> None:
        from playwright.sync_api import sync_playwright

        path = shutil.which("chromium")
        if path is None:
            pytest.fail("Chromium is missing. Type: apt-get install -y chromium fonts-wqy-microhei", pytrace=False)
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        self._page = self._browser.new_page()
        self._page.set_default_timeout(60_000)
        self._page.route(f"{ORIGIN}/**", _serve)
        self._page.goto(f"{ORIGIN}/")

    def close(self) -> None:
        """End the browser."""
        self._do(self._stop)

    def _stop(self) -> None:
        self._browser.close()
        self._playwright.stop()

    def take(self, rules: bytes) -> None:
        """Give the phone a file of rules."""
        text = rules.decode()
        self._do(self._page.evaluate, "text => { globalThis.rules = JSON.parse(text); }", text)

    def call(self, name: str, calls: list[list[Any]]) -> list[Any]:
        """What a function of the evaluator answers to each list of arguments."""
        found = self._do(self._page.evaluate, BATCH, [name, json.dumps(calls)])
        answers = json.loads(found)
        for answer in answers:
            assert not (isinstance(answer, dict) and answer.get("thrown") == "fault"), answer["message"]
        return answers


def _serve(route: Any) -> None:
    name = route.request.url.removeprefix(f"{ORIGIN}/")
    if name:
        route.fulfill(body=(SCRIPTS / name).read_text(encoding="utf-8"), content_type="text/javascript; charset=utf-8")
    else:
        route.fulfill(body="<!doctype html><title>phone</title>", content_type="text/html")


_open: list[Phone] = []


def phone() -> Phone:
    """The one phone of this process, started when first asked for."""
    if not _open:
        import atexit

        _open.append(Phone())
        atexit.register(_open[0].close)
    return _open[0]


# -- bare conditions, for the table of evaluators -------------------------------------------------------------------
def on_the_phone(ruleset: Ruleset) -> Callable[[Sequence[Mapping[str, Any]]], list[Verdicts]]:
    """The criteria and programmes of a ruleset, decided by the phone."""
    machine = ready(ruleset, "reference")
    program = {
        "criteria": {key: tree_json(node) for key, node in machine.criteria.items()},
        "programmes": {id: [c.key for c in p.criteria] for id, p in machine.programmes.items()},
    }

    def decide(records: Sequence[Mapping[str, Any]]) -> list[Verdicts]:
        given = [{name: as_given(value) for name, value in record.items()} for record in records]
        [found] = phone().call("decideAll", [[program, given]])
        return [Verdicts(one["criteria"], one["outcomes"]) for one in found]

    return decide


def as_given(value: Any) -> Any:
    """A value of a record as the phone reads it."""
    if isinstance(value, Decimal):
        return {"n": f"{value:f}"}
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, dt.date) else value
