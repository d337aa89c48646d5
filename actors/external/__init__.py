"""What any service over the network needs; nobody else of the package speaks HTTP as a client.

adapter     `BaseExternalAdapter`, for those who write a client of a service
actor       the owner of the calls to one service; settings: what it is told
sending     one attempt of a call
tally       how many requests left, for the next process (pure); tally_file: the files of it
calls       a call, what may be done with its sort, and what came of it
service     what is done about a call: a state machine (pure)
kept        answers that may be given again (pure)
limiter     when a request may leave (pure)
judging     what an answer says (pure)
session     one HTTP session, hardened; loaded when it is asked for
inflating   answers in gzip (pure)
answer      what it gives
deadline    its sockets
tls         what they trust
streams     a server of streams (Redis or Valkey), for those who speak with other systems
errors
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.lazily import lazily
from ...domain.quotas import Allowance
from .actor import Ask, CountBefore, ExternalActor
from .adapter import BaseExternalAdapter, Conversation, Pending, PendingResult
from .answer import HttpAnswer
from .calls import Call, Endpoint, ExternalServiceResult, Verdict
from .errors import ExternalError, NotSentError, RefusedAnswerError, UnknownOutcomeError
from .judging import judge
from .limiter import Granted, Limiter, Refused, Waiting
from .settings import ExternalSettings
from .tally import TallySettings

if TYPE_CHECKING:
    from .session import HttpSession
    from .tls import tls_context

__all__ = [
    "Allowance",
    "Ask",
    "BaseExternalAdapter",
    "Call",
    "Conversation",
    "CountBefore",
    "Endpoint",
    "ExternalActor",
    "ExternalError",
    "ExternalServiceResult",
    "ExternalSettings",
    "Granted",
    "HttpAnswer",
    "HttpSession",
    "Limiter",
    "NotSentError",
    "Pending",
    "PendingResult",
    "Refused",
    "RefusedAnswerError",
    "TallySettings",
    "UnknownOutcomeError",
    "Verdict",
    "Waiting",
    "judge",
    "tls_context",
]

__getattr__ = lazily(__name__, {".session": ("HttpSession",), ".tls": ("tls_context",)})
