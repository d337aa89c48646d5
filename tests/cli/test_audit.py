"""Who had the system do what, from the command line; and that nobody can change that afterwards without being found.

`make corruptions` changes more records: CORRUPTIONS and CORRUPTIONS_SEED are how many and which.
"""

import json
import os
import re
import zlib
from random import Random

import pytest
from typer.testing import CliRunner

import natya
from natya.actors.journal import Journal, JournalDamagedError
from natya.actors.journal.day_seals import seals_of
from natya.actors.journal.records import RecordFormat1
from natya.actors.journal.tools import verify
from natya.cli.app import app
from natya.domain.time import DAY_NS
from natya.messages.control import OperationAnswered, OperationAsked

EDITS = int(os.environ.get("CORRUPTIONS", "100"))
SEED = int(os.environ.get("CORRUPTIONS_SEED", "1"))
OPERATIONS = 20


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def an_operation(number, **fields):
    asked = {
        "request": f"request-{number:04}",
        "operation": "cancel-orders",
        "role": "operate",
        "actor": "orders",
        "who": "user 1000, process 4711",
        "arguments": '{"person":"asha"}',
        "occurred_ns": number * 10**9,
    }
    return OperationAsked(**(asked | fields))


@pytest.fixture
def data_dir(tmp_path):
    journal = Journal(tmp_path / "journal", now_ns=lambda: 10**18, segment_bytes=65_536)
    journal.open()
    for number in range(1, OPERATIONS + 1):
        journal.append([an_operation(number)])
        if number % 2:
            answer = OperationAnswered(
                request=f"request-{number:04}", operation="cancel-orders", answer="OrdersCancelling", occurred_ns=number
            )
            journal.append([answer])
    journal.commit()
    journal.close()
    return tmp_path


class TestAuditedOperations:
    def test_are_listed_with_who_asked_and_what_came_of_each(self, data_dir):
        found = json.loads(call("audit", "list", "-n", 2, "--data-dir", data_dir, "--json").stdout)

        assert found["schema"] == 1
        assert [(each["request"], each["answer"]) for each in found["operations"]] == [
            ("request-0019", "OrdersCancelling"),
            ("request-0020", ""),
        ]
        assert found["operations"][0]["arguments"] == {"person": "asha"}

    def test_are_one_line_where_there_are_none(self, data_dir):
        assert call("audit", "list", "--until-ns", 1, "--data-dir", data_dir).stdout == "no operations\n"

    def test_are_a_table_in_which_an_unknown_outcome_says_so(self, data_dir):
        shown = call("audit", "list", "--data-dir", data_dir).stdout

        assert shown.count("user 1000, process 4711") == OPERATIONS
        assert shown.count("not known") == OPERATIONS / 2

    def test_are_counted_when_all_is_as_it_was_written(self, data_dir):
        result = call("audit", "verify", "--data-dir", data_dir, "--json")

        assert result.exit_code == 0
        found = json.loads(result.stdout)
        assert (found["asked"], found["answered"], found["records"]) == (OPERATIONS, OPERATIONS / 2, OPERATIONS * 1.5)

    def test_are_counted_in_words_before_any_day_is_sealed(self, data_dir):
        lines = call("audit", "verify", "--data-dir", data_dir).stdout.splitlines()

        assert lines[0] == "30 records are whole, up to sequence 30: 20 operations, 10 of them with an outcome"
        assert lines[1] == "no day is sealed yet: the first is when it is over"

    def test_of_a_running_system_are_journaled_with_who_asked(self, tmp_path):
        settings = natya.load_settings("paper", environment={}, overrides={"system.data_dir": str(tmp_path)})
        with natya.TradingSystem(settings), natya.connect(data_dir=tmp_path) as client:
            client.engage_kill_switch(reason="looked odd", person="asha")
            client.publish_events(events=())
        found = json.loads(call("audit", "list", "--data-dir", tmp_path, "--json").stdout)["operations"]

        (asked,) = found
        assert (asked["operation"], asked["role"], asked["actor"]) == ("engage-kill-switch", "operate", "kill-switch")
        assert asked["who"] == f"user {os.geteuid()}, process {os.getpid()}"
        assert asked["arguments"] == {"reason": "looked odd", "person": "asha", "flatten": False}
        assert asked["answer"] == "KillSwitchEngaged"


