"""Builders that show only what a test is about."""

import pytest
from natya_builders import BUILDERS


@pytest.fixture
def make():
    """Builders of messages: `make.order()`, `make.intent()`, `make.filled()` ..."""
    return BUILDERS
