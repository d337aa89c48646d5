"""One attempt of a call: sent, and its answer judged."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from ...domain.clock_skew import skew_s
from ...domain.time import SECOND_NS
from .calls import Verdict
from .errors import NotSentError, RefusedAnswerError, UnknownOutcomeError
from .service import Send

if TYPE_CHECKING:
    from ..runtime.clock import Clock
    from .settings import ExternalSettings, Session


def exchange(session: Session, send: Send, settings: ExternalSettings, clock: Clock) -> Verdict:
    """Send one attempt and judge the answer; it blocks."""
    call = send.call
    try:
        url = f"{call.url}?{urlencode(call.query)}" if call.query else call.url
        headers = settings.headers()
    except Exception as error:  # noqa: BLE001  a user's own, and its text may have a secret; it would be the same again
        return Verdict(outcome="refused", sent="no", error=f"no headers, or no query: {type(error).__name__}")
    left_s = (send.deadline_ns - clock.monotonic_ns()) / SECOND_NS
    late = "its time was over before it could be sent" if left_s <= 0 else ""
    if why_not := late or (settings.halted() if call.endpoint.exposes and not call.in_halt else ""):
        return Verdict(outcome="refused", sent="no", error=why_not)
    # A write that has left is waited for as long as its endpoint says: nothing is gained by not knowing.
    timeout_s = min(call.endpoint.timeout_s, left_s) if call.endpoint.read else call.endpoint.timeout_s
    sent_ns = clock.now_ns()
    try:
        answer = session.request(call.method, url, timeout_s=timeout_s, headers=headers, body=call.body)
    except NotSentError as error:
        return Verdict(outcome="failed", sent="no", error=str(error))
    except UnknownOutcomeError as error:
        return Verdict(outcome="failed", sent="unknown", error=str(error))
    except RefusedAnswerError as error:
        return Verdict(outcome="failed", sent="unknown", status_code=error.status_code, error=str(error))
    if call.endpoint.reads is not None:
        answer = msgspec.structs.replace(answer, reads=call.endpoint.reads)
    verdict = settings.judge(answer, clock.now_ns() / SECOND_NS)
    if not isinstance(verdict, Verdict):
        raise TypeError(f"judge returns a Verdict, found {type(verdict).__name__}")
    skew = skew_s(answer.headers.get("date"), sent_ns=sent_ns, received_ns=clock.now_ns())
    return msgspec.structs.replace(verdict, size_bytes=len(answer.body), clock_skew_s=skew)