class TestDaysThatAreSealed:
    @pytest.fixture
    def two_days(self, tmp_path):
        now_ns = 10**18
        journal = Journal(tmp_path / "journal", now_ns=lambda: now_ns, segment_bytes=65_536)
        journal.open()
        for number in (1, 2, 3):
            journal.append([an_operation(number)])
            now_ns += DAY_NS
        journal.commit()
        journal.close()
        return tmp_path

    def test_are_counted_with_the_last_and_where_they_are_kept(self, two_days):
        found = json.loads(call("audit", "verify", "--data-dir", two_days, "--json").stdout)
        told = call("audit", "verify", "--data-dir", two_days).stdout

        assert (found["sealed_days"], found["sealed_day"], found["sealed_sequence"]) == (2, "2001-09-10", 2)
        assert "sealed: 2 days, the last 2001-09-10 with sequence 2: " in told

    def test_are_compared_with_a_copy_that_was_kept_elsewhere(self, two_days):
        seals = two_days / "journal" / "days.seals"
        copy = two_days / "copy"
        copy.write_bytes(seals.read_bytes())
        first = seals.read_bytes().split(b"\n")[0] + b"\n"
        seals.write_bytes(first)

        assert call("audit", "verify", "--data-dir", two_days).exit_code == 0
        refused = call("audit", "verify", "--data-dir", two_days, "--seals", copy)
        assert refused.exit_code == 65
        assert "the seal of day 2001-09-10 is not that of the copy: found none" in refused.stderr

    def test_have_an_hmac_that_is_proved_with_the_key(self, two_days, monkeypatch):
        seals = two_days / "journal" / "days.seals"
        monkeypatch.setenv("NATYA_JOURNAL__SEAL_KEY", "another key")
        unsigned = call("audit", "verify", "--data-dir", two_days)
        (one, two) = seals_of(seals.read_bytes())
        seals.write_bytes(one.line() + b"\n" + two.signed(b"the key").line() + b"\n")
        refused = call("audit", "verify", "--data-dir", two_days)
        monkeypatch.setenv("NATYA_JOURNAL__SEAL_KEY", "the key")
        proved = call("audit", "verify", "--data-dir", two_days)
        monkeypatch.delenv("NATYA_JOURNAL__SEAL_KEY")
        unproved = call("audit", "verify", "--data-dir", two_days)

        assert "HMAC" not in unsigned.stdout
        assert refused.exit_code == 65
        assert "2001-09-10 was not made with this key" in refused.stderr
        assert "1 seal of them with an HMAC, proved with journal.seal_key" in proved.stdout
        assert "not proved: no journal.seal_key is given" in unproved.stdout


class TestAChangedRecord:
    def test_is_named_by_the_command_which_ends_with_65(self, data_dir):
        (segment,) = (data_dir / "journal").glob("*1.*")
        whole = segment.read_bytes()
        segment.write_bytes(whole.replace(b'"asha"', b'"ravi"', 1))

        result = call("audit", "verify", "--data-dir", data_dir)

        assert result.exit_code == 65
        assert "sequence 1" in result.stderr

    def test_is_named_and_with_a_checksum_made_to_fit_by_the_hash_in_the_next(self, data_dir):
        (segment,) = (data_dir / "journal").glob("*1.*")
        whole = segment.read_bytes()
        starts = [found.start() for found in re.finditer(re.escape(RecordFormat1.magic), whole)]
        random = Random(SEED)
        for _ in range(EDITS):
            number, forged = random.randrange(len(starts) - 1), random.random() < 0.5
            start, end = starts[number], starts[number + 1]
            edited = bytearray(whole)
            edited[random.randrange(start + 90, end - 1)] ^= 1 << random.randrange(8)
            if forged:
                edited[start + 4 : start + 8] = zlib.crc32(edited[start + 8 : end]).to_bytes(4, "little")
            segment.write_bytes(edited)

            with pytest.raises(JournalDamagedError) as damage:
                verify(data_dir / "journal")

            named = damage.value.sequence - number - 1
            assert named == 0 or (forged and named == 1), f"{number=}, {forged=}: {damage.value}"


KINDS = ("a bit", "digits", "zeros", "a part less", "a part twice", "a part more", "two bytes swapped", "an end less")


def edited(data, kind, at, end, random):
    """Give the data with an edit of this kind, from one place to another."""
    match kind:
        case "a bit":
            inside = bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 : end]
        case "digits":
            inside = bytes(random.choice(b"0123456789") for _ in range(end - at))
        case "zeros":
            inside = bytes(end - at)
        case "a part less":
            inside = b""
        case "a part twice":
            inside = 2 * data[at:end]
        case "a part more":
            inside = random.randbytes(end - at) + data[at:end]
        case "two bytes swapped":
            inside = data[end - 1 : end] + data[at + 1 : end - 1] + data[at : at + 1] if end - at > 1 else data[at:end]
        case _:
            return data[:at]
    return data[:at] + inside + data[end:]


class TestAnyEdit:
    @pytest.fixture
    def days(self, tmp_path):
        """Two segments, and five days with seals that have no HMAC."""
        now_ns = 10**18
        journal = Journal(tmp_path / "journal", now_ns=lambda: now_ns, segment_bytes=65_536)
        journal.open()
        for number in range(1, 401):
            journal.append([an_operation(number)])
            if number % 80 == 0:
                journal.commit()
                now_ns += DAY_NS
                journal.end_day()
        journal.close()
        return tmp_path / "journal"

    def test_of_a_record_or_of_a_seal_is_found(self, days):
        seals = days / "days.seals"
        whole = {path: path.read_bytes() for path in sorted([*days.glob("*.journal"), seals])}
        assert (len(whole), verify(days).sealed_days) == (3, 5)
        random = Random(SEED)
        for number in range(EDITS):
            path, kind = random.choice([*whole]), random.choice(KINDS)
            data = whole[path]
            written = data.rfind(b"}") + 1  # behind the last record there are a footer and zeros, which say nothing
            at = random.randrange(written)
            end = min(written, at + random.randrange(1, 60))
            changed = edited(data, kind, at, end, random)
            if changed[:written] == data[:written]:
                continue
            path.write_bytes(changed)
            try:
                found = verify(days)
            except JournalDamagedError:
                found = None
            path.write_bytes(data)

            has_fewer_seals = found is not None and path == seals and found.sealed_days < 5  # whole lines cut off
            assert found is None or has_fewer_seals, f"{number=}, {SEED=}: {kind} in {path.name} from {at} to {end}"
