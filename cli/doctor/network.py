"""Checks that ask somebody over the network. The access token is sent to the broker alone, by one of them."""

from __future__ import annotations

import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.settings import Settings
    from ...domain.dhan.account.profile import IpAddresses

TIMEOUT_S: Final = 10.0
SLOW_S: Final = 1.0
ANSWER_S: Final = 30.0
MEND_WAY: Final = "is there a way to the network? DNS, a firewall, a proxy; then broker.base_url"


def broker(settings: Settings) -> Iterator[Finding]:
    """Whether the broker can be reached, and whether this clock and the broker's agree."""
    url = base_url(settings)
    if url is None:
        yield Finding("broker", "ok", "neither orders nor prices come from one: nothing is asked")
        return
    from ...actors.external import ExternalError  # noqa: PLC0415
    from ...actors.external.session import HttpSession  # noqa: PLC0415

    host = urlsplit(url).hostname or ""
    session = HttpSession(frozenset({host}))
    sent_ns = time.time_ns()
    try:
        answer = session.request("GET", url, timeout_s=TIMEOUT_S)
    except ExternalError as fault:
        yield Finding("broker", "fault", f"{host} is not reached: {fault}", MEND_WAY)
        return
    finally:
        session.close()
    took_s = answer.response_time_s
    mend = "orders take as long: trade from nearer to the broker" if took_s > SLOW_S else ""
    state = "warning" if took_s > SLOW_S else "ok"
    yield Finding("broker", state, f"{host} answers in {1_000 * took_s:,.0f} ms", mend)  # type: ignore[arg-type]
    yield judged_skew(answer.headers.get("date"), sent_ns=sent_ns, received_ns=time.time_ns())


def egress(settings: Settings) -> Iterator[Finding]:
    """Whether orders may come from this machine's address: the broker takes them from registered ones only."""
    of = settings.broker
    if of.name == "paper":
        yield Finding("egress address", "ok", "no order leaves for a broker")
        return
    if not (of.client_id and of.access_token):
        yield Finding(
            "egress address", "warning", "not asked: no access token", "natya secrets set broker.access_token"
        )
        return
    from ...actors.broker.adapters import DhanBrokerAdapter  # noqa: PLC0415

    with DhanBrokerAdapter(of.client_id, of.access_token, base_url=of.base_url) as adapter:
        try:
            result = adapter.get_ip().result(ANSWER_S)
        except TimeoutError:
            yield Finding("egress address", "warning", f"no answer in {ANSWER_S:g} s", "natya doctor, once more")
            return
    if not result.success:
        has_answered = result.status_code is not None
        mend = "natya secrets test says whether the broker takes the token" if has_answered else MEND_WAY
        yield Finding("egress address", "warning", f"the broker does not tell: {result.error}", mend)
        return
    yield judged_addresses(result.data)


def judged_addresses(found: IpAddresses) -> Finding:
    """Judge the broker's answer about the address that the request came from."""
    registered = [each for each in (found.primary_ip, found.secondary_ip) if each]
    mend = "register it on the broker's site, or by DhanBrokerAdapter.set_ip (locked for seven days then)"
    if not registered:
        return Finding("egress address", "fault", "no address is registered: the broker refuses orders", mend)
    shown = f"{found.detected_ip or 'unknown'}, registered: {', '.join(registered)}"
    if found.orders_allowed is False or (found.detected_ip and not _is_among(found.detected_ip, registered)):
        return Finding("egress address", "fault", f"orders from here are refused: {shown}", mend)
    if not found.detected_ip and found.orders_allowed is None:
        return Finding(
            "egress address", "warning", f"the broker does not tell this address: {shown}", "compare by hand"
        )
    return Finding("egress address", "ok", shown)


def _is_among(address: str, registered: list[str]) -> bool:
    """Compare addresses, not texts: IPv6 has many forms."""
    try:
        return ip_address(address) in {ip_address(each) for each in registered}
    except ValueError:
        return address in registered


def base_url(settings: Settings) -> str | None:
    """Return the base URL of the real broker; None if the settings do not use it."""
    if settings.broker.name == "paper" and settings.feed.source != "dhan":
        return None
    from ...actors.broker.bodies.dhan.endpoints import LIVE_URL  # noqa: PLC0415

    return settings.broker.base_url or LIVE_URL


def judged_skew(date: str | None, *, sent_ns: int, received_ns: int) -> Finding:
    """Judge this clock by the time in a server's answer."""
    from ...domain.clock_skew import judge_skew, skew_s  # noqa: PLC0415

    skew = skew_s(date, sent_ns=sent_ns, received_ns=received_ns)
    mend = "timedatectl set-ntp true, or chronyc makestep"
    match judge_skew(skew):
        case "unknown":
            return Finding("clock skew", "warning", "the broker does not tell the time", "compare with another clock")
        case "well":
            return Finding("clock skew", "ok", f"{skew:+.1f} s against the broker")
        case "alarm":
            return Finding("clock skew", "warning", f"{skew:+.1f} s against the broker", mend)
        case "too_far":
            return Finding("clock skew", "fault", f"{skew:+.1f} s: one-time codes would be wrong", mend)
