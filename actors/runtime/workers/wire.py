"""Protocol between a parent and its worker process: frames of msgpack over a socket pair.

A frame is a `Frame` behind its length. It carries messages of `natya.messages`, written as the codec writes them, and
of the types that the actor names (`own_types`); nothing that is read here is ever executed, and no version is needed:
both ends are of one build.

The messages of one sender are encoded separately, and decoded with the types and ranges of their classes: an invalid
one is refused alone, without harm to others or the frame. So they are not validated before.
"""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ....messages.codec import MESSAGE_SIZE_MAX_BYTES, MESSAGE_TYPES, VERSION, UndecodableMessageError, decode
from ....messages.framing import LENGTH_BYTES, header_of
from ....messages.system import Statistics
from ....messages.trace import Hop
from ..trace import Stamp
from .errors import RemoteError
from .own_types import NONE, OWN_TAG, Own, OwnTypes

if TYPE_CHECKING:
    AnyMessage: TypeAlias = Any
else:
    AnyMessage = functools.reduce(operator.or_, MESSAGE_TYPES)

FRAME_BYTES_MAX: Final = 4 * MESSAGE_SIZE_MAX_BYTES
"""A longer frame is refused unread, and the connection with it."""

ACTOR: Final = 0
"""The actor that runs in the worker process, as a target and as a sender."""


