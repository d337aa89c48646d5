"""Addresses of services: https, save on this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def url_problem(url: str) -> str:
    """Say why a base URL cannot be used; empty: it can, as can none (the service's usual one)."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    wanted = "wanted a URL such as https://host/v2"
    if not host or parts.scheme not in {"http", "https"} or parts.query or parts.fragment or parts.username:
        return f"{wanted}, found another text" if "@" in url or "?" in url else f"{wanted}, found {url!r}"
    if url.endswith("/"):
        return f"{wanted}, found one with a slash at its end"
    if parts.scheme == "http" and not is_loopback_url(url):
        return f"wanted https for another machine than this one, found http://{host}"
    return ""


def is_loopback_url(url: str) -> bool:
    """Say whether a URL leads to this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
