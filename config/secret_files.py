"""What a file with one secret may be: its content, checked without ever being quoted."""

from __future__ import annotations

from typing import Final

SIZE_MAX_BYTES: Final = 1 << 16


class SecretUnfitError(ValueError):
    """A secret, or the file with it, cannot be used; the text says why, and never quotes it."""


def secret_text(content: bytes) -> str:
    """Return the secret in a file's content, without white space around it.

    Raises:
        SecretUnfitError: it is empty, too long, or no text.
    """
    if len(content) > SIZE_MAX_BYTES:
        raise SecretUnfitError(f"wanted at most {SIZE_MAX_BYTES} bytes, found more")
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        raise SecretUnfitError("wanted text, found other bytes") from None
    if not text:
        raise SecretUnfitError("wanted a secret, found none")
    if not text.isprintable():
        raise SecretUnfitError("wanted one line of printable characters, found others among them")
    return text
