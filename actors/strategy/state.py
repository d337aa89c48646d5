"""The state of a strategy: the Struct that its class declares, as bytes and back (pure).

What is read back is what was written, or an error: a field that the class no longer has is not dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...messages.strategy_state import STATE_BYTES_MAX
from .errors import StateTooLargeError, StateUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...messages.strategy_state import StateRead

SHOWN_MAX: Final = 5
"""Of what is wrong with a state, so much is told."""

HANDED_MAX: Final = 100
"""So many facts may be handed to a strategy that changes nothing because of them, until it is noted how far it is."""

_encoder: Final = msgspec.msgpack.Encoder(decimal_format="string", order="deterministic")


class StateForm:
    """One class of states: how they are written, and read back."""

    def __init__(self, kind: type[msgspec.Struct]) -> None:
        """Take the class that a strategy declares as its `State`."""
        self.kind: Final = kind
        self._decoder: Final = msgspec.msgpack.Decoder(kind)

    def encode(self, state: Any, *, name: str) -> bytes:
        """Write a state of the strategy `name`.

        Raises:
            TypeError: it is no instance of the class, or holds a value that cannot be written.
            StateTooLargeError: it has more than `STATE_BYTES_MAX` bytes.
        """
        if state.__class__ is not self.kind:
            raise TypeError(f"self.state of {name} is to be a {self.kind.__qualname__}, found {state!r:.60}")
        encoded = _encoder.encode(state)
        if len(encoded) > STATE_BYTES_MAX:
            raise StateTooLargeError(
                f"a state of at most {STATE_BYTES_MAX:,} bytes is wanted of {name}, found {len(encoded):,}"
            )
        return encoded

    def decode(self, encoded: bytes, *, name: str) -> Any:
        """Read a state of the strategy `name`. A field that was not there yet has its default.

        Raises:
            StateUnreadableError: a value has another type than its field, a field without a default is missing, or
                there is a value without a field.
        """
        try:
            found = msgspec.msgpack.decode(encoded)
            state = self._decoder.decode(encoded)
            lost = [*_lost(found, msgspec.msgpack.decode(_encoder.encode(state)), "")]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            lost = [f"{fault}"]
        if lost:
            fields = ", ".join(field.encode_name for field in msgspec.structs.fields(self.kind)) or "none"
            problems = "; ".join(lost[:SHOWN_MAX])
            raise StateUnreadableError(
                f"the saved state of {name} does not fit its State, whose fields are {fields}: {problems}"
            )
        return state


def _lost(found: Any, kept: Any, place: str) -> Iterator[str]:
    """Yield what a state has that is gone when it is read by its class and written again."""
    if isinstance(found, dict):
        for key, value in found.items():
            if key not in kept:
                yield f"no field for {place}{key}, found {value!r:.60}"
            else:
                yield from _lost(value, kept[key], f"{place}{key}.")
    elif isinstance(found, list):
        if len(found) > len(kept):
            yield f"{len(kept)} of {len(found)} values of {place[:-1]} have a field"
        for number, (value, again) in enumerate(zip(found, kept, strict=False)):
            yield from _lost(value, again, f"{place}{number}.")


def fault_of_state(kind: Any) -> str:
    """Say why a class cannot be the `State` of a strategy; empty if it can."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return f"a class State(msgspec.Struct) is wanted, found {kind!r}"
    if kind.__struct_config__.array_like:
        return "a Struct whose fields have names where it is written is wanted, found one that is array_like"
    missing = [field.name for field in msgspec.structs.fields(kind) if field.required]
    if missing:
        return f"a default for every field is wanted: what a strategy begins with; found none for {', '.join(missing)}"
    try:
        form = StateForm(kind)
        form.decode(form.encode(kind(), name="a new strategy"), name="a new strategy")
    except (TypeError, NameError, ValueError, StateTooLargeError, StateUnreadableError) as fault:
        return f"fields that msgspec can write and read back are wanted, found otherwise: {fault}"
    return ""


class Keeper:
    """How far the state of one strategy is saved, and how far its facts were handed to it."""

    def __init__(self, form: StateForm, *, name: str) -> None:
        """Take the class of states, and the strategy's name."""
        self.form: Final = form
        self._name: Final = name
        self.number = 0
        """Of the newest state that was saved."""

        self.covers = 0
        """Sequence in the journal up to which its facts were handed to it."""

        self.life = 0
        """See `SaveState`."""

        self.newest = b""
        """The newest state that was saved; empty: none."""

        self._is_first = True
        self._handed = 0
        """Of its facts, since the newest that is noted as handed."""

    def take_over(self, answer: StateRead) -> Any:
        """Return what a strategy begins with, and go on from there.

        Raises:
            StateUnreadableError: it is not of the class.
        """
        self.life = answer.life
        if answer.saved is None:
            self.covers = answer.sequence
            return self.form.kind()
        state = self.form.decode(answer.saved.state, name=self._name)
        self.number, self.covers, self.newest = answer.saved.number, answer.saved.covers, answer.saved.state
        return state

    def handed(self, sequence: int) -> None:
        """Note that a fact of its orders was handled."""
        self.covers = sequence
        self._handed += 1

    def is_due(self, encoded: bytes, *, orders_leave: bool) -> bool:
        """Tell whether the state is to be saved: it changed, or facts were handed that must not be handed again.

        Or it is the first of this life: until it has saved, orders may take it for one that is out of date.
        """
        if encoded != self.newest or self._is_first:
            return True
        return self._handed > 0 and (orders_leave or self._handed >= HANDED_MAX)

    def saved(self, encoded: bytes) -> None:
        """Note that a state was saved."""
        self.number += 1
        self.newest, self._handed, self._is_first = encoded, 0, False
