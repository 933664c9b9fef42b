"""Two assessors sign what both have read; any edit in between voids it; nothing is finished otherwise."""

from __future__ import annotations

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, update

from webapp.signing import acts
from webapp.signing.content import content_hash
from webapp.signing.drawing import POINTS_LIMIT
from webapp.storage import people, signatures, visits
from webapp.storage.models import AuditRow, SignatureRow
from webapp.visits.casework import sheets

GBT = "gbt-42195-2022"
LINE = json.dumps([[[100, 200], [300, 100], [500, 250]], [[550, 80], [560, 300]]])


def id_of(visit: str) -> UUID:
    return UUID(visit.rsplit("/", 1)[1])


def signed(assessor: Any, visit: str) -> list[signatures.Signature]:
    with assessor.database.reading() as db:
        return signatures.signatures_of(db, assessor.database.cipher, id_of(visit))


def standing(assessor: Any, visit: str) -> dict[str, signatures.Signature]:
    return {s.role: s for s in signed(assessor, visit) if s.standing}


@pytest.fixture
def ready(assessor: Any) -> str:
    """A complete visit that waits for signatures."""
    visit = assessor.complete(bathing=2)
    assert assessor.submit(visit).status_code == 303
    return visit


def test_two_signatures_over_the_stored_content_finish_the_visit(assessor: Any, ready: str, book: Any) -> None:
    assert assessor.sign(ready).location == f"{ready}/sign"
    assert assessor.stored(ready).to_sign
    assert assessor.sign(ready, assessor.second, "second 某").location == f"{ready}/result"
    visit = assessor.stored(ready)
    found = standing(assessor, ready)
    assert visit.done and visit.review == "waiting" and set(found) == {"main", "second"}
    assert found["main"].account == visit.assessor and found["second"].account == visit.second
    assert found["main"].account != found["second"].account
    now = content_hash(book, visit, sheets(book, visit))
    assert {s.content_hash for s in found.values()} == {now}
    assert found["main"].certificate == "ZS-main" and found["main"].name == "main 某"


def test_each_signer_sees_every_answer_and_remark(assessor: Any, book: Any) -> None:
    visit = assessor.complete(bathing=2)
    assessor.client.post(f"{visit}/{GBT}/items/self_care", data={"note.eating": "用勺子"})
    assessor.submit(visit)
    for client in (assessor.client, assessor.second):
        page = client.get(f"{visit}/sign").text
        for dimension in book.instruments[GBT].dimensions:
            for item in dimension.items:
                assert item.name["zh"] in page
        assert "用勺子" in page and 'name="password"' in page


def test_a_visit_to_sign_stands_in_the_list_of_every_assessor_of_the_organisation(assessor: Any, ready: str) -> None:
    assert f'href="{ready}/sign"' in assessor.second.get("/").text
    number = assessor.stored(ready).number
    assert ready in assessor.second.post("/search", data={"words": number.lower()}).text
    assessor.sign(ready)
    page = assessor.client.get("/").text
    assert f'href="{ready}/sign"' in page


def test_an_unsubmitted_draft_cannot_be_signed(assessor: Any) -> None:
    visit = assessor.complete()
    assert assessor.sign(visit, content="sha256:0").status_code == 409
    assert signed(assessor, visit) == []


def test_the_same_account_cannot_sign_twice_nor_for_both(assessor: Any, ready: str) -> None:
    assert assessor.sign(ready).status_code == 303
    content = standing(assessor, ready)["main"].content_hash
    again = assessor.sign(ready, content=content)
    assert again.status_code == 409
    assert assessor.client.post(f"{ready}/join").status_code == 409
    visit = assessor.stored(ready)
    assert visit.to_sign and visit.second is None and len(signed(assessor, ready)) == 1


