"""When spans are posted, and what is said where the collector takes none."""

from types import SimpleNamespace

import pytest

from natya.actors.telemetry import actor as room
from natya.actors.telemetry.actor import PostDue, TelemetryActor, TelemetryActorSettings
from natya.config.sections.telemetry import TelemetrySettings


class Staged(TelemetryActor):
    """Does nothing but note what it would have done."""

    def __init__(self):
        super().__init__()
        telemetry = TelemetrySettings.default(endpoint="http://collector.example/v1/traces", interval_s=2.5)
        self.settings = TelemetryActorSettings(telemetry=telemetry, instance="paper /data")
        self.did, self.hops = [], ()

    def new_hops(self):
        found, self.hops = self.hops, ()
        return found

    def after_on_machine(self, seconds, message):
        self.did.append(("after", seconds, message))

    def log_bounded(self, event, *, level, **fields):
        self.did.append((event, level, fields))

    def noted(self):
        did, self.did[:] = list(self.did), []
        return did


@pytest.fixture
def collector(monkeypatch):
    found = SimpleNamespace(made=None, posted=[], takes=True, closed=0)

    def close():
        found.closed += 1

    def spans(endpoint, *, timeout_s, instance):
        found.made = endpoint, timeout_s, instance
        return SimpleNamespace(post=lambda hops: found.posted.append(hops) or found.takes, close=close)

    monkeypatch.setattr(room, "Spans", spans)
    return found


@pytest.fixture
def staged(collector):
    actor = Staged()
    actor.hops = ("recorded before it began to listen",)
    actor.on_start()
    assert collector.made == ("http://collector.example/v1/traces", 5.0, "paper /data")
    assert actor.noted() == [("after", 2.5, PostDue())]
    return actor


def test_what_is_recorded_is_posted_so_often_and_nothing_where_there_is_nothing(staged, collector):
    for hops in (("a", "b"), (), ("c",)):
        staged.hops = hops
        staged.post(PostDue(), None)
        assert staged.noted() == [("after", 2.5, PostDue())]

    assert collector.posted == [("a", "b"), ("c",)]
    assert staged.trouble == ""


def test_what_the_collector_does_not_take_is_told_and_counted_until_it_does(staged, collector):
    collector.takes, staged.hops = False, ("a", "b")
    staged.post(PostDue(), None)
    trouble = "http://collector.example/v1/traces takes no spans"
    assert staged.noted() == [
        ("telemetry.dropped", "warning", {"spans": 2, "reason": trouble}),
        ("after", 2.5, PostDue()),
    ]
    assert staged.trouble == trouble

    collector.takes, staged.hops = True, ("c",)
    staged.post(PostDue(), None)
    assert (staged.trouble, staged.noted()) == ("", [("after", 2.5, PostDue())])


def test_the_last_is_posted_at_its_stop(staged, collector):
    staged.hops = ("a",)
    staged.on_stop()

    assert (collector.posted, collector.closed) == ([("a",)], 1)


def test_it_works_by_the_time_of_the_machine_and_holds_no_market_up():
    assert TelemetryActor.blocking
    assert TelemetryActor.background
    assert TelemetryActor.system_time
