"""How a group of methods calls Dhan, and what its results are.

Every method makes a *conversation*: one call, or several that follow from each other, whose result is an
`ExternalServiceResult` with typed data. What can be known beforehand to be wrong (a symbol, a price off the grid) never
leaves. The access token is in the headers alone; what the broker echoes of it is taken out of every error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from .....config.loader import load_settings
from .....config.secrets import Secret
from .....config.urls import url_problem
from .....domain.dhan.limits import limits_on
from .....domain.dhan.refusals import refusal_of
from .....domain.dhan.writing import InvalidRequestError, body_of
from .....domain.time import date_of
from ....external import BaseExternalAdapter, Call, Conversation, ExternalServiceResult, PendingResult, Verdict
from ...access_token import AccessToken, TokenDeadError
from ...bodies.dhan.endpoints import LIVE_URL, Route, base_url_of
from ...bodies.dhan.replies import judge_dhan, reply_of
from ...bodies.dhan.service import headers_of, tally_of
from ...bodies.dhan.talk import NOTHING_LEAVES
from ..results import WriteAccepted, WriteNotSent, WriteRefused, WriteResult, WriteUnknown, fields_of, not_sent
from .symbols import InstrumentMaster, Symbols

if TYPE_CHECKING:
    from collections.abc import Generator

    from ....external import HttpAnswer
    from ....runtime import InProcessSystem
    from ....runtime.clock import Clock

READ_WAIT_S: Final = 30.0
"""Seconds that a read may take, with its retries and its wait for the rate limits."""

WRITE_WAIT_S: Final = 5.0
"""Seconds that a write may wait for the rate limits."""

PLACE_WAIT_S: Final = 2.0
"""Seconds that an order may wait for them: prices move."""

Names = Mapping[str, str]


class DhanCalls(BaseExternalAdapter):
    """What all groups share.

    Args:
        client_id: of the account.
        access_token: of the day; nothing prints it.
        base_url: where the API is; by default `BROKER_BASE_URL`, else Dhan's own.
        instruments: the list that symbols are looked up in, or the folder of one; by default that of natya's data
            directory, else the few instruments that are part of natya.
        timeout_s: of one request, from the connection to the last byte of the answer.
        system: whose actors make the calls; by default one of its own, which ends with the adapter.
        ca_file: certificates to trust in the place of certifi's.
        proxy: URL of one, if there is to be one.
        tally_folder: where requests for charts and option chains are counted, so that the next process keeps to Dhan's
            limits of a day; by default nowhere.

    Raises:
        ValueError: the base URL is none, or is neither https nor of this machine.
    """

    service: ClassVar[str] = "dhan"

    def __init__(  # noqa: PLR0913  each is one part of what it talks to
        self,
        client_id: str,
        access_token: Secret | str,
        *,
        base_url: str | None = None,
        instruments: InstrumentMaster | str | Path | None = None,
        timeout_s: float = 10.0,
        system: InProcessSystem | None = None,
        ca_file: str | None = None,
        proxy: str | None = None,
        tally_folder: Path | None = None,
    ) -> None:
        super().__init__(system=system, ca_file=ca_file, proxy=proxy)
        if base_url is None:
            base_url = load_settings().broker.base_url
        url = base_url_of((base_url or LIVE_URL).rstrip("/"))
        if problem := url_problem(url):
            raise ValueError(f"base_url: {problem}")
        self.base_url = url
        self.allowances = limits_on(date.max)
        self.tally = tally_of(client_id, url)
        self.tally_folder = tally_folder
        self._client_id = client_id
        self._token: Final = AccessToken(access_token if isinstance(access_token, Secret) else Secret(access_token))
        self._symbols: Final = Symbols(instruments)
        self._timeout_s: Final = timeout_s

    @property
    def client_id(self) -> str:
        """Of the account."""
        return self._client_id

    def __repr__(self) -> str:
        return f"{type(self).__name__}(client_id={self._client_id!r}, base_url={self.base_url!r})"

    # What the owner of the calls asks for.

    def headers(self) -> Mapping[str, str]:
        """Return what every request has; a dead token raises, and the request does not leave."""
        return headers_of(self._client_id, self._token)

    def judge(self, answer: HttpAnswer, now_s: float) -> Verdict:
        """Judge as Dhan means it; a dead token is not used again."""
        return judge_dhan(answer, now_s, on_dead_token=self._token.refused)

    # For the groups.

    def _read(  # noqa: PLR0913  each is one part of the request
        self,
        route: Route,
        read: Callable[[bytes], Any],
        names: Names | None = None,
        *,
        query: Mapping[str, str] | None = None,
        request: Any = None,
        key: str | None = None,
    ) -> PendingResult:
        """Ask for something, typed."""
        try:
            body = None if request is None else body_of(request)
        except InvalidRequestError as fault:
            return self._known(ExternalServiceResult(success=False, error=str(fault)))
        return self.converse(self._reading(self._call(route, read, names, query=query, body=body, key=key)))

    def _write(  # noqa: PLR0913  each is one part of the request
        self,
        route: Route,
        read: Callable[[bytes], Any],
        names: Names | None = None,
        *,
        query: Mapping[str, str] | None = None,
        request: Any = None,
        key: str | None = None,
        finish: Callable[[WriteResult], WriteResult] | None = None,
    ) -> PendingResult:
        """Send a write, once, and return which of the four outcomes it had."""
        try:
            body = None if request is None else body_of(request)
        except InvalidRequestError as fault:
            return self._known(not_sent(str(fault)))
        call = self._call(route, read, names, query=query, body=body, key=key, deadline_s=WRITE_WAIT_S)
        return self.converse(self._writing(call, finish))

    def _call(  # noqa: PLR0913  each is one part of the request
        self,
        route: Route,
        read: Callable[[bytes], Any] | None,
        names: Names | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        key: str | None = None,
        urgent: bool = False,
        deadline_s: float = READ_WAIT_S,
    ) -> Call:
        given = tuple((query or {}).items())
        call = route.call(
            self.base_url, names, deadline_s=deadline_s, body=body, query=given, key=key, urgent=urgent, reads=read
        )
        endpoint = msgspec.structs.replace(call.endpoint, timeout_s=self._timeout_s)
        return msgspec.structs.replace(call, endpoint=endpoint)

    def _reading(self, call: Call) -> Conversation:
        return self._told((yield call))

    def _writing(self, call: Call, finish: Callable[[WriteResult], WriteResult] | None) -> Conversation:
        outcome = self._outcome((yield call))
        return outcome if finish is None else finish(outcome)

    def _told(self, result: ExternalServiceResult) -> ExternalServiceResult:
        """Replace the body of an answer by Dhan's own words, without the token."""
        if result.success:
            return result
        reply = reply_of(result, _as_it_is)
        return msgspec.structs.replace(result, data=None, error=self._without_token(reply.reason))

    def _outcome(self, result: ExternalServiceResult) -> WriteResult:
        """Return which of the four outcomes it is."""
        fields = fields_of(result)
        if result.success:
            return WriteAccepted(**fields)
        reply = reply_of(result, _as_it_is)
        fields |= {"data": None, "error": self._without_token(reply.reason)}
        if reply.outcome == "refused":
            code = refusal_of(result.status_code or 0, result.data).code
            text = self._without_token(reply.text)
            return WriteRefused(**fields, code=code, text=text, meaning=reply.meaning)
        if reply.outcome == "not_sent":
            return WriteNotSent(**fields)
        return WriteUnknown(**fields | {"sent": "unknown"})

    def _without_token(self, text: str) -> str:
        return NOTHING_LEAVES if TokenDeadError.__name__ in text else self._token.taken_out_of(text)

    def _known(self, result: ExternalServiceResult) -> PendingResult:
        """Answer at once."""
        return self.converse(_saying(result))

    def close(self) -> None:
        """Wait for pending answers, then close what was opened here."""
        super().close()
        self._symbols.close()

    # Time.

    def _clock(self) -> Clock:
        return self._running().base.clock

    def _today(self) -> date:
        """Return the day in India."""
        return date_of(self._clock().now_ns())


def _as_it_is(data: Any) -> Any:
    return data


def _saying(result: ExternalServiceResult) -> Generator[Call, ExternalServiceResult, ExternalServiceResult]:
    yield from ()
    return result
