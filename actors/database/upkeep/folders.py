"""The folders that the owner of a database writes to beside its files."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..engine.opening import MEMORY
from ..results.handover import Handover
from ..tables.archive_folder import archive_folder


class Folders(msgspec.Struct, frozen=True, kw_only=True):
    """Folders that the owner writes to beside its databases, both accessible to its user alone."""

    handover: Handover
    """For results and copies, until their clients fetch them."""

    archive: Path
    """For days that were moved out of the market file."""

    @classmethod
    def beside(cls, core_path: str, *, life: str) -> Folders | None:
        """Name them for a core file and a life of its owner; a database in memory has none."""
        if core_path == MEMORY:
            return None
        core = Path(core_path).absolute()
        return cls(handover=Handover.beside(core, life=life), archive=archive_folder(str(core)))

    def allowed(self) -> tuple[str, ...]:
        """Return the folders that the adapter needs among its `directories`; it knows its archive itself."""
        return (str(self.handover.path),)
