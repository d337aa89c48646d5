"""The other side of a live system."""

import pytest
from natya_live import Exchange


@pytest.fixture
def exchange(tmp_path):
    """`natya exchange serve` in a process of its own, with a price of its symbol."""
    served = Exchange(tmp_path / "exchange")
    served.price(1_526.0)
    yield served
    served.end()
