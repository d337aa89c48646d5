"""The page, what it is told, and the stream that tells it."""

import asyncio
import hashlib
import json
import re
import time
from decimal import Decimal
from importlib import resources

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_messages import distinct
from natya_web import Line, ask

from natya.actors.control import ControlActor, ControlActorSettings, ControlClient
from natya.actors.control.dashboard import pages
from natya.actors.control.dashboard.shot import percentile_ms, shot_of
from natya.actors.control.http import stream
from natya.actors.control.http.stream import STREAMS_MAX, Stream
from natya.actors.control.http.token_file import read_token
from natya.actors.control.operations import BY_NAME
from natya.actors.observability import View, health_of
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.web import WebActor
from natya.config.sections.control import ControlSettings
from natya.config.sections.web import WebSettings
from natya.messages.broker import BrokerStatistics
from natya.messages.control import ShowHttp
from natya.messages.delivery import DeliveryStatistics, SubscriptionStatus
from natya.messages.events import EventsStatistics
from natya.messages.health import TIMING_BOUNDS_S, Budget, ServiceStatistics, Timing, TokenStatistics
from natya.messages.holdings import Position
from natya.messages.journal import JournalStatistics
from natya.messages.market import FeedStatistics
from natya.messages.order_listing import OrdersStatistics
from natya.messages.supervision import ChildStatus, DescribeTree, SupervisionTree, Unavailable

FILES = resources.files(pages.__package__)
SCRIPTS = "".join(
    FILES.joinpath(name).read_text() for name, kind in pages.FILES.values() if kind == pages.SCRIPT and "/" not in name
)
"""All of ours."""

CHILD = {"host": "loop", "restarts": 2, "breaker": "closed", "mailbox_depth": 3, "last_error": "KeyError: <b>x</b>"}
TREE = SupervisionTree(children=(ChildStatus(path="system/strategies/dip", state="RUNNING", **CHILD),))


class Root(RuntimeActor):
    @handles(DescribeTree)
    def describe(self, _, sender):
        self.send(sender, TREE)


class Api:
    def __init__(self, url, token):
        self.url, self.token, self.lines = url, token, []

    def stream(self, **headers):
        line = Line(int(self.url.rpartition(":")[2]))
        self.lines.append(line)
        known = {"Authorization": f"Bearer {self.token}", **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in known.items())
        line.send(f"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n{head}\r\n".encode())
        return line


@pytest.fixture
def api(tmp_path):
    limits = ControlSettings.default(http=True)
    with InProcessSystem() as running:
        running.start("system", Root)
        running.start("control-web", WebActor, WebSettings.default(drain_s=60.0))
        running.start("control", ControlActor, ControlActorSettings(data_dir=tmp_path, limits=limits))
        with ControlClient(tmp_path, monotonic_ns=time.monotonic_ns) as client:
            while not (shown := client.request("control", ShowHttp())).url:
                assert shown.reason == "it is not served yet"
        served = Api(shown.url, read_token(tmp_path).reveal())
        yield served
        began = time.monotonic()
        running.stop("control")
        running.stop("control-web")
        assert time.monotonic() - began < 30, "an open page holds nothing up"
    for line in served.lines:
        line.socket.close()


def the_orders(*positions):
    counts = {"orders": 3, "fills": 2, "rejected": 1, "open_orders": 0, "uncertain_orders": 0}
    held = tuple(
        Position(symbol=symbol, quantity=quantity, average_price=Decimal(100), realized_pnl=Decimal("-1.50"))
        for symbol, quantity in positions
    )
    return OrdersStatistics(risk_state="NORMAL", positions=held, **counts)


def the_feed(**prices):
    zeros = dict.fromkeys(("ticks", "candles", "bad_rows"), 0)
    return FeedStatistics(source="synthetic", ended=False, last_prices=prices, **zeros)


def the_view(**statistics):
    return View(tree=TREE, statistics=statistics)


