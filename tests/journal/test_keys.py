"""Keys: found without reading everything, derived from the records, and never trusted over them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import HALF

from natya.actors.journal import JournalDamagedError, JournalView, view
from natya.actors.journal.keys import PAGE_ENTRIES, PAGE_SIZE, Entry, KeyFile, KeysBrokenError, KeyTable, _page_crc
from natya.actors.journal.segments import keys_path
from natya.actors.journal.upkeep import archive_segment, keep_keys, next_chore
from natya.config.files import NotOursError
from natya.messages.journal import JournalRecord, key_of
from natya.messages.supervision import BreakerOpened


class MemoryFile:
    """Bytes, read like a file."""

    def __init__(self, content):
        self.content = content

    def read(self, offset, size):
        return self.content[offset : offset + size]

    def size(self):
        return len(self.content)


def a_table(workshop, keys, correlation_id=""):
    records = [
        JournalRecord(sequence=sequence, recorded_ns=1, correlation_id=correlation_id, fact=workshop.an_intent(key))
        for sequence, key in enumerate(keys, start=1)
    ]
    table = KeyTable()
    table.add(records, [10] * len(records), step=0, offset=0)
    return table


class TestAKeyFile:
    @settings(max_examples=HALF)
    @given(seed=st.integers(0, 2**32), size=st.sampled_from([0, 1, 7, PAGE_ENTRIES, PAGE_ENTRIES + 1, 2_000]))
    def test_finds_what_a_plain_search_finds(self, workshop, seed, size):
        keys = [Random(seed + step).randint(1, 1 + size // 3) for step in range(size)]
        table = a_table(workshop, keys)
        pages = table.pages(b"this one")
        file = KeyFile(MemoryFile(pages), b"this one")
        entries = len(table.columns()[0]) // 4
        assert len(pages) == PAGE_SIZE * max(1, -(-entries // PAGE_ENTRIES))

        wanted = {10**6: []}
        for step, key in enumerate(keys):
            wanted.setdefault(key, []).append(Entry(step, step * 10))
        for key, entries in wanted.items():
            assert file.find(f"A-{key}") == table.find(f"A-{key}") == entries

    def test_of_nothing_finds_nothing(self):
        assert KeyFile(MemoryFile(KeyTable().pages(b"this one")), b"this one").find("A-1") == []

    @pytest.mark.parametrize(("correlation_id", "entries"), [("", 3), ("A-7", 3), ("C-1", 4)])
    def test_has_a_record_under_its_key_and_its_correlation_id_if_that_is_another(
        self, workshop, correlation_id, entries
    ):
        table = a_table(workshop, [7], correlation_id)

        assert len(table.columns()[0]) // 4 == entries, "that types are noted, and the type, too"
        assert table.find("A-7") == [Entry(0, 0)]

    def test_reads_a_few_pages_of_many(self, workshop):
        memory = MemoryFile(a_table(workshop, range(1, 50_001)).pages(b"this one"))
        reads = []
        read = memory.read
        memory.read = lambda offset, size: reads.append(offset) or read(offset, size)
        found = KeyFile(memory, b"this one").find("A-777")

        assert found == [Entry(776, 7_760)]
        assert memory.size() > 140 * PAGE_SIZE
        assert len(reads) <= 11

    def test_is_checked_to_the_last_byte_of_a_page(self, workshop):
        pages = a_table(workshop, range(1, 11)).pages(b"this one")

        for place in range(len(pages)):
            changed = bytearray(pages)
            changed[place] ^= 0x80
            with pytest.raises(KeysBrokenError):
                KeyFile(MemoryFile(bytes(changed)), b"this one").check()

    def test_that_is_cut_short_while_it_is_read_is_refused(self, workshop):
        memory = MemoryFile(a_table(workshop, range(1, 2_001)).pages(b"this one"))
        file = KeyFile(memory, b"this one")
        memory.content = memory.content[: PAGE_SIZE + 5]

        with pytest.raises(KeysBrokenError, match="page 1 ends after 5 bytes"):
            file.check()

    @pytest.mark.parametrize(
        ("size", "is_allowed"), [(0, False), (1, False), (PAGE_SIZE + 1, False), (PAGE_SIZE, True)]
    )
    def test_has_whole_pages(self, size, is_allowed):
        if is_allowed:
            KeyFile(MemoryFile(bytes(size)), b"this one")
            return
        with pytest.raises(KeysBrokenError, match=f"whole pages of 4096 bytes, found {size}$"):
            KeyFile(MemoryFile(bytes(size)), b"this one")

    def test_whose_page_says_that_it_has_more_than_a_page_holds_is_refused(self, workshop):
        pages = bytearray(a_table(workshop, range(1, 11)).pages(b"this one"))
        pages[4:8] = (PAGE_ENTRIES + 1).to_bytes(4, "little")
        pages[:4] = _page_crc(b"this one", 1, 0, bytes(pages)).to_bytes(4, "little")

        with pytest.raises(KeysBrokenError):
            KeyFile(MemoryFile(bytes(pages)), b"this one").check()

    @pytest.mark.parametrize("harm", ["bit", "shorter", "other segment", "pages swapped", "empty"])
    def test_that_is_wrong_is_refused(self, workshop, harm):
        pages = bytearray(a_table(workshop, range(1, 2_001)).pages(b"this one"))
        identity = b"this one"
        match harm:
            case "bit":
                pages[PAGE_SIZE + 100] ^= 1
            case "shorter":
                del pages[-PAGE_SIZE:]
            case "other segment":
                identity = b"that one"
            case "pages swapped":
                pages = pages[PAGE_SIZE : 2 * PAGE_SIZE] + pages[:PAGE_SIZE] + pages[2 * PAGE_SIZE :]
            case "empty":
                pages = bytearray()

        with pytest.raises(KeysBrokenError):
            KeyFile(MemoryFile(bytes(pages)), identity).check()


@pytest.fixture
def shelf(disk, workshop):
    """An open journal of four segments, each order's three facts spread over them."""
    journal = workshop.a_journal(disk, segment_bytes=8_192)
    journal.open()
    for number in (*range(1, 61), *range(1, 61), *range(1, 61)):
        workshop.commit_one(journal, number)
    assert len(journal.closed_segments) == 3
    yield journal
    journal.close()


