"""Two systems that exchange integration events through a real server of streams."""

from collections import defaultdict
from types import SimpleNamespace

import msgspec
import pytest
import trustme
from natya_events import Invoiced, a_published
from natya_processes import await_that
from natya_redis import Node, Server, TlsProxy

from natya.actors.events.transports.redis import RedisStreams, entry_of
from natya.actors.external.streams import ServerDownError, StreamServer
from natya.config.secrets import Secret
from natya.config.sections.redis import RedisSettings
from natya.messages.codec import as_received, encode
from natya.messages.delivery import PAYLOAD_BYTES_MAX, EventsHandled

pytestmark = pytest.mark.systems

MANY = 60
KEYS = [f"trade-{number}" for number in range(5)]


def in_order(node, count):
    """Whether each of the numbers came, and the first times of each key and publisher are in order."""
    had = defaultdict(list)
    seen = set()
    while len(seen) < count:
        event = node.heard.get(timeout=20)
        if event.number not in seen:
            seen.add(event.number)
            had[event.aggregate_id, event.number // MANY].append(event.number)
    return all(numbers == sorted(numbers) for numbers in had.values())


def settle_many(node, first=0):
    for number in range(first, first + MANY):
        node.settle(number, key=KEYS[number % len(KEYS)])


class TestAnIntegrationEvent:
    def test_comes_to_the_other_system_once_as_it_was_and_not_back(self, pair):
        mumbai, pune = pair

        (event,) = mumbai.settle(1)
        pune.settle(2, key="trade-2")
        mumbai_heard, pune_heard = {1, 2} == set(mumbai.numbers(2)), {1, 2} == set(pune.numbers(2))
        await_that(lambda: mumbai.status_out().pending == pune.status_out().pending == 0)
        (first, second) = pune.records("EventPublished")

        assert mumbai_heard
        assert pune_heard
        assert mumbai.heard.empty()
        assert pune.heard.empty()
        there = {each.fact.origin: each.fact for each in (first, second)}
        assert there["mumbai"].event_id == event.event_id
        assert there["mumbai"].occurred_ns == mumbai.records("EventPublished")[0].fact.occurred_ns
        assert (mumbai.counts().sent, mumbai.counts().received) == (1, 1)

    def test_alone_travels(self, pair):
        mumbai, pune = pair
        mumbai.publisher.publish(Invoiced(aggregate_id="c", number=1)).result()
        mumbai.settle(2)

        assert pune.numbers(1) == [2]
        assert len(pune.records("EventPublished")) == 1


class TestAServer:
    def test_that_is_killed_in_mid_stream_loses_nothing_and_no_order(self, pair, server):
        mumbai, pune = pair
        settle_many(mumbai)
        server.kill()
        settle_many(mumbai, MANY)
        server.start()

        assert in_order(pune, 2 * MANY)
        await_that(lambda: mumbai.status_out().pending == 0)
        assert mumbai.letters().found == 0

    def test_that_is_killed_and_has_lost_its_data_loses_nothing_of_who_is_waited_for(self, pair, server):
        mumbai, pune = pair
        mumbai.settle(0, key=KEYS[0])
        settle_many(pune)
        server.kill()
        server.lose_everything()
        settle_many(mumbai, MANY)
        server.start()

        assert in_order(mumbai, 2 * MANY)
        assert in_order(pune, 2 * MANY)

    def test_that_hangs_holds_up_no_publisher(self, pair, server):
        mumbai, pune = pair
        mumbai.settle(0)
        with server.hanging():
            mumbai.settle(*range(1, 20))
            await_that(lambda: "Timeout" in mumbai.counts().reason)

        assert sorted(set(pune.numbers(20))) == list(range(20))

    def test_that_would_lose_what_it_acknowledged_is_refused_with_what_to_set(self, tmp_path):
        server = Server(tmp_path / "server", "--maxmemory-policy", "allkeys-lru").start(is_safe=False)
        with Node(tmp_path, server, "mumbai") as mumbai:
            await_that(lambda: mumbai.counts().reason)
            mumbai.settle(1)

            assert "set appendonly yes and maxmemory-policy noeviction" in mumbai.counts().reason
            assert server.client().xlen("natya:events:0") == 0
        server.kill()

    @pytest.mark.parametrize(
        ("told", "reason"),
        [
            ({"loading": 1, "aof_enabled": 0}, "the server is reading its data"),  # it says so of a safe one meanwhile
            ({"loading": 0, "aof_enabled": 0}, "set appendonly yes"),
            ({"loading": 0, "aof_enabled": 1}, ""),
        ],
    )
    def test_that_reads_its_data_is_waited_for_and_not_called_unsafe(self, told, reason):
        streams = RedisStreams(RedisSettings.default(node="pune"))
        streams._client = SimpleNamespace(
            info=lambda section: told if section == "persistence" else {"maxmemory_policy": "noeviction"},
            xgroup_create=lambda *_, **__: None,
        )
        found = ""
        try:
            streams.open()
        except ServerDownError as fault:
            found = str(fault)

        assert (reason in found, bool(found)) == (True, bool(reason))

    def test_wants_the_user_that_it_knows(self, tmp_path, server):
        server.client().acl_setuser(
            "natya", enabled=True, passwords="+word", keys="natya:*", commands=["+@all", "-@dangerous", "+info"]
        )
        right, wrong = ({"user": "natya", "password": Secret(word)} for word in ("word", "guessed"))
        with Node(tmp_path, server, "mumbai", **right) as mumbai, Node(tmp_path, server, "pune", **wrong) as pune:
            await_that(lambda: "AuthenticationError" in pune.counts().reason)
            await_that(lambda: mumbai.counts().is_connected)
            mumbai.settle(1)
            await_that(lambda: mumbai.counts().sent == 1)

            assert "guessed" not in pune.counts().reason

    def test_is_reached_by_tls_and_by_a_certificate_that_is_known(self, tmp_path, server):
        authority = trustme.CA()
        ours, others = tmp_path / "ours.pem", tmp_path / "others.pem"
        authority.cert_pem.write_to_path(ours)
        trustme.CA().cert_pem.write_to_path(others)
        proxy = TlsProxy(server, authority)
        with (
            Node(tmp_path, proxy, "mumbai", tls=True, ca_file=str(ours)) as mumbai,
            Node(tmp_path, proxy, "pune", tls=True, ca_file=str(others)) as pune,
        ):
            await_that(lambda: "CERTIFICATE_VERIFY_FAILED" in pune.counts().reason)
            mumbai.settle(1)
            await_that(lambda: mumbai.counts().sent == 1)
        proxy.close()

    def test_is_not_reached_by_a_certificate_that_is_known_and_of_another_name(self, tmp_path):
        authority, known = trustme.CA(), tmp_path / "ours.pem"
        authority.cert_pem.write_to_path(known)
        proxy = TlsProxy(SimpleNamespace(port=1), authority, "elsewhere.example")
        settings = RedisSettings.default(host="127.0.0.1", port=proxy.port, tls=True, ca_file=str(known))
        there = StreamServer(settings, wanted_by="redis.node")
        with pytest.raises(ServerDownError, match=r"not valid for '127\.0\.0\.1'"), there.telling():
            there.client.ping()
        there.close()
        proxy.close()


class TestANodeThatIsAway:
    def test_and_is_named_among_the_receivers_has_everything_when_it_comes(self, tmp_path, server):
        with Node(tmp_path, server, "mumbai", receivers=("pune",)) as mumbai:
            mumbai.settle(*range(10))
            mumbai.numbers(10)
            await_that(lambda: mumbai.counts().sent == 10)
            pending = mumbai.status_out().pending
            server.client().flushall()
            with Node(tmp_path, server, "pune") as pune:
                assert sorted(set(pune.numbers(10))) == list(range(10))
                await_that(lambda: mumbai.status_out().pending == 0)

        assert pending == 10

    def test_goes_on_where_it_was(self, tmp_path, server):
        with Node(tmp_path, server, "mumbai") as mumbai:
            with Node(tmp_path, server, "pune") as pune:
                mumbai.settle(1)
                first = pune.numbers(1)
                pune.stop("durable-settled")
                pune.stop("transport")
                pune.end()
            mumbai.settle(2)
            with Node(tmp_path, server, "pune") as pune:
                assert (first, pune.numbers(1)) == ([1], [2])


class TestAnEntryThatIsNoEvent:
    @pytest.mark.parametrize(
        ("fields", "node", "reason"),
        [
            (None, "?", "the stream was trimmed before it was confirmed"),
            ({b"n": b"x", b"e": b"\xff"}, "x", "a frame has 2 to"),
            ({b"n": b"x", b"e": encode(a_published(kind="fact"))}, "x", "no integration event"),
            ({b"n": b"x", b"e": encode(EventsHandled())}, "x", "no integration event"),
        ],
        ids=["trimmed", "no message", "a fact", "no event"],
    )
    def test_says_why(self, fields, node, reason):
        found = entry_of(3, b"17-0", fields)

        assert (found.partition, found.entry_id, found.event.origin) == (3, b"17-0", node)
        assert (found.event.event_id, found.event.aggregate_id) == ("redis-3-17-0", "3-17-0")
        assert msgspec.msgpack.decode(found.event.payload)["reason"].startswith(reason)

    @pytest.mark.parametrize(
        "fields",
        [
            {b"e": b"x" * 2 * PAYLOAD_BYTES_MAX},
            {b"k%d" % number: bytes(100_000) for number in range(30)},
            {b"k" * PAYLOAD_BYTES_MAX: b""},
        ],
        ids=["one field", "many", "a name"],
    )
    def test_that_is_too_large_for_an_event_is_one_with_its_beginning(self, fields):
        found = entry_of(3, b"17-0", fields).event
        told = msgspec.msgpack.decode(found.payload)

        assert as_received(found) == found
        size = sum(len(name) + len(value) for name, value in fields.items())
        assert told["reason"].endswith(f"; {size:,} bytes, of which the beginning")
        assert all(fields[name.encode()].startswith(value) for name, value in told["fields"].items() if value)

    @pytest.mark.parametrize(
        "fields",
        [
            {"n": "x", "e": b"\xff"},
            {"x": "y"},
            {"n": "x", "e": encode(a_published(kind="fact"))},
        ],
        ids=["no message", "no event", "a fact"],
    )
    def test_is_an_event_of_its_own_with_all_its_bytes_and_holds_nothing_up(self, pair, server, fields):
        mumbai, pune = pair
        server.client().xadd("natya:events:0", fields)
        mumbai.settle(1)
        pune.numbers(1)
        await_that(lambda: pune.counts().unreadable == 1)
        (entry,) = [each.fact for each in pune.records("EventPublished") if each.fact.event_type == "UnreadableEntry"]

        told = msgspec.msgpack.decode(entry.payload)
        assert {name: bytes(value) for name, value in told["fields"].items()} == {
            name: value if isinstance(value, bytes) else value.encode() for name, value in fields.items()
        }
        assert told["reason"]
