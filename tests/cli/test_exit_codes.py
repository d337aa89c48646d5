"""What a command ends with: each expected error has the code of its kind, and an unexpected one is raised."""

import json

import pytest
import typer
from typer.testing import CliRunner

from natya.actors.control import AskRefusedError, ControlError, NotRunningError
from natya.actors.database import DatabaseError, DatabaseMissing
from natya.actors.database.errors import DatabaseDamaged, DatabaseEncrypted, DatabaseLocked, DatabaseUnreachable
from natya.actors.feed import RecordingError
from natya.actors.instruments import InstrumentsError, ListRefusedError
from natya.actors.journal import JournalBusyError, JournalDamagedError, JournalError, JournalFullError
from natya.actors.strategy import StrategyError
from natya.backtest.errors import BacktestBrokenError, BacktestFailedError, BacktestRefusedError
from natya.cli.app import app
from natya.cli.secret_outcomes import InUse
from natya.cli.session import faults
from natya.client import QueryFailedError
from natya.config.data_directory import DataDirectoryBusyError, DataDirectoryError
from natya.config.errors import SettingsError


def of(kind):
    """An error of a kind, whatever it is otherwise made of."""
    return kind.__new__(kind, "why")


CODES = [
    (QueryFailedError("DatabaseDamaged", "why"), 65),
    (QueryFailedError("PoolExhausted", "why"), 75),
    (QueryFailedError("QueryRefused", "why"), 1),
    (of(ControlError), 69),
    (of(NotRunningError), 69),
    (of(AskRefusedError), 69),
    (of(DatabaseMissing), 69),
    (of(DatabaseError), 1),
    (of(DatabaseDamaged), 65),
    (of(DatabaseLocked), 75),
    (of(DatabaseUnreachable), 73),
    (of(DatabaseEncrypted), 78),
    (of(JournalError), 1),
    (of(JournalDamagedError), 65),
    (of(JournalBusyError), 75),
    (of(JournalFullError), 73),
    (of(DataDirectoryBusyError), 75),
    (of(DataDirectoryError), 73),
    (SettingsError(("why",)), 78),
    (of(StrategyError), 78),
    (of(RecordingError), 65),
    (of(BacktestRefusedError), 78),
    (of(BacktestBrokenError), 65),
    (of(BacktestFailedError), 70),
    (of(ListRefusedError), 65),
    (of(InstrumentsError), 73),
    (FileNotFoundError(2, "why"), 73),
]


class TestACommand:
    @pytest.mark.parametrize(("fault", "code"), CODES, ids=[f"{type(each).__name__} {code}" for each, code in CODES])
    def test_ends_with_the_code_of_its_error_and_says_why(self, capsys, fault, code):
        with pytest.raises(typer.Exit) as ended, faults():
            raise fault

        assert ended.value.exit_code == code
        assert capsys.readouterr().err.startswith("natya: ")

    def test_raises_what_nobody_expected(self):
        with pytest.raises(ZeroDivisionError), faults():
            raise ZeroDivisionError


class TestARotationOfASecret:
    @pytest.mark.parametrize(
        ("system", "code"), [("taken", 0), ("absent", 0), ("not_asked", 0), ("silent", 69), ("kept", 1)]
    )
    def test_ends_with_what_the_running_system_made_of_it(self, tmp_path, monkeypatch, system, code):
        used = InUse(system=system, told="so it is")
        monkeypatch.setattr("natya.cli.commands.secrets.rotate.taken_by_system", lambda *_: used)
        words = ["secrets", "rotate", "broker.access_token", "--untested", "--data-dir", str(tmp_path), "--json"]

        done = CliRunner().invoke(app, words, input="a-new-one")

        assert (done.exit_code, json.loads(done.stdout)["system"]) == (code, system)
