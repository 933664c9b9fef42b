"""Moments as people read them: in China's time, wherever the server stands."""

from __future__ import annotations

import datetime as dt

from flask import Flask

from webapp.i18n import day
from webapp.settings import CHINA


def moment(value: dt.datetime) -> str:
    """Day and time."""
    local = value.astimezone(CHINA)
    return f"{day(local.date())} {local:%H:%M}"


def set_up(app: Flask) -> None:
    """Give the templates their filter."""
    app.jinja_env.filters["moment"] = moment
