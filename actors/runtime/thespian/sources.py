"""Actors loaded from zip files, as Thespian does it: validated by the authority, then created by source hash."""

from __future__ import annotations

import hashlib
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thespian.actors import ActorAddress, LoadedSource, UnloadedSource, ValidateSource

from ..endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

VALIDATED_WITHIN_S = 5.0
"""How long a load from outside waits for the authority."""


class Sources:
    """Loaded sources by hash, the authority that validates them, and the actors notified of them."""

    def __init__(self, admin: Endpoint, is_actor_thread: Callable[[], bool]) -> None:
        self.authority: ActorAddress | None = None
        self._admin = admin
        self._is_actor_thread = is_actor_thread
        self._zips: dict[str, bytes] = {}
        self._hearers: dict[Endpoint, None] = {}
        self._waiting: dict[str, threading.Event] = {}

    def load(self, source: Any) -> str:
        """Read a file or a path, have it validated, and return its hash. Without an authority nothing is loaded."""
        if hasattr(source, "read"):
            try:
                data: bytes = source.read()
            finally:
                source.close()
        else:
            data = Path(source).read_bytes()
        source_hash = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if isinstance(self.authority, Endpoint):
            answered = self._waiting.setdefault(source_hash, threading.Event())
            self.authority.deliver(ValidateSource(source_hash, data), self._admin)
            if not self._is_actor_thread():
                answered.wait(VALIDATED_WITHIN_S)
        return source_hash

    def validated(self, source_hash: str, data: bytes | None) -> None:
        """Take the authority's answer; None, or no readable zip, is a refusal."""
        answered = self._waiting.pop(source_hash, None)
        if data is not None and _is_readable(source_hash, data):
            self._zips[source_hash] = data
            for hearer in tuple(self._hearers):
                hearer.deliver(LoadedSource(source_hash, ""), self._admin)
        if answered is not None:
            answered.set()

    def unload(self, source_hash: str) -> None:
        """Unload it, and the modules imported from it."""
        if self._zips.pop(source_hash, None) is not None:
            for hearer in tuple(self._hearers):
                hearer.deliver(UnloadedSource(source_hash, ""), self._admin)
        for finder in tuple(sys.meta_path):
            if getattr(finder, "srcHash", None) == source_hash:
                root = finder.hashRoot()  # type: ignore[attr-defined]  # a SourceHashFinder
                for name in [name for name in sys.modules if name.startswith(root)]:
                    del sys.modules[name]
                sys.meta_path.remove(finder)

    def unload_all(self) -> None:
        """Unload all of them."""
        for source_hash in tuple(self._zips):
            self.unload(source_hash)

    def notify(self, hearer: ActorAddress, *, enable: bool) -> None:
        """Start or stop notifying this actor of sources: those loaded now, and later changes."""
        if not isinstance(hearer, Endpoint):
            return
        if not enable:
            self.forget(hearer)
            return
        self._hearers[hearer] = None
        for source_hash in tuple(self._zips):
            hearer.deliver(LoadedSource(source_hash, ""), self._admin)

    def forget(self, actor: Endpoint) -> None:
        """Remove an actor that has ended."""
        self._hearers.pop(actor, None)
        if self.authority is actor:
            self.authority = None

    def find_class(self, source_hash: str, module: str, name: str) -> Any:
        """Return the class of that name in that source.

        Raises:
            InvalidActorSourceHash: no such source is loaded.
            ImportError: it has no such module.
        """
        from .loading import class_of  # noqa: PLC0415  few load sources, and it takes 10 ms

        return class_of(self._zips, source_hash, module, name)

    def hashes(self) -> tuple[str, ...]:
        """Return the hashes of all loaded sources."""
        return tuple(self._zips)


def _is_readable(source_hash: str, data: bytes) -> bool:
    from .loading import Finder  # noqa: PLC0415  as above

    try:
        Finder.of(source_hash, data).getZipNames()
    except Exception:  # noqa: BLE001  whatever is wrong with it, it is no zip of Python files
        return False
    return True