class TestThePage:
    @pytest.mark.parametrize("path", pages.FILES)
    def test_is_served_without_a_token_and_bound_to_this_server(self, api, path):
        line = Line(int(api.url.rpartition(":")[2]))
        line.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        head, _, rest = line._read_until(b"\r\n\r\n").partition(b"\r\n\r\n")
        while more := line._read():
            rest += more
        line.socket.close()

        assert head.startswith(b"HTTP/1.1 200")
        assert b"default-src 'none'; script-src 'self';" in head
        assert b"frame-ancestors 'none'" in head
        assert rest == FILES.joinpath(pages.FILES[path][0]).read_bytes()
        assert api.token.encode() not in rest

    @pytest.mark.parametrize(
        "path", ["/vendor/", "/vendor/manifest.json", "/pages.py", "/../control.token", "/app.js/"]
    )
    def test_is_all_that_is_served_of_the_disk(self, api, path):
        assert ask("GET", f"{api.url}{path}", headers={"Authorization": f"Bearer {api.token}"})[0] == 404

    def test_asks_for_nothing_that_is_not_served(self):
        page = FILES.joinpath("index.html").read_text()

        assert set(re.findall(r'(?:src|href)="(/[^"]*)"', page)) == set(pages.FILES) - {"/"}
        assert not re.findall(r"https?://", page)

    def test_asks_only_for_operations_that_there_are(self):
        asked = set(re.findall(r'["`]/v1/([a-z-]+)[?"`]', SCRIPTS))

        assert asked - {"stream"} <= set(BY_NAME)

    def test_never_reads_text_as_html(self):
        assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", SCRIPTS)

    def test_has_the_parts_that_its_script_fills(self):
        page = FILES.joinpath("index.html").read_text()
        named = set(re.findall(r'(?:\$|fill|say)\("([a-z-]+)"', SCRIPTS))

        assert len(named) > 40
        assert named <= set(re.findall(r'id="([a-z-]+)"', page))

    def test_has_its_libraries_as_they_were_published(self):
        manifest = json.loads(FILES.joinpath("vendor/manifest.json").read_text())

        for name, known in manifest.items():
            assert hashlib.sha256(FILES.joinpath(f"vendor/{name}").read_bytes()).hexdigest() == known["sha256"]
        licences = {known["package"].lower() for known in manifest.values()}
        assert {each.name.removesuffix(".LICENSE").lower() for each in FILES.joinpath("vendor").iterdir()} >= licences


class TestTheStream:
    def test_tells_how_the_system_is_at_once(self, api):
        told = api.stream()._read_until(b"\n\n\r\n")

        assert b"content-type: text/event-stream" in told.lower()
        shot = json.loads(told.partition(b"data: ")[2].split(b"\n\n")[0])
        assert shot["live"]
        assert [(each["name"], each["depth"]) for each in shot["components"]] == [
            ("dip", 1),
            ("disk", 0),
            ("container", 0),
        ]

    def test_tells_what_becomes_of_orders_and_what_a_page_may_do(self, api):
        shot = json.loads(api.stream()._read_until(b"\n\n\r\n").partition(b"data: ")[2].split(b"\n\n")[0])

        assert (shot["mode"], shot["role"]) == ("paper", "operate")

    def test_tells_it_again_and_again(self, api, monkeypatch):
        monkeypatch.setattr(stream, "EVERY_S", 0.01)
        monkeypatch.setattr(stream, "LOOK_S", 0.01)
        line = api.stream()

        assert all(b"data: " in line._read_until(b"data: ") for _ in range(3))

    def test_that_the_system_ends_leaves_nobody_waiting_for_the_page(self):
        sent = []

        async def unavailable(*_, **__):
            told.close()
            return Unavailable(actor="control", reason="it stops", retry_after_s=1.0)

        async def send(message):
            sent.append(message)

        async def serve():
            await told.send(asyncio.Event().wait, send)
            (waiting,) = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.wait({waiting}, timeout=1)
            return waiting.cancelled()

        told = stream.Stream(unavailable, now_ns=lambda: 0)

        assert asyncio.run(serve())
        assert [each.get("more_body") for each in sent] == [None, True, False]

    def test_is_for_who_has_the_token(self, api):
        line = api.stream(Authorization="Bearer wrong")

        assert line._read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 401")

    def test_is_not_for_pages_of_other_sites(self, api):
        line = api.stream(Origin="https://evil.example")

        assert line._read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 403")

    def test_is_open_so_often_and_no_more(self, api):
        for _ in range(STREAMS_MAX):
            assert b"data: " in api.stream()._read_until(b"data: ")

        assert api.stream()._read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 429")

    def test_that_is_closed_leaves_room_for_another(self, api):
        lines = [api.stream() for _ in range(STREAMS_MAX)]
        for line in lines:
            line._read_until(b"data: ")
            line.socket.close()
        until = time.monotonic() + 10
        while not (head := api.stream()._read_until(b"\r\n\r\n")).startswith(b"HTTP/1.1 200"):
            assert time.monotonic() < until, head


