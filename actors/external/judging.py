"""What an answer over HTTP says: carried out, refused, too many, or no answer that can be used. Pure."""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import msgspec

from .answer import HttpAnswer
from .calls import WAIT_S_MAX, Verdict

_WELL = range(200, 300)
_SERVER_ERRORS = range(500, 600)
_ERROR_TEXT_MAX = 500


def judge(answer: HttpAnswer, now_s: float) -> Verdict:
    """Judge as most services mean it: 2xx with JSON or nothing, 429, 5xx; any other status is a refusal.

    Args:
        answer: whole.
        now_s: seconds since 1970-01-01 UTC, for a `Retry-After` that is a date.
    """
    status, wait_s = answer.status_code, retry_after_s(answer.headers.get("retry-after"), now_s)
    data, problem = _data_of(answer)
    common: dict[str, Any] = {"status_code": status, "response_time_s": answer.response_time_s}
    if status in _WELL:
        if problem:
            return Verdict(outcome="failed", sent="unknown", error=problem, **common)
        return Verdict(outcome="ok", data=data, **common)
    error = f"{status} {_phrase(status)}: {answer.body[:_ERROR_TEXT_MAX].decode(errors='replace')}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Verdict(outcome="throttled", data=data, error=error, retry_after_s=wait_s, **common)
    if status in _SERVER_ERRORS:
        return Verdict(outcome="failed", sent="unknown", data=data, error=error, retry_after_s=wait_s, **common)
    return Verdict(outcome="refused", data=data, error=error, **common)


def _data_of(answer: HttpAnswer) -> tuple[Any, str]:
    """Read a good answer as its endpoint says, any other as JSON."""
    if answer.reads is None or answer.status_code not in _WELL:
        return json_of(answer.body)
    try:
        return answer.reads(answer.body), ""
    except ValueError as fault:
        return None, f"an answer that can be read wanted: {fault}"


def json_of(body: bytes) -> tuple[Any, str]:
    """Read JSON, or say what is wrong with it; nothing is None."""
    if not body.strip():
        return None, ""
    try:
        return msgspec.json.decode(body), ""
    # Invalid UTF-8, and nesting beyond the stack, are no DecodeError.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        return None, f"JSON wanted, found something else ({type(fault).__name__}: {fault})"


def retry_after_s(text: str | None, now_s: float) -> float | None:
    """Read a `Retry-After`: seconds, or a date of HTTP; None where there is none that can be read."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now_s
    return min(max(0.0, seconds), WAIT_S_MAX) if math.isfinite(seconds) else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"
