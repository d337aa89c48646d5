"""The secrets of the session that are kept beside it: which of them changed since they were looked at. It blocks.

`natya secrets` keeps those of a person. Beside them is the token that the system has had of the broker itself, which no
setting may be: it is good for a day, and the next start may be given another one by whoever starts it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ...config.secret_files import SecretUnfitError
from ...config.secret_folder import OBTAINED_TOKEN, SecretFolder, Version
from ...config.secrets import Secret

ACCESS_TOKEN: Final = "broker.access_token"  # noqa: S105  its key
PIN: Final = "broker.pin"
TOTP_SECRET: Final = "broker.totp_secret"  # noqa: S105  its key
WATCHED: Final = (ACCESS_TOKEN, PIN, TOTP_SECRET)
ALL: Final = (OBTAINED_TOKEN, *WATCHED)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a look found."""

    secrets: dict[str, Secret]
    """Those that were read, by key."""

    versions: dict[str, Version | None]
    """Of each file that was looked at."""

    problem: str = ""
    """Why one could not be read; empty: each could."""


def versions_of(folder: SecretFolder, keys: tuple[str, ...] = WATCHED) -> dict[str, Version | None]:
    """Tell which files there are, without reading them."""
    return {key: folder.version(key) for key in keys}


def keep_obtained(folder: SecretFolder, token: Secret) -> str:
    """Keep a token that the broker has given; return why it could not be kept, empty: it is kept."""
    try:
        folder.write(OBTAINED_TOKEN, token)
    except SecretUnfitError as fault:
        return str(fault)
    except OSError as fault:
        return f"{folder.path} cannot be written: {fault.strerror}"
    return ""


def read_changed(folder: SecretFolder, known: dict[str, Version | None], keys: tuple[str, ...] = WATCHED) -> Found:
    """Read the secrets whose files have changed; one that was removed is left out."""
    versions, secrets, problems = versions_of(folder, keys), {}, []
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
