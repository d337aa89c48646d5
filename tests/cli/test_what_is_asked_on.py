"""What commands decide by the answers that they get: whether to ask on, whom, and how they end."""

import contextlib
import datetime as dt
from types import SimpleNamespace

import pytest
import typer

from natya.actors.control import AskRefusedError, NotRunningError
from natya.cli import book
from natya.cli.broker_session import tell_token
from natya.cli.commands.data import fetch
from natya.cli.commands.db import archive
from natya.cli.commands.events.tail import _read
from natya.client import Connection
from natya.messages.journal import JournalPage
from natya.messages.order_listing import ReadOrders
from natya.messages.tokens import TokenStatus


@pytest.mark.parametrize(
    ("state", "reason", "is_failure"),
    [("alive", "", False), ("alive", "Invalid Pin", True), ("dead", "", True), ("dead", "Invalid Pin", True)],
)
def test_a_token_is_a_success_where_it_lives_and_the_last_attempt_did_not_fail(state, reason, is_failure, capsys):
    ends = pytest.raises(typer.Exit) if is_failure else contextlib.nullcontext()
    with ends as ended:
        tell_token(TokenStatus(state=state, reason=reason), json=True)

    assert ended is None or ended.value.exit_code == 1
    assert state in capsys.readouterr().out


class TestAPageThatIsTooLargeForOneAnswer:
    @staticmethod
    def asked(fits, kind="too_large"):
        """Ask who has no answer with more records than fit; return the page, and how many records were wanted."""
        wanted = []

        def request(_actor, message):
            wanted.append(message.records_max)
            if message.records_max > fits:
                raise AskRefusedError(kind, "an answer of 99 MiB")
            return JournalPage(records=("one",), last_sequence=1)

        with contextlib.suppress(AskRefusedError):
            return _read(SimpleNamespace(request=request), 0, ()), wanted
        return None, wanted

    def test_of_one_record_is_refused(self):
        found, wanted = self.asked(0)

        assert (found, wanted[-1], wanted.count(1)) == (None, 1, 1)

    def test_is_not_asked_for_again_for_another_reason(self):
        assert self.asked(1, kind="busy")[1] == self.asked(0, kind="busy")[1] == [wanted := self.asked(10**9)[1][0]]
        assert wanted > 1


@pytest.mark.parametrize(
    ("archived", "told"),
    [
        ([], "no closed day is left\n"),
        (
            [("2026-01-01", "a.parquet", 1), ("2026-01-02", "b.parquet", 20)],
            "2026-01-01: 1 tick, a.parquet\n2026-01-02: 20 ticks, b.parquet\n",
        ),
    ],
    ids=["none", "two"],
)
def test_an_archive_says_each_day_or_that_none_is_left(monkeypatch, capsys, archived, told):
    days = [dt.date.fromisoformat(day) for day, _, _ in archived]

    def work(message, timeout_s):
        assert timeout_s > 60
        (found,) = [each for each in archived if each[0] == message.day]
        day, file, ticks = found
        return SimpleNamespace(days=(day,), files=(file,), ticks=(ticks,))

    @contextlib.contextmanager
    def owner_of(*_, writes):
        assert writes
        yield SimpleNamespace(work=work)

    monkeypatch.setattr(archive, "owner_of", owner_of)
    monkeypatch.setattr("natya.client.closed_days", lambda _owner, _before: days)
    archive.command()

    assert capsys.readouterr().out == told


@pytest.mark.parametrize(
    ("paths", "by_the_system"), [(["system/history"], True), (["system/feed"], False), ([], False)]
)
def test_charts_are_read_by_the_running_system_if_it_has_who_reads_them(monkeypatch, paths, by_the_system):
    class Owner(Connection):
        def __init__(self):
            pass

        def tree(self):
            return SimpleNamespace(children=[SimpleNamespace(path=each) for each in ["system/journal", *paths]])

    settings = SimpleNamespace(broker="its broker", system=SimpleNamespace(data_dir="here"))
    monkeypatch.setattr(fetch, "settings_of", lambda *_, **__: settings)
    monkeypatch.setattr("natya.transfer.SystemCharts", lambda owner: ("of the system", owner))
    monkeypatch.setattr(
        "natya.transfer.BrokerCharts", lambda broker, data_dir: contextlib.nullcontext((broker, data_dir))
    )

    owner = Owner()
    with fetch._charts(owner, None, "paper") as charts:
        assert charts == (("of the system", owner) if by_the_system else ("its broker", "here"))
    with fetch._charts(SimpleNamespace(tree=owner.tree), None, "paper") as charts:
        assert charts == ("its broker", "here"), "an owner of the files runs no actors"


def test_orders_that_nobody_lists_but_the_journal_are_those_of_the_time_of_its_newest_fact(monkeypatch):
    heard = []
    records = [SimpleNamespace(fact=SimpleNamespace(occurred_ns=each)) for each in (5, 9, 7)]
    records.append(SimpleNamespace(fact=SimpleNamespace()))

    def connect(_data_dir):
        raise NotRunningError("none")

    settings = SimpleNamespace(system=SimpleNamespace(data_dir="here"))
    monkeypatch.setattr(book, "settings_of", lambda *_: settings)
    monkeypatch.setattr("natya.client.connect", connect)
    monkeypatch.setattr(book, "journal_of", lambda _: SimpleNamespace(find=lambda: iter(records)))
    monkeypatch.setattr("natya.actors.orders.book_of", list)
    monkeypatch.setattr(
        "natya.actors.orders.listed", lambda of, wanted, now_ns: heard.append((len(of), wanted, now_ns)) or "listed"
    )

    assert book.read_book(None, "paper", ReadOrders()) == "listed"
    assert heard == [(4, ReadOrders(), 9)]
