"""Commands about many people at once: batch, simulate, synth."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from yyassess.cli.common import BadInput, a_day, problem, rulebook, shared_options, write_json

FORMS = click.Choice(["parquet", "csv", "jsonl"])
ENCODING = click.option(
    "--encoding",
    type=click.Choice(["utf-8", "gb18030"]),
    default="utf-8",
    show_default=True,
    help="Of a CSV or JSON Lines file.",
)


def ready() -> None:
    """Say what to install where the extra is missing."""
    try:
        import polars  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise problem(
            "yyassess[population]",
            error.name,
            None,
            "未安装批量组件：pip install 'yyassess[population]'",
            "the population engine is not installed: pip install 'yyassess[population]'",
        ) from None


class Bar:
    """Progress on stderr: share, rate, time left; a line a few seconds where it is no terminal."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.last, self.started = quiet, 0.0, time.monotonic()

    def show(self, rows: int, share: float, seconds: float) -> None:
        """Show where the run is."""
        now = time.monotonic()
        if self.quiet or (share < 1 and now - self.last < (0.2 if sys.stderr.isatty() else 10)):
            return
        self.last = now
        left = seconds / share - seconds if share else 0.0
        text = f"{share:6.1%}  {rows:,} rows  {rows / max(seconds, 1e-9):,.0f}/s  {left:,.0f} s left"
        click.echo(f"\r{text}" if sys.stderr.isatty() else text, err=True, nl=not sys.stderr.isatty() or share >= 1)


def refuse(error: Exception) -> BadInput:
    """A rule that cannot be run for a population, as a message."""
    return problem(
        "rules", None, None, f"这条规则不能批量运行：{error}", f"this rule cannot be run for a population: {error}"
    )


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Result: .parquet, .csv or .jsonl.")
@click.option("--place", required=True, help="Place: id, administrative code or name.")
@click.option("--on", "on", help="The day asked about (default: today).")
@click.option("--known-on", help="Count only texts known by that day.")
@click.option("--benefits", is_flag=True, help="Add amounts, and what gives way to what.")
@click.option("--scores", is_flag=True, help="Add every reported score, not the total alone.")
@click.option("--keep", multiple=True, help="A column of IN to pass through.")
@click.option("--ignore", multiple=True, help="A column of IN that is no fact, to leave out.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run of the same job.")
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True)
@click.option("--master", default="local[*]", show_default=True, help="With --engine spark: the cluster.")
@click.option("--in-format", type=FORMS, help="Where the ending does not say.")
@click.option("--out-format", type=FORMS, help="Where the ending does not say.")
@click.option(
    "--chunk", default=250_000, show_default=True, type=click.IntRange(1000), help="Rows worked on at a time."
)
@click.option("--quiet", is_flag=True, help="No progress.")
@ENCODING
@shared_options
def batch(
    source: Path, out: Path, place: str, on: str | None, known_on: str | None, benefits: bool, scores: bool,
    keep: tuple[str, ...], ignore: tuple[str, ...], resume: bool, engine: str, master: str, in_format: str | None, out_format: str | None,
    chunk: int, quiet: bool, encoding: str, form: str, lang: str, folders: tuple[Path, ...],
) -> int:  # fmt: skip
    """Grade and decide everybody in IN (Parquet, CSV or JSON Lines, one row a person).

    Refused rows go to OUT.rejects with their line and reason; the exit code is then 1.
    """
    ready()
    from yyassess.population.batch import Job, run_batch, summary_text
    from yyassess.population.columns import PlanError
    from yyassess.population.plan import Wanted

    book = rulebook(folders)
    book.place(place)
    known = a_day(known_on, "--known-on") if known_on else None
    wanted = Wanted(benefits=benefits, scores=scores)
    try:
        if engine == "spark":
            from yyassess.population.spark import run_on_spark

            summary = run_on_spark(
                book, str(source), str(out), place, a_day(on, "--on"), known, wanted, keep, ignore, master
            )
        else:
            job = Job(
                source,
                out,
                place,
                a_day(on, "--on"),
                known,
                wanted,
                keep,
                ignore,
                in_format,
                out_format,
                encoding,
                resume,
                chunk,
            )
            summary = run_batch(job, book, Bar(quiet).show)
    except PlanError as error:
        raise refuse(error) from None
    except KeyboardInterrupt:
        click.echo("stopped; the finished chunks are kept: go on with --resume", err=True)
        return 130
    if form == "json":
        write_json(summary)
    else:
        click.echo(summary_text(summary, lang))
    return 1 if summary["rejected"] else 0


