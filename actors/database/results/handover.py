"""Hands files over: the owner writes them in a private folder, and the client that asked takes them from there.

    folder = Handover(core, life="7")       # the owner's: natya.duckdb.handover-7, made when it is first needed
    take(Path(answer.path), target)         # the other end

The folder is private, has a unique name and a marker file inside: so the owner removes, and a client accepts, no file
that any other program has put there.
"""

from __future__ import annotations

import os
import re
import threading
from typing import TYPE_CHECKING, Final

from ....config.files import (
    NotOursError,
    empty_private_folder,
    is_private_folder,
    make_private_folder,
    move_new,
    open_from_private_folder,
    private_folders,
    remove_private_folder,
)

if TYPE_CHECKING:
    from pathlib import Path

_NOTHING: Final = re.compile(r"(?!)")


class Handover:
    """The owner's folder. Nothing is made before it is needed: on a full disk the owner starts without it.

    Any thread may call it: several answers are written at the same time.

    Args:
        path: of the folder.
        core: the core file of the database whose answers it holds.
    """

    def __init__(self, path: Path, core: Path) -> None:
        self.path: Final = path
        self._owner: Final = core.name
        self._making = threading.Lock()  # a folder is not ours before it has its mark
        # DuckDB writes beside a name first, and gives a database a log.
        self._files: Final = rf"(tmp_)?({{}}|{re.escape(core.stem)}(-market)?{re.escape(core.suffix)})(\.\w+)*"

    @classmethod
    def beside(cls, core: Path, *, life: str) -> Handover:
        """Return the folder's object for one life of the owner; each life has another folder."""
        return cls(core.with_name(f"{core.name}.handover-{life}"), core)

    def made(self) -> Path:
        """Create the folder if it does not exist; return its path.

        Raises:
            NotOursError: something else has its name.
            OSError: it cannot be made.
        """
        with self._making:
            try:
                make_private_folder(self.path, self._owner)
            except FileExistsError as there:
                if not is_private_folder(self.path, self._owner):
                    raise NotOursError(self.path, "is not ours: move it away") from there
        return self.path

    def made_below(self, name: str) -> Path:
        """Make a folder in it.

        Raises:
            OSError: it cannot be made.
        """
        folder = self.path / name
        make_private_folder(folder, self._owner)
        return folder

    def delete(self, name: str) -> None:
        """Delete a file or a folder in it, and what DuckDB has left beside that."""
        empty_private_folder(self.path, self._owner, names=self._named(re.escape(name)))

    def forget_earlier_lives(self) -> None:
        """Delete files that earlier lives left to be fetched: in folders with our marker, by our names only."""
        pattern = re.compile(rf"{re.escape(self._owner)}\.handover-[\w-]+")
        if pattern.fullmatch(self.path.name):
            for folder in private_folders(self.path.parent, pattern):
                remove_private_folder(folder, self._owner, names=self._named(r"\d+"))

    def leave(self) -> None:
        """Remove the folder if it is empty: every file was fetched."""
        remove_private_folder(self.path, self._owner, names=_NOTHING)

    def _named(self, stem: str) -> re.Pattern[str]:
        return re.compile(self._files.format(stem))


def take(source: Path, target: Path) -> None:
    """Move a file that was handed over; on another file system it is copied, and read back.

    Raises:
        FileExistsError: the target is there already.
        NotOursError: the source is not in a handover folder of this user; it was not touched.
        OSError: the target cannot be written, or does not read back as it was written.
    """
    os.close(open_from_private_folder(source))
    move_new(source, target)
