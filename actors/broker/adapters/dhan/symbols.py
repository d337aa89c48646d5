"""What a symbol stands for at Dhan: looked up in the list of instruments, a file that is only read."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Final

from .....config.loader import load_settings
from .....domain.instruments import Instrument
from ....instruments import InstrumentMaster, NameUnknownError

__all__ = ["InstrumentMaster", "NameUnknownError", "Symbols"]


class Symbols:
    """The list that an adapter looks symbols up in; for many threads.

    Args:
        given: a list, or the folder of one; None: that of the settings of the paper profile, which `natya instruments
            refresh` fills, else the few instruments that are part of natya.
    """

    def __init__(self, given: InstrumentMaster | str | Path | None) -> None:
        self._given: Final = given
        self._list: InstrumentMaster | None = None
        self._guard: Final = threading.Lock()

    def find(self, symbol: Any) -> Instrument:
        """Find what a symbol stands for.

        Raises:
            NameUnknownError: nothing, or several things, or what has no number at the broker.
        """
        if not isinstance(symbol, str):
            raise NameUnknownError(f"symbol: a text wanted, found {type(symbol).__name__}")
        with self._guard:
            found = self._opened().show(symbol)
        if not found.security_id:
            raise NameUnknownError(f"symbol: an instrument with a number at the broker wanted, found {symbol!a}")
        return found

    def close(self) -> None:
        """Let go of a list that was opened here."""
        with self._guard:
            if self._list is not None and self._list is not self._given:
                self._list.close()
            self._list = None

    def _opened(self) -> InstrumentMaster:
        """Open the list when it is first needed."""
        if self._list is None:
            given = self._given
            if isinstance(given, InstrumentMaster):
                self._list = given
            else:
                self._list = InstrumentMaster(load_settings().instruments.path if given is None else given)
        return self._list