class TestAShot:
    def test_is_taken_once_for_all_who_look_within_half_the_time(self, monkeypatch):
        asked = []

        async def ask(target, _message, *, timeout_s):
            asked.append((target, timeout_s))
            return View(tree=None, statistics={})

        async def look():
            one = Stream(ask, now_ns=lambda: 5_000_000)
            shots = {await one._shot() for _ in range(3)}
            monkeypatch.setattr(stream, "EVERY_S", -1.0)
            return shots | {await one._shot()}

        assert [json.loads(each)["time_ms"] for each in asyncio.run(look())] == [5]
        assert asked == [("control", stream.VIEW_S)] * 2

    def test_is_told_so_often_and_the_page_is_looked_at_in_between(self, monkeypatch):
        monkeypatch.setattr(stream, "LOOK_S", 0.001)
        monkeypatch.setattr(stream, "EVERY_S", 0.004)
        waited, sent, closed = [], [], asyncio.Event()
        wait = asyncio.wait

        async def noted(awaited, **most):
            waited.append((len([each for each in sent if each.get("more_body")]), most))
            return await wait(awaited, **most)

        async def ask(*_asked, **_most):
            return View(tree=None, statistics={})

        async def receive():
            await closed.wait()
            return {"type": "http.disconnect"}

        async def send(event):
            sent.append(event)
            if len(sent) == 4:
                closed.set()
                await asyncio.sleep(0)

        monkeypatch.setattr(stream.asyncio, "wait", noted)
        one = Stream(ask, now_ns=lambda: 5_000_000)
        asyncio.run(one.send(receive, send))

        assert waited[:8] == [(1, {"timeout": 0.001})] * 4 + [(2, {"timeout": 0.001})] * 4
        assert [each.get("more_body") for each in sent] == [None, True, True, True]

    @pytest.mark.parametrize("end", ["closed", "gone"])
    def test_is_told_no_more_when_the_system_ends_or_the_page_is_closed_while_it_waits(self, monkeypatch, end):
        monkeypatch.setattr(stream, "LOOK_S", 0.001)
        sent, gone, waits = [], asyncio.Event(), []
        wait = asyncio.wait

        async def ask(*_asked, **_most):
            return View(tree=None, statistics={})

        async def receive():
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(event):
            sent.append(event)

        one = Stream(ask, now_ns=lambda: 5_000_000)

        async def noted(awaited, **most):
            waits.append(most)
            if len(waits) == 3:
                one.close() if end == "closed" else gone.set()
            return await wait(awaited, **most)

        monkeypatch.setattr(stream.asyncio, "wait", noted)
        asyncio.run(one.send(receive, send))

        assert len(waits) == 3
        assert [each.get("more_body") for each in sent] == [None, True, *([False] if end == "closed" else [])]
        assert not one.is_full

    def test_values_positions_at_the_last_prices(self):
        shot = shot_of(
            the_view(orders=the_orders(("TCS", 10), ("INFY", 0)), feed=the_feed(TCS=99.5)), wall_ns=5_000_000
        )

        assert shot["time_ms"] == 5
        assert (shot["orders"]["realized"], shot["orders"]["unrealized"]) == ("-3.00", "-5.00")
        assert [each["unrealized"] for each in shot["orders"]["positions"]] == ["-5.00", None]

    def test_tells_no_open_profit_where_a_price_is_missing(self):
        shot = shot_of(the_view(orders=the_orders(("TCS", 10), ("INFY", 5)), feed=the_feed(TCS=99.5)), wall_ns=0)

        assert shot["orders"]["unrealized"] is None

    def test_tells_of_each_lane_what_waits_and_what_was_given_up(self):
        status = SubscriptionStatus(
            subscription="scale",
            subscriber="",
            position=3,
            behind=9,
            pending=2,
            handled=7,
            retries=1,
            duplicates=0,
            dead_letters=4,
            breaker="open",
            last_error="ValueError: -1 g",
        )
        zeros = dict.fromkeys(("published", "refused", "sent", "subscribers", "last_sequence"), 0)
        shot = shot_of(the_view(delivery=DeliveryStatistics(subscriptions=(status,), **zeros)), wall_ns=0)

        assert shot["lanes"] == [
            {
                "name": "scale",
                "passed": 7,
                "waiting": 9,
                "given_up": 4,
                "breaker": "open",
                "reason": "ValueError: -1 g",
            }
        ]

    def test_says_how_long_most_took_and_how_long_the_slowest(self):
        counts = (98, 0, 0, 0, 0, 2, *[0] * (len(TIMING_BOUNDS_S) - 5))
        journal = JournalStatistics(
            records=1, appended=1, commits=100, bytes_written=1, path="", commit=Timing(counts=counts, sum_s=1.0)
        )

        assert shot_of(the_view(journal=journal), wall_ns=0)["timings"] == [
            {
                "name": "journal commit",
                "count": 100,
                "p50_ms": 1_000 * TIMING_BOUNDS_S[0],
                "p99_ms": 1_000 * TIMING_BOUNDS_S[5],
            }
        ]

    def test_of_a_system_that_does_not_answer_says_so(self):
        shot = shot_of(View(tree=None, statistics={}), wall_ns=0)

        assert (shot["live"], shot["ready"], shot["orders"], shot["components"]) == (False, False, None, [])
        assert msgspec.json.encode(shot)

    def test_is_of_a_bounded_number_of_symbols(self):
        shot = shot_of(the_view(feed=the_feed(**{f"S{each:04}": 1.0 for each in range(150)})), wall_ns=0)

        assert (len(shot["prices"]), shot["prices_left_out"]) == (100, 50)


