import json
import sys
import threading
from types import SimpleNamespace
from typing import NamedTuple

import msgspec
import pytest
from natya_processes import await_that
from natya_web import Served

from natya.actors.alarms import actor as alarms_actor
from natya.actors.alarms.actor import AlarmsActor, LookDue, TryAgain
from natya.actors.alarms.delivery import NotDeliveredError, Told, run_command, told, ways
from natya.actors.alarms.lasting import Alarms, Notice
from natya.actors.alarms.rules import RULES
from natya.actors.alarms.settings import AlarmsSettings
from natya.actors.external import ExternalError
from natya.actors.observability import ShowView, View
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.offload import Outcome
from natya.actors.web import answer, body_of
from natya.config.secrets import Secret
from natya.config.sections.notifications import NotificationsSettings
from natya.messages.events import EventsStatistics
from natya.messages.health import Alarm, AlarmsShown, NotificationsTested, ShowAlarms, TestNotifications
from natya.messages.order_listing import OrdersStatistics
from natya.messages.settings import TakeSettings
from natya.messages.supervision import ChildStatus, SupervisionTree

PARKED = ChildStatus(
    path="system/strategies/dip",
    state="PARKED",
    host="loop",
    restarts=5,
    breaker="open",
    mailbox_depth=0,
    last_error="KeyError: x",
)
ALARM = Alarm(rule="parked", subject="dip", severity="critical", text="dip failed for good", since_ns=0)


class Control(RuntimeActor):
    """Shows a system with a strategy that failed for good."""

    @handles(ShowView)
    def show(self, _, sender):
        self.send(sender, View(tree=SupervisionTree(children=(PARKED,)), statistics={}))


class Hook:
    """A webhook that fails at first, if it is to."""

    def __init__(self, failures=0):
        self.failures, self.got, self.tries = failures, [], 0
        self.came = threading.Event()
        self.served = Served(self.take, {})
        self.url = f"http://127.0.0.1:{self.served.server.port}/secret-path"

    async def take(self, _scope, receive, send):
        body = await body_of(receive)
        self.tries += 1
        if self.tries <= self.failures:
            await answer(send, 500, b"{}")
            return
        self.got.append(json.loads(body))
        await answer(send, 200, b"{}")
        self.came.set()


@pytest.fixture
def hook():
    made = []

    def make(**how):
        made.append(Hook(**how))
        return made[-1]

    yield make
    for each in made:
        each.served.close()


@pytest.fixture
def soon(monkeypatch):
    """Looks follow each other at once."""
    monkeypatch.setattr("natya.actors.alarms.actor.LOOK_EVERY_S", 0.02)


def the_settings(**ways_):
    return AlarmsSettings(limits=NotificationsSettings.default(**ways_), instance="paper")


def running(settings):
    system = InProcessSystem()
    system.start("control", Control)
    system.start("alarms", AlarmsActor, settings)
    return system


