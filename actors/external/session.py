"""One HTTP session with a service, that gives its secrets to nobody else and never hangs; it blocks, and has no actor.

The problem: `requests` follows a redirection to another host with the headers of ours, takes proxies, passwords and
certificates from the environment, waits for a server that drips, inflates whatever it is sent, and puts query strings
into its errors. The idea: what may be asked is checked before anything is opened, the answer is bounded in time and
size while it is read, and every failure says whether the request has left. The trap: a connection that was kept may be
closed by the service at the very moment at which a request is written to it; that request has left, and is in doubt.
"""

from __future__ import annotations

import functools
import ipaddress
import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import requests
from requests.adapters import HTTPAdapter

from ...domain.causes import causes_of
from ...domain.time import SECOND_NS
from .answer import BODY_BYTES_MAX, HttpAnswer
from .deadline import CALL, POOLS, BoundedTlsSocket, Call
from .errors import NotSentError, RefusedAnswerError, UnknownOutcomeError
from .inflating import inflated
from .tls import tls_context

THREADS: Final = 8
HEADS_KEPT: Final = 32
"""Requests whose heads are kept, checked and put together: most differ from an earlier one in their body alone."""

_CHUNK_BYTES: Final = 1 << 16
_ENCODING_SHOWN: Final = 40
_REDIRECTIONS: Final = range(300, 400)
_NOT_MODIFIED: Final = 304


class _Discretion(logging.Filter):
    """Keeps out of the log what urllib3 tells of our requests, at any level: it quotes their queries."""

    def filter(self, _record: logging.LogRecord) -> bool:
        """Let pass what is none of ours."""
        return CALL.get(None) is None


for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry", "util.ssl_"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_Discretion())


