"""The files of a project to begin with (`*.template`), and how they are laid down."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE: Final = ".template"
HIDDEN: Final = frozenset({"gitignore"})
"""Files whose names begin with a dot, which those of the package do not."""


def make_project(directory: Path) -> tuple[list[Path], list[Path]]:
    """Lay the files down; return those that were made, and those that were there and are kept.

    Raises:
        OSError: the directory cannot be made, or written to.
    """
    directory.mkdir(parents=True, exist_ok=True)
    made: list[Path] = []
    kept: list[Path] = []
    for template in sorted(resources.files(__name__).iterdir(), key=lambda each: each.name):
        name = template.name.removesuffix(TEMPLATE)
        if name == template.name:
            continue
        path = directory / (f".{name}" if name in HIDDEN else name)
        try:
            with path.open("xb") as file:
                file.write(template.read_bytes())
        except FileExistsError:
            kept.append(path)
        else:
            made.append(path)
    return made, kept
