"""Which commit of the project runs, where that can be known."""

from __future__ import annotations

import functools
import json
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parents[2]
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REFERENCE: Final = re.compile(r"refs/[\w./-]+")


@functools.cache
def commit(package: Path = PACKAGE) -> str:
    """Return the commit that is checked out where the package lies, or else that pip has built it of; empty: unknown.

    It is read once, when the system starts: a checkout may move. What is changed there and not committed does not show.
    """
    try:
        return _checked_out(package / ".git") or _installed(distribution("natya"), package)
    except (OSError, UnicodeDecodeError, PackageNotFoundError):
        return ""


def _checked_out(git: Path) -> str:
    """Read it from Git's own files, without a program; a work tree's folder is named in a file."""
    if git.is_file():
        git = git.parent / git.read_text().removeprefix("gitdir:").strip()
    if not (git / "HEAD").is_file():
        return ""
    head = (git / "HEAD").read_text().strip()
    if not head.startswith("ref:"):
        return _commit_in(head)
    reference = head.removeprefix("ref:").strip()
    if not _REFERENCE.fullmatch(reference) or ".." in reference:
        return ""
    shared = git / "commondir"
    shared_git = git / shared.read_text().strip() if shared.is_file() else git
    for each in (git / reference, shared_git / reference):
        if each.is_file():
            return _commit_in(each.read_text().strip())
    packed = shared_git / "packed-refs"
    lines = packed.read_text().splitlines() if packed.is_file() else []
    return next((_commit_in(line.split(" ")[0]) for line in lines if line.endswith(f" {reference}")), "")


def _installed(package_of: Distribution, package: Path) -> str:
    """Read it from what pip notes of `pip install git+https://…` (PEP 610), unless it lies elsewhere."""
    if Path(str(package_of.locate_file("natya"))).resolve() != package.resolve():
        return ""
    origin = json.loads(package_of.read_text("direct_url.json") or "{}")
    return _commit_in(str(origin.get("vcs_info", {}).get("commit_id", "")))


def _commit_in(text: str) -> str:
    return text if _COMMIT.fullmatch(text) else ""
