"""What is answered to a request over HTTP: an ASGI application, which runs on the web server's thread.

A request goes through: origin, token, path, method, role, arguments, bounds; then the control actor carries it out, as
one that came through the socket. Whether it is live and ready is told to anyone on this machine, and nothing else.
"""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec

from ....domain.time import SECOND_NS
from ....domain.trace_context import parsed
from ....messages.addresses import CONTROL
from ....messages.control import AskRefused
from ....messages.health import Health, MetricsRead
from ....messages.supervision import Failed, Unavailable
from ...runtime import RequestTimedOut
from ...web import answer, body_of
from ..dashboard.pages import HEADERS, page
from ..forms import plain, read_arguments
from ..operations import BY_NAME, OPERATIONS, ROLES
from .asking import Operate
from .openapi import ACTOR_PARAMETER, BASE, ROWS_MAX, document
from .stream import Asking, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..operations import Operation, Role
    from ..settings import ControlActorSettings
    from .guard import Guard, Turned

ANSWER_S: Final = 10.0
"""How long an answer may take where the operation itself says nothing."""

STREAM: Final = f"{BASE}/stream"

PROBE_NS: Final = SECOND_NS // 4
"""How old what is told of health without a token may be."""

OWN: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""No answer is kept by a browser, or read as anything but what it is."""

QUERY_PARTS_MAX: Final = 32
METRICS_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"

_STATUS_OF: Final = {"busy": 429, "forbidden": 403, "malformed": 400, "timed_out": 504, "too_large": 413}


class Refusal(Exception):  # noqa: N818  an answer, no fault
    """The answer to a request that is not carried out."""

    def __init__(self, status: int, reason: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, headers


class ControlApplication:
    """Operations over HTTP."""

    def __init__(
        self,
        guard: Guard,
        settings: ControlActorSettings,
        *,
        ask: Asking,
        monotonic_ns: Callable[[], int],
        now_ns: Callable[[], int],
    ) -> None:
        """Serve those operations that the role of `settings.limits` may do."""
        self._guard: Final = guard
        self._limits: Final = settings.limits
        self._ask: Final = ask
        self._monotonic_ns: Final = monotonic_ns
        self._probe: asyncio.Future[Any] | None = None
        self._probed_ns = 0
        self._stream: Final = Stream(ask, now_ns=now_ns, mode=settings.mode, role=settings.limits.http_role)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        try:
            _expect(self._guard.elsewhere(scope["headers"]))
            if scope["method"] == "GET" and (shown := page(scope["path"])):
                await answer(send, 200, shown.body, content_type=shown.content_type, headers=(*OWN, *HEADERS))
                return
            if scope["path"] == STREAM:
                self._expect_stream(scope)
                await self._stream.send(receive, send)
                return
            status, body, content_type = await self._answer(scope, receive)
            headers: tuple[tuple[bytes, bytes], ...] = ()
        except Refusal as refusal:
            status, body, content_type = refusal.status, _error(refusal.reason), b"application/json"
            headers = refusal.headers
        await answer(send, status, body, content_type=content_type, headers=(*OWN, *headers))

    def served_at(self, url: str) -> None:
        """Let in pages of the server itself, such as `http://127.0.0.1:8000`."""
        self._guard.served_at(url)

    def close(self) -> None:
        """End what would not end by itself; from any thread."""
        self._stream.close()

    def _expect_stream(self, scope: Any) -> None:
        _expect(self._guard.stranger(scope["headers"], self._monotonic_ns()))
        _expect_method(scope["method"], "GET")
        if self._stream.is_full:
            raise Refusal(429, "as many streams are open as there may be")

    async def _answer(self, scope: Any, receive: Any) -> tuple[int, bytes, bytes]:
        method, path, headers = scope["method"], scope["path"], scope["headers"]
        client = scope.get("client") or ("", 0)
        if path in {"/health/live", "/health/ready"}:
            _expect_method(method, "GET", "HEAD")
            return await self._health(path.rpartition("/")[2])
        if path == f"{BASE}/openapi.json":
            _expect_method(method, "GET")
            return 200, described(), b"application/json"
        _expect(self._guard.stranger(headers, self._monotonic_ns()))
        if path == "/metrics":
            _expect_method(method, "GET")
            read = await self._carry_out(BY_NAME["metrics"], {}, client=client, strict=True)
            assert isinstance(read, MetricsRead)
            return 200, read.text.encode(), METRICS_TYPE
        operation = BY_NAME.get(path.removeprefix(f"{BASE}/")) if path.startswith(f"{BASE}/") else None
        if operation is None or not operation.over_http:
            raise Refusal(404, f"{BASE}/ and one of {', '.join(each.name for each in served())} is wanted")
        _expect_method(method, *(("GET", "POST") if operation.role == "read" else ("POST",)))
        self._expect_role(operation, operation.role)
        given, strict = await self._given(operation, scope, receive)
        value = await self._carry_out(operation, given, client=client, strict=strict, traceparent=_place(headers))
        status = 200 if isinstance(value, operation.answers[0]) else 409
        return status, msgspec.json.encode(plain(value)), b"application/json"

    def _expect_role(self, operation: Operation, wanted: Role) -> None:
        if ROLES.index(wanted) > ROLES.index(self._limits.http_role):
            lower = f"control.http_role is lower: {self._limits.http_role}"
            raise Refusal(403, f"{operation.name} wants the role {operation.role_told}: {lower}")

    async def _health(self, which: str) -> tuple[int, bytes, bytes]:
        health = await asyncio.shield(self._newest_probe())
        assert isinstance(health, Health)
        is_so = health.live if which == "live" else health.ready
        return 200 if is_so else 503, msgspec.json.encode({which: is_so}), b"application/json"

    def _newest_probe(self) -> asyncio.Future[Any]:
        """Return the question for health that is on its way or was asked just now: one for all, who need no token."""
        now_ns, probe = self._monotonic_ns(), self._probe
        is_new = probe is not None and (not probe.done() or now_ns - self._probed_ns < PROBE_NS)
        if probe is not None and is_new and probe.get_loop() is asyncio.get_running_loop():  # else: of a server before
            return probe
        self._probed_ns = now_ns
        self._probe = asyncio.ensure_future(self._carry_out(BY_NAME["health"], {}, client=("", 0), strict=True))
        return self._probe

    async def _given(self, operation: Operation, scope: Any, receive: Any) -> tuple[dict[str, Any], bool]:
        """Return the arguments by name, and whether they came as JSON, with its types."""
        query = _query(scope["query_string"])
        if scope["method"] == "GET":
            return {name: _value_of(operation, name, values) for name, values in query.items()}, False
        types = [
            value.partition(b";")[0].strip().lower() for name, value in scope["headers"] if name == b"content-type"
        ]
        body = await body_of(receive)
        if body and types != [b"application/json"]:
            raise Refusal(400, "the header Content-Type: application/json is wanted")
        try:
            given = msgspec.json.decode(body or b"{}", type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise Refusal(400, f"one object of JSON is wanted: {fault}") from fault
        return {**{name: values[0] for name, values in query.items() if name == ACTOR_PARAMETER}, **given}, True

    async def _carry_out(
        self,
        operation: Operation,
        given: Mapping[str, Any],
        *,
        client: tuple[str, int],
        strict: bool,
        traceparent: str = "",
    ) -> Any:
        arguments = dict(given)
        actor = arguments.pop(ACTOR_PARAMETER, operation.actor) if operation.of_any_actor else operation.actor
        if not isinstance(actor, str):
            raise Refusal(422, f"the name of an actor is wanted, found {type(actor).__name__}")
        try:
            message = _read(operation, arguments, strict=strict)
        except (msgspec.ValidationError, ValueError, RecursionError) as fault:
            raise Refusal(422, str(fault)[:500]) from fault
        self._expect_role(operation, operation.role_of(message))
        if getattr(message, "rows_max", 0) > ROWS_MAX and "rows_max" not in arguments:
            message = msgspec.structs.replace(message, rows_max=ROWS_MAX)
        if getattr(message, "rows_max", 0) > ROWS_MAX:
            raise Refusal(422, f"rows_max is at most {ROWS_MAX} here: more rows come through natya.connect()")
        work_s = getattr(message, "timeout_s", None)
        timeout_s = ANSWER_S if work_s is None else work_s + ANSWER_S
        wanted = Operate(
            operation=operation.name,
            actor=actor,
            message=message,
            timeout_s=timeout_s,
            client=f"{client[0]}:{client[1]}",
            traceparent=traceparent,
        )
        try:
            value = await self._ask(CONTROL, wanted, timeout_s=timeout_s + 1.0)
        except RequestTimedOut as fault:
            raise Refusal(504, "no answer in time; it may still be done") from fault
        return _expect_answer(value)


def served() -> tuple[Operation, ...]:
    """Return the operations that are served over HTTP."""
    return tuple(each for each in OPERATIONS if each.over_http)


@functools.cache
def described() -> bytes:
    """Return the OpenAPI document of these; it is made when it is first asked for."""
    return msgspec.json.encode(document(served()))


def _read(operation: Operation, arguments: Mapping[str, Any], *, strict: bool) -> Any:
    """Make the request of its arguments; `8.0` is a whole number where JSON Schema and one of ours say so.

    Raises:
        msgspec.ValidationError: one is unknown, missing, of another type or out of range.
    """
    read = functools.partial(read_arguments, operation.request, strict=strict, without=operation.local_arguments)
    try:
        return read(arguments)
    except msgspec.ValidationError:
        return read(_whole(arguments))


def _whole(value: Any) -> Any:
    """Return a value with its floats that are whole numbers as integers."""
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _place(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the `traceparent` of a request; one that is none is left out, as the W3C wants it."""
    text = next((value for name, value in headers if name == b"traceparent"), b"").decode("latin-1")
    return text if parsed(text) is not None else ""