@click.command()
@click.option(
    "--change",
    "changes",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="A file of changes; may be repeated.",
)
@click.option(
    "--population",
    "source",
    required=True,
    type=click.Path(path_type=Path),
    help="The people: Parquet, CSV or JSON Lines.",
)
@click.option("--place", required=True, help="Place: id, administrative code or name.")
@click.option("--on", "on", help="The day asked about (default: today).")
@click.option("--weight", help="The column that says how many people a row stands for.")
@click.option("--district", help="The column to break figures down by district.")
@click.option("--ignore", multiple=True, help="A column that is no fact, to leave alone.")
@click.option("--all", "everything", is_flag=True, help="Also count the programmes that no change touches.")
@click.option("--html", "page", type=click.Path(path_type=Path), help="Write the page (opens offline).")
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Write all figures.")
@click.option("--in-format", type=FORMS)
@click.option("--quiet", is_flag=True, help="No progress.")
@ENCODING
@shared_options
def simulate(
    changes: tuple[Path, ...], source: Path, place: str, on: str | None, weight: str | None, district: str | None, ignore: tuple[str, ...], everything: bool,
    page: Path | None, table: Path | None, in_format: str | None, quiet: bool, encoding: str, form: str, lang: str, folders: tuple[Path, ...],
) -> None:  # fmt: skip
    """Compare the rules with one or more sets of changes over the same people: who gains, who loses, at what cost."""
    ready()
    from yyassess import Rulebook
    from yyassess.population import page as pages
    from yyassess.population.columns import PlanError
    from yyassess.population.simulate import Study
    from yyassess.population.simulate import simulate as compare
    from yyassess.rulebook.yaml_reader import read_yaml

    base = rulebook(folders)
    base.place(place)
    changed: list[tuple[str, Any, Any]] = []
    for file in changes:
        book = Rulebook.load(*folders, overlays=[file])
        data, _, _ = read_yaml(file.read_bytes())
        changed.append((data["id"], data["name"], book))
    study = Study(source, place, a_day(on, "--on"), weight, district, everything, ignore, in_format, encoding)
    bar = Bar(quiet)
    try:
        result = compare(study, base, changed, lambda share: bar.show(0, share, time.monotonic() - bar.started))
    except PlanError as error:
        raise refuse(error) from None
    if page is not None:
        _write(page, pages.html(result, lang))
    if table is not None:
        _write(table, pages.table(result))
    if form == "json":
        write_json({
            "place": place, "on": study.on.isoformat(), "people": result.people, "rejected": result.rejected,
            **({"weighted": result.weight} if weight else {}), "ruleset": {"hash": result.ruleset, "on": study.on.isoformat()},
            "scenarios": result.scenarios, "indicators": result.indicators,
        })  # fmt: skip
        return
    for scenario in result.scenarios[1:]:
        click.echo(scenario["name"][lang])
        for id, figures in scenario["programmes"].items():
            words = pages.NAMES[lang]
            parts = [f"{words[k]} {pages.people(figures[k])}" for k in ("gain", "lose", "open")]
            for unit, total in figures["after"]["cost"].items():
                parts.append(
                    f"{words['cost']} {pages.money(figures['before']['cost'][unit])} → {pages.money(total)} {pages.unit_name(unit, lang)}"
                )
            click.echo(f"  {result.names[id][lang]}: " + ", ".join(parts))


def _write(file: Path, text: str) -> None:
    import os

    temporary = file.with_name(f".{file.name}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, file)
    except OSError as error:
        raise problem(
            str(file), None, None, f"无法写入：{error.strerror}", f"cannot be written: {error.strerror}"
        ) from None


@click.command()
@click.option("--place", required=True, help="Place: id, administrative code or name.")
@click.option("--n", "rows", default=10_000, show_default=True, type=click.IntRange(1), help="How many people.")
@click.option("--seed", default=1, show_default=True, type=int)
@click.option("--on", "on", help="The day they are described on (default: today).")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help=".parquet, .csv or .jsonl")
@shared_options
def synth(
    place: str, rows: int, seed: int, on: str | None, out: Path, form: str, lang: str, folders: tuple[Path, ...]
) -> None:
    """Make up a population for demos and tests. The file is marked as synthetic; its ids begin with SYN-."""
    ready()
    from yyassess.population.synth import synthetic_plan, write_population

    book = rulebook(folders)
    book.place(place)
    made = write_population(synthetic_plan(book, place, a_day(on, "--on")), out, rows, seed)
    if form == "json":
        write_json(made)
    else:
        click.echo(f"{out}: {rows:,} {'个虚构的人' if lang == 'zh' else 'made-up people'} (seed {seed})")
