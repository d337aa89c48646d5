"""The secrets of the session that `natya secrets` keeps: which of them changed since they were looked at. It blocks."""

from __future__ import annotations

from typing import Final

import msgspec

from ...config.secret_files import SecretUnfitError
from ...config.secret_folder import SecretFolder, Version
from ...config.secrets import Secret

ACCESS_TOKEN: Final = "broker.access_token"  # noqa: S105  its key
PIN: Final = "broker.pin"
TOTP_SECRET: Final = "broker.totp_secret"  # noqa: S105  its key
WATCHED: Final = (ACCESS_TOKEN, PIN, TOTP_SECRET)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a look found."""

    secrets: dict[str, Secret]
    """Those that were read, by key."""

    versions: dict[str, Version | None]
    """Of each file that was looked at."""

    problem: str = ""
    """Why one could not be read; empty: each could."""


def versions_of(folder: SecretFolder) -> dict[str, Version | None]:
    """Tell which files there are, without reading them."""
    return {key: folder.version(key) for key in WATCHED}


def read_changed(folder: SecretFolder, known: dict[str, Version | None]) -> Found:
    """Read the secrets whose files are others than those that are known; one that was removed is left out."""
    versions, secrets, problems = versions_of(folder), {}, []
    for key, version in versions.items():
        if version is None or version == known.get(key):
            continue
        try:
            secret = folder.read(key)
        except SecretUnfitError as fault:
            problems.append(str(fault))
        else:
            if secret is not None:
                secrets[key] = secret
    return Found(secrets=secrets, versions=versions, problem="; ".join(problems))