def test_the_database_itself_refuses_a_second_signature_of_the_same_account(assessor: Any, ready: str) -> None:
    assessor.sign(ready)
    mine = standing(assessor, ready)["main"]
    with assessor.database.writing() as db, pytest.raises(signatures.AlreadySigned):
        signatures.add_signature(
            db,
            assessor.database.cipher,
            visit=id_of(ready),
            account=mine.account,
            role="second",
            name="x",
            certificate=None,
            method="typed",
            drawing={"text": "x"},
            content_hash=mine.content_hash,
        )


def test_a_third_assessor_cannot_sign(assessor: Any, ready: str, third: Any) -> None:
    content = assessor.content(ready, third)
    assert assessor.second.post(f"{ready}/join").status_code == 303
    answer = assessor.sign(ready, third, "third 某", content=content)
    assert answer.status_code == 409 and signed(assessor, ready) == []
    assert third.post(f"{ready}/join").status_code == 409


@pytest.mark.parametrize("role", ["reviewer", "admin", "system"])
def test_only_assessors_sign(assessor: Any, ready: str, log_in: Any, role: str) -> None:
    assert assessor.sign(ready, log_in(role), f"{role} 某", content="x").status_code == 403


def test_another_organisation_finds_nothing_to_sign(assessor: Any, ready: str, stranger: Any) -> None:
    content = assessor.content(ready)
    client = stranger("main")
    assert client.get(f"{ready}/sign").status_code == 404
    assert assessor.sign(ready, client, "b-main 某", content=content).status_code == 404
    for act in ("join", "submit", "reopen", "sign/informant"):
        assert client.post(f"{ready}/{act}", data={"name": "x", "typed": "x"}).status_code == 404, act
    assert signed(assessor, ready) == []


def test_signing_asks_for_the_password_and_keeps_the_drawing_when_it_is_wrong(assessor: Any, ready: str) -> None:
    answer = assessor.sign(ready, strokes=LINE, password="falsch")
    assert answer.status_code == 422 and LINE.replace(" ", "") in answer.text.replace("&#34;", '"').replace(" ", "")
    assert signed(assessor, ready) == []


@pytest.mark.parametrize(
    "strokes",
    [
        "",
        "[]",
        "[[]]",
        "[[[5, 5]]]",
        "[[[100, 100], [110, 105]]]",
        "{}",
        "nonsense",
        "[" * 100_000,
        '[[["1", 2], [3, 4]]]',
        "[[[0, 0], [1001, 0]]]",
        "[[[0, 0], [-1, 300]]]",
        "[[[0.5, 0], [300, 300]]]",
        "[[[true, 0], [300, 300]]]",
        json.dumps([[[n % 1000, n % 400] for n in range(POINTS_LIMIT + 1)]]),
        json.dumps([[[0, 0], [300, 300]]] * 301),
        "[[[0,0],[300,300]]" + " " * 300_000 + "]",
    ],
    ids=lambda s: s[:24] or "nothing",
)
def test_what_is_no_signature_is_refused(assessor: Any, ready: str, strokes: str) -> None:
    answer = assessor.sign(ready, typed="", strokes=strokes)
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert signed(assessor, ready) == []


def test_a_drawn_signature_is_stored_and_shown_as_it_was_drawn(assessor: Any, ready: str) -> None:
    assert assessor.sign(ready, typed="", strokes=LINE).status_code == 303
    mine = standing(assessor, ready)["main"]
    assert (mine.method, mine.drawing) == ("drawn", {"strokes": json.loads(LINE)})
    page = assessor.client.get(f"{ready}/sign").text
    assert 'viewBox="0 0 1000 400"' in page and "M100,200" in page


def test_the_typed_name_must_be_the_signer_s_own(assessor: Any, ready: str) -> None:
    assert assessor.sign(ready, typed="second 某").status_code == 422
    assert assessor.sign(ready, typed=" MAIN某 ").status_code == 303


