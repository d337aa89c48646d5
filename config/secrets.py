"""Secrets: values that no repr, log, error or traceback shows."""

from __future__ import annotations

from typing import Final, NoReturn


class Secret:
    """A value that only `reveal` returns.

    Two secrets are equal when their values are; a secret is never equal to a plain string, cannot be pickled, and
    prints as `***`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value: Final = value

    def reveal(self) -> str:
        """Return the value itself. Call it where the value is used, and do not store the result."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "***" if self._value else "(empty)"

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return format(repr(self), specification)

    def __reduce__(self) -> NoReturn:
        reason = "a secret is not written anywhere"
        raise TypeError(reason)
