"""Reading a journal that its owner writes, closes, archives and cuts meanwhile: the truth, and never a false alarm."""

from __future__ import annotations

import threading
import time

import pytest

from natya.actors.journal import Journal, JournalDamagedError, JournalView, SimulatedDisk, live
from natya.actors.journal.disk import RealDisk
from natya.actors.journal.live import LOOKS_MAX
from natya.actors.journal.simulated import SimulatedFile
from natya.actors.journal.tools import check, export, stat, tail, verify
from natya.actors.journal.upkeep import archive_segment, keep_keys, look_through, next_chore

SEGMENT_BYTES = 8_192


class Busy(SimulatedDisk):
    """A disk whose owner does the next of its tasks just before the reader's next access, `gap` accesses apart."""

    def __init__(self, gap):
        super().__init__()
        self.gap, self.accesses = gap, 0
        self.tasks = iter(())
        self.is_at_work = False

    def access(self):
        if self.is_at_work:
            return
        self.accesses += 1
        if self.accesses % self.gap == 0:
            self.is_at_work = True
            next(self.tasks, None)
            self.is_at_work = False

    def names(self, directory):
        self.access()
        return super().names(directory)

    def open(self, path, *, writable=False):
        self.access()
        super().open(path, writable=writable)
        return BusyFile(self, self._names[path], writable=writable)


class BusyFile(SimulatedFile):
    def read(self, offset, size):
        self._disk.access()
        return super().read(offset, size)


def owner(workshop, disk, journal):
    """Write, and tidy up in between: one step at a time."""
    number = journal.last_sequence
    while True:
        for _ in range(3):
            number += 1
            journal.append((workshop.an_intent(number), workshop.a_cancel(number)), f"A-{number}")
            journal.commit()
            yield
        chore = next_chore(journal.closed_segments, 1)
        if chore is not None:
            chore[0](disk, chore[1])
            yield


class Halfway:
    """An owner whose commits arrive piece by piece: the reader sees their beginnings."""

    def __init__(self, disk, journal, step):
        self.disk, self.journal, self.step = disk, journal, step

    def __call__(self, facts, correlation_id):
        path = self.journal._files.segments[-1].path
        before = bytes(self.disk.content(path))
        self.journal.append(facts, correlation_id)
        self.journal.commit()
        after = bytes(self.disk.content(path))
        begin = self.journal._files.position.offset
        changed = [place for place in range(len(after)) if before[place : place + 1] != after[place : place + 1]]
        for end in range(changed[0], begin, self.step):
            self.disk.content(path)[:] = after[:end] + before[end:]
            yield
        self.disk.content(path)[:] = after


@pytest.fixture
def busy(workshop, request):
    disk = Busy(gap=getattr(request, "param", 1))
    journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
    journal.open()
    for number in range(1, 61):
        workshop.commit_one(journal, number)
    disk.tasks = owner(workshop, disk, journal)
    return disk, journal


class TestAnOwnerAtWork:
    @pytest.mark.parametrize("busy", range(1, 12), indirect=True)
    def test_is_no_damage_to_who_verifies(self, workshop, busy):
        disk, journal = busy
        before = journal.last_sequence
        report = verify(workshop.directory, disk)

        assert disk.accesses
        assert journal.last_sequence > before
        assert before <= report.last_sequence <= journal.last_sequence
        assert report.records == report.last_sequence
        assert report.torn_bytes == 0

    @pytest.mark.parametrize("busy", range(1, 12), indirect=True)
    def test_is_no_damage_to_any_other_reader(self, workshop, busy):
        disk, journal = busy
        before = journal.last_sequence
        check(workshop.directory, disk)
        found = stat(workshop.directory, disk)
        newest = tail(workshop.directory, records_max=5, disk=disk)
        lines = list(export(workshop.directory, disk=disk))
        by_key = tail(workshop.directory, records_max=5, disk=disk, key="A-7")

        assert found.records >= before
        assert len(newest) == 5
        assert newest[-1].sequence >= found.last_sequence
        assert len(lines) >= before
        assert [record.fact.quantity for record in by_key] == [7]

    @pytest.mark.parametrize("step", [16, 64, 200])
    def test_is_no_damage_half_way_in_its_commit(self, workshop, step):
        disk = Busy(gap=1)
        journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
        journal.open()
        for number in range(1, 11):
            workshop.commit_one(journal, number)
        commit = Halfway(disk, journal, step)
        disk.tasks = commit(tuple(map(workshop.an_intent, (11, 12, 13))), "A-11")
        reports = [verify(workshop.directory, disk) for _ in range(20)]

        assert {report.last_sequence for report in reports} <= {10, 13}
        assert all(report.records == report.last_sequence for report in reports)

    def test_that_has_died_in_its_commit_left_a_torn_tail_and_no_damage(self, workshop):
        disk = SimulatedDisk()
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        end = journal._files.position.offset
        content = disk.content(journal._files.segments[0].path)
        content[end : end + 20] = content[128:148]
        report = verify(workshop.directory, disk)

        assert report.last_sequence == 1
        assert 4 < report.torn_bytes <= 20

    def test_that_has_died_between_two_facts_of_an_append_left_a_torn_tail(self, workshop):
        disk = SimulatedDisk()
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        whole = journal._files.position.offset
        journal.append((workshop.an_intent(2), workshop.an_intent(3)))
        journal.commit()
        content = disk.content(journal._files.segments[0].path)
        second = content.index(b"NJR1", whole + 1)
        content[second:] = bytes(len(content) - second)
        disk.remove(workshop.directory / "journal.mark")
        report = verify(workshop.directory, disk)

        assert (report.records, report.last_sequence, report.torn_bytes) == (1, 1, second - whole)

    @pytest.mark.parametrize("is_closed", [False, True], ids=["clean", "closed"])
    def test_that_left_a_whole_end_is_looked_at_once(self, workshop, monkeypatch, is_closed):
        disk, looks, judge = SimulatedDisk(), [], live.judge_tail
        journal = workshop.a_journal(disk)
        journal.open()
        workshop.commit_one(journal, 1)
        if is_closed:
            journal.close()
        monkeypatch.setattr(live, "judge_tail", lambda *given, **more: looks.append(1) or judge(*given, **more))

        check(workshop.directory, disk)

        assert len(looks) == 1

    def test_that_changes_the_same_byte_for_ever_is_looked_at_so_often_and_no_more(self, workshop):
        disk = Busy(gap=1)
        journal = workshop.a_journal(disk)
        journal.open()
        for number in range(1, 4):
            workshop.commit_one(journal, number)
        content = disk.content(journal._files.segments[0].path)
        content[journal._files.position.offset - 3] ^= 1
        with pytest.raises(JournalDamagedError):
            verify(workshop.directory, disk)

        assert disk.accesses < 20 * LOOKS_MAX


