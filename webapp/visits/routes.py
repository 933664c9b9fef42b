"""All pages about visits: importing this module puts them on the blueprint."""

from webapp.visits import again, check, form, instruments, records
from webapp.visits.blueprint import blueprint

__all__ = ["again", "blueprint", "check", "form", "instruments", "records"]
