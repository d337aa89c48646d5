"""A system for each test, shut down at its end, and actors for worker processes."""

from pathlib import Path

import pytest

from natya.actors.runtime import InProcessSystem, InProcessSystemBase


@pytest.fixture
def system():
    with InProcessSystem(InProcessSystemBase(seed=1, shutdown_s=5)) as running:
        yield running


@pytest.fixture(scope="module")
def hosted():
    """Actors that run in worker processes, which have the path of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent / "hosted"))
        import natya_hosted  # noqa: PLC0415  findable only now

        yield natya_hosted
