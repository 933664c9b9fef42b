"""yyassess: grades old people's ability by published standards, and decides what help may be had.

The public names are loaded when first used, so that ``import yyassess`` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yyassess.assessment.crosswalk import crosswalk
    from yyassess.assessment.errors import InputError
    from yyassess.assessment.scoring import assess
    from yyassess.assessment.screening import screen
    from yyassess.assurance.checker import check
    from yyassess.entitlement.determine import determine
    from yyassess.entitlement.monitor import CaseMonitor
    from yyassess.rulebook.book import Rulebook, Ruleset, UnknownName
    from yyassess.rulebook.loading import RulebookError

__version__ = "0.1.0"

_HOMES = {
    "CaseMonitor": "yyassess.entitlement.monitor",
    "InputError": "yyassess.assessment.errors",
    "Rulebook": "yyassess.rulebook.book",
    "RulebookError": "yyassess.rulebook.loading",
    "Ruleset": "yyassess.rulebook.book",
    "UnknownName": "yyassess.rulebook.book",
    "assess": "yyassess.assessment.scoring",
    "check": "yyassess.assurance.checker",
    "crosswalk": "yyassess.assessment.crosswalk",
    "determine": "yyassess.entitlement.determine",
    "screen": "yyassess.assessment.screening",
}

__all__ = [
    "CaseMonitor",
    "InputError",
    "Rulebook",
    "RulebookError",
    "Ruleset",
    "UnknownName",
    "__version__",
    "assess",
    "check",
    "crosswalk",
    "determine",
    "screen",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'yyassess' has no attribute {name!r}")
