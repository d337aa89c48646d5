"""Checks of files, ports and credentials that settings name. Nothing that is found of a secret is ever shown."""

from __future__ import annotations

import os
import re
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...domain.time import SECOND_NS
from . import forms
from .finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.settings import Settings

HOUR_NS: Final = 3_600 * SECOND_NS
PRIVATE: Final = ("control.token", "control.sock", "natya.lock")
_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022


def data_directory(settings: Settings) -> Iterator[Finding]:
    """Whether the data directory is this user's alone."""
    from ...config.files import expect_own_folder  # noqa: PLC0415

    path = Path(settings.system.data_dir)
    if not path.exists():
        yield Finding("data directory", "ok", f"{path} is made at the first start")
        return
    try:
        expect_own_folder(path)
    except OSError as fault:
        yield Finding("data directory", "fault", str(fault), f"chown it to this user, and chmod 700 {path}")
        return
    if path.stat().st_mode & _OTHERS:
        mode = stat.S_IMODE(path.stat().st_mode)
        yield Finding(
            "data directory", "warning", f"others may look into {path} (mode {mode:04o})", f"chmod 700 {path}"
        )
    else:
        yield Finding("data directory", "ok", f"{path} is this user's alone")
    for name in PRIVATE:
        file = path / name
        if file.exists() and stat.S_IMODE(file.lstat().st_mode) & (_OTHERS_WRITE if name.endswith("lock") else _OTHERS):
            mode = stat.S_IMODE(file.lstat().st_mode)
            yield Finding("file permissions", "fault", f"{file} has mode {mode:04o}", f"chmod 600 {file}")


def running(settings: Settings) -> Iterator[Finding]:
    """Whether a system runs there, and is well."""
    from ...actors.control import ControlError, NotRunningError, NotServingError  # noqa: PLC0415
    from ...client import connect  # noqa: PLC0415

    try:
        with connect(settings.system.data_dir) as system:
            health = system.health()
    except NotServingError as fault:
        yield Finding("running system", "warning", str(fault), "ask again when it has started, or set control.enabled")
    except NotRunningError:
        yield Finding("running system", "ok", "none runs in the data directory")
    except ControlError as fault:
        yield Finding("running system", "fault", f"one runs and does not answer: {fault}", "see its log; natya tree")
    else:
        mend = "" if health.ready else "natya health says which component is down"
        found = "it is ready" if health.ready else health.reason
        yield Finding("running system", "ok" if health.ready else "fault", found, mend)


def ports(settings: Settings) -> Iterator[Finding]:
    """Whether the ports that are named are free."""
    import msgspec  # noqa: PLC0415

    from ...actors.control import ControlError  # noqa: PLC0415
    from ...actors.web import AddressTakenError, expect_free  # noqa: PLC0415
    from ...client import connect  # noqa: PLC0415

    wanted = {
        "control.http_port": settings.control.http_port if settings.control.http else 0,
        "web.port": settings.web.port if settings.broker.wire else 0,
    }
    named = {name: port for name, port in wanted.items() if port}
    own_url = ""
    if named:
        try:
            with connect(settings.system.data_dir) as system:
                own_url = system.show_http().url
        except ControlError:
            own_url = ""  # none runs: then the port has to be free
    for name, port in named.items():
        try:
            expect_free(msgspec.structs.replace(settings.web, port=port))
        except AddressTakenError as fault:
            if not own_url.endswith(f":{port}"):
                yield Finding("ports", "fault", f"{name}: {fault}", f"name another {name}, or end who listens there")
                continue
        yield Finding("ports", "ok", f"{name} {port}")
    if not named:
        yield Finding("ports", "ok", "none is named")


def credentials(settings: Settings) -> Iterator[Finding]:
    """Whether the credentials have the form that the broker gives them; they are not sent anywhere."""
    broker = settings.broker
    if broker.name == "paper" and not broker.access_token:
        yield Finding("credentials", "ok", "paper trading needs none")
        return
    faults = [*_client_id(broker.client_id), *forms.pin(broker.pin.reveal()), *forms.seed(broker.totp_secret.reveal())]
    yield from faults
    has_login, is_dhans = bool(broker.pin) and bool(broker.totp_secret), not broker.base_url
    token = list(_token(broker.access_token.reveal(), has_login=has_login, is_dhans=is_dhans))
    yield from token
    if not faults and not token:
        yield Finding("credentials", "ok", "client id, token and codes have the right form")
    if "BROKER_ACCESS_TOKEN" in os.environ or "NATYA_BROKER__ACCESS_TOKEN" in os.environ:
        yield Finding(
            "credentials", "warning", "the access token is in the environment, which children and /proc show",
            "natya secrets set broker.access_token, and unset it",
        )  # fmt: skip


def _client_id(text: str) -> Iterator[Finding]:
    if not re.fullmatch(r"[0-9]{4,20}", text):
        found = "no client id" if not text else "a client id that is no number"
        yield Finding("credentials", "fault", found, "set broker.client_id to the number that the broker shows")


def _token(text: str, *, has_login: bool, is_dhans: bool) -> Iterator[Finding]:
    from ...domain.dhan.tokens import life_of  # noqa: PLC0415

    if not text:
        if not has_login:
            mend = "set broker.access_token, or broker.pin and broker.totp_secret to have tokens by themselves"
            yield Finding("credentials", "fault", "no access token, and nothing to get one with", mend)
        return
    now_ns = time.time_ns()
    life = life_of(text, now_ns=now_ns)
    mend = "get a new one: natya broker login, or from the broker's site"
    if life is None:
        if is_dhans:  # an exchange of one's own takes any text
            yield Finding("credentials", "fault", "an access token that is none of this broker's", mend)
    elif life.is_over(now_ns):
        yield Finding("credentials", "fault", "an access token that has expired", mend)
    elif life.ends_ns - now_ns < HOUR_NS and not has_login:
        yield Finding("credentials", "warning", f"an access token that is {life}", mend)
