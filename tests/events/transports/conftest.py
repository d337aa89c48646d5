"""Systems that exchange events through a real server."""

import pytest
from natya_redis import Node, Server


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "server").start()
    yield server
    server.kill()


@pytest.fixture
def pair(tmp_path, server):
    """Two systems that have found each other."""
    with Node(tmp_path, server, "mumbai") as mumbai, Node(tmp_path, server, "pune") as pune:
        yield mumbai, pune
