import json
import sys
import threading
from types import SimpleNamespace

import msgspec
import pytest
from natya_processes import await_that
from natya_web import Served

from natya.actors.alarms.actor import AlarmsActor
from natya.actors.alarms.delivery import NotDeliveredError, Told, run_command, told, ways
from natya.actors.alarms.lasting import Alarms, Notice
from natya.actors.alarms.rules import RULES
from natya.actors.alarms.settings import AlarmsSettings
from natya.actors.observability import ShowView, View
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.web import answer, body_of
from natya.config.secrets import Secret
from natya.config.sections.notifications import NotificationsSettings
from natya.messages.health import Alarm, ShowAlarms, TestNotifications
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


class TestACommand:
    def test_finds_the_alarm_on_its_standard_input(self, tmp_path):
        kept = tmp_path / "alarm.json"
        script = f"import sys, pathlib; pathlib.Path({str(kept)!r}).write_text(sys.stdin.read())"
        run_command((sys.executable, "-c", script), told(Notice("raised", ALARM), "live"))

        found = msgspec.json.decode(kept.read_bytes(), type=Told)
        assert found.text == "natya live: critical: dip failed for good"
        assert found.since

    @pytest.mark.parametrize(
        ("command", "found"),
        [((sys.executable, "-c", "raise SystemExit(3)"), "ended with 3"), (("/does/not/exist",), "FileNotFoundError")],
    )
    def test_that_fails_says_how(self, command, found):
        with pytest.raises(NotDeliveredError, match=found):
            run_command(command, told(Notice("raised", ALARM), "live"))

    def test_is_run_without_a_shell(self, tmp_path):
        made = tmp_path / "made"
        with pytest.raises(NotDeliveredError):
            run_command((f"touch {made}",), told(Notice("raised", ALARM), "live"))

        assert not made.exists()


class TestTelegram:
    def deliver(self, status_code=200):
        """Send a notice through a session that answers so, and return what it was asked."""
        sent = []

        class Session:
            def request(self, method, url, *, timeout_s, headers, body):
                sent.append((method, url, json.loads(body)))
                return Answer()

            def close(self):
                sent.append("closed")

        class Answer:
            pass

        Answer.status_code = status_code
        settings = NotificationsSettings.default(telegram_token=Secret("1:token"), telegram_chat="42")
        ways(settings, lambda _: Session())["telegram"](told(Notice("over", ALARM), "live"))
        return sent

    def test_gets_the_text_in_the_chat_that_is_named(self):
        text = "natya live: over: critical: dip failed for good"
        url = "https://api.telegram.org/bot1:token/sendMessage"

        assert self.deliver() == [("POST", url, {"chat_id": "42", "text": text}), "closed"]

    @pytest.mark.parametrize("status_code", [199, 300, 301, 401, 404, 429, 500])
    def test_has_it_only_where_it_says_so(self, status_code):
        with pytest.raises(NotDeliveredError, match=f"Telegram answered {status_code}"):
            self.deliver(status_code)

    def test_without_a_chat_is_no_way(self):
        assert not ways(NotificationsSettings.default(telegram_token=Secret("1:token")))