class HttpSession:
    """Sends single requests to the hosts of one service; safe for many threads.

    Args:
        hosts: those it may talk to; by https, save where it is this machine.
        threads: as many connections a host are kept.
        body_bytes_max: of an answer, decoded.
        ca_file: certificates to trust in the place of certifi's.
        proxy: URL of one, if there is to be one; nothing is taken from the environment.
        user_agent: what the session calls itself.
    """

    def __init__(  # noqa: PLR0913 - each is one decision about safety
        self,
        hosts: frozenset[str],
        *,
        threads: int = THREADS,
        body_bytes_max: int = BODY_BYTES_MAX,
        ca_file: str | None = None,
        proxy: str | None = None,
        user_agent: str = "natya",
    ) -> None:
        self._hosts: Final = hosts
        self._body_bytes_max: Final = body_bytes_max
        self._proxies: Final = {} if proxy is None else {"http": proxy, "https": proxy}
        self._session: Final = _Straight()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip"})
        context = tls_context(ca_file)
        context.sslsocket_class = BoundedTlsSocket
        self._heads: Final[dict[tuple[str, str, tuple[tuple[str, str], ...]], requests.PreparedRequest]] = {}
        adapter = _BoundedAdapter(context, threads)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def request(  # noqa: PLR0913  each is a part of a request
        self,
        method: str,
        url: str,
        *,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        sink: Callable[[bytes], object] | None = None,
    ) -> HttpAnswer:
        """Send one request, once, and read the whole answer.

        Args:
            method: of HTTP, such as GET.
            url: with its query, if any.
            timeout_s: for all of it: connection, request, answer.
            headers: added to those of the session.
            body: as it is sent.
            sink: takes the answer's body, part by part; the answer that is returned has none then.

        Raises:
            NotSentError: it may not be asked, or nothing of it left.
            UnknownOutcomeError: it left, and no whole answer came.
            RefusedAnswerError: the answer is a redirection, larger than allowed, or packed otherwise than by gzip.
        """
        where = self._permit(method, url)
        call, started_ns = Call(timeout_s), time.monotonic_ns()
        token = CALL.set(call)
        try:
            prepared = self._prepared(method, url, headers or {}, body)
            with self._session.send(
                prepared, stream=True, allow_redirects=False, timeout=timeout_s, proxies=self._proxies
            ) as response:
                answer = self._read(response, where, sink)
        except (NotSentError, RefusedAnswerError):
            raise
        except Exception as error:  # noqa: BLE001  whatever a server or a header makes of the libraries
            cause = _innermost(error)
            # Not from `error`: its text has the query, and the query may have a password; nor from what an HTTP library
            # says, which quotes headers.
            shown = cause if _is_of_the_system(cause) else None
            reason = f"{where}: {type(cause).__name__}{'' if shown is None else f': {shown}'}"
            raise (UnknownOutcomeError(reason) if call.written else NotSentError(reason)) from shown
        finally:
            CALL.reset(token)
        return msgspec.structs.replace(answer, response_time_s=(time.monotonic_ns() - started_ns) / SECOND_NS)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._session.close()

    def _prepared(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> requests.PreparedRequest:
        """Return a request as `requests` prepares it; only its body is put in anew where there was one of this head."""
        head = method, url, tuple(headers.items())
        known = self._heads.get(head)
        if known is None:
            known = self._session.prepare_request(requests.Request(method, url, headers=dict(headers)))
            self._permit(method, known.url or "")  # of `https://a\@b/` they ask a, where we have read b
            known._cookies = None  # noqa: SLF001  there never is one, and copying an empty jar takes as long as the rest
            if len(self._heads) >= HEADS_KEPT:
                self._heads.clear()
            self._heads[head] = known
        prepared = known.copy()
        if body:
            prepared.body = body
            prepared.headers["Content-Length"] = str(len(body))
        return prepared

    def _permit(self, method: str, url: str) -> str:
        """Refuse what may not leave, and say in words that may be logged what it is."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise NotSentError(f"{method!a}: a URL wanted, found none") from None
        where = ascii(f"{method} {parts.hostname}{f':{port}' if port else ''}{parts.path}")[1:-1]
        if parts.hostname not in self._hosts:
            raise NotSentError(f"{where}: one of the hosts {', '.join(sorted(self._hosts))} wanted")
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
            raise NotSentError(f"{where}: https wanted, found {parts.scheme}; only this machine may be asked without")
        return where

    def _read(
        self, response: requests.Response, where: str, sink: Callable[[bytes], object] | None = None
    ) -> HttpAnswer:
        status = response.status_code
        if status in _REDIRECTIONS and status != _NOT_MODIFIED:
            to = _host_of(response.headers.get("location", ""))
            raise RefusedAnswerError(f"{where}: an answer wanted, found a redirection ({status}) to {to}", status)
        chunks: list[bytes] = []
        size, take = 0, sink or chunks.append
        for chunk in self._decoded(response, where):
            size += len(chunk)
            if size > self._body_bytes_max:
                limit = self._body_bytes_max
                raise RefusedAnswerError(f"{where}: an answer of at most {limit} bytes wanted, found more", status)
            take(chunk)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(status_code=status, headers=headers, body=b"".join(chunks), response_time_s=0.0)

    def _decoded(self, response: requests.Response, where: str) -> Iterator[bytes]:
        raw = iter(functools.partial(response.raw.read, _CHUNK_BYTES, decode_content=False), b"")
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding in {"", "identity"}:
            return raw
        if encoding not in {"gzip", "x-gzip"}:
            wanted = f"{where}: an answer as it is, or in gzip, wanted"
            raise RefusedAnswerError(f"{wanted}, found {encoding[:_ENCODING_SHOWN]!a}", response.status_code)
        return inflated(raw, _CHUNK_BYTES)


class _Straight(requests.Session):
    """Looks at no redirection, not even to say where it would lead."""

    def get_redirect_target(self, _response: requests.Response) -> None:
        """Find none."""


class _BoundedAdapter(HTTPAdapter):
    """Connections whose sockets keep to the call's time, with one TLS context that nothing adds to."""

    def __init__(self, context: ssl.SSLContext, threads: int) -> None:
        self._context: Final = context
        super().__init__(pool_maxsize=threads, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **named)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, ssl_context=self._context, **named)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def close(self) -> None:
        """Close the connections now: urllib3 leaves it to the garbage collector, and a failure keeps a pool alive."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in manager.pools.keys():  # noqa: SIM118  it is no dictionary: only its keys can be gone through
                if (pool := manager.pools.get(key)) is not None:
                    pool.close()
        super().close()

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave certificates to the context."""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_of(url: str) -> str:
    try:
        return ascii(urlsplit(url).hostname)
    except ValueError:
        return "nowhere"


def _innermost(error: BaseException) -> BaseException:
    """Find what all the others were made of."""
    *_, innermost = causes_of(error, with_context=True)
    return innermost


def _is_of_the_system(cause: BaseException) -> bool:
    """Tell whether it comes from sockets or TLS: those of HTTP libraries are OSErrors, too, and quote the request."""
    return isinstance(cause, OSError) and not isinstance(cause, requests.RequestException)
