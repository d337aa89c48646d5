"""Journal, router and delivery over a journal of their own."""

import pytest
from natya_events import Over


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def over(path):
    with Over(path) as system:
        yield system
