"""The identity of a test, by which an earlier sweep's is recognised: a digest of all that its figures depend on."""

from __future__ import annotations

import functools
import hashlib
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from ...actors.feed import named_recording
from ...transfer.stored import is_database
from ..plan import settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..plan import Plan

PACKAGE: Final = Path(__file__).parents[2]
ROOMS: Final = ("actors", "backtest", "config", "domain", "messages", "transfer")
"""Folders of natya that a backtest's figures depend on."""


def fingerprint_of(plan: Plan, sources: Mapping[str, str], machinery: str) -> str:
    """Return a digest that two sweeps share only if their tests have the same figures.

    It is of all settings as they are in force but parameters, with the contents of the files that they name, of what
    else the plan has but its times, the contents of the data, the digests of the strategy's modules, and the machinery.
    """
    settings = msgspec.to_builtins(settings_of(replace(plan, parameters={}), plan.data, PACKAGE), enc_hook=str)
    data = [(str(path.absolute()), _digest(path)) for path in files_of(plan)]
    named = [(name, _digest(Path(name))) for name in sorted(set(_files_in(settings)) - {path for path, _ in data})]
    told = msgspec.json.encode((
        data, named, settings, plan.symbols, plan.charges, plan.capital_rupees, sorted(plan.settings.items()),
        machinery, sorted(sources.items()),
    ))  # fmt: skip
    return hashlib.blake2b(told, digest_size=12).hexdigest()


def key_of(fingerprint: str, plan: Plan, *, may_be_empty: bool) -> str:
    """Return the key of one test; `may_be_empty`: of a walk, whose windows of nothing are zeros, and no refusal."""
    told = msgspec.json.encode((
        fingerprint, sorted(plan.parameters.items()), plan.since_ns, plan.until_ns, may_be_empty,
    ))  # fmt: skip
    return hashlib.blake2b(told, digest_size=12).hexdigest()


@functools.cache
def machinery() -> str:
    """Return a digest of what tests run on: natya's sources, Python, the machine's kind, and all that is installed."""
    digest = hashlib.blake2b(f"{sys.version} {platform.machine()} {sorted(_installed())}".encode(), digest_size=16)
    for path in sorted([*PACKAGE.glob("*.py"), *(path for room in ROOMS for path in (PACKAGE / room).rglob("*.*"))]):
        if path.suffix in {".py", ".toml", ".sql"}:
            digest.update(f"\0{path.relative_to(PACKAGE)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def files_of(plan: Plan) -> list[Path]:
    """Return the files of a plan's data; of a system's data directory those of its market."""
    return [path for given in plan.data for path in _files_below(named_recording(given)[1])]


def _files_below(given: Path) -> list[Path]:
    if not given.is_dir():
        return [given]
    patterns = ("*.duckdb*", "*.parquet") if is_database(given) else ("*",)
    return sorted(path for pattern in patterns for path in given.rglob(pattern) if path.is_file())


def _installed() -> Iterator[str]:
    """Yield name and version of each distribution that may be imported, as its folder has them."""
    for folder in map(Path, filter(None, sys.path)):
        if folder.is_dir():
            yield from (each.name for each in folder.iterdir() if each.suffix in {".dist-info", ".egg-info"})


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def _files_in(value: Any) -> Iterator[str]:
    """Yield the texts among settings that name a file."""
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, str) and value.startswith("/") and Path(value).is_file():
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _files_in(each)
