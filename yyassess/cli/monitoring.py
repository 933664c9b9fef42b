"""The command about events over time: monitor."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from yyassess.cli.common import MAX_INPUT, BadInput, a_day, problem, read_json, rulebook, shared_options, write_json

REQUEST_KEYS = ("events", "state")


@dataclass
class Told:
    """What was read: events, the state before them, and the line of each event where there are lines."""

    events: Any
    state: Any = None
    lines: tuple[int, ...] = ()


@click.command()
@click.argument("file", default="-")
@click.option("--on", "on", help="The day asked about (default: today).")
@click.option("--place", help="Where the person lives, until a move is told: id, administrative code or name.")
@click.option("--state", "before", help="A file with the state of an earlier run.")
@click.option("--engine", type=click.Choice(["durable", "reference"]), help="Evaluator (default: durable).")
@shared_options
def monitor(
    file: str,
    on: str | None,
    place: str | None,
    before: str | None,
    engine: str | None,
    form: str,
    lang: str,
    folders: tuple[Path, ...],
) -> None:
    """Say what a person's events make due on a day: assess again, suspend, resume, end, check.

    FILE (or -) holds {"events": [...], "state": {...}}, a list of events, or one event a line (JSON Lines).
    """
    from yyassess import CaseMonitor, InputError

    book = rulebook(folders)
    day = a_day(on, "--on")
    told = _read(file)
    if before is not None:
        if told.state is not None:
            zh, en = "状态给了两次", "the state is given twice"
            raise problem("--state", before, ["--state", "state"], zh, en)
        told.state = read_json(before)
    errors: list[dict[str, Any]] = []
    try:
        known = CaseMonitor(told.state, book, place=place, engine=engine)
    except InputError as error:
        errors, known = error.errors, CaseMonitor(rules=book)
    try:
        known.observe_all(told.events)
    except InputError as error:
        errors += [{**e, "where": _place(e["where"], file, told.lines)} for e in error.errors]
    if errors:
        raise BadInput(errors)
    result = known.report(day)
    if form == "json":
        write_json({**result, "state": known.state()})
    else:
        from yyassess.report.monitoring import show_due

        show_due(result, known.state(), book, lang)


def _read(file: str) -> Told:
    text = _text(file)
    if not text.strip():
        return Told([])
    try:
        given = _json(text, file)
    except _MoreLines:
        numbered = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
        return Told([_json(line, file, n) for n, line in numbered], lines=tuple(n for n, _ in numbered))
    if isinstance(given, list):
        return Told(given)
    if isinstance(given, Mapping) and "kind" in given:
        return Told([given], lines=(1,))
    if not isinstance(given, Mapping):
        raise problem(file, None, list(REQUEST_KEYS), "须为 JSON 对象或列表", "must be a JSON object or a list")
    from yyassess.assessment.errors import Faults

    faults = Faults()
    faults.unknown_keys(given, REQUEST_KEYS)
    events = given.get("events", [])
    if not isinstance(events, list):
        faults.add("events", events, [], "须为列表", "must be a list")
    faults.raise_if_any()
    return Told(events, given.get("state"))


class _MoreLines(Exception):
    """A whole JSON value, and more after it: one value a line."""


def _text(file: str) -> str:
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MAX_INPUT + 1)
        else:
            with open(file, "rb") as stream:
                raw = stream.read(MAX_INPUT + 1)
        if len(raw) > MAX_INPUT:
            raise problem(file, f"> {MAX_INPUT} bytes", f"<= {MAX_INPUT} bytes", "输入过大", "the input is too large")
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise problem(file, None, None, f"无法读取：{error.strerror}", f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise problem(file, None, "UTF-8", "不是 UTF-8 文本", "not UTF-8 text") from None


def _json(text: str, file: str, line: int | None = None) -> Any:
    """A JSON value; as a line of its own when its number is given."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise problem(file, None, None, "嵌套过深", "nested too deeply") from None
    except json.JSONDecodeError as error:
        if line is None and error.msg == "Extra data":
            raise _MoreLines from None
        where = f"{file}:{line or error.lineno}:{error.colno}"
        raise problem(where, None, "JSON", f"不是 JSON：{error.msg}", f"not JSON: {error.msg}") from None
    except ValueError as error:
        where = f"{file}:{line}" if line else file
        raise problem(where, None, None, f"不能使用：{error}", str(error)) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"the key {', '.join(twice)} is written twice")
    return found


def _place(where: str, file: str, lines: tuple[int, ...]) -> str:
    """Where a fault lies: in a line of the file, where events stand one a line."""
    found = re.match(r"events\.([0-9]+)\.?", where)
    if not lines or not found:
        return where
    rest = where[found.end() :]
    return f"{file}:{lines[int(found[1])]}" + (f" {rest}" if rest else "")
