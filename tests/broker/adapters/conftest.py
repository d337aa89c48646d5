"""Servers that misbehave; and an adapter without any."""

import contextlib

import pytest
from natya_asked_dhan import Played
from natya_servers import Server

from natya.actors.instruments import InstrumentMaster


@pytest.fixture
def serve():
    """Start servers: `serve(lambda server, connection: …)`."""
    with contextlib.ExitStack() as servers:
        yield lambda answer: servers.enter_context(contextlib.closing(Server(answer)))


@pytest.fixture(scope="session")
def instruments(tmp_path_factory):
    """The few instruments that are part of natya."""
    with InstrumentMaster(tmp_path_factory.mktemp("instruments")) as master:
        yield master


@pytest.fixture
def played(instruments):
    """An adapter that asks the test."""
    return Played(instruments)