class TestAnOwnerThatForgets:
    def test_is_no_damage(self, workshop):
        """Supervision's facts go; who reads them meanwhile finds what is kept."""
        disk = Busy(gap=3)
        journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
        journal.open()
        for _ in range(200):
            journal.append((workshop.a_restart(),))
            journal.commit()
        for segment in journal.closed_segments:
            keep_keys(disk, segment)
            archive_segment(disk, segment)
            look_through(disk, segment)
        kept = journal.closed_segments[-1].first_sequence

        def forget():
            while True:
                if len(journal.closed_segments) > 1:
                    journal.forget_before(journal.closed_segments[0].seal.latest_ns + 1)
                yield

        disk.tasks = forget()
        report = verify(workshop.directory, disk)
        check(workshop.directory, disk)

        assert report.records == report.last_sequence - report.oldest_sequence + 1
        assert report.last_sequence >= 200
        assert 1 < journal.oldest_sequence <= kept
        assert list(export(workshop.directory, disk=disk))


class TestARealOwner:
    def test_at_work_in_a_thread_is_verified_again_and_again(self, workshop, tmp_path):
        journal = Journal(tmp_path, now_ns=time.time_ns, segment_bytes=16_384)
        journal.open()
        ended = threading.Event()

        def work():
            while not ended.is_set():
                for number in range(1, 30):
                    journal.append((workshop.an_intent(number),) * 3, f"A-{number}")
                journal.commit()
                if (chore := next_chore(journal.closed_segments, 1)) is not None:
                    chore[0](RealDisk(), chore[1])

        writer = threading.Thread(target=work)
        writer.start()
        try:
            before = rounds = 0
            while rounds < 10 or len(journal.closed_segments) < 6:
                rounds += 1
                wanted = journal.last_sequence
                report = verify(tmp_path)
                assert report.last_sequence >= wanted
                assert report.records == report.last_sequence >= before
                before = report.last_sequence
                assert stat(tmp_path).last_sequence >= before
                check(tmp_path)
        finally:
            ended.set()
            writer.join()
        assert verify(tmp_path).last_sequence == journal.last_sequence
        journal.close()


