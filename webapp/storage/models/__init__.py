"""The tables. Columns that end in ``_sealed`` are encrypted, those in ``_index`` are blind indexes."""

from webapp.storage.models.accounts import AccountRow, AttemptRow, LoginRow, OrganisationRow
from webapp.storage.models.base import Base, KeyRow, UtcTime
from webapp.storage.models.evidence import AuditRow, ConsentRow, OperationRow, ReviewRow, SignatureRow
from webapp.storage.models.people import AssessmentRow, PersonRow, VisitRow

__all__ = [
    "AccountRow",
    "AssessmentRow",
    "AttemptRow",
    "AuditRow",
    "Base",
    "ConsentRow",
    "KeyRow",
    "LoginRow",
    "OperationRow",
    "OrganisationRow",
    "PersonRow",
    "ReviewRow",
    "SignatureRow",
    "UtcTime",
    "VisitRow",
]
