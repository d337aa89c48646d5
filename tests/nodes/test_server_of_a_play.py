"""What nodes leave for each other at a real server: frames for one, ticks for all, leases."""

from types import SimpleNamespace

import pytest
from natya_redis import Server

from natya.actors.external.streams import ServerDownError
from natya.actors.nodes import PlaySettings
from natya.actors.nodes.server import Batch, PlayServer
from natya.config.sections.nodes import NodesSettings
from natya.config.sections.redis import RedisSettings
from natya.domain.nodes.lease import Lease


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "server").start()
    yield server
    server.kill()


@pytest.fixture
def node(server):
    opened = []

    def node(life, play="p"):
        settings = PlaySettings(
            server=RedisSettings.default(host="127.0.0.1", port=server.port),
            limits=NodesSettings.default(play=play, name="pune"),
            strategies=(),
        )
        opened.append(PlayServer(settings, life))
        return opened[-1]

    yield node
    for each in opened:
        each.close()


def batch(number):
    return Batch("mumbai-1", number, b"%d" % number)


class TestFrames:
    def test_are_read_once_by_the_life_that_they_are_for_in_their_order(self, node):
        sender, reader, other = node("a-1"), node("b-1"), node("b-2")
        sender.post([("b-1", b"x"), ("b-2", b"y"), ("b-1", b"z")])

        assert reader.take(with_ticks=False).frames == [b"x", b"z"]
        sender.post([("b-1", b"w")])
        assert reader.take(with_ticks=False).frames == [b"w"]
        assert other.take(with_ticks=False).frames == [b"y"]

    def test_of_another_play_are_not_heard(self, node):
        node("a-1", "q").post([("b-1", b"x")])

        assert node("b-1").take(with_ticks=False) == ([], [])


class TestTicks:
    def test_come_again_from_the_oldest_that_is_kept_behind_a_failure(self, node, monkeypatch):
        """The server may be another one by then."""
        sender, reader = node("a-1"), node("b-1")
        sender.spread(batch(1))
        assert reader.take(with_ticks=True).batches == []
        sender.spread(batch(2))
        assert reader.take(with_ticks=True).batches == [batch(2)]

        def away(**_):
            raise OSError("as the test says")

        with monkeypatch.context() as patched:
            pipe = SimpleNamespace(xread=lambda *_, **__: None, xdel=lambda *_: None, execute=away)
            patched.setattr(reader._client, "pipeline", lambda **_: pipe)
            with pytest.raises(ServerDownError):
                reader.take(with_ticks=True)

        assert reader.take(with_ticks=True).batches == [batch(1), batch(2)]

    def test_are_heard_by_all_from_their_first_look_on_each_once_whenever_they_look(self, node):
        sender, early, late = node("a-1"), node("b-1"), node("c-1")
        sender.spread(batch(1))
        assert early.take(with_ticks=True).batches == []
        sender.spread(batch(2))
        sender.spread(batch(3))
        assert late.take(with_ticks=True).batches == []
        sender.spread(batch(4))

        assert early.take(with_ticks=True).batches == [batch(2), batch(3), batch(4)]
        assert late.take(with_ticks=True).batches == [batch(4)]
        sender.spread(batch(5))
        assert early.take(with_ticks=True).batches == [batch(5)]

    def test_are_left_to_those_who_want_them(self, node):
        reader = node("b-1")
        reader.take(with_ticks=False)
        node("a-1").spread(batch(1))

        assert reader.take(with_ticks=False).batches == []

    def test_come_from_the_oldest_that_is_kept_when_the_server_was_away(self, node, server):
        sender, reader = node("a-1"), node("b-1")
        reader.take(with_ticks=True)
        sender.spread(batch(1))
        assert reader.take(with_ticks=True).batches == [batch(1)]
        server.kill()
        with pytest.raises(ServerDownError):
            reader.take(with_ticks=True)
        server.start()
        sender.spread(batch(2))

        assert reader.take(with_ticks=True).batches[-1] == batch(2)


class TestALease:
    def test_is_written_in_the_place_of_the_one_that_was_seen_alone(self, node):
        first, second = node("a-1"), node("b-1")
        seen = first.look(["march"]).leases["march"]
        mine, theirs = Lease(holder="a-1", fence=1, beat=0), Lease(holder="b-1", fence=2, beat=0)

        assert seen.lease is None
        assert first.swap("march", seen, mine)
        assert not second.swap("march", seen, theirs)
        now = second.look(["march", "other"]).leases
        assert (now["march"].lease, now["other"].lease) == (mine, None)
        assert second.swap("march", now["march"], theirs)


def test_the_broker_node_is_the_one_that_said_so_last_and_hears_who_it_was_before(node):
    first, second = node("a-1"), node("b-1")

    assert first.look([]).broker == ""
    assert [first.announce(), second.announce(), second.announce()] == ["", "a-1", "b-1"]
    assert first.look([]).broker == "b-1"