def test_signing_what_has_changed_since_it_was_shown_is_refused_with_the_reason(assessor: Any, ready: str) -> None:
    shown = assessor.content(ready, assessor.second)
    assessor.client.post(f"{ready}/{GBT}/items/self_care", data={"item.bathing": "0"})
    answer = assessor.sign(ready, assessor.second, "second 某", content=shown)
    assert answer.status_code == 409 and 'role="alert"' in answer.text
    assessor.submit(ready)
    answer = assessor.sign(ready, assessor.second, "second 某", content=shown)
    assert answer.status_code == 409 and 'role="alert"' in answer.text
    assert signed(assessor, ready) == [] and assessor.stored(ready).second is None


EDITS: dict[str, tuple[str, dict[str, Any]]] = {
    "answers": (f"{GBT}/items/self_care", {"item.eating": "0"}),
    "remarks": (f"{GBT}/items/self_care", {"note.eating": "要人帮"}),
    "facts": (f"{GBT}/context", {"fact.pain": "mild"}),
    "note": ("check", {"note": "改过"}),
    "instruments": ("instruments", {"instrument": [GBT, "ad8"]}),
    "person": ("person", {"name": "王测试", "visited_on": "2026-11-20", "place": "zhoushan"}),
}


@pytest.mark.parametrize("what", EDITS)
def test_any_edit_voids_what_was_signed_and_says_why(assessor: Any, ready: str, what: str) -> None:
    path, data = EDITS[what]
    assessor.sign(ready)
    if what == "person":
        data = data | {"citizen_id": assessor.stored(ready).person.citizen_id}
    before = assessor.content(ready)
    assert assessor.client.post(f"{ready}/{path}", data=data).status_code == 303
    assert assessor.stored(ready).status == "draft"
    (old,) = signed(assessor, ready)
    assert not old.standing and old.void_reason == what
    with assessor.database.reading() as db:
        last = db.scalars(select(AuditRow).where(AuditRow.action == "signature.voided")).one()
    assert last.detail == {"reason": what, "signatures": 1} and last.account_id == assessor.stored(ready).assessor
    if assessor.submit(ready).status_code == 303:
        assert assessor.content(ready) != before
    assert "main 某" in assessor.client.get(f"{ready}/sign").text, "it stays listed"


@pytest.mark.parametrize("what", EDITS)
def test_saving_a_page_unchanged_voids_nothing(assessor: Any, ready: str, what: str) -> None:
    assessor.sign(ready)
    person = assessor.stored(ready).person
    same: dict[str, dict[str, Any]] = {
        "answers": {"item.eating": "4"},
        "remarks": {"note.eating": "", "cannot.eating": ""},
        "facts": {"fact.coma": "no"},
        "note": {"note": ""},
        "instruments": {"instrument": [GBT]},
        "person": {
            "name": person.name,
            "citizen_id": person.citizen_id,
            "visited_on": "2026-11-22",
            "place": "zhoushan",
        },
    }
    version = assessor.stored(ready).version
    assert assessor.client.post(f"{ready}/{EDITS[what][0]}", data=same[what]).status_code == 303
    stored = assessor.stored(ready)
    assert stored.to_sign and stored.version == version and "main" in standing(assessor, ready)


@pytest.mark.parametrize("page", ["person", "instruments", f"{GBT}/items/self_care", f"{GBT}/context", "check", "more"])
def test_every_edit_page_says_beforehand_that_a_change_voids(assessor: Any, ready: str, page: str) -> None:
    draft = assessor.complete()
    assert "verdict_open" in assessor.client.get(f"{ready}/{page}").text
    assert "verdict_open" not in assessor.client.get(f"{draft}/{page}").text


def test_correcting_the_person_at_another_visit_voids_the_signatures_here(assessor: Any, ready: str) -> None:
    assessor.sign(ready)
    other = assessor.start()
    data = {"name": "王改名", "citizen_id": assessor.stored(other).person.citizen_id}
    data |= {"place": "zhoushan", "visited_on": "2026-11-22"}
    assert assessor.client.post(f"{other}/person", data=data).status_code == 303
    assert assessor.stored(ready).status == "draft" and signed(assessor, ready)[0].void_reason == "person"


