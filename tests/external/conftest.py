"""Servers that misbehave."""

import contextlib

import pytest
from natya_servers import Server


@pytest.fixture
def serve():
    """Start servers: `serve(lambda server, connection: …)`."""
    with contextlib.ExitStack() as servers:
        yield lambda answer: servers.enter_context(contextlib.closing(Server(answer)))
