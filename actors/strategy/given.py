"""Attributes of a strategy that the runtime sets, and the user's code cannot."""

from __future__ import annotations

from typing import Any


class Given:
    """An instance attribute that only the runtime sets (through `vars`); assigning to it raises.

    Orders are booked under `name`: a strategy that changed it would trade in another's name. Reading takes 0.1 us, so
    attributes that are read for every message stay plain.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        try:
            return vars(instance)[self._name]
        except KeyError:
            raise AttributeError(f"{self._name} is there from on_begin on, not in __init__") from None

    def __set__(self, instance: Any, value: Any) -> None:
        raise AttributeError(f"{self._name} is the runtime's to set: choose another name than {self._name!r}")

    def __delete__(self, instance: Any) -> None:
        raise AttributeError(f"{self._name} is the runtime's to set")
