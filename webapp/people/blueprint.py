"""The blueprint of the pages about a person."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("people", __name__)
