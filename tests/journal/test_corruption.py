"""Bytes change, files vanish and old copies come back: every corruption is detected or harmless, no answer is wrong."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natya.actors.journal import JournalDamagedError, JournalError, SimulatedDisk
from natya.actors.journal.tools import verify
from natya.actors.journal.upkeep import archive_segment
from natya.actors.journal.walk import judge_tail

PAGE_BYTES = 4096


class Scene:
    """A journal of several segments, one of them archived, and copies of its files from half way."""

    def __init__(self, workshop, *, closed, seed=0, appends=90):
        self.workshop = workshop
        self.disk = SimulatedDisk()
        random = Random(seed)
        journal = workshop.a_journal(self.disk, segment_bytes=8_192)
        journal.open()
        self.old = {}
        self.facts = []
        for number in range(1, appends + 1):
            facts = tuple(workshop.an_intent(number) for _ in range(random.choice((1, 1, 2, 4))))
            journal.append(facts, f"A-{number}")
            self.facts += facts
            if random.random() < 0.5 or number == appends:
                journal.commit()
            if number == appends * 2 // 3:
                journal.commit()
                self.old = {name: bytes(self.content(name)) for name in self.names()}
        archive_segment(self.disk, journal.closed_segments[0])
        if closed:
            journal.close()
        else:
            self.disk.lock(workshop.directory / "other").release()
            self.disk = self._after_a_kill()

    def _after_a_kill(self):
        """A process that was killed: its lock ends with it, the page cache stays."""
        survivor = SimulatedDisk()
        for name in self.names():
            survivor.create(self.workshop.directory / name, 0).write(self.content(name), 0)
        return survivor

    def names(self):
        return self.disk.names(self.workshop.directory)

    def content(self, name):
        return self.disk.content(self.workshop.directory / name)

    def read_all(self):
        journal = self.workshop.a_journal(self.disk, segment_bytes=8_192)
        journal.open()
        try:
            return self.workshop.facts_of(journal)
        finally:
            journal.close()


def corrupt(scene, kind, where, name):
    content = scene.content(name)
    position = int(where * max(1, len(content) - 1))
    if kind == "bit" and content:
        content[position] ^= 1 << (position % 8)
    elif kind == "truncation":
        del content[position:]
    elif kind == "zeroed page":
        start = position - position % PAGE_BYTES
        content[start : start + PAGE_BYTES] = bytes(len(content[start : start + PAGE_BYTES]))
    elif kind == "deleted":
        scene.disk.remove(scene.workshop.directory / name)
    elif kind == "old copy" and name in scene.old:
        content[:] = scene.old[name]


class TestACorruption:
    @settings(deadline=None, max_examples=300)
    @given(
        kind=st.sampled_from(["bit", "truncation", "zeroed page", "deleted", "old copy"]),
        where=st.floats(0, 1),
        which=st.integers(0, 100),
        closed=st.booleans(),
    )
    def test_is_detected_or_harmless(self, workshop, kind, where, which, closed):
        scene = Scene(workshop, closed=closed)
        names = scene.names()
        corrupt(scene, kind, where, names[which % len(names)])
        try:
            found = scene.read_all()
        except JournalError:
            found = scene.facts

        assert found == scene.facts

    @settings(deadline=None, max_examples=100)
    @given(where=st.floats(0, 0.999), bit=st.integers(0, 7), which=st.integers(0, 100))
    def test_of_one_bit_of_a_record_is_named_with_file_offset_and_sequence(self, workshop, where, bit, which):
        scene = Scene(workshop, closed=True)
        plain = [name for name in scene.names() if name.endswith(".journal")]
        name = plain[which % len(plain)]
        content = scene.content(name)
        used = len(content.rstrip(b"\0"))
        position = 128 + int(where * (used - 128))
        content[position] ^= 1 << bit

        with pytest.raises(JournalDamagedError) as damage:
            scene.read_all()
        assert damage.value.path.name == name
        assert damage.value.offset <= position
        assert damage.value.sequence >= int(name[:20])
        with pytest.raises(JournalDamagedError):
            verify(workshop.directory, scene.disk)

    def test_of_an_archive_is_found_when_it_is_read(self, workshop):
        scene = Scene(workshop, closed=True)
        name = next(name for name in scene.names() if name.endswith(".gz"))
        content = scene.content(name)
        content[len(content) // 2] ^= 4

        with pytest.raises(JournalDamagedError):
            scene.read_all()
        with pytest.raises(JournalDamagedError):
            verify(workshop.directory, scene.disk)

    def test_repairs_nothing(self, workshop):
        scene = Scene(workshop, closed=True)
        name = next(name for name in scene.names() if name.endswith(".journal"))
        scene.content(name)[300] ^= 1
        before = {name: bytes(scene.content(name)) for name in scene.names()}
        with pytest.raises(JournalDamagedError):
            scene.read_all()

        assert {name: bytes(scene.content(name)) for name in scene.names()} == before


class TestWithoutTheMark:
    """After a power cut the mark may be old; then the records alone must tell a torn tail from damage."""

    @settings(deadline=None, max_examples=150)
    @given(back=st.integers(1, 400), bit=st.integers(0, 7))
    def test_a_changed_last_record_is_damage_and_not_a_torn_tail(self, workshop, back, bit):
        scene = Scene(workshop, closed=True)
        scene.disk.remove(workshop.directory / "journal.mark")
        name = [name for name in scene.names() if name.endswith(".journal")][-1]
        content = scene.content(name)
        used = len(content.rstrip(b"\0"))
        position = max(128, used - back)
        content[position] ^= 1 << bit
        try:
            found = scene.read_all()
        except JournalDamagedError:
            return

        # A length that grew points behind the end: that alone looks like a commit that did not finish.
        assert found == scene.facts[: len(found)]
        assert len(scene.facts) - len(found) <= 4

    @settings(deadline=None, max_examples=100)
    @given(missing=st.integers(1, 150))
    def test_a_tail_of_zeros_is_cut_at_the_last_whole_append(self, workshop, missing):
        scene = Scene(workshop, closed=True)
        scene.disk.remove(workshop.directory / "journal.mark")
        name = [name for name in scene.names() if name.endswith(".journal")][-1]
        content = scene.content(name)
        used = len(content.rstrip(b"\0"))
        content[used - missing : used] = bytes(missing)
        found = scene.read_all()

        assert found == scene.facts[: len(found)]
        assert found != scene.facts
        assert any(".torn-" in name for name in scene.names())
        assert scene.read_all() == found


class TestATail:
    def test_of_zeros_is_clean(self, workshop, disk, journal):
        workshop.commit_one(journal)
        file = disk.open(journal.view().extents().__next__()[0].path)
        tail = judge_tail(file, journal._files.format, offset=journal._files.position.offset, sequence=2)

        assert tail.kind == "clean"
