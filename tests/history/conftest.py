"""A data directory that nobody owns, and a clock of the test."""

import pytest
from natya_clocks import Now

from natya.actors.database import OwnFiles
from natya.config.loader import load_settings


@pytest.fixture
def now():
    return Now("2026-01-31 12:00:00")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(folder)})
    with OwnFiles(settings, read_only=False) as owner:
        yield owner


@pytest.fixture
def owner(files):
    for table in ("candles", "fetches"):
        files.database.execute(f"delete from {table}", file="market")  # noqa: S608  our own names
    return files