class TestAStrategyThatFailedForGood:
    def test_is_told_to_the_webhook_once(self, hook, soon):
        it = hook()
        with running(the_settings(webhook=Secret(it.url))) as system:
            assert it.came.wait(10)
            shown = system.request("alarms", ShowAlarms())
            tested = system.request("alarms", TestNotifications())

        assert (tested.delivered, tested.failed) == (("webhook",), ())
        assert it.got.pop()["change"] == "test"
        assert [each["text"] for each in it.got] == [
            "natya paper: critical: dip failed for good, and its open orders stay as they are: KeyError: x"
        ]
        assert (it.got[0]["rule"], it.got[0]["subject"], it.got[0]["change"]) == ("parked", "dip", "raised")
        assert [each.rule for each in shown.alarms] == ["parked"]
        assert shown.ways == ("webhook",)

    def test_is_told_again_where_the_webhook_failed(self, hook, monkeypatch, soon):
        monkeypatch.setattr("natya.actors.alarms.actor.FIRST_WAIT_S", 0.01)
        it = hook(failures=2)
        with running(the_settings(webhook=Secret(it.url))):
            assert it.came.wait(10)

        assert it.tries == 3

    @pytest.mark.usefixtures("soon")
    @pytest.mark.parametrize(("limits", "tries"), [((3, 9), 3), ((9, 0), 1)], ids=["failed too often", "too many wait"])
    def test_is_given_up_where_the_webhook_failed_too_often_or_too_many_wait(
        self, hook, monkeypatch, caplog, limits, tries
    ):
        for name, value in zip(("FIRST_WAIT_S", "ATTEMPTS_MAX", "WAITING_MAX"), (0.001, *limits), strict=True):
            monkeypatch.setattr(f"natya.actors.alarms.actor.{name}", value)
        it = hook(failures=1_000)

        def of_notifications():
            return [each.message for each in caplog.records if each.message.startswith("notification.")]

        with running(the_settings(webhook=Secret(it.url))), caplog.at_level("INFO", logger="natya"):
            await_that(lambda: "notification.lost" in of_notifications())

        assert of_notifications() == ["notification.failed"] * (tries - 1) + ["notification.lost"]
        assert it.tries == tries

    @pytest.mark.parametrize(
        ("change", "severity", "level"),
        [
            ("raised", "critical", "error"),
            ("repeated", "critical", "error"),
            ("raised", "warning", "warning"),
            ("over", "critical", "info"),
        ],
    )
    def test_is_logged_as_loud_as_it_is(self, change, severity, level):
        logged = []
        actor = SimpleNamespace(_ways={}, log=lambda event, level, **fields: logged.append((event, level, fields)))

        AlarmsActor._report(actor, Notice(change, msgspec.structs.replace(ALARM, severity=severity)))

        fields = {"rule": "parked", "subject": "dip", "severity": severity, "text": "dip failed for good"}
        assert logged == [(f"alarm.{change}", level, fields)]

    def test_is_logged_without_the_address_where_nothing_answers(self, caplog, hook, soon):
        it = hook(failures=1_000)
        with running(the_settings(webhook=Secret(it.url))) as system, caplog.at_level("INFO", logger="natya"):
            failed = system.request("alarms", TestNotifications()).failed
            while not system.request("alarms", ShowAlarms()).alarms:
                pass

        assert failed == ("webhook: the webhook answered 500",)
        assert any(each.message == "alarm.raised" for each in caplog.records)
        assert "secret-path" not in repr([vars(each) for each in caplog.records])


class TestASystemThatDoesNotAnswer:
    def test_is_an_alarm_when_it_has_lasted(self, monkeypatch, hook, soon):
        at_once = tuple(msgspec.structs.replace(rule, after_s=0.0) for rule in RULES)
        monkeypatch.setattr(Alarms.__init__, "__defaults__", (at_once,))
        it = hook()
        with InProcessSystem() as system:
            system.start("alarms", AlarmsActor, the_settings(webhook=Secret(it.url)))
            assert it.came.wait(10)

        assert it.got[0]["rule"] == "not_answering"


class Staged(AlarmsActor):
    """Does nothing but note what it would have done, in order; each way's jobs end when the test says so."""

    def __init__(self, settings):
        super().__init__()
        self.settings, self.did, self.jobs, self.now_s = settings, [], [], 0
        self.clock = SimpleNamespace(
            monotonic_ns=lambda: self.now_s * 10**9, now_ns=lambda: (1_800_000_000 + self.now_s) * 10**9
        )
        self.on_start()

    def send(self, target, message):
        self.did.append(("send", target, message))

    def ask(self, target, message, *, timeout_s, then):
        self.did.append(("ask", target, message, timeout_s))
        self.jobs.append(then)

    def offload(self, function, *arguments, then, lane):
        self.did.append(("tell", lane, arguments))
        self.jobs.append(then)

    def after_on_machine(self, seconds, message):
        self.did.append(("after", seconds, message))

    def log(self, event, *, level="info", **fields):
        self.did.append(("log", event, level, fields))

    log_bounded = log

    def noted(self):
        did, self.did[:] = list(self.did), []
        return did

    def end(self, outcome):
        """End the oldest job."""
        self.jobs.pop(0)(outcome)

    def look_at(self, view):
        """Look, be answered this, and return what comes of it."""
        self.look(LookDue(), None)
        self.noted()
        self.jobs.pop()(Outcome(value=view))
        return self.noted()


def of_orders(risk_state):
    counts = dict.fromkeys(("orders", "fills", "rejected", "open_orders", "uncertain_orders"), 0)
    return OrdersStatistics(risk_state=risk_state, positions=(), **counts)


FAILED = Outcome(error=NotDeliveredError("the command ended with 3"))
DONE = Outcome()
RAISED = told(Notice("raised", ALARM), "paper")


@pytest.fixture
def staged():
    actor = Staged(the_settings(command=("tell",), webhook=Secret("http://hook.example/x"), repeat_s=600.0))
    actor.noted()
    return actor


