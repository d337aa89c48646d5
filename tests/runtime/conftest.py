"""A system for each test, shut down at its end."""

import pytest

from natya.actors.runtime import InProcessSystem, InProcessSystemBase


@pytest.fixture
def system():
    with InProcessSystem(InProcessSystemBase(seed=1, shutdown_s=5)) as running:
        yield running
