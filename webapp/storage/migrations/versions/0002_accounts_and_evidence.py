"""Organisations, accounts and log-ins; signatures, consents, reviews; replayed requests and the audit log."""

import datetime as dt
import secrets
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from webapp.storage.models import UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: Records made before there were organisations belong to this one.
FORMER = "原有记录 Earlier records"
#: The database itself refuses to change or remove a line of the audit log. The chain of hashes stays the proof: whoever
#: owns the database can take these guards away, but not without leaving a gap in the chain.
GUARDS = {
    "sqlite": (
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'lines of the audit log are final'); END",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "BEGIN SELECT RAISE(ABORT, 'lines of the audit log are final'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION audit_is_final() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'lines of the audit log are final'; END $$",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_final()",
    ),
}


def upgrade() -> None:
    """Add the tables and columns, and give earlier records an organisation and a number."""
    _accounts()
    former = _former_organisation()
    with op.batch_alter_table("person") as table:
        table.add_column(sa.Column("organisation_id", sa.Uuid))
    with op.batch_alter_table("visit") as table:
        table.add_column(sa.Column("organisation_id", sa.Uuid))
        table.add_column(sa.Column("number", sa.String(24)))
        table.add_column(sa.Column("assessor_id", sa.Uuid))
        table.add_column(sa.Column("second_id", sa.Uuid))
        table.add_column(sa.Column("previous_id", sa.Uuid))
        table.add_column(sa.Column("occasion", sa.String(24), nullable=False, server_default="first"))
        table.add_column(sa.Column("from_paper", sa.Boolean, nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("review", sa.String(16), nullable=False, server_default="none"))
        table.add_column(sa.Column("verify_index", sa.LargeBinary))
        table.add_column(sa.Column("verify_sealed", sa.LargeBinary))
        table.add_column(sa.Column("changed", sa.JSON, nullable=False, server_default="{}"))
    with op.batch_alter_table("assessment") as table:
        table.add_column(sa.Column("remarks_sealed", sa.LargeBinary))
    connection = op.get_bind()
    if former is not None:
        for name in ("person", "visit"):
            rows = sa.table(name, sa.column("organisation_id", sa.Uuid))
            connection.execute(rows.update().values(organisation_id=former))
        visit = sa.table("visit", sa.column("id", sa.Uuid), sa.column("number", sa.String))
        for (id,) in connection.execute(sa.select(visit.c.id)).all():
            connection.execute(
                visit.update().where(visit.c.id == id).values(number=f"R-{secrets.token_hex(5).upper()}")
            )
    with op.batch_alter_table("person") as table:
        table.alter_column("organisation_id", existing_type=sa.Uuid(), nullable=False)
        table.create_foreign_key("fk_person_organisation", "organisation", ["organisation_id"], ["id"])
        table.create_index("ix_person_organisation_id", ["organisation_id"])
    with op.batch_alter_table("visit") as table:
        table.alter_column("organisation_id", existing_type=sa.Uuid(), nullable=False)
        table.alter_column("number", existing_type=sa.String(24), nullable=False)
        for column in ("occasion", "from_paper", "review", "changed"):
            table.alter_column(column, server_default=None)
        table.create_foreign_key("fk_visit_organisation", "organisation", ["organisation_id"], ["id"])
        table.create_foreign_key("fk_visit_assessor", "account", ["assessor_id"], ["id"])
        table.create_foreign_key("fk_visit_second", "account", ["second_id"], ["id"])
        table.create_foreign_key("fk_visit_previous", "visit", ["previous_id"], ["id"], ondelete="SET NULL")
        table.create_unique_constraint("uq_visit_number", ["number"])
        table.create_unique_constraint("uq_visit_verify_index", ["verify_index"])
        for column in ("organisation_id", "assessor_id", "second_id", "previous_id"):
            table.create_index(f"ix_visit_{column}", [column])
    _evidence()


def _former_organisation() -> object:
    connection = op.get_bind()
    if not connection.execute(sa.text("SELECT 1 FROM person LIMIT 1")).first():
        return None
    former = uuid4()
    rows = sa.table(
        "organisation",
        sa.column("id", sa.Uuid),
        sa.column("name", sa.String),
        sa.column("active", sa.Boolean),
        sa.column("created_at", UtcTime),
    )
    connection.execute(rows.insert().values(id=former, name=FORMER, active=True, created_at=dt.datetime.now(dt.UTC)))
    return former


def _accounts() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.String(120), nullable=False, unique=True),
        sa.Column("place", sa.String(80)),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisation.id")),
        sa.Column("username", sa.String(80), nullable=False, unique=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("certificate", sa.String(80)),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("password_changed_at", UtcTime, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("wechat_index", sa.LargeBinary, unique=True),
        sa.Column("created_at", UtcTime, nullable=False),
    )
    op.create_index("ix_account_organisation_id", "account", ["organisation_id"])
    op.create_table(
        "login",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("device", sa.String(120), nullable=False),
        sa.Column("created_at", UtcTime, nullable=False),
        sa.Column("seen_at", UtcTime, nullable=False),
        sa.Column("proved_at", UtcTime, nullable=False),
        sa.Column("ended_at", UtcTime),
        sa.Column("end_reason", sa.String(24)),
    )
    op.create_index("ix_login_account_id", "login", ["account_id"])
    op.create_table(
        "attempt",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", UtcTime, nullable=False),
        sa.Column("closed_until", UtcTime),
    )
    op.create_index("ix_attempt_last_at", "attempt", ["last_at"])


def _evidence() -> None:
    op.create_table(
        "signature",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("visit_id", sa.Uuid, sa.ForeignKey("visit.id", ondelete="CASCADE"), nullable=False),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id")),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary, nullable=False),
        sa.Column("certificate", sa.String(80)),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("strokes_sealed", sa.LargeBinary, nullable=False),
        sa.Column("content_hash", sa.String(80), nullable=False),
        sa.Column("signed_at", UtcTime, nullable=False),
        sa.Column("voided_at", UtcTime),
        sa.Column("void_reason", sa.String(40)),
    )
    op.create_index("ix_signature_visit_id", "signature", ["visit_id"])
    standing = sa.text("voided_at IS NULL")
    op.create_index(
        "uq_signature_standing",
        "signature",
        ["visit_id", "account_id"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("person_id", sa.Uuid, sa.ForeignKey("person.id", ondelete="CASCADE"), nullable=False),
        sa.Column("visit_id", sa.Uuid, sa.ForeignKey("visit.id", ondelete="SET NULL")),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("given", sa.Boolean, nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("by_name_sealed", sa.LargeBinary),
        sa.Column("wording", sa.String(24), nullable=False),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id")),
        sa.Column("given_at", UtcTime, nullable=False),
        sa.Column("withdrawn_at", UtcTime),
    )
    op.create_index("ix_consent_person_id", "consent", ["person_id"])
    op.create_table(
        "review",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("visit_id", sa.Uuid, sa.ForeignKey("visit.id", ondelete="CASCADE"), nullable=False),
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id"), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("comment_sealed", sa.LargeBinary),
        sa.Column("content_hash", sa.String(80)),
        sa.Column("at", UtcTime, nullable=False),
    )
    op.create_index("ix_review_visit_id", "review", ["visit_id"])
    op.create_table(
        "operation",
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("answer_sealed", sa.LargeBinary),
        sa.Column("created_at", UtcTime, nullable=False),
    )
    op.create_index("ix_operation_created_at", "operation", ["created_at"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("account_id", sa.Uuid),
        sa.Column("organisation_id", sa.Uuid),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("object", sa.String(80), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_audit_organisation_id", "audit", ["organisation_id"])
    op.create_index("ix_audit_object", "audit", ["object"])
    for statement in GUARDS.get(op.get_bind().dialect.name, ()):
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_is_final() CASCADE")
    for table in ("audit", "operation", "review", "consent", "signature"):
        op.drop_table(table)
    with op.batch_alter_table("assessment") as table:
        table.drop_column("remarks_sealed")
    with op.batch_alter_table("visit") as table:
        for name in ("fk_visit_organisation", "fk_visit_assessor", "fk_visit_second", "fk_visit_previous"):
            table.drop_constraint(name, type_="foreignkey")
        for column in ("organisation_id", "assessor_id", "second_id", "previous_id"):
            table.drop_index(f"ix_visit_{column}")
        for name in ("uq_visit_number", "uq_visit_verify_index"):
            table.drop_constraint(name, type_="unique")
        for column in (
            "organisation_id",
            "number",
            "assessor_id",
            "second_id",
            "previous_id",
            "occasion",
            "from_paper",
            "review",
            "verify_index",
            "verify_sealed",
            "changed",
        ):
            table.drop_column(column)
    with op.batch_alter_table("person") as table:
        table.drop_constraint("fk_person_organisation", type_="foreignkey")
        table.drop_index("ix_person_organisation_id")
        table.drop_column("organisation_id")
    for table_name in ("attempt", "login", "account", "organisation"):
        op.drop_table(table_name)
