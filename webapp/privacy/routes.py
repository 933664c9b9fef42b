"""All pages about privacy."""

from webapp.privacy import export, log, people, visit
from webapp.privacy.blueprint import blueprint

__all__ = ["blueprint", "export", "log", "people", "visit"]
