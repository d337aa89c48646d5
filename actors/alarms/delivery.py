"""How an alarm is told: a command, a webhook, a message of Telegram. Plain functions that block; used by the actor.

An error names the way and what went wrong, never an address or a token: the address of a webhook is its password.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

import msgspec

from ...config.layers import without_secrets
from ...domain.time import time_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...config.sections.notifications import NotificationsSettings
    from ..external.answer import HttpAnswer
    from .lasting import Notice

TIMEOUT_S: Final = 10.0
TELEGRAM: Final = "https://api.telegram.org"
_OK: Final = range(200, 300)
_WORDS: Final = {"raised": "", "repeated": "still: ", "over": "over: "}


class NotDeliveredError(Exception):
    """It was not told, or nobody knows whether it was; to tell it again does no harm."""


class Session(Protocol):
    """What is needed of an HTTP session."""

    def request(
        self, method: str, url: str, *, timeout_s: float, headers: Mapping[str, str] | None, body: bytes | None
    ) -> HttpAnswer:
        """Send one request."""

    def close(self) -> None:
        """Close it."""


def _new_session(host: str) -> Session:
    from ..external.session import HttpSession  # noqa: PLC0415  60 ms that only who has a webhook has to pay

    return HttpSession(frozenset({host}), threads=1)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A notice as a command finds it on its standard input, and a webhook in its body."""

    text: str
    """All of it, in a line for people."""

    change: str
    rule: str
    subject: str
    severity: str
    since: str
    instance: str
    """Which system."""


def told(notice: Notice, instance: str) -> Told:
    """Put a notice into words."""
    alarm = notice.alarm
    return Told(
        text=f"natya {instance}: {_WORDS[notice.change]}{alarm.severity}: {alarm.text}",
        change=notice.change,
        rule=alarm.rule,
        subject=alarm.subject,
        severity=alarm.severity,
        since=time_text(alarm.since_ns),
        instance=instance,
    )


def ways(
    settings: NotificationsSettings, new_session: Callable[[str], Session] = _new_session
) -> dict[str, Callable[[Told], None]]:
    """Return how alarms are told, by name; each raises `NotDeliveredError`."""
    found: dict[str, Callable[[Told], None]] = {}
    if settings.command:
        found["command"] = lambda notice: run_command(settings.command, notice)
    if settings.webhook:
        url = settings.webhook.reveal()
        found["webhook"] = lambda notice: _post("the webhook", url, msgspec.json.encode(notice), new_session)
    if settings.telegram_token and settings.telegram_chat:
        message_url = f"{TELEGRAM}/bot{settings.telegram_token.reveal()}/sendMessage"
        found["telegram"] = lambda notice: _post(
            "Telegram",
            message_url,
            msgspec.json.encode({"chat_id": settings.telegram_chat, "text": notice.text}),
            new_session,
        )
    return found


def run_command(command: tuple[str, ...], notice: Told) -> None:
    """Run a command, without a shell, with the notice as JSON on its standard input, and no secret in its environment.

    Raises:
        NotDeliveredError: it cannot be run, failed, or did not end in time.
    """
    try:
        ended = subprocess.run(  # noqa: S603  the user's own settings name it
            command,
            input=msgspec.json.encode(notice),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
            env=without_secrets(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired, ValueError) as fault:
        raise NotDeliveredError(f"the command was not run to its end: {type(fault).__name__}") from fault
    if ended.returncode:
        raise NotDeliveredError(f"the command ended with {ended.returncode}")


def _post(who: str, url: str, body: bytes, new_session: Callable[[str], Session]) -> None:
    from ..external import ExternalError  # noqa: PLC0415  as above

    session = new_session(urlsplit(url).hostname or "")
    try:
        answer = session.request(
            "POST", url, timeout_s=TIMEOUT_S, headers={"Content-Type": "application/json"}, body=body
        )
    except ExternalError as fault:
        raise NotDeliveredError(f"{who} was not reached: {type(fault).__name__}") from None
    finally:
        session.close()
    if answer.status_code not in _OK:
        raise NotDeliveredError(f"{who} answered {answer.status_code}")