class TestDamage:
    """Of a journal of three closed segments, an archive among them, and the active one."""

    @pytest.fixture
    def scene(self, workshop):
        disk = SimulatedDisk()
        journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
        journal.open()
        number = 0
        while len(journal.closed_segments) < 3 or number < journal.closed_segments[-1].first_sequence + 40:
            number += 1
            workshop.commit_one(journal, number)
        for segment in journal.closed_segments:
            keep_keys(disk, segment)
        archive_segment(disk, journal.closed_segments[0])
        journal.close()
        return disk

    @pytest.mark.parametrize("which", [0, 1, 2, 3])
    @pytest.mark.parametrize("place", [0.02, 0.5, 0.97])
    def test_anywhere_is_told_by_each_check(self, workshop, scene, which, place):
        name = sorted(name for name in scene.names(workshop.directory) if ".journal" in name)[which]
        content = scene.content(workshop.directory / name)
        used = len(content.rstrip(b"\0"))
        content[128 + int((used - 130) * place)] ^= 4

        for read in (verify, check):
            with pytest.raises(JournalDamagedError) as damage:
                read(workshop.directory, scene)
            assert damage.value.path.name == name

    def test_of_the_active_segment_is_told_by_who_only_counts(self, workshop, scene):
        name = max(name for name in scene.names(workshop.directory) if name.endswith(".journal"))
        scene.content(workshop.directory / name)[400] ^= 1

        for read in (stat, tail, lambda directory, disk: list(export(directory, disk=disk))):
            with pytest.raises(JournalDamagedError):
                read(workshop.directory, disk=scene)
        with pytest.raises(JournalDamagedError):
            JournalView.of_directory(scene, workshop.directory)


@pytest.mark.parametrize("left", [2, 0])
def test_a_missing_beginning_is_told_by_who_looks_at_the_segments_alone(workshop, left):
    disk = SimulatedDisk()
    journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
    journal.open()
    while len(journal.closed_segments) < 2:
        workshop.commit_one(journal, journal.last_sequence + 1)
    journal.close()
    names = sorted(name for name in disk.names(workshop.directory) if name.endswith(".journal"))
    for name in names[: len(names) - left]:
        disk.remove(workshop.directory / name)

    with pytest.raises(JournalDamagedError, match="segments are missing: the journal begins with sequence 1"):
        live.look_at(disk, workshop.directory)


class TestAMissingEnd:
    """The newest segments are gone, and the mark with them: what is left looks like a whole journal, and is none."""

    @pytest.fixture
    def scene(self, workshop):
        disk = SimulatedDisk()
        journal = workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES)
        journal.open()
        while len(journal.closed_segments) < 4:
            workshop.commit_one(journal, journal.last_sequence + 1)
        journal.close()
        return disk

    def remove(self, workshop, disk, *, segments, others=("journal.mark",)):
        names = sorted(name for name in disk.names(workshop.directory) if ".journal" in name)
        for name in (*names[len(names) - segments :], *others):
            disk.remove(workshop.directory / name)

    def is_told(self, workshop, disk, *, match):
        for read in (
            lambda: workshop.a_journal(disk, segment_bytes=SEGMENT_BYTES).open(),
            lambda: verify(workshop.directory, disk),
            lambda: stat(workshop.directory, disk),
        ):
            with pytest.raises(JournalDamagedError, match=match):
                read()

    @pytest.mark.parametrize("segments", [1, 2, 3, 4])
    def test_is_told_by_the_footer_of_the_last_that_is_left(self, workshop, scene, segments):
        self.remove(workshop, scene, segments=segments)

        self.is_told(workshop, scene, match=r"segment after it, \d+, is missing")

    def test_is_told_where_the_last_that_is_left_is_an_archive(self, workshop, scene):
        journal = workshop.a_journal(scene, segment_bytes=SEGMENT_BYTES)
        journal.open()
        for segment in journal.closed_segments:
            archive_segment(scene, segment)
        journal.close()
        self.remove(workshop, scene, segments=2)

        self.is_told(workshop, scene, match="it is archived, so another segment followed it")

    def test_is_told_of_a_journal_that_an_earlier_version_closed(self, workshop, scene):
        for name in [name for name in scene.names(workshop.directory) if name.endswith(".journal")]:
            content = scene.content(workshop.directory / name)
            footer = content.find(b"NATYAEND")
            if footer >= 0:
                content[footer : footer + 20] = bytes(20)
        journal = workshop.a_journal(scene, segment_bytes=SEGMENT_BYTES)
        journal.open()  # completes the footers
        journal.close()
        self.remove(workshop, scene, segments=2)

        self.is_told(workshop, scene, match=r"segment after it, \d+, is missing")

    def test_is_no_damage_where_nothing_is_missing_and_the_mark_alone_is_gone(self, workshop, scene):
        self.remove(workshop, scene, segments=0)
        journal = workshop.a_journal(scene, segment_bytes=SEGMENT_BYTES)

        assert journal.open() is None
        assert [fact.quantity for fact in workshop.facts_of(journal)] == list(range(1, journal.last_sequence + 1))

    def test_a_footer_that_was_changed_is_damage_and_one_that_is_torn_is_none(self, workshop, scene):
        path = workshop.directory / "00000000000000000001.journal"
        place = scene.content(path).index(b"NATYAEND")
        torn = bytes(scene.content(path))
        for position in range(20):
            scene.content(path)[place + position] ^= 8
            with pytest.raises(JournalDamagedError, match="footer was changed"):
                verify(workshop.directory, scene)
            scene.content(path)[:] = torn
        scene.content(path)[place : place + 20] = bytes(20)

        assert verify(workshop.directory, scene).torn_bytes == 0