class Letters(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """Messages of one sender to one target, in order."""

    target: int | str
    """A name, or the number that the reader gave one of its own addresses when it was a sender."""

    sender: int
    """The writer's number for the sender: answers are addressed to it."""

    wants_answer: bool
    """The sender waits for one answer: if the message is a dead letter, `Unavailable` is that answer."""

    messages: bytes
    """As `letters` writes them; `messages_of` reads them."""

    traces: list[int | Stamp]
    """The trace of each message."""

    own: bool = False
    """Some are of the actor's own types: they are read one by one, by `messages_apart`."""


class Unreadable(msgspec.Struct, frozen=True):
    """Stands for a message that is not as its class declares."""

    kind: str
    """Name of the class; empty if it is unknown."""

    reason: str


class Assignment(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """To a new worker process, first of all: which actor it is to run."""

    build_id: str
    name: str
    actor: str
    """`module:Class`."""

    settings_type: str
    """`module:Class` of the settings' Struct; empty where there are none."""

    settings: bytes
    """The settings as msgpack."""

    seed: int | None
    """Of the actor's `random`, as in the parent; None: different each time."""

    trace_every: int
    first_id: int
    """First id of its conversations and hops, so that those of two processes differ."""

    memory_limit_mb: int = 0

    life: int = 0
    """Which life of the actor is its first there."""

    market_ns: int | None = None
    """The time of the simulated market, in nanoseconds since 1970-01-01 UTC; None: there is none."""

    background: tuple[str, ...] = ()
    """Names of the actors that a simulated market does not wait for, except where they are asked."""


class Restart(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """To the worker process: restart the actor in place; its state is handed over there."""


class Stop(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """To the worker process: stop the actor in order."""


class Due(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    """To the worker process: do what waits there under this number, a timer's or that of a question's outcome."""

    number: int


class Arm(msgspec.Struct, frozen=True, array_like=True, tag="T"):
    """From the worker process: say this number when it is so late in the market."""

    number: int
    due_ns: int
    """Nanoseconds since 1970-01-01 UTC."""


class Disarm(msgspec.Struct, frozen=True, array_like=True, tag="D"):
    """From the worker process: do not say it."""

    number: int


class Asks(msgspec.Struct, frozen=True, array_like=True, tag="q"):
    """From the worker process, before the question: the market is to stand still until that is answered."""

    number: int


class Answered(msgspec.Struct, frozen=True, array_like=True, tag="Q"):
    """From the worker process: the outcome of a question is there; say its number when it may be handled."""

    number: int


class Started(msgspec.Struct, frozen=True, array_like=True, tag="S"):
    """From the worker process: the actor runs."""


class Raised(msgspec.Struct, frozen=True, array_like=True):
    """An exception in the worker process: what its supervisor goes by, and what people are told."""

    kind: str
    """Name of its type."""

    reason: str
    trace: str = ""
    raised_at: str = ""
    """As by `where_of`."""

    restart_helps: bool = True
    """As by the function of that name, and the next one too."""

    fails_start: bool = False

    def as_error(self) -> RemoteError:
        """Return an exception that prints as the one that was raised there, its traceback as a note."""
        kind = type(self.kind, (RemoteError,), {"__module__": RemoteError.__module__})
        error: RemoteError = kind(self.reason)
        error.raised_at = self.raised_at
        error.restart_helps, error.fails_start = self.restart_helps, self.fails_start
        if self.trace:
            error.add_note(f"In the worker process:\n{self.trace}")
        return error


class StartFailed(msgspec.Struct, frozen=True, array_like=True, tag="N"):
    """From the worker process: the actor's start failed."""

    raised: Raised
    refused: bool = False
    """Whether the process itself cannot run it: it has other code, or cannot import the actor."""


class HandlerFailed(msgspec.Struct, frozen=True, array_like=True, tag="F"):
    """From the worker process: a handler raised; the message is a dead letter, and its sender was answered."""

    raised: Raised
    got_past: bool | None = None
    """As in `lifecycle.ChildHandlerFailed`."""


class Stopped(msgspec.Struct, frozen=True, array_like=True, tag="E"):
    """From the worker process, its last frame: the actor has stopped."""

    statistics: Statistics | None
    raised: Raised | None
    requested: bool


class Handled(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """From the worker process: the actor has handled all messages up to this mark; those it sent precede this."""

    mark: int

    busy: bool = False
    """Whether offloaded jobs are still running: if so, this is sent again when they are done."""

    done: int = 0
    """How many of the parcels that ask for something (`Assignment`, `Restart`, `Due`) are done with."""


class TurnedAway(msgspec.Struct, frozen=True, array_like=True, tag="u"):
    """From the worker process: a message could not be decoded."""

    place: int
    """Number of the message among all that were posted, from 1."""

    reason: str


class Alive(msgspec.Struct, frozen=True, array_like=True, tag="v"):
    """From the worker process, between two turns of a long batch: it is alive."""


class Lost(msgspec.Struct, frozen=True, array_like=True, tag="x"):
    """From the worker process, whenever one of these counts has grown: messages lost there so far."""

    dropped: int
    """Messages that were dropped or refused because too many waited to leave it."""

    dead_letters: int


class Hops(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """From the worker process: the hops that it recorded since the last time."""

    hops: list[Hop]
    """Times are monotonic, a clock that all processes of a machine share."""


class Logged(msgspec.Struct, frozen=True, array_like=True, tag="L"):
    """From the worker process: something for the log."""

    level: int
    event: str
    actor: str
    fields: str
    """A JSON object."""

    correlation_id: str = ""


Parcel: TypeAlias = (
    Letters | Assignment | Restart | Stop | Due  # both ways, and from the parent
    | Arm | Disarm | Asks | Answered
    | Started | StartFailed | HandlerFailed | Stopped | Handled | TurnedAway | Alive | Lost | Hops | Logged
)  # fmt: skip


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One batch."""

    parcels: list[Parcel]

    mark: int = 0
    """How many messages were posted so far; it comes back as `Handled`. 0: there are none in this one."""

    released_ns: int | None = None
    """When the market released its newest message, by the monotonic clock that all processes of a machine share."""

    market_ns: int | None = None
    """The time of the simulated market, at which all in this frame is handled; None: there is none."""


_encoder = msgspec.msgpack.Encoder(decimal_format="string")
_decoder = msgspec.msgpack.Decoder(Frame)
_messages = msgspec.msgpack.Decoder(list[AnyMessage])
_apart = msgspec.msgpack.Decoder(list[msgspec.Raw])
_own = msgspec.msgpack.Decoder(Own)

_MAPS: Final = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))
"""First bytes of a map in msgpack: what a Struct without a tag is written as."""


def letters(  # noqa: PLR0913  each is a field of the letters
    target: int | str,
    sender: int,
    *,
    wants_answer: bool,
    messages: list[Any],
    traces: list[int | Stamp],
    own: OwnTypes = NONE,
) -> Letters:
    """Encode messages of one sender to one target.

    Raises:
        Exception: one of them has no wire form; of any type, since a user's value may run code of its own.
    """
    if not own.are_in(messages):
        return Letters(target, sender, wants_answer, _encoder.encode(messages), traces)
    packed = [own.packed(message, _encoder) for message in messages]
    return Letters(target, sender, wants_answer, _encoder.encode(packed), traces, own=True)


def messages_of(letters: Letters) -> list[Any]:
    """Decode messages, each with the types and ranges of its class.

    Raises:
        ValueError: one of them is invalid, or they are not as many as their traces.
    """
    try:
        messages = _messages.decode(letters.messages)
    except RecursionError as fault:
        raise ValueError(str(fault)) from fault
    return _as_many(messages, letters)


def messages_apart(letters: Letters, own: OwnTypes = NONE) -> list[Any]:
    """Decode messages one by one: after `messages_of` failed, or where some are of the actor's own types.

    `Unreadable` stands for each that is invalid.

    Raises:
        ValueError: they cannot be separated: a `msgspec.Raw` in one of them was not one value.
    """
    return [_read_alone(written, own) for written in _as_many(_apart.decode(letters.messages), letters)]


def _as_many(messages: list[Any], letters: Letters) -> list[Any]:
    if len(messages) != len(letters.traces):
        raise ValueError(f"a trace of each message wanted, found {len(letters.traces)} of {len(messages)}")
    return messages


def _read_alone(written: msgspec.Raw, own: OwnTypes) -> Any:
    kind = _kind_of(written)
    if kind == OWN_TAG:
        return _read_own(written, own)
    try:
        return decode(bytes([VERSION]) + bytes(written))
    except UndecodableMessageError as fault:
        if bytes(written)[0] in _MAPS:
            return Unreadable("", "its class is none of natya.messages, nor one that the actor's wire_types names")
        return Unreadable(kind, str(fault))


def _read_own(written: msgspec.Raw, own: OwnTypes) -> Any:
    kind = OWN_TAG
    try:
        found = _own.decode(written)
        kind = found.kind.rpartition(":")[2].rpartition(".")[2]
        return own.read(found)
    except ValueError as fault:
        return Unreadable(kind, str(fault))


def _kind_of(written: msgspec.Raw) -> str:
    try:
        kind, *_ = msgspec.msgpack.decode(written, type=list[Any])
    except (ValueError, RecursionError):  # no tag, or what no message has
        return ""
    return kind if isinstance(kind, str) else ""


def write(frame: Frame) -> memoryview:
    """Encode a frame, length included.

    Raises:
        TypeError, ValueError, OverflowError: a message in it has no wire form, or together they are too long.
    """
    body = bytearray(LENGTH_BYTES)
    _encoder.encode_into(frame, body, LENGTH_BYTES)
    length = len(body) - LENGTH_BYTES
    if length > FRAME_BYTES_MAX:
        raise ValueError(f"a frame has up to {FRAME_BYTES_MAX} bytes, this one {length}")
    body[:LENGTH_BYTES] = header_of(length)
    return memoryview(body)


def read(body: bytes | bytearray | memoryview) -> Frame:
    """Decode a frame without its length.

    Raises:
        ValueError: it is none (`msgspec.DecodeError`, or invalid UTF-8).
    """
    return _decoder.decode(body)
