"""Commands that check rules: test, check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from yyassess.cli.common import BadInput, a_day, problem, rulebook, shared_options, write_json


@click.command("test")
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


@click.command("check")
@click.argument("rules", required=False, type=click.Path(path_type=Path))
@click.option("--on", "on", help="The day the rules are checked for (default: today).")
@shared_options
def check(rules: Path | None, on: str | None, form: str, lang: str, folders: tuple[Path, ...]) -> int:
    """Prove the rules consistent, or show a person for whom they are not.

    RULES is a folder: a whole rulebook, or rules that come on top of the shipped ones. Exit 0 without errors, 1 with
    errors, 2 when the rules cannot be read.
    """
    from yyassess.assurance.checker import check as check_rules
    from yyassess.assurance.showing import show_report
    from yyassess.conditions.smt import ProofsMissing

    day = a_day(on, "--on")
    book = _read(rules, folders)
    try:
        with _Progress() as progress:
            report = check_rules(book, on=day, progress=progress)
    except ProofsMissing as missing:
        zh = "证明需要 z3-solver：pip install 'yyassess[proofs]'"
        raise problem("z3-solver", None, None, zh, str(missing)) from None
    if form == "json":
        write_json(report.json())
    else:
        show_report(report, lang)
    return 1 if report.errors else 0


def _read(rules: Path | None, folders: tuple[Path, ...]) -> Any:
    """The rulebook, or its faults, each with the code of a finding."""
    from yyassess.assurance.reading import fault_code, read_rules
    from yyassess.cli.common import errors_of
    from yyassess.rulebook.loading import RulebookError

    try:
        return read_rules(rules, folders)
    except RulebookError as error:
        told = errors_of(error) or []
        raise BadInput([{"code": fault_code(e), **t} for e, t in zip(error.errors, told, strict=True)]) from None


class _Progress:
    """What is being checked, on the terminal of a person who waits."""

    def __enter__(self) -> _Progress:
        from rich.console import Console

        self.status = Console(stderr=True).status("…") if sys.stderr.isatty() else None
        if self.status:
            self.status.start()
        return self

    def __call__(self, what: str) -> None:
        if self.status:
            self.status.update(what)

    def __exit__(self, *_: object) -> None:
        if self.status:
            self.status.stop()