class TestTheActor:
    def test_goes_by_the_time_of_people_and_holds_no_simulated_market_up(self):
        assert AlarmsActor.system_time
        assert AlarmsActor.background

    def test_looks_every_few_seconds(self):
        actor = Staged(the_settings())
        actor.look(LookDue(), None)

        assert actor.noted() == [
            ("after", 5.0, LookDue()),
            ("ask", "control", ShowView(), 4.0),
            ("after", 5.0, LookDue()),
        ]

    def test_tells_an_alarm_by_each_way_and_logs_it(self, staged):
        done = staged.look_at(View(tree=SupervisionTree(children=(PARKED,)), statistics={}))

        text = "dip failed for good, and its open orders stay as they are: KeyError: x"
        notice = Told(
            text=f"natya paper: critical: {text}",
            change="raised",
            rule="parked",
            subject="dip",
            severity="critical",
            since="2027-01-15 13:30:00 IST",
            instance="paper",
        )
        fields = {"rule": "parked", "subject": "dip", "severity": "critical", "text": text}
        assert done == [
            ("log", "alarm.raised", "error", fields),
            ("tell", "command", (notice,)),
            ("tell", "webhook", (notice,)),
        ]

    def test_tells_what_has_grown_while_nobody_answered(self, staged):
        def letters(count):
            events = EventsStatistics(ticks=0, facts=0, delivered=0, subscribers=0, last_sequence=0, dead_letters=count)
            return View(tree=SupervisionTree(children=()), statistics={"events": events})

        for view in (letters(3), None, View(tree=SupervisionTree(children=()), statistics={})):
            assert not staged.look_at(view)
        text = staged.look_at(letters(5))[0][3]["text"]

        assert text == "2 messages that no handler completed"

    @pytest.mark.parametrize("silence", ["orders", "the root", "control"])
    def test_ends_no_alarm_by_silence(self, staged, silence):
        """Who was in trouble and says nothing any more is no better."""
        root = SupervisionTree(children=(msgspec.structs.replace(PARKED, path="system/orders", state="RUNNING"),))
        halted = View(tree=root, statistics={"orders": of_orders("HALTED")}, disk_free_bytes=1 << 20)
        silent = {
            "orders": msgspec.structs.replace(halted, statistics={}, silent=frozenset({"orders"})),
            "the root": msgspec.structs.replace(halted, statistics={}, tree=None),
            "control": None,
        }[silence]
        told = []
        for view in (halted, *[silent] * 30):
            told += [(each[1], each[3]["rule"]) for each in staged.look_at(view) if each[0] == "log"]
            staged.now_s += 5

        assert told == [
            *(("alarm.raised", rule) for rule in ("halted", "disk_full")),
            ("alarm.raised", "not_answering"),
        ]
        assert {alarm.rule for alarm in staged._alarms.all()} == {"halted", "disk_full", "not_answering"}

    def test_tells_of_restarts_once_and_of_those_too_while_the_root_did_not_answer(self, staged):
        def restarted(times):
            child = msgspec.structs.replace(PARKED, state="RUNNING", restarts=times)
            return View(tree=SupervisionTree(children=(child,)), statistics={})

        told = []
        for view in (restarted(0), restarted(4), restarted(5), None, restarted(9), restarted(10)):
            told += [each[3]["text"] for each in staged.look_at(view) if each[1] == "alarm.raised"]
            staged.now_s += 60

        assert [each for each in told if "restarted" in each] == [
            f"dip was restarted {times} times in a moment: KeyError: x" for times in (4, 4)
        ]

    def test_tells_once_more_after_a_wait_that_doubles_until_it_gives_up(self, staged):
        waits = []
        for attempt in range(1, 6):
            staged.try_again(TryAgain(way="webhook", notice=RAISED, attempt=attempt), None)
            staged.end(FAILED)
            waits.append(staged.noted())

        tells = ("tell", "webhook", (RAISED,))
        fields = {"way": "webhook", "reason": "the command ended with 3"}
        assert waits == [
            [
                tells,
                ("log", "notification.failed", "warning", fields | {"attempt": attempt}),
                ("after", 5.0 * 2 ** (attempt - 1), TryAgain(way="webhook", notice=RAISED, attempt=attempt + 1)),
            ]
            for attempt in range(1, 5)
        ] + [[tells, ("log", "notification.lost", "error", fields | {"attempt": 5})]]

    def test_leaves_what_was_told(self, staged):
        staged.try_again(TryAgain(way="webhook", notice=RAISED, attempt=2), None)
        staged.noted()
        staged.end(DONE)

        assert staged.noted() == []

    def test_lets_so_many_wait_to_be_told_again_and_no_more(self, staged, monkeypatch):
        monkeypatch.setattr(alarms_actor, "WAITING_MAX", 1)
        staged.look_at(View(tree=SupervisionTree(children=(PARKED,)), statistics={}))
        staged.end(FAILED)
        _, (_, _, again) = staged.noted()
        staged.end(FAILED)
        assert [each[1] for each in staged.noted()] == ["notification.lost"]

        staged.try_again(again, None)
        staged.noted()
        staged.end(FAILED)
        assert [each[:2] for each in staged.noted()] == [("log", "notification.failed"), ("after", 10.0)]

    def test_forgets_what_waits_for_a_way_that_is_gone(self, staged):
        staged.settings = the_settings(command=("tell",), repeat_s=5.0)
        staged.take_settings(TakeSettings(keys=("notifications.webhook",)), None)
        staged.try_again(TryAgain(way="webhook", notice=RAISED, attempt=2), None)

        assert staged.noted() == []
        staged.show(ShowAlarms(), "asker")
        assert staged.noted() == [("send", "asker", AlarmsShown(alarms=(), ways=("command",)))]

    def test_repeats_as_the_settings_say_now(self, staged):
        parked = View(tree=SupervisionTree(children=(PARKED,)), statistics={})
        staged.look_at(parked)
        staged.now_s = 5
        assert not staged.look_at(parked)

        staged.settings = the_settings(repeat_s=5.0)
        staged.take_settings(TakeSettings(keys=("notifications.webhook",)), None)
        assert [each[1] for each in staged.look_at(parked)] == ["alarm.repeated"]

    def test_started_anew_knows_what_it_has_told_and_repeats_as_the_settings_say(self, staged):
        parked = View(tree=SupervisionTree(children=(PARKED,)), statistics={})
        staged.look_at(parked)
        anew = Staged(the_settings(repeat_s=60.0))
        anew.restore(staged.snapshot())

        assert anew.snapshot().all() == staged.snapshot().all() != ()
        anew.now_s = 59
        assert not anew.look_at(parked)
        anew.now_s = 60
        assert [each[1] for each in anew.look_at(parked)] == ["alarm.repeated"]

    def test_answers_a_test_when_each_way_has_ended(self, staged):
        staged.test(TestNotifications(), "asker")
        message = Told(
            text="natya paper: a test of notifications, asked for by a person",
            change="test",
            rule="test",
            subject="test",
            severity="test",
            since="",
            instance="paper",
        )
        assert staged.noted() == [("tell", "test command", (message,)), ("tell", "test webhook", (message,))]

        staged.end(FAILED)
        assert staged.noted() == []
        staged.end(DONE)
        answer = NotificationsTested(delivered=("webhook",), failed=("command: the command ended with 3",))
        assert staged.noted() == [("send", "asker", answer)]

    def test_without_a_way_answers_a_test_at_once(self):
        actor = Staged(the_settings())
        actor.noted()
        actor.test(TestNotifications(), "asker")

        assert actor.noted() == [("send", "asker", NotificationsTested(delivered=(), failed=()))]


