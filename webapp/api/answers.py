"""What the API answers when something is wrong, and requests that are done once however often they are sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from flask import Response, jsonify, request
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from webapp.access import actor
from webapp.api.bodies import Body
from webapp.app import services
from webapp.i18n import HANT, chosen_language, in_traditional
from webapp.storage import operations
from webapp.storage.operations import Answer, KeyUsed, StillRunning
from webapp.storage.signatures import ACTOR

Words = Mapping[str, str]
Model = TypeVar("Model", bound=Body)

NO_BODY = {"zh": "内容须为 JSON 对象", "en": "The body must be a JSON object"}
BAD_BODY = {"zh": "内容有误，未保存", "en": "Something in it is wrong; nothing was saved"}
BAD_KEY = {"zh": "Idempotency-Key 须为 UUID，且与 op 相同", "en": "Idempotency-Key must be a UUID, the same as op"}
OTHER_BODY = {"zh": "此 Idempotency-Key 已用于另一请求", "en": "This Idempotency-Key came before with another request"}
IN_FLIGHT = {"zh": "同一请求正在处理，请稍后再试", "en": "The same request is being worked on; try again in a moment"}
BUSY = {"zh": "服务器正忙，未保存，请稍后再试", "en": "The server is busy; nothing was saved; try again in a moment"}
KINDS: Mapping[str, Words] = {
    "extra_forbidden": {"zh": "没有这一项", "en": "There is no such field"},
    "missing": {"zh": "缺少这一项", "en": "This field is missing"},
}
RETRY_SECONDS = 1

_running: set[tuple[UUID, UUID]] = set()
_guard = threading.Lock()


class Refused(Exception):
    """An answer that ends the request and writes nothing."""

    def __init__(self, status: int, code: str, say: Words, **more: Any) -> None:
        self.status, self.code, self.say, self.more = status, code, say, more
        super().__init__(code)


def refusal(error: Refused) -> Response:
    """The answer: ``{"error": {status, code, say: {zh, en}, …}}``."""
    body = {"error": {"status": error.status, "code": error.code, "say": error.say, **error.more}}
    response = jsonify(in_traditional(body) if chosen_language() == HANT else body)
    response.status_code = error.status
    if error.code in ("in_flight", "busy"):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def fault(where: Iterable[str], given: Any, say: Words) -> dict[str, Any]:
    """One thing that is wrong: the path to it, what was given, and what to do, in both languages."""
    shown = given if given is None or isinstance(given, (bool, int, float)) else str(given)[:60]
    return {"where": list(where), "given": shown, "say": dict(say)}


def body_of(model: type[Model]) -> Model:
    """The request's body, read; raises `Refused`."""
    if not isinstance(request.get_json(silent=True), dict):
        raise Refused(400, "not_json", NO_BODY)
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        faults = [_fault(each) for each in error.errors(include_url=False, include_context=False)]
        raise Refused(422, "invalid", BAD_BODY, faults=faults) from None


def _fault(error: Any) -> dict[str, Any]:
    say = KINDS.get(error["type"], {"zh": f"不是允许的值（{error['msg']}）", "en": error["msg"]})
    given = error["input"] if not isinstance(error["input"], (dict, list)) else None
    return fault([str(part) for part in error["loc"]], given, say)


def once(op: UUID, work: Callable[[Session], Answer]) -> Response:
    """Do the work in one transaction with its idempotency key, or give the answer it had before.

    An answer is kept with what was written. A request that was refused wrote nothing, and is judged anew.
    """
    key = _key()
    if key != op:
        raise Refused(400, "bad_key", BAD_KEY)
    account, database = actor().id, services().database
    content = operations.request_hash(request.path, request.get_data())
    with _alone(account, key):
        try:
            with database.writing() as db:
                db.info[ACTOR] = account
                answer = operations.earlier_answer(db, database.cipher, account=account, key=key, body_hash=content)
                replayed = answer is not None
                if answer is None:
                    answer = work(db)
                    operations.keep_answer(
                        db, database.cipher, account=account, key=key, body_hash=content, answer=answer
                    )
        except KeyUsed:
            raise Refused(422, "key_used", OTHER_BODY) from None
        except (StillRunning, IntegrityError):
            # PostgreSQL: two first requests of one new visit; whoever comes second finds the answer next time.
            raise Refused(409, "in_flight", IN_FLIGHT) from None
        except OperationalError:
            # Too many writers at once, or the database is away: nothing was written, and the phone tries again.
            raise Refused(503, "busy", BUSY) from None
    response = jsonify(answer.body)
    response.status_code = answer.status
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _key() -> UUID | None:
    # The draft standard writes the key as a quoted string; many clients leave the quotes out.
    given = request.headers.get("Idempotency-Key", "").strip().strip('"')
    try:
        return UUID(given)
    except ValueError:
        return None


@contextmanager
def _alone(account: UUID, key: UUID) -> Iterator[None]:
    """One request with that key at a time in this process; between processes the database sees to it."""
    with _guard:
        if (account, key) in _running:
            raise Refused(409, "in_flight", IN_FLIGHT)
        _running.add((account, key))
    try:
        yield
    finally:
        with _guard:
            _running.discard((account, key))
