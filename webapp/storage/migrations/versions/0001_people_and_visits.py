"""People, visits and assessments."""

import sqlalchemy as sa
from alembic import op

from webapp.storage.models import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "field_key",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name_sealed", sa.LargeBinary, nullable=False),
        sa.Column("name_index", sa.LargeBinary, nullable=False),
        sa.Column("citizen_id_sealed", sa.LargeBinary),
        sa.Column("citizen_id_index", sa.LargeBinary),
        sa.Column("birth_date_sealed", sa.LargeBinary, nullable=False),
        sa.Column("sex", sa.String(16), nullable=False),
        sa.Column("demo", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
    )
    op.create_index("ix_person_name_index", "person", ["name_index"])
    op.create_index("ix_person_citizen_id_index", "person", ["citizen_id_index"])
    op.create_table(
        "visit",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("place", sa.String(80), nullable=False),
        sa.Column("visited_on", sa.Date, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("private_sealed", sa.LargeBinary),
        sa.Column("determination_sealed", sa.LargeBinary),
        sa.Column("ruleset_hash", sa.String(80)),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("updated_at", UtcTime, nullable=False),
        sa.Column("finished_at", UtcTime),
    )
    op.create_index("ix_visit_person_id", "visit", ["person_id"])
    op.create_index("ix_visit_updated_at", "visit", ["updated_at"])
    op.create_table(
        "assessment",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("visit_id", sa.Uuid, sa.ForeignKey("visit.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("instrument", sa.String(80), nullable=False),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("ruleset_hash", sa.String(80)),
        sa.UniqueConstraint("visit_id", "instrument"),
    )
    op.create_index("ix_assessment_visit_id", "assessment", ["visit_id"])


def downgrade() -> None:
    """Drop them again."""
    for table in ("assessment", "visit", "person", "field_key"):
        op.drop_table(table)