class TestANotice:
    @pytest.mark.parametrize(("change", "words"), [("raised", ""), ("repeated", "still: "), ("over", "over: ")])
    def test_says_all_of_it_in_a_line_and_each_part_by_itself(self, change, words):
        assert told(Notice(change, ALARM), "live") == Told(
            text=f"natya live: {words}critical: dip failed for good",
            change=change,
            rule="parked",
            subject="dip",
            severity="critical",
            since="1970-01-01 05:30:00 IST",
            instance="live",
        )


class TestACommand:
    def test_finds_the_alarm_on_its_standard_input(self, tmp_path):
        kept = tmp_path / "alarm.json"
        script = f"import sys, pathlib; pathlib.Path({str(kept)!r}).write_text(sys.stdin.read())"
        run_command((sys.executable, "-c", script), told(Notice("raised", ALARM), "live"))

        found = msgspec.json.decode(kept.read_bytes(), type=Told)
        assert found.text == "natya live: critical: dip failed for good"
        assert found.since

    def test_has_the_environment_but_for_what_holds_a_secret(self, tmp_path, monkeypatch):
        for name in ("BROKER_ACCESS_TOKEN", "NATYA_BROKER__PIN", "NATYA_JOURNAL__SEAL_KEY", "MINE", "REDIS_HOST"):
            monkeypatch.setenv(name, "canary")
        kept = tmp_path / "environment"
        run_command(("sh", "-c", f"env > {kept}"), told(Notice("raised", ALARM), "live"))

        found = {line.partition("=")[0] for line in kept.read_text().splitlines() if line.endswith("=canary")}
        assert found == {"MINE", "REDIS_HOST"}

    @pytest.mark.parametrize(
        ("command", "found"),
        [
            ((sys.executable, "-c", "raise SystemExit(3)"), "the command ended with 3"),
            (("/does/not/exist",), "the command was not run to its end: FileNotFoundError"),
            (("true\0",), "the command was not run to its end: ValueError"),
        ],
    )
    def test_that_fails_says_how(self, command, found):
        with pytest.raises(NotDeliveredError, match=found):
            run_command(command, told(Notice("raised", ALARM), "live"))

    def test_that_does_not_end_is_given_up(self, monkeypatch):
        monkeypatch.setattr("natya.actors.alarms.delivery.TIMEOUT_S", 0.05)
        with pytest.raises(NotDeliveredError, match="the command was not run to its end: TimeoutExpired"):
            run_command(("sleep", "20"), told(Notice("raised", ALARM), "live"))

    def test_writes_nothing_between_what_the_system_writes(self, capfd):
        run_command(("sh", "-c", "echo out; echo fault >&2"), told(Notice("raised", ALARM), "live"))

        assert capfd.readouterr() == ("", "")

    def test_is_run_without_a_shell(self, tmp_path):
        made = tmp_path / "made"
        with pytest.raises(NotDeliveredError):
            run_command((f"touch {made}",), told(Notice("raised", ALARM), "live"))

        assert not made.exists()


