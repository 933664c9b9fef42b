"""Everything that touches the database: tables, sealing, and one function for each thing the pages do."""

from webapp.storage.database import Database
from webapp.storage.keys import KeyFileError
from webapp.storage.views import DONE, DRAFT, TO_SIGN, Assessment, Person, Visit
from webapp.storage.visits import NoSuchVisit, VisitLocked

__all__ = [
    "DONE",
    "DRAFT",
    "TO_SIGN",
    "Assessment",
    "Database",
    "KeyFileError",
    "NoSuchVisit",
    "Person",
    "Visit",
    "VisitLocked",
]
