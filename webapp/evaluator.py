"""The phone's own evaluator as it is served: modules that import one another, all under one version.

Their imports are relative, so one folder whose name is the version of the whole (``/evaluator/<version>/<name>``) may be
kept by browsers for good, and no page ever mixes two versions.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static" / "evaluator"
#: The module that a page imports; it exports ``assess``, ``screen``, ``determine``, ``holdOn`` and the errors.
ENTRY = "evaluator.js"


def modules() -> dict[str, bytes]:
    """Every module by its name, in order of the names."""
    return _read(tuple((path, path.stat().st_mtime_ns) for path in sorted(FOLDER.glob("*.js"))))


def version() -> str:
    """Twelve hex digits that change whenever any module does."""
    digest = hashlib.sha256()
    for name, content in modules().items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


@lru_cache(maxsize=2)
def _read(files: tuple[tuple[Path, int], ...]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path, _ in files}
