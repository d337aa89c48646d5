"""Who watches an actor, and who does no more."""

from types import SimpleNamespace

import pytest

from natya.actors.runtime.errors import WatchRefusedError
from natya.actors.runtime.lifecycle import Terminated
from natya.actors.runtime.watching import take_watchers, watch


class Watcher:
    """Keeps what it is told; `dead` only where it is an actor."""

    def __init__(self, **dead):
        self.told = []
        vars(self).update(dead)

    def deliver(self, message, sender):
        self.told.append((message, sender))


def an_actor(*, dead=False, watchers=()):
    return SimpleNamespace(name="orders", dead=dead, watchers=watchers)


def test_who_comes_when_it_has_gone_is_told_at_once_and_not_kept():
    gone, watcher = an_actor(dead=True), Watcher()

    watch(watcher, gone)

    assert watcher.told == [(Terminated(name="orders"), gone)]
    assert take_watchers(gone) == ()


def test_who_watches_while_it_runs_is_kept_once_and_told_nothing_yet():
    orders, watcher = an_actor(), Watcher()

    watch(watcher, orders)
    watch(watcher, orders)

    assert watcher.told == []
    assert take_watchers(orders) == (watcher,)
    assert take_watchers(orders) == ()


def test_who_has_gone_makes_room_and_who_only_listens_stays(monkeypatch):
    monkeypatch.setattr("natya.actors.runtime.watching.WATCHERS_MAX", 3)
    listener, running, late = Watcher(), Watcher(dead=False), Watcher()
    orders = an_actor(watchers=(listener, Watcher(dead=True), running))

    watch(late, orders)
    assert orders.watchers == (listener, running, late)
    with pytest.raises(WatchRefusedError, match="at most 3 may watch orders"):
        watch(Watcher(), orders)
    assert orders.watchers == (listener, running, late)


def test_nobody_watches_what_is_no_actor_of_this_process():
    with pytest.raises(WatchRefusedError, match="an actor of this process is wanted"):
        watch(Watcher(), object())