def test_a_signature_over_other_rules_does_not_count(assessor: Any, ready: str) -> None:
    assessor.sign(ready)
    with assessor.database.writing() as db:
        db.execute(update(SignatureRow).values(content_hash="sha256:of-the-rules-before"))
    assert assessor.sign(ready, assessor.second, "second 某").location == f"{ready}/sign"
    assert assessor.stored(ready).to_sign
    assert [s.void_reason for s in signed(assessor, ready)] == ["rules", None]
    assert assessor.sign(ready).location == f"{ready}/result"


def test_the_informant_may_sign_and_is_no_second_assessor(assessor: Any, ready: str) -> None:
    data = {"content": assessor.content(ready), "name": "王 女儿", "typed": "王女儿", "strokes": ""}
    assert assessor.client.post(f"{ready}/sign/informant", data=data | {"typed": "别人"}).status_code == 422
    assert assessor.client.post(f"{ready}/sign/informant", data=data).status_code == 303
    assert assessor.client.post(f"{ready}/sign/informant", data=data).status_code == 409
    assessor.sign(ready)
    assert assessor.stored(ready).to_sign
    assessor.client.post(f"{ready}/check", data={"note": "改过"})
    assert standing(assessor, ready) == {}


def test_storage_finishes_nothing_that_is_not_signed_by_both(assessor: Any, ready: str, book: Any) -> None:
    assessor.sign(ready)
    visit = assessor.stored(ready)
    parts = sheets(book, visit)
    with assessor.database.writing() as db, pytest.raises(visits.NotSigned):
        visits.finish_visit(
            db,
            assessor.database.cipher,
            visit.id,
            results={p.instrument.id: p.result for p in parts},
            determination=None,
            content_hash=content_hash(book, visit, parts),
        )
    assert assessor.stored(ready).to_sign


def test_taking_the_record_back_voids_and_leads_to_the_check_page(assessor: Any, ready: str) -> None:
    assessor.sign(ready)
    assert assessor.second.post(f"{ready}/reopen").status_code == 403
    assert assessor.client.post(f"{ready}/reopen").location == f"{ready}/check"
    assert assessor.stored(ready).status == "draft" and signed(assessor, ready)[0].void_reason == "reopened"


def test_the_content_is_salted_so_that_its_hash_tells_nothing_about_sealed_data(assessor: Any) -> None:
    first, second = assessor.complete(), assessor.complete()
    for visit in (first, second):
        assessor.submit(visit)
    assert len(assessor.stored(first).salt) == 32
    assert assessor.stored(first).salt != assessor.stored(second).salt


