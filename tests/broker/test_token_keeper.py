"""The keeper of the access token, in virtual time."""

import base64
import itertools
import json
import os

import pytest

from natya.actors.broker import AccessToken, TokenDeadError, TokenKeeper, TokenKeeperSettings, TokenRefusedError
from natya.actors.broker.stored_secrets import WATCHED, read_changed
from natya.actors.broker.token_keeper import NO_WAY, obtain
from natya.actors.runtime import InProcessSystem
from natya.actors.runtime.simulation import Faults, ScriptedFault, SimulatedSystemBase
from natya.config.secret_folder import OBTAINED_TOKEN, SecretFolder
from natya.config.secrets import Secret
from natya.domain.dhan.tokens import APART_NS, next_night_ns
from natya.domain.time import SECOND_NS
from natya.messages.risk_state import ReduceOnly
from natya.messages.system import Ping
from natya.messages.tokens import LogIn, RenewToken, ShowToken, TakeSecrets

HOUR_S = 3_600


def a_token(exp_s, number=0):
    payload = base64.urlsafe_b64encode(json.dumps({"exp": exp_s, "n": number}).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


class Source:
    """Gives a new token of 24 hours for each request, or refuses what a test wants refused."""

    def __init__(self, now_ns):
        self.now_ns = now_ns
        self.asked = []
        self.refuse = []
        self.can_mint = True
        self.skew_s = 0.0
        self.login = (None, None)
        self.closed = False

    def clock_skew_s(self):
        return self.skew_s

    def mint(self):
        return self._answer("mint")

    def renew(self, token):
        assert token.reveal()
        return self._answer("renew")

    def _answer(self, how):
        self.asked.append((how, self.now_ns()))
        if self.refuse:
            refusal = self.refuse.pop(0)
            if refusal:
                raise TokenRefusedError(refusal)
        return Secret(a_token(self.now_ns() // SECOND_NS + 24 * HOUR_S, len(self.asked)))

    def use(self, *, pin, totp_secret):
        before, self.login = self.login, (pin or self.login[0], totp_secret or self.login[1])
        if all(self.login):
            self.can_mint = True
        return tuple(
            key
            for key, old, new in zip(("broker.pin", "broker.totp_secret"), before, self.login, strict=True)
            if old != new
        )

    def close(self):
        self.closed = True


class Stage:
    """A keeper in a simulated system; `orders` is a probe."""

    def __init__(self, faults=None):
        self.base = SimulatedSystemBase(seed=1, faults=faults)
        self.system = InProcessSystem(self.base)
        self.orders = self.system.probe("orders")
        self.token = None
        self.source = None

    def start(self, token="", stored=None, **source):
        self.token = AccessToken(Secret(token))

        def make(now_ns):
            self.source = Source(now_ns)
            for name, value in source.items():
                setattr(self.source, name, value)
            return self.source

        self.system.start(
            "broker-tokens", TokenKeeper, TokenKeeperSettings(token=self.token, new_source=make, stored=stored)
        )
        return self

    @property
    def now_s(self):
        return self.base.clock.now_ns() // SECOND_NS

    def ask(self, message):
        return self.system.request("broker-tokens", message, timeout_s=60)

    def told_orders(self):
        found = []
        while not self.orders.is_empty():
            found.append(self.orders.receive())
        return found


@pytest.fixture
def stage():
    made = Stage()
    with made.system:
        yield made


class TestASystemWithoutAToken:
    def test_logs_in(self, stage):
        stage.start()
        stage.base.run_for(5)

        assert [how for how, _ in stage.source.asked] == ["mint"]
        assert not stage.token.is_dead
        assert stage.ask(ShowToken()).state == "alive"

    def test_is_asking_until_the_service_has_answered(self, stage):
        stage.start()
        asked = stage.system.request_future("broker-tokens", ShowToken())
        stage.base.run_for(5)

        assert asked.result(0).state == "asking"

    def test_asks_nothing_without_pin_and_secret_and_says_so_once(self, stage):
        stage.start(can_mint=False)
        stage.base.run_for(HOUR_S)

        assert stage.source.asked == []
        status = stage.ask(ShowToken())
        assert (status.state, status.reason, status.ends_ns) == ("given_up", NO_WAY, 0)
        (told,) = stage.told_orders()
        assert NO_WAY in told.reason


class TestAPersonWhoAsksInVain:
    @pytest.mark.parametrize("question", [LogIn(), RenewToken()])
    def test_is_told_at_once_that_nobody_can_log_in(self, stage, question):
        stage.start(can_mint=False)
        stage.base.run_for(HOUR_S)
        before = stage.ask(Ping()).statistics
        status = stage.ask(question)

        assert (status.state, status.reason, stage.source.asked) == ("given_up", NO_WAY, [])
        assert stage.ask(Ping()).statistics == before, "that is no attempt"

    def test_is_told_of_a_token_that_is_alive_too(self, stage):
        stage.start(a_token(stage.now_s + 20 * HOUR_S), can_mint=False)
        before = stage.ask(Ping()).statistics
        status = stage.ask(LogIn())

        assert (status.state, status.reason, stage.source.asked) == ("alive", NO_WAY, [])
        assert stage.ask(Ping()).statistics == before, "that is no attempt"

    @pytest.mark.parametrize("question", [LogIn(), RenewToken()])
    def test_is_answered_once(self, stage, question):
        stage.start(can_mint=False)
        stage.base.run_for(HOUR_S)
        person = stage.system.probe("person")
        stage.system.tell("broker-tokens", question, sender=person)
        stage.base.run_for(HOUR_S)

        assert person.receive().reason == NO_WAY
        assert person.is_empty()


class TestATokenThatDies:
    @pytest.fixture(autouse=True)
    def alive(self, stage):
        stage.start(a_token(stage.now_s + 20 * HOUR_S))
        stage.base.run_for(1)
        assert stage.source.asked == []

    def die(self, stage):
        stage.token.reveal()
        stage.token.refused()

    def test_is_replaced_without_a_restart(self, stage):
        old = stage.token.reveal()

        self.die(stage)
        with pytest.raises(TokenDeadError):
            stage.token.reveal()
        stage.base.run_for(5)
        assert stage.token.reveal() != old
        assert stage.told_orders() == [ReduceOnly(reason="")]

    def test_is_asked_for_three_times_two_minutes_apart_and_then_only_positions_are_closed(self, stage, caplog):
        stage.source.refuse = ["Invalid TOTP"] * 9

        self.die(stage)
        stage.base.run_for(2 * HOUR_S)
        told = [(each.getMessage(), each.levelname, each.fields) for each in caplog.records]
        failure = {"how": "mint", "reason": "Invalid TOTP"}
        assert [each for each in told if each[0].startswith("token.")] == [
            ("token.died", "ERROR", {}),
            ("token.not_had", "WARNING", {**failure, "attempt": 1}),
            ("token.not_had", "WARNING", {**failure, "attempt": 2}),
            ("token.not_had", "ERROR", {**failure, "attempt": 3}),
            ("token.given_up", "ERROR", {"reason": "Invalid TOTP"}),
        ]
        times_s = [time_ns / SECOND_NS for _, time_ns in stage.source.asked]
        assert len(times_s) == 3
        assert all(later - earlier >= 120 for earlier, later in itertools.pairwise(times_s))
        (told,) = stage.told_orders()
        assert told == ReduceOnly(reason="no new access token in 3 attempts: Invalid TOTP")
        assert stage.ask(ShowToken()).state == "given_up"
        stage.ask(LogIn())
        stage.base.run_for(2 * HOUR_S)
        assert (len(stage.source.asked), stage.told_orders()) == (6, [])

    def test_is_being_asked_for_until_the_next_attempt_however_many_want_it_meanwhile(self, stage):
        stage.source.refuse = ["Invalid TOTP"]
        self.die(stage)
        stage.base.run_for(60)
        answers = [stage.system.request_future("broker-tokens", LogIn()) for _ in range(3)]
        stage.base.run_for(1)

        assert {answer.result(0).state for answer in answers} == {"asking"}
        assert all(0 < answer.result(0).wait_s < 120 for answer in answers)
        stage.base.run_for(120)
        assert (len(stage.source.asked), stage.ask(ShowToken()).state) == (2, "alive")

    def test_is_had_at_the_second_attempt_and_whatever_dies_next_has_three_again(self, stage):
        stage.source.refuse = ["Invalid TOTP"]
        self.die(stage)
        stage.base.run_for(200)
        (first_ns, second_ns), status = (time_ns for _, time_ns in stage.source.asked), stage.ask(ShowToken())
        assert (second_ns - first_ns) / SECOND_NS == pytest.approx(APART_NS / SECOND_NS, abs=1)
        assert (status.state, status.attempts, status.reason) == ("alive", 0, "")
        assert stage.told_orders() == [ReduceOnly(reason="")]
        stage.source.refuse = ["Invalid TOTP"] * 9
        self.die(stage)
        stage.base.run_for(HOUR_S)

        assert len(stage.source.asked) == 2 + 3
        assert stage.told_orders() == [ReduceOnly(reason="no new access token in 3 attempts: Invalid TOTP")]

    def test_is_asked_for_again_by_a_person(self, stage):
        stage.source.refuse = ["Invalid TOTP"] * 3
        self.die(stage)
        stage.base.run_for(2 * HOUR_S)

        status = stage.ask(LogIn())
        assert (status.state, status.reason, status.attempts) == ("alive", "", 0)
        assert stage.told_orders()[-1] == ReduceOnly(reason="")

    def test_is_asked_for_once_however_many_ask(self, stage):
        self.die(stage)
        answers = [stage.system.request_future("broker-tokens", LogIn()) for _ in range(5)]
        stage.base.run_for(10)

        assert len(stage.source.asked) == 1
        assert {answer.result(0).state for answer in answers} == {"alive"}

    def test_is_not_asked_for_with_a_clock_that_is_far_off(self, stage):
        stage.source.skew_s = 17.0

        self.die(stage)
        stage.base.run_for(HOUR_S)
        assert stage.source.asked == []
        assert "found one +17.0 s off: no code was sent" in stage.ask(ShowToken()).reason


def test_an_attempt_that_fails_by_a_mistake_is_one_that_failed_and_its_text_is_told_nobody(stage, caplog, monkeypatch):
    def fail(_source):
        raise ZeroDivisionError("pin=482913")

    monkeypatch.setattr(Source, "mint", fail)
    stage.start()
    stage.base.run_for(HOUR_S)

    status = stage.ask(ShowToken())
    assert (status.state, status.reason, status.attempts) == ("given_up", "ZeroDivisionError", 3)
    assert stage.told_orders() == [ReduceOnly(reason="no new access token in 3 attempts: ZeroDivisionError")]
    assert "482913" not in repr([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize(("skew_s", "told"), [(1.0, []), (5.0, [5.0]), (None, [])])
def test_a_clock_that_is_off_is_told_with_the_attempt(stage, caplog, skew_s, told):
    stage.start(skew_s=skew_s)
    stage.base.run_for(5)
    found = [each.fields["seconds"] for each in caplog.records if each.getMessage() == "token.clock_is_off"]

    assert found == told
    assert stage.ask(ShowToken()).state == "alive"


def test_a_token_that_is_dead_is_not_renewed():
    token = AccessToken(Secret("T"))
    token.reveal()
    token.refused()
    source = Source(lambda: 1)

    got = obtain(source, "renew", token)
    assert (got.token, source.asked) == (None, [])
    assert got.reason.startswith("a token that is alive wanted, to be renewed: ")


def test_a_keeper_counts_its_attempts_and_tells_when_its_token_ends(stage):
    stage.start(a_token(stage.now_s + 20 * HOUR_S))
    stage.base.run_for(1)
    found, ends_ns = stage.ask(Ping()).statistics, stage.ask(ShowToken()).ends_ns
    assert ends_ns > stage.base.clock.now_ns()
    assert (found.alive, found.attempts, found.ends_ns) == (True, 0, ends_ns)
    stage.source.refuse = ["Invalid TOTP"] * 3
    stage.token.refused()
    stage.base.run_for(10)

    found = stage.ask(Ping()).statistics
    assert (found.alive, found.attempts) == (False, 1)


class TestAKeeperThatFails:
    def test_makes_no_more_attempts_than_one_that_does_not(self):
        stage = Stage(Faults(script=(ScriptedFault(kind="crash", actor="broker-tokens", message_type=ShowToken),)))
        with stage.system:
            stage.start(refuse=["Invalid TOTP"] * 9)
            stage.base.run_for(5)
            first = stage.source
            stage.system.tell("broker-tokens", ShowToken())
            stage.base.run_for(60)

            assert first.closed
            assert (len(first.asked), stage.source.asked) == (1, [])
            stage.base.run_for(HOUR_S)
            assert len(stage.source.asked) == 2


class TestATokenThatIsAlive:
    def test_is_replaced_before_the_night(self, stage):
        stage.start(a_token(stage.now_s + 24 * HOUR_S))
        night_s = next_night_ns(stage.base.clock.now_ns()) // SECOND_NS

        stage.base.run_for(night_s - stage.now_s + 30)
        assert len(stage.source.asked) == 1
        assert night_s - 15 * 60 <= stage.source.asked[0][1] / SECOND_NS < night_s - 14 * 60

    def test_that_was_made_before_the_night_is_replaced_after_it_and_then_a_day_later(self, stage):
        stage.start(a_token(stage.now_s + 24 * HOUR_S))
        night_s = next_night_ns(stage.base.clock.now_ns()) // SECOND_NS

        stage.base.run_for(night_s - stage.now_s + 23 * HOUR_S)
        assert len(stage.source.asked) == 2
        assert 0 < stage.source.asked[1][1] / SECOND_NS - night_s < 5 * 60
        stage.base.run_for(HOUR_S)
        assert len(stage.source.asked) == 3

    def test_is_renewed_where_nobody_can_log_in(self, stage):
        stage.start(a_token(stage.now_s + HOUR_S), can_mint=False)

        stage.base.run_for(50 * 60)
        assert [how for how, _ in stage.source.asked] == ["renew"]
        assert not stage.token.is_dead

    def test_is_not_given_up_while_it_is_good_however_often_another_is_refused(self, stage):
        stage.start("T", refuse=["no"] * 9)
        stage.ask(RenewToken())
        stage.base.run_for(HOUR_S)
        status = stage.ask(ShowToken())

        assert (len(stage.source.asked), status.state, status.attempts) == (3, "alive", 3)

    def test_is_used_no_more_when_it_has_expired(self, stage):
        stage.start(a_token(stage.now_s + HOUR_S), refuse=["no"] * 3)

        stage.base.run_for(HOUR_S + 1)
        assert stage.token.is_dead
        assert len(stage.source.asked) == 3

    def test_of_another_kind_is_used_until_the_broker_says_no(self, stage):
        stage.start("T")
        stage.base.run_for(48 * HOUR_S)

        assert stage.source.asked == []
        assert stage.token.reveal() == "T"

    def test_is_renewed_when_a_person_asks(self, stage):
        stage.start("T")

        assert stage.ask(RenewToken()).state == "alive"
        assert [how for how, _ in stage.source.asked] == ["renew"]

    def test_is_alive_until_the_attempt_that_has_to_wait_is_made(self, stage):
        stage.start("T")
        stage.ask(RenewToken())
        told = stage.ask(LogIn())

        assert (told.state, told.wait_s > 100) == ("replacing", True)
        assert stage.ask(Ping()).statistics.alive
        stage.base.run_for(200)
        assert [how for how, _ in stage.source.asked] == ["renew", "mint"]
        assert stage.ask(ShowToken()).state == "alive"

    def test_is_renewed_at_the_second_attempt_as_at_the_first(self, stage):
        stage.start("T", refuse=["busy"])
        first = stage.ask(RenewToken())
        stage.base.run_for(200)

        assert (first.state, first.attempts, first.reason) == ("replacing", 1, "busy")
        assert [how for how, _ in stage.source.asked] == ["renew", "renew"]
        assert stage.token.reveal() != "T"

    def test_that_dies_before_the_second_attempt_is_asked_for_by_a_login(self, stage):
        stage.start("T", refuse=["busy"])
        stage.ask(RenewToken())
        stage.token.refused()
        stage.base.run_for(200)

        assert [how for how, _ in stage.source.asked] == ["renew", "mint"]
        assert not stage.token.is_dead

    def test_is_asked_for_no_second_time_where_a_person_has_stored_one_meanwhile(self, stage, tmp_path):
        folder = SecretFolder(tmp_path)
        stage.start("T", stored=folder, refuse=["busy"])
        stage.ask(RenewToken())
        folder.write("broker.access_token", Secret("by hand"))
        stage.base.run_for(HOUR_S)

        assert (len(stage.source.asked), stage.token.reveal()) == (1, "by hand")

    def test_is_in_no_text_that_is_told(self, stage, caplog):
        token = a_token(stage.now_s + HOUR_S)
        caplog.set_level("DEBUG")
        stage.start(token, refuse=["no"] * 3)
        stage.base.run_for(2 * HOUR_S)

        assert token not in repr(stage.ask(ShowToken()))
        assert not [record for record in caplog.records if token in repr(record.__dict__)]


class TestATokenThatAPersonStores:
    """Nobody can log in here: tokens come from outside."""

    @pytest.fixture
    def stored(self, stage, tmp_path):
        folder = SecretFolder(tmp_path)
        folder.write("broker.access_token", Secret("first"))
        stage.start("first", stored=folder, can_mint=False)
        return folder

    def put(self, folder, token):
        folder.write("broker.access_token", Secret(token))

    def die(self, stage):
        stage.token.reveal()
        stage.token.refused()

    def test_is_in_use_a_few_seconds_later_without_being_asked_for(self, stage, stored):
        self.put(stored, "second")
        stage.base.run_for(5)

        assert stage.token.reveal() == "second"

    def test_is_in_use_at_once_when_it_is_asked_for(self, stage, stored):
        self.put(stored, "second")
        status = stage.ask(TakeSecrets())

        assert (status.state, status.taken, status.reason) == ("alive", ("broker.access_token",), "")
        assert stage.token.reveal() == "second"

    def test_is_news_to_the_first_of_two_who_ask_at_once(self, stage, stored):
        for number in range(10):
            self.put(stored, f"token {number}")
            first, second = [stage.system.request_future("broker-tokens", TakeSecrets()) for _ in range(2)]
            stage.base.run_for(0.1)

            assert (first.result(0).taken, second.result(0).taken) == (("broker.access_token",), ())

    def test_is_no_news_where_it_is_in_use_already(self, stage, stored):
        assert stage.ask(TakeSecrets()).taken == ()
        assert stage.told_orders() == []

    def test_lets_orders_pass_again_after_one_that_died(self, stage, stored):
        self.die(stage)
        stage.base.run_for(HOUR_S)
        (told,) = stage.told_orders()
        assert NO_WAY in told.reason
        assert stage.token.is_dead

        self.put(stored, "second")
        stage.base.run_for(5)
        assert stage.token.reveal() == "second"
        assert stage.told_orders() == [ReduceOnly(reason="")]
        assert stage.ask(ShowToken()).state == "alive"

    def test_that_was_replaced_before_is_not_tried_when_its_successor_dies(self, stage, stored):
        stage.ask(RenewToken())
        renewed = stage.token.reveal()
        self.die(stage)
        stage.base.run_for(60)

        assert renewed != "first"
        assert stage.token.is_dead

    def test_that_was_in_use_is_taken_back_when_a_person_stores_it_again(self, stage, stored):
        self.put(stored, "wrong")
        stage.base.run_for(5)
        self.die(stage)
        self.put(stored, "first")

        assert stage.ask(TakeSecrets()).taken == ("broker.access_token",)
        assert stage.token.reveal() == "first"

    def test_in_a_file_that_others_can_read_is_not_used_and_the_reason_is_told(self, stage, stored):
        self.put(stored, "second")
        stored.path_of("broker.access_token").chmod(0o644)
        stage.base.run_for(5)
        status = stage.ask(TakeSecrets())

        assert (status.state, status.taken) == ("alive", ())
        assert "wanted mode 600 for a file with a secret, found 644" in status.reason
        assert stage.token.reveal() == "first"

    def test_survives_the_removal_of_its_file(self, stage, stored):
        stored.remove("broker.access_token")
        stage.base.run_for(5)

        assert stage.token.reveal() == "first"

    def test_is_not_needed_where_pin_and_codes_come_from_outside(self, stage, stored):
        self.die(stage)
        stage.base.run_for(HOUR_S)
        stored.write("broker.pin", Secret("482913"))
        stored.write("broker.totp_secret", Secret("JBSWY3DPEHPK3PXP"))

        taken = stage.ask(TakeSecrets()).taken
        stage.base.run_for(5)
        assert taken == ("broker.pin", "broker.totp_secret")
        assert [how for how, _ in stage.source.asked] == ["mint"]
        assert not stage.token.is_dead

    def test_is_in_no_line_of_the_log(self, stage, stored, caplog):
        caplog.set_level("DEBUG")
        self.put(stored, "a-secret-from-outside")
        stage.base.run_for(5)

        assert stage.token.reveal() == "a-secret-from-outside"
        assert "token.secrets_taken" in caplog.text
        assert not [record for record in caplog.records if "a-secret-from-outside" in repr(record.__dict__)]


class TestATokenThatTheSystemHasHadItself:
    """`natya deadman` and the next start know nothing of it but by its file."""

    @pytest.fixture
    def folder(self, tmp_path):
        return SecretFolder(tmp_path)

    @pytest.mark.parametrize(("begun_with", "question"), [("", LogIn()), ("first", RenewToken())])
    def test_is_kept_beside_what_a_person_stores(self, stage, folder, begun_with, question):
        folder.write("broker.access_token", Secret("first"))
        stage.start(begun_with, stored=folder)
        stage.ask(question)
        stage.base.run_for(5)

        assert folder.read(OBTAINED_TOKEN).reveal() == stage.token.reveal()
        assert folder.read("broker.access_token").reveal() == "first"
        assert folder.path_of(OBTAINED_TOKEN).stat().st_mode & 0o777 == 0o600

    def test_is_used_by_the_next_start_and_nobody_is_asked_for_another(self, stage, folder):
        before = a_token(stage.now_s + HOUR_S)
        folder.write(OBTAINED_TOKEN, Secret(before))
        folder.write("broker.access_token", Secret("older"))
        stage.start("of-the-environment", stored=folder)
        stage.token.reveal()
        stage.token.refused()
        stage.base.run_for(60)

        assert (stage.token.reveal(), stage.source.asked) == (before, [])

    @pytest.mark.parametrize("exp_s", [-1, 0])
    def test_is_not_tried_when_its_day_is_over(self, stage, folder, exp_s):
        before = a_token(stage.now_s + exp_s)
        folder.write(OBTAINED_TOKEN, Secret(before))
        stage.start(stored=folder)
        stage.base.run_for(60)

        assert [how for how, _ in stage.source.asked] == ["mint"]
        assert not stage.token.was_in_use(Secret(before))

    def test_is_not_tried_again_when_it_dies(self, stage, folder):
        stage.start(stored=folder)
        stage.base.run_for(5)
        stage.token.reveal()
        stage.token.refused()
        stage.base.run_for(HOUR_S)

        assert [how for how, _ in stage.source.asked] == ["mint", "mint"]
        assert folder.read(OBTAINED_TOKEN).reveal() == stage.token.reveal()

    def test_is_no_setting(self, stage, folder):
        folder.write(OBTAINED_TOKEN, Secret("obtained"))

        assert folder.layer(locked_left_out=False).values == {}
        assert folder.layer(locked_left_out=False).problems == []

    @pytest.mark.parametrize("spoil", ["open to others", "read-only"])
    def test_is_used_where_it_cannot_be_kept_and_that_is_said(self, stage, folder, caplog, monkeypatch, spoil):
        folder.write("broker.pin", Secret("482913"))
        if spoil == "read-only":

            def put(*_):
                raise PermissionError(13, "Permission denied")

            monkeypatch.setattr(folder, "_put", put)
        else:
            folder.path.chmod(0o755)
        stage.start(stored=folder)
        stage.base.run_for(60)

        assert not stage.token.is_dead
        assert "token.not_kept" in caplog.text


def test_of_several_secrets_the_newest_is_the_one_that_was_written_last(tmp_path):
    folder = SecretFolder(tmp_path)
    assert folder.newest_of(OBTAINED_TOKEN, "broker.access_token") is None
    for time_ns, key in ((2, OBTAINED_TOKEN), (1, "broker.access_token")):
        folder.write(key, Secret(key))
        os.utime(folder.path_of(key), ns=(time_ns, time_ns))

    assert folder.newest_of(OBTAINED_TOKEN, "broker.access_token").reveal() == OBTAINED_TOKEN
    os.utime(folder.path_of("broker.access_token"), ns=(3, 3))
    assert folder.newest_of(OBTAINED_TOKEN, "broker.access_token").reveal() == "broker.access_token"


def test_those_that_have_changed_are_read_whatever_stands_before_them(tmp_path):
    folder = SecretFolder(tmp_path)
    for key in WATCHED:
        folder.write(key, Secret(f"first {key}"))
    known = read_changed(folder, {}).versions
    *_, last = WATCHED
    folder.write(last, Secret("second"))
    os.utime(folder.path_of(last), ns=(5, 5))

    found = read_changed(folder, known)
    assert {key: secret.reveal() for key, secret in found.secrets.items()} == {last: "second"}
    folder.path_of(WATCHED[0]).unlink()
    assert read_changed(folder, found.versions).secrets == {}
