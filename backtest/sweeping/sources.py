"""The code of a test: which modules a strategy imports, and that a process runs them as their files are now.

A module counts wherever it lies, and wherever it is imported, in a function too: its source is read, not run. Not among
them are natya's own, Python's, and what is installed: those are known by their versions (`fingerprint`).
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...actors.strategy import forget, is_of_user, project_of
from ...domain.time import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_current: Final[dict[str, str]] = {}
"""Of this process: the digest of the source that a module was imported of, where that is known."""


def sources_of(strategy: str) -> dict[str, Path]:
    """Return the files of a strategy's modules, by module: those it imports, and those beside it that are imported."""
    found: dict[str, Path] = {}
    waiting = [*_with_those_above(strategy.partition(":")[0])]
    while waiting:
        module = waiting.pop()
        path = _file_of(module)
        if module in found or path is None:
            continue
        found[module] = path
        waiting += _imported_by(module, path)
    return {**project_of(strategy), **found}


def digests_of(files: Mapping[str, Path]) -> dict[str, str]:
    """Return a digest of each file as it is now; a file that is gone has none."""
    return {
        module: hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "" for module, path in files.items()
    }


def bring_up_to_date(files: Mapping[str, Path], digests: Mapping[str, str]) -> None:
    """Have this process import the modules anew if the source of one of them has changed.

    A process that tests lives on, and a notebook has modules that were edited since: a test of the old code would be
    kept as one of the new.
    """
    outdated = [each for each, digest in digests.items() if each in sys.modules and _known(each, files) != digest]
    if outdated:
        forget(files, changed=outdated)
    _current.update(digests)


def _known(module: str, files: Mapping[str, Path]) -> str:
    """Return the digest of the source that a module was imported of; empty: it is not known."""
    if module in _current:
        return _current[module]
    path = files[module]
    if not path.exists() or path.stat().st_mtime_ns >= _began_ns():
        return ""
    return digests_of({module: path})[module]


def _began_ns() -> int:
    """Return when this process began: nanoseconds since 1970-01-01 UTC; 0 where that is not to be had."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return 0
    booted_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return booted_ns + ticks * SECOND_NS // os.sysconf("SC_CLK_TCK")


def _file_of(module: str) -> Path | None:
    """Return the file of a user's module; None: it is none, or there is none."""
    imported = sys.modules.get(module)
    file = getattr(imported, "__file__", None)
    if imported is None:
        try:
            spec = importlib.util.find_spec(module)
        except Exception:  # noqa: BLE001  a package above it raises when it is imported: so would the strategy's import
            return None
        file = None if spec is None else spec.origin
    return Path(file) if file is not None and is_of_user(module, file) else None


def _imported_by(module: str, path: Path) -> Iterator[str]:
    """Yield the names that a source imports, with the packages above them."""
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:
        return  # whoever imports it is told
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{each.name}" for each in node.names)]
        for name in names:
            yield from _with_those_above(name)


def _with_those_above(module: str) -> Iterator[str]:
    """Yield a module's packages, and it."""
    parts = module.split(".")
    yield from (".".join(parts[: place + 1]) for place in range(len(parts)))
