"""A folder of lists, and files as they are published."""

import contextlib
import datetime as dt

import pytest
from natya_publisher import Publisher
from natya_scrips import DETAILED, DETAILED_ROWS, listed

from natya.actors.instruments import InstrumentMaster
from natya.domain.time import IST

DAY = dt.datetime(2026, 9, 28, 8, 15, tzinfo=IST)


class Days:
    """A clock that a test sets."""

    def __init__(self):
        self.now = DAY

    def __call__(self):
        return self.now


@pytest.fixture
def days():
    return Days()


@pytest.fixture
def publish(tmp_path):
    """Write a file as Dhan publishes it: `publish(text)`, by default the detailed list of the examples."""

    def write(text="", name="published.csv"):
        text = text or listed(DETAILED, DETAILED_ROWS)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    return write


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "instruments"


@pytest.fixture
def master(folder, days):
    with InstrumentMaster(folder, now=days) as opened:
        yield opened


@pytest.fixture
def serve():
    with contextlib.ExitStack() as servers:
        yield lambda answer: servers.enter_context(contextlib.closing(Publisher(answer)))
