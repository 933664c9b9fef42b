"""What the owner of the server does: ``python -m webapp COMMAND``. The database is that of ``yyassess serve``.

Exit codes: 0 done, 1 not done (the message says why) or faults found, 2 wrong usage.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.accounts import passwords
from webapp.accounts.forms import USERNAME, one_line
from webapp.privacy import reasons
from webapp.privacy.exporting import FORMATS, written
from webapp.settings import BadSetting, Settings
from webapp.storage import Database, KeyFileError, accounts, audit, export, lockout, organisations, retention, rotation
from webapp.storage.models import AccountRow
from webapp.storage.sealing import SealBroken

SHOWN = 20


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--db", default=None, help="Database URL or SQLite file (YYASSESS_DB; yyassess.sqlite3 in this folder).")
@click.pass_context
def main(context: click.Context, db: str | None) -> None:
    """Look after the phone form's data: accounts, keys, retention, audit log, exports."""
    try:
        context.obj = Settings.from_environment(database=db)
    except BadSetting as error:
        raise click.UsageError(str(error)) from None


@contextmanager
def opened(settings: Settings, *, may_create: bool = False) -> Iterator[Database]:
    """The database, closed afterwards; a SQLite file that is not there is a slip of the keyboard."""
    file = settings.url.removeprefix("sqlite:///")
    if file != settings.url and not may_create and not Path(file).exists():
        raise click.ClickException(f"There is no database {file}. Name it with --db or YYASSESS_DB.")
    try:
        database = Database.open(settings.url, settings.keys)
    except (KeyFileError, SQLAlchemyError, OSError) as error:
        raise click.ClickException(f"The database cannot be opened: {error}") from None
    try:
        yield database
    finally:
        database.close()


def command(name: str, *, may_create: bool = False) -> Callable[[Callable[..., None]], click.Command]:
    """A command that gets the settings and the open database."""

    def make(function: Callable[..., None]) -> click.Command:
        @wraps(function)
        def run(**given: Any) -> None:
            settings: Settings = click.get_current_context().obj
            with opened(settings, may_create=may_create) as database:
                function(settings, database, **given)

        return main.command(name)(run)

    return make


@command("add-organisation", may_create=True)
@click.argument("name")
@click.option("--place", default=None, help="The place its visits start with, such as zhoushan.")
def add_organisation(settings: Settings, database: Database, name: str, place: str | None) -> None:
    """Add an assessment organisation."""
    name = one_line(name)
    if not 1 <= len(name) <= 60:
        raise click.UsageError("The name must have 1 to 60 characters.")
    if place is not None:
        place = _known_place(settings, place)
    with database.writing() as db:
        if organisations.organisation_named(db, name):
            raise click.ClickException(f"There is an organisation {name!r} already.")
        id = accounts.add_organisation(db, name=name, place=place)
        audit.record(db, "organisation.added", f"organisation:{id}", account=None, organisation=id)
    click.echo(f"Added the organisation {name}.")


@command("add-account", may_create=True)
@click.argument("username")
@click.option("--name", required=True, help="The person's name, as it stands on reports.")
@click.option("--role", required=True, type=click.Choice(accounts.ROLES))
@click.option("--organisation", default=None, help="The organisation's name; not for a system_admin.")
@click.option("--certificate", default=None, help="An assessor's certificate number.")
@click.option("--password-stdin", is_flag=True, help="Read the first password from standard input.")
def add_account(
    settings: Settings,
    database: Database,
    username: str,
    name: str,
    role: str,
    organisation: str | None,
    certificate: str | None,
    password_stdin: bool,
) -> None:
    """Add an account, and print its first password. It must be changed at the first log-in."""
    username, name = accounts.plain_username(username), one_line(name)
    if not USERNAME.fullmatch(username):
        raise click.UsageError("The user name must be 2 to 60 letters or digits, without spaces.")
    if not 1 <= len(name) <= 60:
        raise click.UsageError("The name must have 1 to 60 characters.")
    if (organisation is None) != (role == accounts.SYSTEM_ADMIN):
        raise click.UsageError("Every role but system_admin needs --organisation, and system_admin must not have one.")
    password = _first_password(username, password_stdin)
    stored = passwords.hashed(password)
    with database.writing() as db:
        if accounts.account_row(db, username) is not None:
            raise click.ClickException(f"The user name {username!r} is taken.")
        id = accounts.add_account(
            db,
            organisation=_organisation(db, organisation).id if organisation else None,
            username=username,
            name=name,
            role=role,
            certificate=one_line(certificate) if certificate else None,
            password_hash=stored,
            must_change=True,
        )
        _note(db, "account.added", id, {"role": role})
    _tell(username, password, password_stdin)


@command("reset-password")
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the new first password from standard input.")
def reset_password(settings: Settings, database: Database, username: str, password_stdin: bool) -> None:
    """Give an account a new first password, log all its devices out, and open it if it is locked."""
    password = _first_password(username, password_stdin)
    stored = passwords.hashed(password)
    with database.writing() as db:
        row = _account(db, username)
        accounts.set_password(db, row.id, stored, must_change=True)
        accounts.end_logins(db, row.id, "reset")
        lockout.forget(db, lockout.name_key(database.cipher, row.username))
        _note(db, "password.reset", row.id)
    _tell(username, password, password_stdin)