def tidy(journal):
    """Do all chores; returns how many there were."""
    count = 0
    while (chore := next_chore(journal.closed_segments, 1_000)) is not None:
        chore[0](journal.disk, chore[1])
        count += 1
    return count


def sequences(view, key):
    return [record.sequence for record in view.find(key=key)]


class TestLookingUpAKey:
    def test_reads_only_its_records(self, shelf, workshop, monkeypatch):
        tidy(shelf)

        def no_scan(*_arguments):
            raise AssertionError("everything was read")

        monkeypatch.setattr(JournalView, "_raw_of", no_scan)

        assert sequences(shelf.view(), "A-7") == [7, 67, 127]
        assert sequences(shelf.view(), "A-61") == []

    def test_finds_the_same_in_memory_in_files_in_archives_and_from_outside(self, disk, shelf, workshop):
        found = [sequences(shelf.view(), "A-7")]
        tidy(shelf)
        found.append(sequences(shelf.view(), "A-7"))
        archive_segment(disk, shelf.closed_segments[0])
        found.append(sequences(shelf.view(), "A-7"))
        found.append(sequences(JournalView.of_directory(disk, workshop.directory), "A-7"))

        assert found == [[7, 67, 127]] * 4

    def test_sees_nothing_that_was_committed_later(self, shelf, workshop):
        view = shelf.view()
        for _ in range(60):
            workshop.commit_one(shelf, 7)
        tidy(shelf)

        assert sequences(view, "A-7") == [7, 67, 127]
        assert len(sequences(shelf.view(), "A-7")) == 63

    def test_finds_a_request_by_its_correlation_id_and_a_child_by_its_name(self, journal, workshop):
        opened = BreakerOpened(supervisor="system", child="feed", openings=1, retry_after_s=5.0, occurred_ns=1)
        journal.append((workshop.an_intent(1), workshop.an_intent(2)), "request-9")
        journal.append((opened,))
        journal.commit()

        assert sequences(journal.view(), "request-9") == [1, 2]
        assert sequences(journal.view(), "A-2") == [2]
        assert sequences(journal.view(), "feed") == [3]
        assert key_of(opened) == "feed"

    def test_after_a_restart_knows_the_active_segment_again(self, disk, shelf, workshop, monkeypatch):
        tidy(shelf)
        shelf.close()
        again = workshop.a_journal(disk, segment_bytes=8_192)
        again.open()
        monkeypatch.delattr(JournalView, "_raw_of")

        assert sequences(again.view(), "A-7") == [7, 67, 127]
        again.close()