class Signing(RuleBasedStateMachine):
    """Edits, submissions and signatures in any order: never done without two valid signatures of different accounts."""

    def __init__(self, database: Any, crew: Any, book: Any, finished: set[UUID]) -> None:
        super().__init__()
        self.finished = finished
        self.database, self.crew, self.book, self.id = database, crew, book, uuid4()
        self.shown = {"main": "", "second": ""}
        with database.writing() as db:
            person = people.add_person(
                db,
                database.cipher,
                organisation=crew.organisation,
                name="周某",
                citizen_id=None,
                birth_date=dt.date(1940, 1, 1),
                sex="male",
            )
            visits.add_visit(
                db,
                id=self.id,
                organisation=crew.organisation,
                assessor=crew.ids["main"],
                person=person,
                place="national",
                visited_on=dt.date(2026, 11, 22),
                instruments=["ad8"],
            )
            visits.save_answers(db, self.id, "ad8", {"total": 1})

    def visit(self) -> Any:
        with self.database.reading() as db:
            return visits.get_visit(db, self.database.cipher, self.id)

    def content(self) -> str:
        visit = self.visit()
        return content_hash(self.book, visit, sheets(self.book, visit))

    def act(self, work: Any) -> None:
        try:
            with self.database.writing() as db:
                work(db)
        except (acts.Refused, visits.VisitLocked, visits.NoSuchVisit):
            pass

    @rule(total=st.none() | st.integers(0, 8))
    def answer(self, total: int | None) -> None:
        self.act(lambda db: visits.save_answers(db, self.id, "ad8", {"total": total}))

    @rule(note=st.sampled_from(["", "甲", "乙"]))
    def write_note(self, note: str) -> None:
        self.act(lambda db: visits.save_facts(db, self.database.cipher, self.id, {}, private=(), note=note))

    @rule(cannot=st.sampled_from(["", "refused"]))
    def remark(self, cannot: str) -> None:
        remarks = {"total": {"cannot": cannot}}
        self.act(lambda db: visits.save_remarks(db, self.database.cipher, self.id, "ad8", remarks))

    @rule()
    def submit(self) -> None:
        self.act(lambda db: acts.submit(db, self.database, self.book, self.id))

    @rule(who=st.sampled_from(["main", "second"]))
    def look(self, who: str) -> None:
        self.shown[who] = self.content()

    @rule(who=st.sampled_from(["main", "second"]), looks=st.sampled_from([True, True, False]))
    def sign(self, who: str, looks: bool) -> None:
        if looks:
            self.look(who)
        self.act(
            lambda db: acts.sign(
                db,
                self.database,
                self.book,
                self.id,
                account=self.crew.ids[who],
                name=who,
                certificate=None,
                method="typed",
                drawing={"text": who},
                content=self.shown[who],
            )
        )

    @rule()
    def reopen(self) -> None:
        self.act(lambda db: visits.reopen_visit(db, self.id, "reopened"))

    @rule(to=st.sampled_from(["main", "second"]))
    def hand_over(self, to: str) -> None:
        main = self.crew.ids[to]
        second = self.visit().second
        self.act(
            lambda db: visits.set_assessors(
                db, self.id, main=main, second=None if second == main else second, reason="handed_over"
            )
        )

    @rule(approved=st.booleans())
    def review(self, approved: bool) -> None:
        self.act(lambda db: visits.settle_review(db, self.id, approved=approved))

    @rule()
    def both_sign(self) -> None:
        self.submit()
        self.sign("main", True)
        self.sign("second", True)

    @invariant()
    def done_means_two_valid_signatures_over_what_is_stored(self) -> None:
        visit = self.visit()
        with self.database.reading() as db:
            found = [s for s in signatures.signatures_of(db, self.database.cipher, self.id) if s.standing and s.account]
        assert len({s.account for s in found}) == len(found) <= 2
        if visit.status == "draft":
            assert not found
        else:
            assert all(s.content_hash == self.content() for s in found)
        if visit.done:
            assert {(s.role, s.account) for s in found} == {("main", visit.assessor), ("second", visit.second)}
            assert all(a.result for a in visit.assessments)
            self.finished.add(self.id)
        else:
            assert visit.finished_at is None and not any(a.result for a in visit.assessments)
            assert {s.role for s in found} != {"main", "second"}


def test_no_order_of_acts_finishes_a_visit_without_two_valid_signatures(database: Any, crew: Any, book: Any) -> None:
    finished: set[UUID] = set()
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Signing(database, crew, book, finished),
        settings=settings(
            max_examples=20,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert finished, "the acts never led to the end"


def test_two_who_sign_at_the_same_moment_finish_the_visit(assessor: Any, ready: str) -> None:
    content = assessor.content(ready)
    clients = {"main 某": assessor.client, "second 某": assessor.second}
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda name: assessor.sign(ready, clients[name], name, content=content), clients))
    assert {answer.status_code for answer in answers} == {303}
    assert assessor.stored(ready).done and set(standing(assessor, ready)) == {"main", "second"}
