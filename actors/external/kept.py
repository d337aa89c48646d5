"""Answers that may be given again for a while: few, small, and each asker's own copy."""

from __future__ import annotations

from collections import OrderedDict
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from .calls import ExternalServiceResult

KEPT_MAX: Final = 1_000
KEPT_BYTES_MAX: Final = 16 << 20
"""Of kept answers and of the questions they are found by, as they came over the network; decoded, each is larger."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    until_ns: int
    result: ExternalServiceResult
    size_bytes: int


class KeptAnswers:
    """Answers by their questions, the one kept last at the end."""

    def __init__(self) -> None:
        self._kept: Final[OrderedDict[Any, _Kept]] = OrderedDict()
        self.size_bytes = 0
        """Of all of them."""

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, question: Any, now_ns: int) -> ExternalServiceResult | None:
        """Return a copy of the answer to a question, if it may still be given."""
        kept = self._kept.get(question)
        return None if kept is None or kept.until_ns <= now_ns else own(kept.result)

    def keep(
        self, question: Any, result: ExternalServiceResult, *, until_ns: int, size_bytes: int, now_ns: int
    ) -> None:
        """Keep an answer; those that are over go, and then the oldest, until all of them are few and small enough."""
        if before := self._kept.pop(question, None):
            self.size_bytes -= before.size_bytes
        if size_bytes > KEPT_BYTES_MAX:
            return
        self._kept[question] = _Kept(until_ns=until_ns, result=own(result), size_bytes=size_bytes)
        self.size_bytes += size_bytes
        while self._kept and (
            len(self._kept) > KEPT_MAX or self.size_bytes > KEPT_BYTES_MAX or self._oldest().until_ns <= now_ns
        ):
            _, oldest = self._kept.popitem(last=False)
            self.size_bytes -= oldest.size_bytes

    def _oldest(self) -> _Kept:
        return next(iter(self._kept.values()))


def own(result: ExternalServiceResult) -> ExternalServiceResult:
    """Return a result whose data nobody else can change."""
    return msgspec.structs.replace(result, data=deepcopy(result.data))
