"""Builders that show only what a test is about."""

import pytest
from natya_builders import BUILDERS
from natya_orders_stage import Stage


@pytest.fixture
def make():
    """Builders of messages: `make.order()`, `make.intent()`, `make.filled()` ..."""
    return BUILDERS


@pytest.fixture
def stage(make, actor_system):
    return Stage(actor_system, make)
