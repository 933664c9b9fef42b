"""A first start: a fictional organisation with one account of each kind, and a fictional person with two visits."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from webapp.accounts.passwords import hashed
from webapp.people.citizen_id import check_digit
from webapp.settings import Settings
from webapp.signing.acts import sign, submit
from webapp.signing.content import content_hash
from webapp.storage import Database, accounts, people, signatures, visits
from webapp.visits.blueprint import private_facts
from webapp.visits.casework import sheets
from yyassess import Rulebook

INSTRUMENT = "gbt-42195-2022"
DAYS_AGO = 30
#: No county has the code 999999, and no register gives the serial number 000.
NUMBER = "99999919410502000"
NAME = "演示老人（虚构）"
ORGANISATION = "演示评估机构（虚构）"
#: For looking around on one's own machine; `serve` refuses to show a demo to the network.
PASSWORD = "yanshi-demo"
ACCOUNTS = (
    ("pinggu1", "评估员甲（演示）", accounts.ASSESSOR, "YS-0001"),
    ("pinggu2", "评估员乙（演示）", accounts.ASSESSOR, "YS-0002"),
    ("shenhe", "审核员（演示）", accounts.REVIEWER, None),
    ("jigou", "机构管理员（演示）", accounts.ORG_ADMIN, None),
    ("xitong", "系统管理员（演示）", accounts.SYSTEM_ADMIN, None),
)
SECOND_BEST = {
    "bathing",
    "dressing_lower",
    "toileting",
    "level_walking",
    "stairs",
    "orientation_time",
    "memory",
    "vision",
    "hearing",
    "daily_affairs",
    "transport",
}
CONTEXT: dict[str, Any] = {
    "coma": False,
    "diagnoses": ["hypertension", "dementia"],
    "psychiatrist_diagnosis": False,
    "care_risk_events.fall": "once",
    "care_risk_events.wandering": "none",
    "care_risk_events.choking": "none",
    "care_risk_events.suicide_self_harm": "none",
    "care_risk_events.other_event": "none",
}
NOTE = "演示数据，全部为虚构。 Demo data, all of it made up."


def accounts_to_show(db: Session) -> tuple[tuple[str, str, str], ...]:
    """User name, name and role of the demo's accounts, for its log-in page; empty in a database without them."""
    there = {row.username for row in (accounts.account_row(db, entry[0]) for entry in ACCOUNTS) if row is not None}
    return tuple((username, name, role) for username, name, role, _ in ACCOUNTS if username in there)


def add_demo(database: Database, book: Rulebook, settings: Settings) -> None:
    """Put the demo into an empty database; does nothing when anybody is on record already."""
    if INSTRUMENT not in book.instruments:
        return
    today = settings.today()
    place = book.place(settings.place).id if settings.place else _demo_place(book)
    finished, draft = uuid4(), uuid4()
    answers = _answers(book)
    with database.writing() as db:
        if people.count_people(db) or accounts.account_row(db, ACCOUNTS[0][0]):
            return
        organisation = accounts.add_organisation(db, name=ORGANISATION, place=place)
        password = hashed(PASSWORD)
        made = {
            username: accounts.add_account(
                db,
                organisation=None if role == accounts.SYSTEM_ADMIN else organisation,
                username=username,
                name=name,
                role=role,
                certificate=certificate,
                password_hash=password,
            )
            for username, name, role, certificate in ACCOUNTS
        }
        assessor = made[ACCOUNTS[0][0]]
        person = people.add_person(
            db,
            database.cipher,
            organisation=organisation,
            name=NAME,
            citizen_id=NUMBER + check_digit(NUMBER),
            birth_date=dt.date(1941, 5, 2),
            sex="female",
            demo=True,
        )
        for visit, day, kept in ((finished, today - dt.timedelta(days=DAYS_AGO), len(answers)), (draft, today, 12)):
            visits.add_visit(
                db,
                id=visit,
                organisation=organisation,
                assessor=assessor,
                person=person,
                place=place,
                visited_on=day,
                instruments=[INSTRUMENT],
            )
            visits.save_answers(db, visit, INSTRUMENT, dict(list(answers.items())[:kept]))
        facts = {name: value for name, value in CONTEXT.items() if name in book.facts}
        visits.save_facts(db, database.cipher, finished, facts, private=private_facts(book), note=NOTE)
        submit(db, database, book, finished)
        for username, name, _, certificate in ACCOUNTS[:2]:
            found = visits.get_visit(db, database.cipher, finished)
            sign(
                db,
                database,
                book,
                finished,
                account=made[username],
                name=name,
                certificate=certificate,
                method=signatures.TYPED,
                drawing={"text": name},
                content=content_hash(book, found, sheets(book, found)),
            )


def _answers(book: Rulebook) -> dict[str, Any]:
    instrument = book.instruments[INSTRUMENT]
    answers: dict[str, Any] = {}
    for dimension in instrument.dimensions:
        for item in dimension.items:
            options = instrument.ladders[item.ladder] if item.ladder else item.options
            ranked = sorted((o.answer for o in options), reverse=True)
            answers[item.id] = ranked[1 if item.id in SECOND_BEST else 0]
    return answers


def _demo_place(book: Rulebook) -> str:
    """A place that has programmes of its own, so that the result page has something to show."""
    return "zhoushan" if "zhoushan" in book.places else "national"
