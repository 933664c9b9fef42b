"""What every command shares: options, errors as messages and exit codes, reading and writing JSON."""

from __future__ import annotations

import datetime as dt
import io
import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

#: An answer file is a few kB; more is a mistake or an attack.
MAX_INPUT = 1_000_000
MAX_DIGITS = 40


class BadInput(Exception):
    """Something the user must correct; ``errors`` as in the public contract."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__()
        self.errors = errors


def problem(where: str, given: Any, allowed: Any, zh: str, en: str) -> BadInput:
    """A single fault."""
    return BadInput([{"where": where, "given": given, "allowed": allowed, "say": {"zh": zh, "en": en}}])


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--format``, ``--lang`` and ``--rules``, and errors turned into messages and exit codes."""

    @click.option(
        "--format", "form", type=click.Choice(["json", "text"]), help="Output (default: text on a terminal, else JSON)."
    )
    @click.option(
        "--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of text output."
    )
    @click.option(
        "--rules", "folders", multiple=True, type=click.Path(path_type=Path), help="A further folder of rules."
    )
    @wraps(command)
    def wrapped(form: str | None, lang: str, folders: tuple[Path, ...], **rest: Any) -> None:
        chosen = form or ("text" if sys.stdout.isatty() else "json")
        for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a sign shows another, never a traceback
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            code = command(form=chosen, lang=lang, folders=folders, **rest)
        except Exception as error:
            errors = errors_of(error)
            if errors is None:
                raise
            complain(errors, chosen, lang)
            sys.exit(2)
        sys.exit(code or 0)

    return wrapped


def errors_of(error: Exception) -> list[dict[str, Any]] | None:
    """The faults behind an exception that is the user's to mend, else None."""
    from yyassess import InputError, RulebookError, UnknownName
    from yyassess.entitlement.durable_host import EngineError

    if isinstance(error, (BadInput, InputError)):
        return error.errors
    if isinstance(error, RulebookError):
        return [
            {
                "where": e.where + (f" {e.field}" if e.field else ""),
                "file": e.file,
                "line": e.line,
                "field": e.field,
                "say": {"zh": e.message, "en": e.message},
            }
            for e in error.errors
        ]
    if isinstance(error, EngineError):
        return problem("rules", None, None, f"推理引擎不能使用这些规则：{error}", str(error)).errors
    if isinstance(error, UnknownName):
        names = {"instrument": "量表", "place": "地区", "programme": "项目"}
        zh = f"没有这个{names.get(error.what, error.what)}" + (
            f"；是否为 {error.suggestion}？" if error.suggestion else ""
        )
        en = f"unknown {error.what}" + (f"; did you mean {error.suggestion!r}?" if error.suggestion else "")
        return problem(error.what, error.given, error.allowed, zh, en).errors
    return None


def complain(errors: list[dict[str, Any]], form: str, lang: str) -> None:
    """All errors to stderr: JSON, or one readable line each."""
    if form == "json":
        write_json({"errors": errors}, err=True)
        return
    for error in errors:
        given = (
            f" ({'给出' if lang == 'zh' else 'given'}: {error['given']!r})" if error.get("given") is not None else ""
        )
        allowed = error.get("allowed")
        shown = ""
        if allowed not in (None, [], {}):
            text = ", ".join(map(str, allowed)) if isinstance(allowed, (list, tuple)) else str(allowed)
            shown = f"; {'允许' if lang == 'zh' else 'allowed'}: {text}"
        where = f"{error['where']}: " if error["where"] else ""
        click.echo(f"{where}{error['say'][lang]}{given}{shown}", err=True)


def read_json(file: str) -> Any:
    """JSON from a file or ``-`` (stdin); clear errors for size, encoding, syntax, depth and duplicate keys.

    NaN and infinity are read, so that they are refused where they stand, with all other faults.
    """
    try:
        if file == "-":
            raw = sys.stdin.buffer.read(MAX_INPUT + 1)
        else:
            with open(file, "rb") as stream:
                raw = stream.read(MAX_INPUT + 1)
    except OSError as error:
        raise problem(file, None, None, f"无法读取：{error.strerror}", f"cannot be read: {error.strerror}") from None
    if len(raw) > MAX_INPUT:
        raise problem(file, f"> {MAX_INPUT} bytes", f"<= {MAX_INPUT} bytes", "输入过大", "the input is too large")
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_no_duplicates, parse_int=_whole)
    except UnicodeDecodeError:
        raise problem(file, None, "UTF-8", "不是 UTF-8 文本", "not UTF-8 text") from None
    except RecursionError:
        raise problem(file, None, None, "嵌套过深", "nested too deeply") from None
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}:{error.colno}"
        raise problem(where, None, "JSON", f"不是 JSON：{error.msg}", f"not JSON: {error.msg}") from None
    except ValueError as error:
        raise problem(file, None, None, f"不能使用：{error}", str(error)) from None


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = sorted({k for k, _ in pairs if sum(1 for other, _ in pairs if other == k) > 1})
        raise ValueError(f"the key {', '.join(twice)} is written twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits, at most {MAX_DIGITS} are allowed")
    return int(digits)


def rulebook(folders: tuple[Path, ...]) -> Any:
    """The shipped rules with the folders of ``--rules``."""
    from yyassess import Rulebook

    return Rulebook.load(*folders)


def write_json(value: Any, *, err: bool = False) -> None:
    """One JSON value to stdout (or stderr): UTF-8 whatever the locale, unless a person is looking."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str if err else None)
    looking = (sys.stderr if err else sys.stdout).isatty()
    click.echo(text if looking else text.encode("utf-8", "backslashreplace"), err=err)


def a_day(text: str | None, where: str) -> dt.date:
    """A day from an option; today if left out."""
    if text is None:
        return dt.date.today()
    from yyassess.rulebook.vocabulary import read_date

    try:
        return read_date(text)
    except ValueError as error:
        raise problem(where, text, "YYYY-MM-DD", "不是有效日期", str(error)) from None


def in_future(given: Any, where: str) -> list[dict[str, Any]]:
    """The fault of a visit dated in the future, if it is; the shape of the date is checked elsewhere."""
    try:
        day = dt.date.fromisoformat(given)
    except (TypeError, ValueError):
        return []
    today = dt.date.today()
    if day <= today:
        return []
    return problem(where, given, f"<= {today}", "评估日期在将来", "the visit is dated in the future").errors
