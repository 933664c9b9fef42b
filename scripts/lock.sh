#!/usr/bin/env bash
# Writes requirements/*.lock from pyproject.toml: pinned versions with hashes, for Python 3.11 to 3.13.
# Needs `uv` (pip install uv). To take newer versions: scripts/lock.sh --upgrade
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

compile() { # NAME, then arguments for uv
    local name=$1 file=requirements/$1.lock
    shift
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header "$@" \
        --output-file "$file"
    {
        printf '# %s: written by scripts/lock.sh from pyproject.toml; do not edit.\n' "$name"
        grep -v '^# .*written by scripts/lock.sh' "$file"
    } >"$file.new"
    mv "$file.new" "$file"
}

compile dev --extra dev pyproject.toml "$@"
compile web --extra web --constraint requirements/dev.lock pyproject.toml
compile spark --extra spark --constraint requirements/dev.lock pyproject.toml
compile build --constraint requirements/dev.lock requirements/build.in "$@"