def timed(place):
    """One that took as long as the class at this place says."""
    counts = [0] * (len(TIMING_BOUNDS_S) + 1)
    counts[place] = 7
    return Timing(counts=tuple(counts), sum_s=1.0)


def test_a_shot_of_a_whole_system_has_each_figure_under_its_name():
    children = tuple(
        ChildStatus(path=path, state="RUNNING", **CHILD | {"last_error": "" if path.endswith("s") else "KeyError: x"})
        for path in ("system/orders", "system/strategies/dip")
    )
    orders = distinct(
        OrdersStatistics,
        risk_state="REDUCING",
        positions=(
            Position(symbol="TCS", quantity=10, average_price=Decimal(100), realized_pnl=Decimal("-1.50")),
            Position(symbol="INFY", quantity=-5, average_price=Decimal(50), realized_pnl=Decimal("4.00")),
            Position(symbol="SBIN", quantity=0, average_price=Decimal(0), realized_pnl=Decimal("7.25")),
        ),
        refused_by_rule={"symbol": 3},
        unprotected=(),
    )
    feed = distinct(
        FeedStatistics, last_prices={"TCS": 99.5, "INFY": 52.0}, priced_ns={"TCS": 7 * 10**9, "INFY": 9 * 10**9}
    )
    status = distinct(SubscriptionStatus, pending=12, behind=5)
    service = {"budgets": (Budget(kind="orders", window="250 in 1m", remaining=249),), "clock_skew_s": 0.0}
    view = View(
        tree=SupervisionTree(children=children),
        statistics={
            "orders": orders,
            "feed": feed,
            "broker": distinct(BrokerStatistics, acknowledgement=timed(1)),
            "journal": distinct(JournalStatistics, commit=timed(2)),
            "dhan": distinct(ServiceStatistics, service="dhan", answer=timed(3), **service),
            "tokens": distinct(TokenStatistics, ends_ns=5 * 10**9),
            "events": (router := distinct(EventsStatistics)),
            "delivery": distinct(DeliveryStatistics, subscriptions=(status,)),
        },
        disk_free_bytes=77,
    )

    health = health_of(view, now_ns=1_234_567_890)
    shot = shot_of(view, wall_ns=1_234_567_890)

    components = shot.pop("components")
    assert [(each["name"], each["health"], each["reason"]) for each in components] == [
        (each.name, each.state, each.reason) for each in health.components
    ]
    of_tree = {"state": "RUNNING", "restarts": 2, "breaker": "closed", "waiting": 3}
    by_name = {each.pop("name"): each for each in components}
    for name, depth, last_error in (("orders", 0, ""), ("dip", 1, "KeyError: x")):
        of_health = {"health": by_name[name]["health"], "reason": by_name[name]["reason"]}
        assert by_name[name] == of_health | of_tree | {"depth": depth, "last_error": last_error}
    assert shot == {
        "time_ms": 1_234,
        "live": health.live,
        "ready": health.ready,
        "reason": health.reason,
        "risk_state": "REDUCING",
        "risk_cause": orders.risk_cause,
        "prices": {"INFY": 52.0, "TCS": 99.5},
        "prices_left_out": 0,
        "feed": {
            "source": feed.source,
            "ticks": feed.ticks,
            "gaps": feed.gaps,
            "silent": feed.silent,
            "age_s": feed.data_age_s,
            "market_ms": 9_000,
        },
        "orders": {
            "submitted": orders.orders,
            "fills": orders.fills,
            "rejected": orders.rejected,
            "open": orders.open_orders,
            "uncertain": orders.uncertain_orders,
            "refused_by_rule": {"symbol": 3},
            "realized": "9.75",
            "unrealized": "-15.00",
            "positions": [
                {
                    "symbol": "TCS", "quantity": 10, "average_price": "100", "last_price": 99.5, "realized": "-1.50",
                    "unrealized": "-5.00",
                },
                {
                    "symbol": "INFY", "quantity": -5, "average_price": "50", "last_price": 52.0, "realized": "4.00",
                    "unrealized": "-10.00",
                },
                {
                    "symbol": "SBIN", "quantity": 0, "average_price": "0", "last_price": None, "realized": "7.25",
                    "unrealized": None,
                },
            ],
        },
        "timings": [
            {"name": name, "count": 7, "p50_ms": 1_000 * TIMING_BOUNDS_S[at], "p99_ms": 1_000 * TIMING_BOUNDS_S[at]}
            for at, name in enumerate(("order acknowledged", "journal commit", "answer of dhan"), start=1)
        ],
        "budgets": [{"kind": "orders", "window": "250 in 1m", "remaining": 249}],
        "token_ends_ms": 5_000,
        "lanes": [
            *(
                {"name": name, "passed": passed, "waiting": None, "given_up": None, "breaker": "", "reason": ""}
                for name, passed in (("ticks", router.ticks), ("facts", router.facts))
            ),
            {
                "name": status.subscription,
                "passed": status.handled,
                "waiting": 12,
                "given_up": status.dead_letters,
                "breaker": status.breaker,
                "reason": status.last_error,
            },
        ],
        "dead_letters": router.dead_letters,
        "disk_free_bytes": 77,
    }  # fmt: skip


class TestAPercentile:
    @given(counts=st.lists(st.integers(0, 50), min_size=17, max_size=17), share=st.sampled_from([0.5, 0.99]))
    def test_is_never_below_the_true_one(self, counts, share):
        timing = Timing(counts=tuple(counts), sum_s=0.0)
        bounds = [1_000 * each for each in TIMING_BOUNDS_S]
        placed = sorted(place for place, count in enumerate(counts) for _ in range(count))
        found = percentile_ms(timing, share)

        if not placed:
            assert found is None
            return
        true = placed[max(0, -(-len(placed) * share // 1).__trunc__() - 1)]
        assert found == (bounds[true] if true < len(bounds) else -1.0)