@command("unlock")
@click.argument("username")
def unlock(settings: Settings, database: Database, username: str) -> None:
    """Let somebody try again at once who typed too many wrong passwords."""
    with database.writing() as db:
        row = _account(db, username)
        lockout.forget(db, lockout.name_key(database.cipher, row.username))
        _note(db, "account.unlocked", row.id)
    click.echo(f"{row.username} can log in again.")


@command("accounts")
def list_accounts(settings: Settings, database: Database) -> None:
    """List organisations and accounts."""
    with database.reading() as db:
        groups: list[tuple[str, list[accounts.Account]]] = [
            (f"{o.name}{'' if o.active else ' (closed)'}", accounts.list_accounts(db, o.id))
            for o in organisations.list_organisations(db)
        ]
        groups.append(("No organisation", accounts.list_accounts(db, None)))
    for title, found in groups:
        click.echo(title)
        for account in found:
            click.echo(f"  {account.username}  {account.role}  {account.name}{'' if account.active else '  (closed)'}")


@command("rotate-keys")
def rotate_keys(settings: Settings, database: Database) -> None:
    """Seal everything with a new key and drop the old one. The form may run meanwhile, on this machine.

    Broken off, it goes on where it stood. The key of the search indexes stays.
    """

    def progress(table: str, values: int) -> None:
        if values:
            click.echo(f"\r{table}: {values}", nl=False, err=True)

    try:
        done = rotation.rotate(database, progress)
    except rotation.RotationRunning as error:
        raise click.ClickException(str(error)) from None
    except SealBroken as error:
        raise click.ClickException(
            f"{error}. No key was dropped, and everything else can still be read; mend this value, then run it again."
        ) from None
    click.echo(f"\n{'Finished an earlier rotation. ' if done.resumed else ''}{done.values} values sealed anew.")
    click.echo(f"Key in use: {done.current}. Dropped: {', '.join(done.dropped) or 'none'}.")
    click.echo("Back up the key file now. Older backups of the database need the key file of their own day.")


@command("retention")
@click.option(
    "--years", type=click.IntRange(1, 200), help="Finished visits older than this (YYASSESS_RETENTION_YEARS)."
)
@click.option("--draft-days", type=click.IntRange(1, 100_000), help="Drafts untouched so long (YYASSESS_DRAFT_DAYS).")
@click.option("--yes", is_flag=True, help="Do it. Without this, only tell what would be deleted.")
def retain(settings: Settings, database: Database, years: int | None, draft_days: int | None, yes: bool) -> None:
    """Delete what was kept long enough. Nothing is deleted unless a limit is set."""
    years, draft_days = years or settings.retention_years, draft_days or settings.draft_days
    if years is None and draft_days is None:
        raise click.UsageError(
            "Say how long to keep: --years and --draft-days, or YYASSESS_RETENTION_YEARS and YYASSESS_DRAFT_DAYS."
        )
    now = dt.datetime.now(dt.UTC)
    finished_before = retention.years_before(now, years) if years else None
    untouched_since = now - dt.timedelta(days=draft_days) if draft_days else None
    with database.reading() as db:
        due = retention.due_visits(db, finished_before=finished_before, untouched_since=untouched_since)
    done = sum(visit.done for visit in due)
    for visit in due[:SHOWN]:
        click.echo(f"{visit.number}  {'finished' if visit.done else 'draft'}  {visit.last:%Y-%m-%d}")
    if len(due) > SHOWN:
        click.echo(f"... and {len(due) - SHOWN} more")
    if not yes:
        click.echo(f"Would delete {done} finished visits and {len(due) - done} drafts. Add --yes to do it.")
        return
    deleted = _delete(database, due, finished_before, untouched_since)
    with database.writing() as db:
        tidied = retention.tidy(db, now)
        detail = {"years": years, "draft_days": draft_days, "visits": deleted, **tidied}
        audit.record(db, "retention.run", "server", account=None, organisation=None, detail=detail)
    click.echo(f"Deleted {deleted} visits; forgot {tidied['logins']} old log-ins.")


@command("verify-audit")
@click.option(
    "--witness",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file kept elsewhere: compared with the log, then the newest line's number and hash are added to it.",
)
def verify_audit(settings: Settings, database: Database, witness: Path | None) -> None:
    """Check that no line of the audit log was changed or taken out. Exit code 1 when one was.

    That the newest lines were cut off shows only beside a witness of an earlier day.
    """
    seen = _witnessed(witness) if witness else []
    with database.reading() as db:
        count, newest = audit.count(db), audit.newest(db)
        found = list(audit.faults(db))
        found += [
            (seq, "it is not the line that the witness saw") for seq, hash in seen if not audit.holds(db, seq, hash)
        ]
    for number, words in found[:SHOWN]:
        click.echo(f"line {number}: {words}")
    if found:
        raise click.ClickException(f"{len(found)} faults in {count} lines of the audit log.")
    if witness and newest not in seen:
        try:
            with witness.open("a", encoding="ascii") as file:
                file.write(f"{newest[0]} {newest[1]}\n")
        except OSError as error:
            raise click.ClickException(f"{witness} cannot be written: {error.strerror}") from None
    click.echo(f"{count} lines, each follows from the one before.")


