"""Web servers, each on a thread."""

import contextlib

import pytest
from natya_web import Served, echo


@pytest.fixture
def serve():
    """Start a server: `serve(application=echo, **bounds)`."""
    with contextlib.ExitStack() as stack:

        def start(application=echo, **bounds):
            served = Served(application, bounds)
            stack.callback(served.close)
            return served

        yield start
