"""What can go wrong with the runtime itself; one type for each decision a caller can take."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...domain.causes import causes_of
from ...domain.shown import encodable, shortened, traceback_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REASON_MAX: Final = 4_096
"""Characters of an error's text that are put into messages, facts, dead letters and the tree."""

TRACE_MAX: Final = 8_192
"""Characters of a traceback that are kept."""

_PACKAGE: Final = Path(__file__).parents[2]
_OURS: Final = (
    *(f"{_PACKAGE / name}/" for name in ("actors", "cli", "client", "config", "domain", "messages", "transfer")),
    "<",
)
"""Folders of this package's code; its root also has tests and examples, which do not belong to it."""


@functools.cache
def _installed() -> tuple[str, ...]:
    """Return where Python's own code lies, and that of packages."""
    import sysconfig  # noqa: PLC0415  5 ms, for which a start without a failure need not wait

    return tuple(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib"))


_hiding: list[Callable[[str], str]] = []
"""What takes secrets out of a text, of each system that runs in this process."""


@contextlib.contextmanager
def hiding(hide: Callable[[str], str]) -> Iterator[None]:
    """Remove secrets from the texts of errors, wherever raised, while the context lasts.

    What an error says goes into messages, facts, dead letters, the tree and alarms, and from there to other processes,
    files and people: a request's error has its URL, and that may have a token.
    """
    _hiding.append(hide)
    try:
        yield
    finally:
        _hiding.remove(hide)


def _without_secrets(text: str) -> str:
    for hide in tuple(_hiding):
        text = hide(text)
    return text


def reason_of(error: BaseException) -> str:
    """Return the error's text without secrets, shortened, as UTF-8 can encode it; or that its `__str__` raised.

    Of a name that is not there it says which one was probably meant.
    """
    try:
        return shortened(_without_secrets(encodable(f"{error}{_probably_meant(error)}")), REASON_MAX)
    except Exception as fault:  # noqa: BLE001  the first error is the one to report
        return f"its text could not be had: {type(fault).__name__}"


def _probably_meant(error: BaseException) -> str:
    if not isinstance(error, AttributeError) or error.obj is None or error.name is None:
        return ""
    from difflib import get_close_matches  # noqa: PLC0415  as above

    try:
        names = [each for each in dir(error.obj) if not each.startswith("_")]
    except Exception:  # noqa: BLE001  whatever its object does, the error is the one to report
        return ""
    near = get_close_matches(error.name, names, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def trace_of(error: BaseException | None) -> str:
    """Return the error's traceback as Python prints it, without secrets, shortened, as `reason_of` does; or nothing."""
    return shortened(_without_secrets(traceback_of(error)), TRACE_MAX)


def where_of(error: BaseException | None) -> str:
    """Return `file:line in function` of the innermost frame of the traceback that is a user's code.

    Of an error of a worker process: the place found there. Empty if no frame is a user's.
    """
    if error is None:
        return ""
    if told := _said_by(error, "raised_at", ""):
        return str(told)
    # Without `traceback.extract_tb`, which looks for each file and reads the line: a restart would take twice as long.
    own = installed = None
    step = error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if not file.startswith(_OURS):
            if file.startswith(_installed()):
                installed = step
            else:
                own = step
        step = step.tb_next
    found = own or installed
    if found is None:
        return ""
    code = found.tb_frame.f_code
    return f"{code.co_filename}:{found.tb_lineno} in {code.co_name}"


def restart_helps(error: BaseException | None) -> bool:
    """Say whether a restart can help: not if the error, or one that caused it, has `restart_helps = False`.

    Damaged files, for one, are as damaged a second later.
    """
    return all(_said_by(each, "restart_helps", True) for each in causes_of(error))


def fails_start(error: BaseException | None) -> bool:
    """Say whether the first start of all fails by this error, though its child may be parked.

    What no restart can mend does, since whoever starts can mend it; unless the error has `fails_start = False`, as what
    may come between two starts of a system that nobody watches.
    """
    for each in causes_of(error):
        if not _said_by(each, "restart_helps", True):
            return bool(_said_by(each, "fails_start", True))
    return False


def _said_by(error: BaseException, name: str, otherwise: Any) -> Any:
    """Return an attribute of an error, which may be of a user's own class and raise at that."""
    try:
        return getattr(error, name, otherwise)
    except Exception:  # noqa: BLE001  whatever its code raises, it has not said it
        return otherwise


class ActorRuntimeError(Exception):
    """Base of the runtime's errors."""


class UnknownActorError(ActorRuntimeError):
    """No actor of that name runs here. Start it, or correct the name."""


class StashFullError(ActorRuntimeError):
    """`stash_max` messages are stashed already. Uncaught, it fails the message alone: the actor is not restarted."""


class NameTakenError(ActorRuntimeError):
    """An actor of that name runs already. Choose another name."""


class RequestTimedOut(ActorRuntimeError):  # noqa: N818  reads as what happened, as in `except RequestTimedOut`
    """No answer within the time given; the request may still be handled. A late answer goes to the dead letters."""


def timed_out(timeout_s: float, target: Any, message: Any) -> RequestTimedOut:
    """Return the error that says who did not answer what."""
    name = getattr(target, "name", "") or str(target)
    return RequestTimedOut(f"no answer in {timeout_s:g} s from {name} to {type(message).__name__}")


class WouldDeadlockError(ActorRuntimeError):
    """A blocking request on the thread that would have to answer it. Send, and handle the answer."""


class SystemStoppedError(ActorRuntimeError):
    """The system was shut down, or belongs to the process that forked this one. Start another."""


class OffloadRefusedError(ActorRuntimeError):
    """Too many jobs are waiting on this actor's threads. Slow down, or raise `offloads_max`."""


class WatchRefusedError(ActorRuntimeError):
    """Too many watch that actor, or it is in another process."""


class UnsupportedBaseError(ActorRuntimeError):
    """Our actors do not run on this Thespian system base; the reason is in the text."""


class MessageRefusedError(ActorRuntimeError):
    """A message to an actor of ours is invalid, or this sender may not send it. Correct the message."""
