"""A secret in the keyring of the desktop (Secret Service, KWallet, Keychain), by the library keyring.

The file holds only under which name the keyring has it: whoever looks whether a secret has changed looks at the file.
A machine without a desktop has no keyring: there age keeps secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..secret_files import SecretUnfitError

if TYPE_CHECKING:
    from pathlib import Path

    from ..secrets import Secret
    from .keeper import Keeper

MARK: Final = b"in the keyring, service "


def expect_usable(keeper: Keeper) -> None:
    """Ask the keyring for what it does not have."""
    _do("get_password", keeper.service, "natya")


def sealed(keeper: Keeper, key: str, secret: Secret) -> bytes:
    """Give it to the keyring; return the note."""
    _do("set_password", keeper.service, key, secret.reveal())
    return MARK + keeper.service.encode() + b"\n"


def opened(_folder: Path, _keeper: Keeper, key: str, content: bytes) -> str:
    """Ask the keyring for it."""
    found: str | None = _do("get_password", _service(content), key)
    if found is None:
        raise SecretUnfitError(f"the keyring of the desktop has no {key} any more")
    return found


def forgotten(content: bytes, key: str) -> None:
    """Remove it from the keyring."""
    if _do("get_password", _service(content), key) is not None:
        _do("delete_password", _service(content), key)


def _service(content: bytes) -> str:
    return content.removeprefix(MARK).decode("utf-8", "replace").strip()


def _do(what: str, *arguments: str) -> Any:
    try:
        import keyring  # noqa: PLC0415  an extra
        import keyring.errors  # noqa: PLC0415
    except ImportError:
        raise SecretUnfitError("wanted the library keyring, found none: pip install 'natya[secrets]'") from None
    try:
        return getattr(keyring, what)(*arguments)
    except keyring.errors.NoKeyringError:
        raise SecretUnfitError("no keyring is here, as on a machine without a desktop: keep secrets by age") from None
    except keyring.errors.KeyringError as fault:
        raise SecretUnfitError(f"the keyring of the desktop refused: {type(fault).__name__}") from None
