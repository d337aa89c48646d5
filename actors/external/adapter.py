"""An external service for those who write a client of one: subclass it, and give it a method for each thing to ask.

    from natya import Allowance, BaseExternalAdapter, Endpoint, Quota

    TODAY = Endpoint(name="today", kind="all", read=True, attempts_max=3)

    class Weather(BaseExternalAdapter):
        service = "weather"
        base_url = "https://api.weather.example/v1"
        allowances = {"all": Allowance(quotas=(Quota(10, 1_000_000_000),))}  # ten in a second

        def today(self, city):
            return self.call(TODAY, "GET", "/today", query={"city": city})

    async with Weather() as weather:
        result = await weather.today("Mumbai")

    with Weather() as weather:
        result = weather.today("Mumbai").result()

The calls are made by an actor, in the system that is given or in one of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, TypeAlias, TypeVar
from urllib.parse import urlsplit

import msgspec

from ...domain.quotas import Allowance
from ..runtime import InProcessSystem, to_the_end
from .actor import Ask, CountBefore, ExternalActor
from .calls import Call, Endpoint, ExternalServiceResult, Verdict
from .judging import judge
from .settings import ExternalSettings

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from .answer import HttpAnswer
    from .tally import TallySettings


Conversation: TypeAlias = Generator[Call, ExternalServiceResult, ExternalServiceResult]
"""Calls that follow from each other: it yields one, is sent its result, and returns what came of all."""

T = TypeVar("T")
U = TypeVar("U")


class Pending(Generic[T]):
    """Something on its way: `await` it, or read `result()`, which waits for it."""

    def __init__(self, future: Future[Any], make: Callable[[Any], T]) -> None:
        """Take the future of an answer, and what is to be made of it."""
        self._future: Final = future
        self._make: Final = make

    def __await__(self) -> Generator[Any, None, T]:
        import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

        return self._awaited(asyncio.shield(asyncio.wrap_future(self._future))).__await__()

    async def _awaited(self, answer: Any) -> T:
        return self._make(await answer)

    def result(self, timeout_s: float | None = None) -> T:
        """Wait for it.

        Raises:
            TimeoutError: it did not come in time; it may still.
        """
        return self._make(self._future.result(timeout_s))

    def then(self, make: Callable[[T], U]) -> Pending[U]:
        """Return the same with something else made of it; `make` is called by whoever waits."""
        return Pending(self._future, lambda answer: make(self._make(answer)))


class PendingResult(Pending[ExternalServiceResult]):
    """An `ExternalServiceResult` on its way."""

    def __init__(self, future: Future[Any]) -> None:
        """Take the future of an answer."""
        super().__init__(future, _result_of)


class BaseExternalAdapter:
    """One external service; usable from asyncio and from threads.

    A subclass names the service, its base URL and its allowances, and gives it a method for each thing to ask, which
    returns what `call` does. What an endpoint may be done with, repeated or kept for example, is said by `Endpoint`.
    The results are told apart by `success`, `sent` and `error`; what the service says never raises.

    Args:
        system: whose actors make the calls; by default one of its own, which ends with the adapter.
        ca_file: certificates to trust in the place of certifi's.
        proxy: URL of one, if there is to be one; nothing is taken from the environment.
    """

    service: ClassVar[str]
    """Its name, in logs."""

    base_url: str
    """With a scheme and a host, without a slash at its end: `https://api.weather.example/v1`."""

    allowances: Mapping[str, Allowance]
    """By kind of request."""

    fail_max: int = 5
    """Failures in a row, of whatever endpoint, after which no read is sent for a while."""

    reset_timeout_s: float = 10.0
    """Seconds until one is tried again."""

    tally: TallySettings | None = None
    """Which requests the next process is to count, if there is a folder for the files; None: those it is told of."""

    tally_folder: Path | None = None

    def __init__(
        self, *, system: InProcessSystem | None = None, ca_file: str | None = None, proxy: str | None = None
    ) -> None:
        self._given: Final = system
        self._ca_file: Final = ca_file
        self._proxy: Final = proxy
        self._guard: Final = threading.Lock()
        self._system: InProcessSystem | None = None
        self._is_closed = False

    # For a subclass.

    def headers(self) -> Mapping[str, str]:
        """Return what each request has besides, such as a token; asked for each, from several threads."""
        return {}

    def judge(self, answer: HttpAnswer, now_s: float) -> Verdict:
        """Say what an answer means; by default as `judging.judge` does."""
        return judge(answer, now_s)

    def call(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        **how: Any,
    ) -> PendingResult:
        """Make a call.

        Args:
            endpoint: what may be done with it.
            method: of HTTP.
            path: behind the base URL.
            query: names and values.
            json: what the body is to say; None for no body.
            how: `key`, `urgent`, `deadline_s` of `Call`.

        Raises:
            ValueError: there is no allowance of the endpoint's kind, the path does not begin with a slash, or the
                adapter is closed.
        """
        if endpoint.kind not in self.allowances:
            kinds = ", ".join(sorted(self.allowances)) or "none"
            raise ValueError(f"{endpoint.name}: one of the kinds {kinds} wanted, found {endpoint.kind!r}")
        if not path.startswith("/"):
            raise ValueError(f"{endpoint.name}: a path that begins with / wanted, found {path!r}")
        call = Call(
            endpoint=endpoint,
            method=method,
            url=f"{self.base_url}{path}",
            query=tuple((query or {}).items()),
            body=None if json is None else msgspec.json.encode(json),
            **how,
        )
        return self.make(call)

    def make(self, call: Call) -> PendingResult:
        """Make a call that is whole already.

        Raises:
            ValueError: the adapter is closed.
        """
        return PendingResult(self._running().request_future(self._name, Ask(call)))

    def count_before(self, kind: str, times_ns: Sequence[int]) -> None:
        """Count requests that other processes have sent against the limits; once for each kind.

        Args:
            kind: one of the allowances.
            times_ns: of their answers, since 1970-01-01 UTC.

        Raises:
            ValueError: the adapter is closed.
        """
        self._running().tell(self._name, CountBefore(kind, tuple(times_ns)))

    def converse(self, conversation: Conversation, future: Future[Any] | None = None) -> PendingResult:
        """Make calls that follow from each other.

        Args:
            conversation: is gone on with on whatever thread has the result, so it must not block.
            future: takes the result, in the place of a new one.

        Raises:
            ValueError: the adapter is closed.
        """
        self._running()
        future = Future() if future is None else future
        self._go_on(conversation, None, future)
        return PendingResult(future)

    def _go_on(self, conversation: Conversation, told: ExternalServiceResult | None, future: Future[Any]) -> None:
        try:
            call = conversation.send(told)  # type: ignore[arg-type]  # a generator that begins is sent None
            answer = self._running().request_future(self._name, Ask(call))
        except StopIteration as end:
            future.set_result(end.value)
        except Exception as fault:  # noqa: BLE001  whoever waits is told
            future.set_exception(fault)
        else:
            answer.add_done_callback(lambda done: self._take(conversation, done, future))

    def _take(self, conversation: Conversation, done: Future[Any], future: Future[Any]) -> None:
        """Go on with what came of a call; of one whose system stopped in the middle, nothing is known."""
        fault = done.exception()
        self._go_on(conversation, _result_of(done.result() if fault is None else fault), future)

    # Its life.

    def close(self) -> None:
        """Wait for the answers that are to come, and end what was begun here."""
        with self._guard:
            self._is_closed = True
            system, self._system = self._system, None
            if system is not None:
                system.stop(self._name)
                if system is not self._given:
                    system.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await to_the_end(self.close)

    @property
    def _name(self) -> str:
        return f"external-{self.service}"

    def _running(self) -> InProcessSystem:
        """Start the actor at the first call."""
        with self._guard:
            if self._is_closed:
                raise ValueError(f"{self.service}: an adapter that is open wanted, found one that was closed")
            if self._system is None:
                parts = urlsplit(self.base_url)
                host = parts.hostname or ""
                if parts.scheme not in {"http", "https"} or not host:
                    raise ValueError(
                        f"{self.service}: a base URL such as https://host/v1 wanted, found {self.base_url!r}"
                    )
                settings = ExternalSettings(
                    service=self.service,
                    hosts=frozenset({host}),
                    allowances=self.allowances,
                    headers=self.headers,
                    judge=self.judge,
                    fail_max=self.fail_max,
                    reset_timeout_s=self.reset_timeout_s,
                    ca_file=self._ca_file,
                    proxy=self._proxy,
                    tally=self.tally,
                    tally_folder=self.tally_folder,
                )
                system = self._given or InProcessSystem()
                system.start(self._name, ExternalActor, settings)
                self._system = system
            return self._system


def _result_of(answer: Any) -> ExternalServiceResult:
    """Make a result of whatever a request is answered with: an actor that fails, or is down, says so."""
    if isinstance(answer, ExternalServiceResult):
        return answer
    reason = getattr(answer, "reason", "")
    return ExternalServiceResult(success=False, error=f"{type(answer).__name__}: {reason}", sent="unknown")
