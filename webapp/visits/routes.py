"""All pages about visits: importing this module puts them on the blueprint."""

from webapp.visits import check, form, instruments, records
from webapp.visits.blueprint import blueprint

__all__ = ["blueprint", "check", "form", "instruments", "records"]