class TestAKeyFileOfTheJournal:
    @pytest.mark.parametrize("harm", ["bit", "gone", "shorter", "of another segment"])
    def test_that_is_wrong_gives_no_wrong_answer_and_is_written_anew(self, disk, shelf, workshop, harm):
        tidy(shelf)
        path, other = (keys_path(workshop.directory, segment.first_sequence) for segment in shelf.closed_segments[:2])
        whole = bytes(disk.content(path))
        match harm:
            case "bit":
                disk.content(path)[20] ^= 1
            case "gone":
                disk.remove(path)
            case "shorter":
                del disk.content(path)[100:]
            case "of another segment":
                disk.content(path)[:] = disk.content(other)
        found = sequences(shelf.view(), "A-7")

        assert found == [7, 67, 127]
        assert list(shelf.view().find(types={"OrderFilled"})) == []
        assert [segment.has_key_file for segment in shelf.closed_segments] == [False, True, True]
        assert tidy(shelf) == 1
        assert bytes(disk.content(path)) == whole

    def test_of_an_older_journal_is_made_at_the_next_start(self, disk, shelf, workshop):
        tidy(shelf)
        whole = {name: bytes(disk.content(workshop.directory / name)) for name in disk.names(workshop.directory)}
        for segment in shelf.closed_segments:
            disk.remove(keys_path(workshop.directory, segment.first_sequence))
        shelf.close()
        again = workshop.a_journal(disk, segment_bytes=8_192)
        again.open()
        tidy(again)
        again.close()

        keys = [name for name in whole if name.endswith(".keys")]
        assert len(keys) == 3
        assert all(bytes(disk.content(workshop.directory / name)) == whole[name] for name in keys)

    def test_goes_with_its_segment(self, disk, shelf, workshop):
        tidy(shelf)
        for segment in shelf.closed_segments:
            archive_segment(disk, segment)
            segment.is_forgettable = True
        shelf.forget_before(1 << 62)

        assert not [name for name in disk.names(workshop.directory) if name.endswith(".keys")]

    def test_is_not_made_of_damaged_records(self, disk, shelf):
        segment = shelf.closed_segments[0]
        segment.keys = None
        disk.content(segment.path)[300] ^= 1

        with pytest.raises(JournalDamagedError):
            keep_keys(disk, segment)

    def test_takes_the_place_of_what_cannot_be_opened(self, disk, shelf, monkeypatch):
        tidy(shelf)
        segment = shelf.closed_segments[0]
        path, plain = keys_path(segment.directory, segment.first_sequence), disk.open
        before = bytes(disk.content(path))
        disk.content(path)[:] = b"something else"
        segment.has_key_file = False

        def failing(name, **how):
            if name == path:
                raise NotOursError(name, "is a link")
            return plain(name, **how)

        monkeypatch.setattr(disk, "open", failing)
        assert keep_keys(disk, segment) == len(before)
        assert (bytes(disk.content(path)), segment.has_key_file) == (before, True)

    def test_is_made_of_the_keys_in_memory_without_reading_the_segment_and_frees_them(self, disk, shelf, monkeypatch):
        segment = shelf.closed_segments[0]
        opened, begin = [], disk.open
        monkeypatch.setattr(disk, "open", lambda path, **given: opened.append(path) or begin(path, **given))

        assert keep_keys(disk, segment) == len(disk.content(keys_path(segment.directory, segment.first_sequence)))
        assert (opened, segment.keys) == ([], None)


def test_a_view_finds_a_key_up_to_its_end_without_reading_all_though_more_has_come(journal, workshop, monkeypatch):
    for number in (1, 2, 1):
        workshop.commit_one(journal, number)
    view = journal.view()
    workshop.commit_one(journal, 1)
    read, plain = [], JournalView._raw_of
    monkeypatch.setattr(JournalView, "_raw_of", lambda self, *place: read.append(place) or plain(self, *place))

    assert [sequences(each, "A-1") for each in (view, journal.view())] == [[1, 3], [1, 3, 4]]
    assert [record.sequence for record in view.find(key="A-1", after_sequence=1)] == [3]
    assert read == []


class TestFactsOfATypeThatASegmentLacks:
    """Four segments, of which the second has the only facts of supervision."""

    @pytest.fixture
    def several(self, disk, workshop):
        journal = workshop.a_journal(disk)
        journal.open()
        for part in range(4):
            workshop.commit_one(journal, part + 1)
            if part == 1:
                journal.append((workshop.a_restart(),), "feed")
                journal.commit()
            if part < 3:
                journal._files.rotate(outcome=False)
        return journal

    @pytest.fixture
    def opened(self, monkeypatch):
        """First sequences of the segments whose records are read."""
        found, plain = [], JournalView._raw_of

        def noted(view, segment, *arguments):
            found.append(segment.first_sequence)
            return plain(view, segment, *arguments)

        monkeypatch.setattr(JournalView, "_raw_of", noted)
        return found

    def test_are_looked_for_nowhere_else(self, several, opened):
        assert [each.sequence for each in several.view().find(types={"ChildRestarted"})] == [3]
        assert opened == [2]

    def test_are_found_by_key_files_too(self, several, opened):
        while (chore := next_chore(several.closed_segments, 100)) is not None:
            chore[0](several.disk, chore[1])
        opened.clear()

        assert [each.sequence for each in several.view().find(types={"ChildRestarted"})] == [3]
        assert list(several.view().find(types={"OrderFilled"})) == []
        assert opened == [2]

    def test_are_found_where_the_keys_of_an_earlier_release_name_no_types(self, several, opened, monkeypatch):
        monkeypatch.setattr(view, "TYPES_NOTED", "never noted")

        assert [each.sequence for each in several.view().find(types={"ChildRestarted"})] == [3]
        assert opened == [1, 2, 4, 5]

    def test_are_found_where_a_key_file_is_gone(self, several, opened, workshop):
        while (chore := next_chore(several.closed_segments, 100)) is not None:
            chore[0](several.disk, chore[1])
        several.disk.remove(workshop.directory / f"{2:020d}.keys")
        opened.clear()

        assert [each.sequence for each in several.view().find(types={"ChildRestarted"})] == [3]
        assert opened == [2]

    def test_are_found_after_a_start(self, several, opened, workshop):
        several.close()
        again = workshop.a_journal(several.disk)
        again.open()
        again.append((workshop.a_restart(2),), "feed")
        again.commit()

        assert [each.sequence for each in again.view().find(types={"ChildRestarted"})] == [3, 6]
