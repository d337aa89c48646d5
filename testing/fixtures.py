"""A fixture for pytest: `pytest_plugins = ["natya.testing.fixtures"]` in a `conftest.py`.

A test that takes `natya_seed` is run once for each of `--natya-seeds` seeds, or with `--natya-seed 17` for that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

SEEDS: Final = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("natya")
    group.addoption(
        "--natya-seeds", type=int, default=SEEDS, metavar="N", help="seeds that each simulation is played with"
    )
    group.addoption("--natya-seed", type=int, default=None, metavar="SEED", help="the only seed to play")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test its seeds."""
    if "natya_seed" in metafunc.fixturenames:
        seed, seeds = metafunc.config.getoption("natya_seed"), metafunc.config.getoption("natya_seeds")
        metafunc.parametrize("natya_seed", range(seeds) if seed is None else [seed])
