"""The ``yyassess`` command. JSON goes to stdout, messages to stderr; exit 0 done, 1 a check failed, 2 bad input."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import click

from yyassess import __version__

#: An answer file is a few kB; more is a mistake or an attack.
MAX_INPUT = 1_000_000


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

    if isinstance(error, (BadInput, InputError)):
        return error.errors
    if isinstance(error, RulebookError):
        return [
            {
                "where": f"{e.file}:{e.line}" + (f" {e.field}" if e.field else ""),
                "file": e.file,
                "line": e.line,
                "field": e.field,
                "say": {"zh": e.message, "en": e.message},
            }
            for e in error.errors
        ]
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
        click.echo(json.dumps({"errors": errors}, ensure_ascii=False, indent=2, default=str), err=True)
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
    """JSON from a file or ``-`` (stdin); clear errors for size, encoding, syntax, NaN and duplicate keys."""
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
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
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


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that can be used")


def rulebook(folders: tuple[Path, ...]) -> Any:
    """The shipped rules with the folders of ``--rules``."""
    from yyassess import Rulebook

    return Rulebook.load(*folders)


def write_json(value: Any) -> None:
    """One JSON value to stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def a_day(text: str | None, where: str) -> dt.date:
    """A day from an option; today if left out."""
    if text is None:
        return dt.date.today()
    from yyassess.rulebook.vocabulary import read_date

    try:
        return read_date(text)
    except ValueError as error:
        raise problem(where, text, "YYYY-MM-DD", "不是有效日期", str(error)) from None


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="yyassess")
def main() -> None:
    """Assessment and benefit rules for old people's care: grades, programmes, reasons."""


@main.command()
@click.argument("instrument")
@click.argument("file", default="-")
@shared_options
def assess(instrument: str, file: str, form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """Grade answers (JSON in FILE, or - for stdin) by INSTRUMENT."""
    from yyassess import assess as grade

    book = rulebook(folders)
    book.instrument(instrument)
    request = read_json(file)
    if isinstance(request, Mapping):
        request = {**request, "date": request.get("date") or dt.date.today().isoformat()}
        not_in_future(request["date"], "date")
    result = grade(instrument, request, book)
    if form == "json":
        write_json(result)
    else:
        from yyassess.report.text import show_grade

        show_grade(result, book, lang)


def not_in_future(given: Any, where: str) -> None:
    """A visit cannot lie in the future; the shape of the date is checked elsewhere."""
    try:
        day = dt.date.fromisoformat(given)
    except (TypeError, ValueError):
        return
    today = dt.date.today()
    if day > today:
        raise problem(where, given, f"<= {today}", "评估日期在将来", "the visit is dated in the future")


@main.command()
@click.argument("file", default="-")
@click.option("--place", required=True, help="Place: id, administrative code or name.")
@click.option("--on", "on", help="The day asked about (default: today).")
@click.option("--known-on", help="Count only texts known by that day.")
@click.option("--explain", is_flag=True, help="Show every criterion as a tree.")
@click.option("--engine", type=click.Choice(["durable", "reference"]), help="Evaluator (default: durable).")
@shared_options
def determine(
    file: str,
    place: str,
    on: str | None,
    known_on: str | None,
    explain: bool,
    engine: str | None,
    form: str,
    lang: str,
    folders: tuple[Path, ...],
) -> None:
    """Decide what the person of a case (JSON in FILE, or -) may get at a place on a day."""
    from yyassess import determine as decide

    book = rulebook(folders)
    book.place(place)
    day = a_day(on, "--on")
    known = a_day(known_on, "--known-on") if known_on else None
    case = read_json(file)
    result = decide(case, place=place, on=day, known_on=known, rules=book, engine=engine)
    if form == "json":
        write_json(result)
    else:
        from yyassess.report.text import show_determination

        show_determination(result, book, lang, explain=explain)


@main.command()
@shared_options
def instruments(form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """List the instruments with licence and evidence."""
    from yyassess.report.listing import instrument_rows
    from yyassess.report.text import show_rows

    rows = instrument_rows(rulebook(folders))
    write_json(rows) if form == "json" else show_rows(
        rows, ("id", "name", "levels", "items", "licence", "evidence"), lang
    )


@main.command()
@click.option("--place", help="Only what applies in this place.")
@click.option("--on", help="The day asked about, with --place (default: today).")
@shared_options
def programmes(place: str | None, on: str | None, form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """List the programmes with place, status and evidence."""
    from yyassess.report.listing import programme_rows
    from yyassess.report.text import show_rows

    rows = programme_rows(rulebook(folders), place, a_day(on, "--on"))
    write_json(rows) if form == "json" else show_rows(
        rows, ("id", "name", "place", "kind", "status", "in_force", "evidence"), lang
    )


@main.command()
@shared_options
def places(form: str, lang: str, folders: tuple[Path, ...]) -> None:
    """List the places."""
    from yyassess.report.listing import place_rows
    from yyassess.report.text import show_rows

    rows = place_rows(rulebook(folders))
    write_json(rows) if form == "json" else show_rows(
        rows, ("id", "code", "name", "level", "within", "programmes"), lang
    )


@main.command("test")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@shared_options
def test_examples(folder: Path | None, form: str, lang: str, folders: tuple[Path, ...]) -> int:
    """Run the worked examples beside the rules (of FOLDER on top of the shipped rules, if given)."""
    from yyassess.assurance.examples import run_examples
    from yyassess.report.text import show_examples

    results = list(run_examples(rulebook((*folders, folder) if folder else folders)))
    failed = [r for r in results if not r.passed]
    if form == "json":
        shown = [{"of": r.of, "example": r.name, "file": r.file, "line": r.line, "problem": r.problem} for r in failed]
        write_json({"passed": len(results) - len(failed), "failed": shown})
    else:
        show_examples(results, lang)
    return 1 if failed else 0


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--db", default=None, help="Database URL (default: a SQLite file in the working folder).")
@click.option("--place", default=None, help="The place preselected on the form.")
@click.option(
    "--demo/--no-demo", default=True, show_default=True, help="A demo person and assessment on the first start."
)
@shared_options
def serve(
    host: str,
    port: int,
    db: str | None,
    place: str | None,
    demo: bool,
    form: str,
    lang: str,
    folders: tuple[Path, ...],
) -> None:
    """Run the phone form."""
    try:
        from webapp import serve as run
    except ImportError as error:
        raise problem(
            "yyassess[web]",
            error.name,
            None,
            "未安装网页组件：pip install 'yyassess[web]'",
            "the form is not installed: pip install 'yyassess[web]'",
        ) from None
    rulebook(folders)
    run(host=host, port=port, db=db, rules=[str(f) for f in folders], demo=demo, place=place)


if __name__ == "__main__":
    main()
