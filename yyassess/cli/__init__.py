"""The ``yyassess`` command. JSON goes to stdout, messages to stderr; exit 0 done, 1 a check failed, 2 bad input."""

from __future__ import annotations

import click

from yyassess import __version__
from yyassess.cli import checking, deciding, grading, listing, monitoring, population, serving


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="yyassess")
def main() -> None:
    """Assessment and benefit rules for old people's care: grades, programmes, reasons."""


for command in (
    grading.assess,
    grading.screen,
    grading.crosswalk,
    deciding.determine,
    deciding.table,
    monitoring.monitor,
    listing.instruments,
    listing.programmes,
    listing.places,
    listing.coverage,
    checking.test_examples,
    checking.check,
    population.batch,
    population.simulate,
    population.synth,
    serving.serve,
):
    main.add_command(command)

__all__ = ["main"]
