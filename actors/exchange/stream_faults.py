"""Faults of the sockets, on demand: which opening or frame meets which, decided from a seed. Pure but for `take`.

A fault falls on the opening of a socket (`OPENING`), on one frame that is to be sent, or, beginning with a frame, on
all that its socket does from then on (`LASTING`). Disconnect packets and the control frames of the protocol meet none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from .drawing import Drawing

if TYPE_CHECKING:
    import random

StreamFaultKind: TypeAlias = Literal[
    "throttled",
    "server_error",
    "login_refused",
    "dropped",
    "closed",
    "ended",
    "frozen",
    "silent",
    "dripping",
    "garbage",
    "wrong_length",
    "duplicated",
    "reordered",
    "delayed",
    "lost",
]

OPENING: Final[dict[StreamFaultKind, int]] = {"throttled": 429, "server_error": 502, "login_refused": 0}
"""Those of an opening, with the status that refuses it; 0: the socket opens, and is ended."""

LASTING: Final[frozenset[StreamFaultKind]] = frozenset({"dropped", "closed", "ended", "frozen", "silent"})
"""After one of these a socket sends no frame any more."""

GARBAGE_BYTES_MAX: Final = 400


class StreamFault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault of a plan: on which sockets it falls, how often, and how."""

    kind: StreamFaultKind
    chance: Annotated[float, Meta(ge=0, le=1)] = 1.0
    """Of each opening or frame that it may fall on."""

    times: Annotated[int, Meta(ge=0, le=1 << 31)] = 0
    """How often it falls at most; 0 for no bound."""

    after: Annotated[int, Meta(ge=0, le=1 << 31)] = 0
    """Openings or frames that it leaves alone before."""

    path: Annotated[str, Meta(max_length=200)] = ""
    """Beginning of the path, such as `/order-update`; empty for all sockets."""

    seconds: Annotated[float, Meta(ge=0, le=3600)] = 1.0
    """Until a delayed frame is sent, or one that another was to overtake and none did; between two bytes that drip."""

    reason: Annotated[int, Meta(ge=0, le=65_535)] = 0
    """Of what is ended or refused; 0 for a token that has expired, or is none."""


class StreamFaults:
    """A plan being played. `take` and `fallen` from any thread, the others from the one that serves the sockets."""

    def __init__(self) -> None:
        """Begin without a fault."""
        self.take((), 0)

    def take(self, faults: tuple[StreamFault, ...], seed: int) -> None:
        """Play these from their beginning."""
        self._playing = faults, Drawing(faults, seed)  # one assignment: another thread sees the one or the other

    @property
    def fallen(self) -> list[int]:
        """How often each has fallen."""
        return list(self._playing[1].fallen)

    @property
    def random(self) -> random.Random:
        """What the content of a fault is drawn from."""
        return self._playing[1].random

    def at_opening(self, path: str) -> StreamFault | None:
        """Decide what the opening of a socket meets."""
        return self._met(path, is_opening=True)

    def at_frame(self, path: str) -> StreamFault | None:
        """Decide what the next frame of a socket meets."""
        return self._met(path, is_opening=False)

    def _met(self, path: str, *, is_opening: bool) -> StreamFault | None:
        faults, drawing = self._playing
        for number, fault in enumerate(faults):
            is_here = (fault.kind in OPENING) is is_opening and path.startswith(fault.path)
            if is_here and drawing.falls(number):
                return fault
        return None


def garbage(rng: random.Random, *, is_text: bool) -> bytes:
    """Return a frame that means nothing; of text, since one that is none would end the connection at once."""
    drawn = rng.randbytes(rng.randint(1, GARBAGE_BYTES_MAX))
    return b'{"Data":' + drawn.hex().encode() if is_text else drawn


def of_wrong_length(rng: random.Random, frame: bytes, *, is_text: bool) -> bytes:
    """Return a frame cut short, with bytes too many, or (of packets) with a length in its head that is not its own."""
    choice = rng.randrange(2 if is_text else 3)
    if choice == 0:
        return frame[: rng.randrange(1, max(2, len(frame)))]
    if choice == 1:
        return frame + rng.randbytes(rng.randint(1, 7)).hex().encode()
    return frame[:1] + rng.randrange(1 << 16).to_bytes(2, "little") + frame[3:]
