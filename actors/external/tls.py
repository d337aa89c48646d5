"""What a TLS connection of ours trusts."""

from __future__ import annotations

import ssl

import certifi


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Make one by hand: those that are made for us read SSLKEYLOGFILE and SSL_CERT_FILE from the environment.

    Args:
        ca_file: certificates to trust in the place of certifi's.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_file or certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context
