"""What came of one request to Dhan: told, refused, not sent, or unknown. Pure.

The trap: only an answer that is known to be Dhan's own proves anything. An error of a server between, a success whose
body cannot be read, an answer that never came: of a request that does something, all of these mean "unknown". So does
Dhan's own word that it could not reach its back end (DH-909) or failed (DH-908, 800), whatever status it comes with:
what the back end did meanwhile it does not say.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias

import msgspec

from .....domain.dhan.refusals import Meaning, refusal_of
from .....domain.dhan.tolerant import MalformedAnswerError
from ....external import ExternalServiceResult, HttpAnswer, Verdict, judge

Outcome: TypeAlias = Literal["told", "refused", "not_sent", "unknown"]

_CLIENT_ERRORS: Final = range(400, 500)
_PLAIN_REFUSALS: Final = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Statuses that refuse a request whoever answers with them; any other is Dhan's refusal only with a code of Dhan's."""


NOTHING_HELD: Final = "DH-1111"
"""Comes with 500 where there are no holdings: an answer without rows, and no failure."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, or the lack of one."""

    outcome: Outcome
    value: Any = None
    """Of `told`: as it was read."""

    reason: str = ""
    """Dhan's code and text, or what went wrong."""

    meaning: Meaning | None = None
    """Of `refused`."""

    text: str = ""
    """Of `refused`: Dhan's own words."""

    retry_after_s: float | None = None


def judge_dhan(answer: HttpAnswer, now_s: float, *, on_dead_token: Callable[[], object]) -> Verdict:
    """Judge an answer as any service's; besides, recognise a dead token, and "too many requests" under any status."""
    verdict = judge(answer, now_s)
    if refusal_of(answer.status_code, verdict.data).code == NOTHING_HELD and verdict.outcome in {"failed", "refused"}:
        return _without_rows(answer, verdict)
    if answer.status_code not in _CLIENT_ERRORS:
        return verdict
    meaning = refusal_of(answer.status_code, verdict.data).meaning
    if meaning == "token":
        on_dead_token()
    if meaning == "throttled" and verdict.outcome == "refused":
        return msgspec.structs.replace(verdict, outcome="throttled")
    return verdict


def _without_rows(answer: HttpAnswer, verdict: Verdict) -> Verdict:
    """Take it for the answer that has no rows; where none is wanted, what was judged of it holds."""
    try:
        rows = [] if answer.reads is None else answer.reads(b"[]")
    except ValueError:
        return verdict
    return msgspec.structs.replace(verdict, outcome="ok", sent="yes", data=rows, error=None)


def reply_of(result: ExternalServiceResult, read: Callable[[Any], Any]) -> Reply:
    """Tell what came of a request.

    Args:
        result: of the call.
        read: makes of a successful answer what it says; raises MalformedAnswerError if it says nothing of the kind.
    """
    if result.success:
        try:
            return Reply(outcome="told", value=read(result.data))
        except MalformedAnswerError as fault:
            return Reply(outcome="unknown", reason=f"an answer that cannot be read: {fault}")
    reason, status = result.error or "no reason given", result.status_code
    if result.sent == "no":
        return Reply(outcome="not_sent", reason=reason, retry_after_s=result.retry_after_s)
    if status is not None and result.sent == "yes":
        refused = refusal_of(status, result.data)
        is_refused = (status in _CLIENT_ERRORS and refused.code) or status in _PLAIN_REFUSALS
        if is_refused and refused.meaning != "broken":
            told = " ".join(part for part in (refused.code, refused.text) if part) or reason
            return Reply(
                outcome="refused",
                reason=told,
                meaning=refused.meaning,
                text=refused.text,
                retry_after_s=result.retry_after_s,
            )
    return Reply(outcome="unknown", reason=reason)
