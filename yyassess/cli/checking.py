"""Commands that check rules: test."""

from __future__ import annotations

from pathlib import Path

import click

from yyassess.cli.common import rulebook, shared_options, write_json


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