class Post:
    """A session that notes what it is asked, and answers so, or fails."""

    def __init__(self, status_code=200, fault=None):
        self.status_code, self.fault, self.sent = status_code, fault, []

    def __call__(self, host):
        self.sent.append(host)
        return self

    def request(self, method, url, *, timeout_s, headers, body):
        self.sent.append((method, url, timeout_s, headers, json.loads(body)))
        if self.fault:
            raise self.fault
        return self

    def close(self):
        self.sent.append("closed")


NOTICE = told(Notice("over", ALARM), "live")
JSON = {"Content-Type": "application/json"}


class Way(NamedTuple):
    name: str
    who: str
    given: dict
    host: str
    url: str
    body: dict


@pytest.mark.parametrize(
    "way",
    [
        Way(
            name="telegram",
            who="Telegram",
            given={"telegram_token": Secret("1:token"), "telegram_chat": "42"},
            host="api.telegram.org",
            url="https://api.telegram.org/bot1:token/sendMessage",
            body={"chat_id": "42", "text": "natya live: over: critical: dip failed for good"},
        ),
        Way(
            name="webhook",
            who="the webhook",
            given={"webhook": Secret("https://hooks.example:8443/secret-path")},
            host="hooks.example",
            url="https://hooks.example:8443/secret-path",
            body=msgspec.to_builtins(NOTICE),
        ),
    ],
    ids=lambda way: way.name,
)
class TestAPost:
    def deliver(self, way, post):
        found = ways(NotificationsSettings.default(**way.given), post)
        assert set(found) == {way.name}
        found[way.name](NOTICE)

    @pytest.mark.parametrize("status_code", [200, 204, 299])
    def test_is_made_once_by_a_session_of_its_own_that_reaches_one_host(self, way, status_code):
        post = Post(status_code)
        self.deliver(way, post)

        assert post.sent == [way.host, ("POST", way.url, 10.0, JSON, way.body), "closed"]

    @pytest.mark.parametrize("status_code", [199, 300, 301, 401, 404, 429, 500])
    def test_is_delivered_only_where_the_answer_says_so(self, way, status_code):
        with pytest.raises(NotDeliveredError, match=f"^{way.who} answered {status_code}$"):
            self.deliver(way, Post(status_code))

    def test_that_reaches_nobody_says_so_without_the_address(self, way):
        post = Post(fault=ExternalError(f"no route to {way.url}"))
        with pytest.raises(NotDeliveredError, match=f"^{way.who} was not reached: ExternalError$") as raised:
            self.deliver(way, post)

        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__
        assert post.sent[-1] == "closed"


class TestTelegram:
    @pytest.mark.parametrize("given", [{"telegram_token": Secret("1:token")}, {"telegram_chat": "42"}])
    def test_without_a_token_and_a_chat_is_no_way(self, given):
        assert not ways(NotificationsSettings.default(**given))
