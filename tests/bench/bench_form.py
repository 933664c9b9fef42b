"""The figures of the phone form: ``python tests/bench/bench_form.py``.

How long a tap takes until it lies on the phone's disk (Chromium, processor slowed down four times), how long the server
takes for a save while fifty assessors fill in forms at once (gunicorn, SQLite), and what the first page weighs. It needs
Chromium. Nothing here fails because a clock says so: each line stands beside its aim, with the load of the machine.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import UUID, uuid4

import pytest

GBT = "gbt-42195-2022"
ASSESSORS, WORKERS, THREADS = 50, 3, 4
#: Seconds between two taps of one assessor. A person needs three to ten for an item; this is several times as fast.
THINKS = 1.0
#: Milliseconds between two taps on the phone: it grades in between, as it does when a person taps.
BETWEEN = 500
THROTTLE = 4
AIMS = {"tap": 50.0, "save": 150.0, "bytes": 60_000}
SEED = 42195
HEAD = {"Accept": "application/json", "Content-Type": "application/json", "Connection": "close"}


def spread(taken: list[float]) -> str:
    """Best, median, 95th percentile and worst, in milliseconds; on a busy machine the best is nearest to the truth."""
    return f"best {min(taken):6.1f}  median {median(taken):6.1f}  p95 {p95(taken):6.1f}  worst {max(taken):6.1f} ms  (n = {len(taken)})"


def p95(taken: list[float]) -> float:
    """The 95th percentile."""
    return quantiles(taken, n=20)[-1]


def load() -> str:
    """How busy the machine is: its load over the last minute, and what one fixed piece of work takes."""
    start = time.perf_counter()
    sum(range(5_000_000))
    took = time.perf_counter() - start
    return (
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; adding 5 million numbers took {took * 1000:.0f} ms"
    )


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[int, int, list[tuple[str, str]]]]:
    """The form under gunicorn, with fifty assessors of one organisation: port, process, and each one's token and visit."""
    from webapp.settings import database_url
    from webapp.storage import Database, accounts, people, visits

    file = folder / "form.sqlite3"
    database = Database.open(database_url(str(file)), folder / "form.sqlite3.key")
    crew = []
    with database.writing() as db:
        organisation = accounts.add_organisation(db, name="评估机构", place="zhoushan")
        for n in range(ASSESSORS):
            account = accounts.add_account(
                db,
                organisation=organisation,
                username=f"assessor{n}",
                name=f"评估员{n}",
                role=accounts.ASSESSOR,
                password_hash="-",
            )
            person = people.add_person(
                db,
                database.cipher,
                organisation=organisation,
                name=f"老人{n}",
                citizen_id=None,
                birth_date=dt.date(1940, 1, 1),
                sex="female",
            )
            visit = uuid4()
            visits.add_visit(
                db,
                id=visit,
                organisation=organisation,
                assessor=account,
                person=person,
                place="zhoushan",
                visited_on=dt.date(2026, 11, 1),
                instruments=[GBT],
            )
            crew.append((accounts.start_login(db, account), str(visit)))
    database.close()
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-w",
        str(WORKERS),
        "--threads",
        str(THREADS),
        "-b",
        f"127.0.0.1:{port}",
    ]
    environment = {**os.environ, "YYASSESS_DB": str(file), "YYASSESS_PLACE": "zhoushan"}
    server = subprocess.Popen([*command, "webapp:create_app()"], env=environment, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                if get(port, "/healthz")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise SystemExit("gunicorn does not answer")
        yield port, server.pid, crew
    finally:
        server.terminate()
        server.wait()


def get(port: int, path: str, cookies: str = "") -> tuple[int, bytes, list[tuple[str, str]]]:
    """One request for a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={**HEAD, "Cookie": cookies})
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.getheaders()


class Phone:
    """One assessor: asks for the draft and a token, then sends one answer after the other."""

    def __init__(self, port: int, token: str, visit: str) -> None:
        from webapp.accounts.logins import COOKIE

        self.port, self.visit = port, visit
        self.cookies = f"{COOKIE}={token}"
        _, body, headers = get(port, "/api/session", self.cookies)
        self.csrf = json.loads(body)["csrf"]
        for name, value in headers:
            if name.lower() == "set-cookie":
                self.cookies += "; " + value.split(";")[0]
        self.version = json.loads(get(port, f"/api/visits/{visit}", self.cookies)[1])["version"]

    def save(self, item: str, answer: int) -> tuple[float, int]:
        """Sends one answer; milliseconds and status."""
        op = str(uuid4())
        body = json.dumps({"op": op, "base": self.version, "answers": {GBT: {item: answer}}})
        headers = {**HEAD, "Cookie": self.cookies, "X-CSRFToken": self.csrf, "Idempotency-Key": op}
        start = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", f"/api/visits/{self.visit}/changes", body, headers)
        answer_ = connection.getresponse()
        found = json.loads(answer_.read())
        took = (time.perf_counter() - start) * 1000
        if answer_.status == 200:
            self.version = found["version"]
        return took, answer_.status


def saves(port: int, crew: list[tuple[str, str]], thinks: float, rounds: int) -> tuple[list[float], float]:
    """Fifty assessors at once: what each save took, and saves a second over all."""
    from yyassess import Rulebook

    instrument = Rulebook.load().instruments[GBT]
    items = [item.id for dimension in instrument.dimensions for item in dimension.items]
    phones = [Phone(port, token, visit) for token, visit in crew]
    taken: list[float] = []
    failed: list[int] = []

    def fill(phone: Phone, seed: int) -> None:
        chance = random.Random(seed)
        time.sleep(chance.random() * thinks)
        for item in items * rounds:
            took, status = phone.save(item, 0)
            taken.append(took)
            if status != 200:
                failed.append(status)
            time.sleep(thinks and chance.expovariate(1 / thinks))

    threads = [threading.Thread(target=fill, args=(phone, SEED + n)) for n, phone in enumerate(phones)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"{len(failed)} saves were refused: {sorted(set(failed))}")
    return taken, len(taken) / (time.perf_counter() - start)


def worked(parent: int) -> float:
    """Seconds of processor time that a process and its children have used; however busy the machine is."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pid, rest = stat.parent.name, stat.read_text().rsplit(") ", 1)[1].split()
            if parent in (int(pid), int(rest[1])):
                ticks += int(rest[11]) + int(rest[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def stored(folder: Path, crew: list[tuple[str, str]]) -> int:
    """How many answers the database holds afterwards."""
    from webapp.settings import database_url
    from webapp.storage import Database, visits

    database = Database.open(database_url(str(folder / "form.sqlite3")), folder / "form.sqlite3.key")
    with database.reading() as db:
        found = [visits.get_visit(db, database.cipher, UUID(visit)) for _, visit in crew]
    database.close()
    return sum(len(visit.assessments[0].answers) for visit in found)


TIMES = """(ours) => {
  let finger = 0;
  addEventListener("click", (event) => { finger = event.timeStamp; }, { capture: true });
  window.stored = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntriesByName("yyassess:tap")) window.stored.push(entry.startTime + entry.duration - finger);
  }).observe({ entryTypes: ["measure"] });
  window.shown = [];
  // Every listener of the form has run by now; the journal's line must be there, and the next frame shows the count.
  addEventListener("change", () => {
    const written = !ours || Object.keys(localStorage).some((name) => name.startsWith("tap:"));
    requestAnimationFrame(() => setTimeout(() => window.shown.push(written ? performance.now() - finger : Infinity)));
  });
}"""


def taps(session: Any, page: Any, address: str, ours: bool) -> tuple[list[float], list[float]]:
    """Taps on a slow phone: until each is written down and shown, and until it lies in the phone's database.

    Without ours the page comes without its scripts, and a tap is only shown: what the browser takes by itself.
    """
    session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    shown: list[float] = []
    stored: list[float] = []
    page.goto(address, wait_until="networkidle")
    for _ in range(4):
        page.wait_for_timeout(1500)
        page.evaluate(TIMES, ours)
        for question in page.locator(".q[data-counted]").all():
            page.wait_for_timeout(BETWEEN)
            before = page.evaluate("window.shown.length")
            question.locator(".choice").first.click()
            for _ in range(100):
                if page.evaluate("Math.min(window.shown.length, window.stored.length || Infinity)") > before:
                    break
                page.wait_for_timeout(20)
        shown += page.evaluate("window.shown")
        stored += page.evaluate("window.stored")
        page.locator("#page .weui-btn_primary").click()
        page.wait_for_load_state("networkidle")
    return shown, stored


def on_the_phone(port: int, crew: list[tuple[str, str]]) -> dict[str, Any]:
    """Taps with our scripts and without any; and what the first page weighs: itself, the shell behind it, the rules."""
    from playwright.sync_api import sync_playwright

    from webapp.accounts.logins import COOKIE

    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("Chromium is missing. Type: apt-get install -y chromium fonts-wqy-microhei")
    url = f"http://127.0.0.1:{port}"
    found: dict[str, Any] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for (token, visit), ours in zip(crew, (True, False), strict=False):
            context = browser.new_context(
                viewport={"width": 390, "height": 844}, locale="zh-CN", service_workers="allow" if ours else "block"
            )
            context.add_cookies([{"name": COOKIE, "value": token, "url": url}])
            page = context.new_page()
            session = context.new_cdp_session(page)
            if ours:
                session.send("Network.enable")
                weights: list[float] = []
                session.on("Network.loadingFinished", lambda event, to=weights: to.append(event["encodedDataLength"]))
                page.goto(url, wait_until="load")
                page.wait_for_timeout(200)
                found["first"] = sum(weights)
                page.wait_for_timeout(4000)
            else:
                page.route("**/*.js*", lambda route: route.abort())
            found["ours" if ours else "bare"] = taps(session, page, f"{url}/visits/{visit}/{GBT}/items/self_care", ours)
            context.close()
        browser.close()
    cookies = f"{COOKIE}={crew[0][0]}"
    worker = get(port, "/sw.js", cookies)[1].decode()
    shell = json.loads(worker.split("const SHELL = ", 1)[1].split(";\n", 1)[0])
    found["behind"] = sum(len(gzip.compress(get(port, address, cookies)[1], 9)) for address in shell)
    files = json.loads(get(port, "/api/session", cookies)[1])["files"]
    found["rules"] = sum(len(gzip.compress(get(port, address, cookies)[1], 9)) for address in files.values())
    return found


def main() -> None:
    """Measure and print."""
    print(load())
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as (port, process, crew):
        phone = on_the_phone(port, crew)
        (shown, in_database), (bare, _) = phone["ours"], phone["bare"]
        print(f"tap on a phone {THROTTLE} times slower, until …")
        print(f"  written down and shown      {spread(shown)}   aim {AIMS['tap']:.0f} ms")
        print(f"  in the phone's database     {spread(in_database)}")
        print(f"  shown, page without scripts {spread(bare)}   ours {median(shown) / median(bare):.2f} times as long")
        print(f"first page                    {phone['first'] / 1000:6.1f} kB   aim {AIMS['bytes'] / 1000:.0f} kB")
        print(
            f"  fetched afterwards          {phone['behind'] / 1000:6.1f} kB pages and scripts for times without a network"
        )
        print(f"                              {phone['rules'] / 1000:6.1f} kB rules and questions of the place")
        print(f"gunicorn, {WORKERS} processes of {THREADS} threads, SQLite; {ASSESSORS} assessors at once; {load()}")
        before = worked(process)
        taken, rate = saves(port, crew, THINKS, 1)
        each = (worked(process) - before) / len(taken) * 1000
        print(
            f"save, a tap every {THINKS:.0f} s each    {spread(taken)}   aim {AIMS['save']:.0f} ms   {rate:.0f} saves a second"
        )
        print(f"  stored afterwards           {stored(Path(name), crew)} of {26 * ASSESSORS} answers")
        print(
            f"  processor time of a save    {each:.1f} ms; with a tap a second each, {each * ASSESSORS / 10:.0f} % of one core"
        )
        taken, rate = saves(port, crew, 0.0, 1)
        print(f"save, without any pause       {spread(taken)}   {rate:.0f} saves a second")
    print(load())


@pytest.mark.bench
def test_the_figures_of_the_form_are_printed(capsys: Any) -> None:
    with capsys.disabled():
        print()
        main()


if __name__ == "__main__":
    main()