def _witnessed(file: Path) -> list[tuple[int, str]]:
    """Numbers and hashes that an earlier check wrote down."""
    if not file.exists():
        return []
    seen = []
    try:
        written = file.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from None
    for number, line in enumerate(written, 1):
        read = re.fullmatch(r"(\d{1,18}) ([0-9a-f]{64})", line)
        if read is None:
            raise click.ClickException(
                f"{file}:{number}: {line[:80]!r} is no number and hash of a line, such as '12 3fa9…'."
            )
        seen.append((int(read[1]), read[2]))
    return seen


@command("export")
@click.option("--organisation", required=True, help="The organisation's name.")
@click.option("--reason", required=True, type=click.Choice(list(reasons.EXPORT)))
@click.option("--format", "form", default=FORMATS[0], show_default=True, type=click.Choice(FORMATS))
@click.option("--first", type=click.DateTime(["%Y-%m-%d"]), help="First day of visits.")
@click.option("--last", type=click.DateTime(["%Y-%m-%d"]), help="Last day of visits.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A new file.")
def export_records(
    settings: Settings,
    database: Database,
    organisation: str,
    reason: str,
    form: str,
    first: dt.datetime | None,
    last: dt.datetime | None,
    out: Path,
) -> None:
    """Write the finished visits of an organisation to a file, masked unless the reason needs names and numbers."""
    from webapp.visits.blueprint import private_facts
    from yyassess import Rulebook

    private = private_facts(Rulebook.load(*settings.rules))
    full = reason in reasons.FULL
    with database.writing() as db:
        owner = _organisation(db, organisation).id
        ids = export.finished_ids(db, owner, first and first.date(), last and last.date())
        detail = {"reason": reason, "format": form, "full": full, "records": len(ids)}
        audit.record(db, "records.exported", f"organisation:{owner}", account=None, organisation=owner, detail=detail)
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        for piece in written(export.opened(database, ids), form, full=full, private=private):
            file.write(piece)
    click.echo(f"{len(ids)} visits written to {out}{'' if full else ', names and numbers masked'}.")


def _delete(
    database: Database,
    due: list[retention.Due],
    finished_before: dt.datetime | None,
    untouched_since: dt.datetime | None,
) -> int:
    deleted = 0
    for visit in due:
        # Each in a transaction of its own: nobody waits long, and what was touched meanwhile is looked at again.
        with database.writing() as db:
            still = {
                d.id
                for d in retention.due_visits(
                    db, finished_before=finished_before, untouched_since=untouched_since, only=visit.id
                )
            }
            if visit.id in still:
                retention.delete_visit(db, visit.id, reason="retention", account=None)
                deleted += 1
    return deleted


def _known_place(settings: Settings, place: str) -> str:
    from yyassess import Rulebook, UnknownName

    try:
        return Rulebook.load(*settings.rules).place(place).id
    except UnknownName as error:
        raise click.UsageError(str(error)) from None


def _organisation(db: Session, name: str) -> organisations.Organisation:
    found = organisations.organisation_named(db, one_line(name))
    if found is None:
        names = ", ".join(o.name for o in organisations.list_organisations(db)) or "none yet; use add-organisation"
        raise click.ClickException(f"There is no organisation {name!r}. There are: {names}.")
    return found


def _account(db: Session, username: str) -> AccountRow:
    row = accounts.account_row(db, username)
    if row is None:
        raise click.ClickException(f"There is no account {username!r}. `accounts` lists them.")
    return row


def _first_password(username: str, from_stdin: bool) -> str:
    if not from_stdin:
        return passwords.one_time()
    password = sys.stdin.readline().rstrip("\r\n")
    fault = passwords.fault_of(password, username)
    if fault is not None:
        why = {
            "short": f"it needs at least {passwords.LEAST} characters",
            "long": f"it may have at most {passwords.MOST} characters",
            "name": "most of it is the user name",
            "obvious": "it is one of the first that somebody would try",
        }[fault]
        raise click.UsageError(f"This password is refused: {why}.")
    return password


def _note(db: Session, action: str, account: Any, detail: dict[str, Any] | None = None) -> None:
    owner = accounts.get_account(db, account).organisation
    audit.record(db, action, f"account:{account}", account=None, organisation=owner, detail=detail)


def _tell(username: str, password: str, was_given: bool) -> None:
    click.echo(f"User name: {accounts.plain_username(username)}")
    if not was_given:
        click.echo(f"First password: {password}")
    click.echo("A password of one's own is chosen at the first log-in.")


if __name__ == "__main__":
    main(prog_name="python -m webapp")
