"""The review desk: what waits, approve or return, reassign and hand over."""

from __future__ import annotations

from typing import Any

import pytest

from webapp.storage import reviews, signatures

GBT = "gbt-42195-2022"


@pytest.fixture
def reviewer(log_in: Any) -> Any:
    return log_in("reviewer")


@pytest.fixture
def done(assessor: Any) -> str:
    visit = assessor.complete(bathing=2)
    assessor.finish(visit)
    return visit


def path(visit: str) -> str:
    return f"/review/{visit.rsplit('/', 1)[1]}"


def history(assessor: Any, visit: str) -> list[tuple[str, str]]:
    with assessor.database.reading() as db:
        found = reviews.reviews_of(db, assessor.database.cipher, assessor.stored(visit).id)
    return [(r.verdict, r.comment) for r in found]


def test_the_desk_lists_what_waits_and_shows_the_whole_record(assessor: Any, done: str, reviewer: Any) -> None:
    draft = assessor.start()
    page = reviewer.get("/review").text
    assert path(done) in page and path(draft) not in page
    record = reviewer.get(path(done)).text
    assert "main 某" in record and "second 某" in record and 'value="approved"' in record


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("place=zhoushan", True),
        ("place=national", False),
        ("grade=1", True),
        ("grade=4", False),
        ("grade=none", False),
        ("week=2026-W47", True),
        ("week=2026-W46", False),
        ("state=approved", False),
        ("assessor={second}", True),
        ("assessor=00000000-0000-0000-0000-000000000000", False),
        ("week=nonsense&grade=x&place=atlantis&assessor=y&state=z&page=1", True),
        ("page=2", False),
    ],
)
def test_the_queue_is_narrowed_by_place_grade_assessor_and_week(
    assessor: Any, done: str, reviewer: Any, crew: Any, query: str, there: bool
) -> None:
    page = reviewer.get("/review?" + query.format(second=crew.ids["second"])).text
    assert (path(done) in page) is there


def test_approving_settles_the_record(assessor: Any, done: str, reviewer: Any) -> None:
    assert reviewer.post(path(done), data={"verdict": "approved"}).status_code == 303
    stored = assessor.stored(done)
    assert stored.done and stored.review == "approved" and history(assessor, done) == [("approved", "")]
    assert path(done) not in reviewer.get("/review").text
    assert reviewer.post(path(done), data={"verdict": "returned", "comment": "x"}).status_code == 409


def test_returning_needs_a_comment_voids_the_signatures_and_tells_the_assessors(
    assessor: Any, done: str, reviewer: Any
) -> None:
    assert reviewer.post(path(done), data={"verdict": "returned"}).status_code == 422
    answer = reviewer.post(path(done), data={"verdict": "returned", "comment": "洗澡请再核实 <b>"})
    assert answer.status_code == 303
    stored = assessor.stored(done)
    assert (stored.status, stored.review, stored.finished_at) == ("draft", "returned", None)
    assert stored.determination is None and stored.assessments[0].result is None
    with assessor.database.reading() as db:
        found = signatures.signatures_of(db, assessor.database.cipher, stored.id)
    assert {s.void_reason for s in found} == {"returned"} and len(found) == 2
    for client in (assessor.client, assessor.second):
        assert "洗澡请再核实 &lt;b&gt;" in client.get(f"{done}/check").text
    assessor.finish(done)
    assert assessor.stored(done).review == "waiting"


def test_only_reviewers_review_and_nobody_another_organisation_s(
    assessor: Any, done: str, stranger: Any, log_in: Any
) -> None:
    for who in ("main", "second", "admin", "system"):
        client = log_in(who)
        assert client.get("/review").status_code == 403
        assert client.post(path(done), data={"verdict": "approved"}).status_code == 403
    client = stranger("reviewer")
    assert path(done) not in client.get("/review").text
    assert client.get(path(done)).status_code == 404
    assert client.post(path(done), data={"verdict": "approved"}).status_code == 404
    assert assessor.stored(done).review == "waiting"


def test_a_draft_is_handed_over_by_its_own_assessor(assessor: Any, crew: Any) -> None:
    visit = assessor.complete()
    assessor.submit(visit)
    assessor.sign(visit)
    assert assessor.second.post(f"{visit}/assessor", data={"to": str(crew.ids["second"])}).status_code == 403
    for to in ("", "nonsense", str(crew.ids["main"]), str(crew.ids["reviewer"])):
        assert assessor.client.post(f"{visit}/assessor", data={"to": to}).status_code == 422, to
    answer = assessor.client.post(f"{visit}/assessor", data={"to": str(crew.ids["second"]), "comment": "我休假"})
    assert answer.status_code == 303
    stored = assessor.stored(visit)
    assert (stored.assessor, stored.second, stored.status) == (crew.ids["second"], None, "draft")
    assert history(assessor, visit) == [("handed_over", "我休假")]
    assert assessor.second.get(f"{visit}/check").status_code == 200
    assert assessor.client.get(f"{visit}/check").status_code == 403


@pytest.mark.parametrize("who", ["reviewer", "admin"])
def test_reviewers_and_administrators_reassign_drafts(assessor: Any, crew: Any, log_in: Any, who: str) -> None:
    visit = assessor.start()
    assert log_in(who).post(f"{visit}/assessor", data={"to": str(crew.ids["second"])}).status_code == 303
    assert assessor.stored(visit).assessor == crew.ids["second"]
    assert history(assessor, visit) == [("reassigned", "")]


def test_a_disputed_assessment_cannot_come_back_to_those_who_made_it(
    assessor: Any, done: str, crew: Any, third: Any, log_in: Any
) -> None:
    for client in (assessor.client, assessor.second):
        answer = client.post(f"{done}/again", data={"occasion": "dispute", "reason": "家属不服"})
        assert answer.status_code == 403
    assert third.post(f"{done}/again", data={"occasion": "dispute"}).status_code == 422
    answer = third.post(f"{done}/again", data={"occasion": "dispute", "reason": "家属不服"})
    new = answer.location.removesuffix("/person")
    stored = assessor.stored(new)
    assert (stored.occasion, stored.reason, stored.previous) == ("dispute", "家属不服", assessor.stored(done).id)
    assert assessor.second.post(f"{new}/join").status_code == 403
    assert assessor.second.get(f"{new}/sign").status_code == 200
    for to in ("main", "second"):
        answer = log_in("reviewer").post(f"{new}/assessor", data={"to": str(crew.ids[to])})
        assert answer.status_code == 422
    assert assessor.stored(new).assessor == stored.assessor not in crew.ids.values()