def _expect(turned: Turned | None) -> None:
    if turned is not None:
        after = ((b"retry-after", b"%d" % turned.retry_after_s),) if turned.retry_after_s else ()
        challenge = ((b"www-authenticate", b"Bearer"),) if turned.status == 401 else ()  # noqa: PLR2004  HTTP's own
        raise Refusal(turned.status, turned.reason, *after, *challenge)


def _expect_method(found: str, *wanted: str) -> None:
    if found not in wanted:
        raise Refusal(405, f"{' or '.join(wanted)} is wanted", (b"allow", ", ".join(wanted).encode()))


def _expect_answer(value: Any) -> Any:
    match value:
        case AskRefused():
            raise Refusal(_STATUS_OF[value.kind], value.reason)
        case Failed():
            raise Refusal(502, f"{value.actor} failed: {value.error}: {value.reason}")
        case Unavailable(is_unknown=True):
            raise Refusal(404, f"{value.actor}, in this system: {value.reason}")
        case Unavailable():
            after = (b"retry-after", b"%d" % max(1, min(round(value.retry_after_s), 3_600)))
            raise Refusal(503, f"{value.actor} is unavailable: {value.reason}", after)
        case _:
            return value


def _query(text: bytes) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(
            text.decode("ascii"), keep_blank_values=True, strict_parsing=bool(text), errors="strict",
            max_num_fields=QUERY_PARTS_MAX,
        )  # fmt: skip
    except ValueError as fault:
        raise Refusal(400, f"a query of name=value is wanted, at most {QUERY_PARTS_MAX} of them") from fault
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _value_of(operation: Operation, name: str, values: list[str]) -> Any:
    """Return one text, or several where the argument is a series."""
    type_ = next((field.type for field in msgspec.structs.fields(operation.http_form) if field.name == name), None)
    if get_origin(type_) is Annotated:  # a series with a bound
        type_ = get_args(type_)[0]
    if get_origin(type_) is tuple:
        return values
    if len(values) > 1:
        raise Refusal(422, f"{name} is wanted once")
    return values[0]


def _error(reason: str) -> bytes:
    return msgspec.json.encode({"error": reason})
