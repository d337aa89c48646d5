"""Every message as hypothesis builds it."""

import pytest
from natya_messages import messages


@pytest.fixture(scope="session")
def messages_of():
    """The strategy that builds messages of a type."""
    return messages
