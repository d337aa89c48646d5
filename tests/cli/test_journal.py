"""The journal from the command line."""

import json
import time

import pytest
from typer.testing import CliRunner

from natya.actors.journal import Journal
from natya.actors.journal.upkeep import archive_segment
from natya.cli.app import app
from natya.messages.orders import OrderAccepted, OrderExpired


@pytest.fixture
def data_dir(tmp_path):
    with_facts = Journal(tmp_path / "journal", now_ns=time.time_ns, segment_bytes=65_536)
    with_facts.open()
    for number in range(20):
        with_facts.append(
            [OrderAccepted(client_order_id=f"a-{number}", broker_order_id=f"X-{number}", occurred_ns=number)],
            correlation_id=f"a-{number}",
        )
    with_facts.append([OrderExpired(client_order_id="a-3", reason="day over", occurred_ns=30)], correlation_id="a-3")
    with_facts.commit()
    with_facts.close()
    return tmp_path


def natya(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


class TestAWholeJournal:
    def test_is_verified_to_its_last_record(self, data_dir):
        result = natya("journal", "verify", "--data-dir", data_dir, "--json")

        assert result.exit_code == 0
        assert (json.loads(result.stdout)["records"], json.loads(result.stdout)["last_sequence"]) == (21, 21)

    def test_is_counted_without_being_read(self, data_dir):
        result = natya("journal", "stat", "--data-dir", data_dir)

        assert result.stdout.startswith("21 records in ")

    def test_shows_its_newest_records_oldest_first(self, data_dir):
        result = natya("journal", "tail", "-n", 2, "--data-dir", data_dir)

        assert [line["sequence"] for line in lines(result)] == [20, 21]

    @pytest.mark.parametrize("verb", ["tail", "export"])
    @pytest.mark.parametrize("types", [[], ["--type", "OrderTriggered"]])
    def test_is_one_object_where_that_is_wanted(self, data_dir, verb, types):
        one_a_line = lines(natya("journal", verb, *types, "--data-dir", data_dir))

        found = json.loads(natya("journal", verb, *types, "--json", "--data-dir", data_dir).stdout)

        assert found == {"schema": 1, "records": one_a_line}
        assert bool(one_a_line) != bool(types)

    def test_is_exported_by_type_and_by_order(self, data_dir):
        by_type = natya("journal", "export", "--type", "OrderExpired", "--data-dir", data_dir)
        by_order = natya("journal", "export", "--key", "a-3", "--after", 1, "--data-dir", data_dir)

        assert [line["reason"] for line in lines(by_type)] == ["day over"]
        assert [line["type"] for line in lines(by_order)] == ["OrderAccepted", "OrderExpired"]

    def test_shows_the_newest_of_one_order(self, data_dir):
        result = natya("journal", "tail", "-n", 5, "--key", "a-3", "--data-dir", data_dir)

        assert [line["sequence"] for line in lines(result)] == [4, 21]

    def test_has_no_facts_of_a_type_that_there_is_not(self, data_dir):
        result = natya("journal", "export", "--type", "OrderEaten", "--data-dir", data_dir)

        assert result.exit_code == 2
        assert "OrderEaten" in result.stderr


class TestADamagedJournal:
    """One byte of it is flipped: whatever was asked for, and wherever the damage is, nobody takes it for whole."""

    @pytest.fixture(params=["X-0", "OrderExpired"])
    def segment(self, data_dir, request):
        (segment,) = (data_dir / "journal").glob("*.journal")
        damaged = bytearray(segment.read_bytes())
        damaged[damaged.index(request.param.encode()) + 1] ^= 1
        segment.write_bytes(damaged)
        return segment

    @pytest.mark.parametrize(
        "command",
        [
            ("verify",),
            ("stat",),
            ("stat", "--json"),
            ("tail", "-n", 1),
            ("tail", "--key", "a-3"),
            ("export",),
            ("export", "--type", "OrderExpired"),
            ("export", "--key", "a-3"),
            ("export", "--after", 20),
            ("export", "--until-ns", 1),
            ("export", "--since-ns", 1 << 62),
        ],
        ids=str,
    )
    def test_ends_the_command_with_65_and_names_the_file(self, data_dir, segment, command):
        result = natya("journal", *command, "--data-dir", data_dir)

        assert result.exit_code == 65
        assert f"{segment} is damaged at offset " in result.stderr

    def test_is_no_source_of_a_database(self, data_dir, segment):
        result = natya("db", "rebuild", "--data-dir", data_dir)

        assert result.exit_code == 65
        assert str(segment) in result.stderr
        assert not list(data_dir.glob("*.duckdb*"))


class TestDamageOfAClosedSegment:
    """Commands that need not read it tell it all the same."""

    @pytest.fixture(params=["plain", "archived"])
    def segment(self, tmp_path, request):
        journal = Journal(tmp_path / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        number = 0
        while len(journal.closed_segments) < 2:
            number += 1
            fact = OrderAccepted(client_order_id=f"a-{number}", broker_order_id="X" * 500, occurred_ns=number)
            journal.append((fact,), f"a-{number}")
            journal.commit()
        closed = journal.closed_segments[0]
        if request.param == "archived":
            archive_segment(journal.disk, closed)
        journal.close()
        damaged = bytearray(closed.path.read_bytes())
        damaged[len(damaged) // 3] ^= 1
        closed.path.write_bytes(damaged)
        return closed.path

    @pytest.mark.parametrize(
        "command", [("stat",), ("tail", "-n", 1), ("export", "--after", 200), ("verify",)], ids=str
    )
    def test_ends_the_command_with_65_and_names_the_file(self, tmp_path, segment, command):
        result = natya("journal", *command, "--data-dir", tmp_path)

        assert result.exit_code == 65
        assert f"{segment} is damaged at offset " in result.stderr

    def test_leaves_the_core_file_as_it_is(self, tmp_path, segment):
        (tmp_path / "natya.duckdb").write_bytes(b"the core file")
        result = natya("db", "rebuild", "--data-dir", tmp_path)

        assert result.exit_code == 65
        assert str(segment) in result.stderr
        assert (tmp_path / "natya.duckdb").read_bytes() == b"the core file"
        assert not list(tmp_path.glob("*.old-*"))


class TestAJournalWithoutItsBeginning:
    @pytest.mark.parametrize("command", [("journal", "verify"), ("journal", "stat"), ("db", "rebuild")], ids=str)
    def test_ends_the_command_with_65_and_what_to_do(self, tmp_path, command):
        journal = Journal(tmp_path / "journal", now_ns=time.time_ns, segment_bytes=65_536)
        journal.open()
        while not journal.closed_segments:
            journal.append((OrderAccepted(client_order_id="a-1", broker_order_id="X" * 5_000, occurred_ns=1),))
            journal.commit()
        journal.close()
        journal.closed_segments[0].path.unlink()
        (tmp_path / "journal" / "journal.mark").unlink()
        result = natya(*command, "--data-dir", tmp_path)

        assert result.exit_code == 65
        assert "put the missing segments back" in result.stderr
        assert not list(tmp_path.glob("*.duckdb*"))


class TestALinkInTheJournalsDirectory:
    def test_is_followed_by_no_command(self, data_dir, tmp_path):
        (segment,) = (data_dir / "journal").glob("*.journal")
        segment.rename(tmp_path / "elsewhere")
        segment.symlink_to(tmp_path / "elsewhere")
        result = natya("journal", "verify", "--data-dir", data_dir)

        assert result.exit_code == 65
        assert "is a link" in result.stderr


def test_a_directory_without_a_journal_is_said_so(tmp_path):
    result = natya("journal", "verify", "--data-dir", tmp_path)

    assert result.exit_code == 1
    assert "no journal" in result.stderr
