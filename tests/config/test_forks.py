"""What a forked child lets go of, first of all."""

import pytest

from natya.config import forks


@pytest.fixture(autouse=True)
def closers(monkeypatch):
    """None of this process, which must keep its own."""
    monkeypatch.setattr(forks, "_closers", {})


def test_what_is_to_be_closed_is_closed_once_though_another_cannot_be():
    closed = []

    def failing():
        closed.append("failing")
        raise OSError("as asked")

    for close in (failing, lambda: closed.append("other")):
        forks.close_in_forks(close)
    forks._in_child()
    forks._in_child()

    assert closed == ["failing", "other"]


def test_what_is_closed_already_is_not_closed_again():
    closed = []
    ends = [forks.close_in_forks(lambda name=name: closed.append(name)) for name in ("one", "other")]

    for _ in range(2):
        ends[0]()
    forks._in_child()

    assert closed == ["other"]
