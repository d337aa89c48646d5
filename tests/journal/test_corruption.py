"""Bytes change, files vanish and old copies come back: every corruption is detected or harmless, no answer is wrong.

`make corruptions` runs the first of them for longer: CORRUPTIONS and CORRUPTIONS_SEED are how many and which.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.journal import JournalDamagedError, JournalError, SimulatedDisk
from natya.actors.journal.header import encode_footer
from natya.actors.journal.records import FORMATS
from natya.actors.journal.tools import verify
from natya.actors.journal.upkeep import archive_segment, keep_keys
from natya.actors.journal.walk import Tail, judge_tail

PAGE_BYTES = 4096
CORRUPTIONS = int(os.environ.get("CORRUPTIONS", "50"))
SEED = int(os.environ.get("CORRUPTIONS_SEED", "1"))
KINDS = ("bit", "truncation", "zeroed page", "deleted", "old copy")


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
        for segment in journal.closed_segments:
            keep_keys(self.disk, segment)
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
        return self._read(self.workshop.facts_of)

    def read_by_key(self, key):
        return self._read(lambda journal: [record.fact for record in journal.view().find(key=key)])

    def facts_of(self, key):
        return [fact for fact in self.facts if fact.client_order_id == key]

    def _read(self, read):
        journal = self.workshop.a_journal(self.disk, segment_bytes=8_192)
        journal.open()
        try:
            return read(journal)
        finally:
            journal.close()


def corrupt(scene, kind, where, name):
    path = scene.workshop.directory / name
    if kind == "old copy":
        if scene.disk.exists(path):
            scene.disk.remove(path)
        scene.disk.create(path, 0).write(scene.old[name], 0)
        return
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
        scene.disk.remove(path)


def told(read, *arguments):
    """Read; None when the damage is told instead."""
    try:
        return read(*arguments)
    except JournalError:
        return None


class TestACorruption:
    def test_is_detected_or_harmless(self, workshop):
        random, outcomes = Random(SEED), Counter()
        for number in range(CORRUPTIONS):
            scene = Scene(workshop, closed=random.random() < 0.5, seed=random.getrandbits(32))
            kind = KINDS[number % len(KINDS)]
            name = random.choice(sorted(scene.old) if kind == "old copy" else scene.names())
            corrupt(scene, kind, random.random(), name)
            key = f"A-{random.randint(1, 90)}"
            by_key, everything = told(scene.read_by_key, key), told(scene.read_all)

            assert everything in (None, scene.facts), f"seed {SEED}, corruption {number}: {kind} of {name}"
            assert by_key in (None, scene.facts_of(key)), f"seed {SEED}, corruption {number}: {kind} of {name}"
            outcomes[kind, "detected" if everything is None else "harmless"] += 1
        print(f"seed {SEED}: {CORRUPTIONS} corruptions of the journal, no wrong answer: {dict(outcomes)}")  # noqa: T201

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


FORMAT = FORMATS[1]


def a_record(sequence, *, durable=0, payload=b"x" * 20):
    return FORMAT.encode(
        b"OrderIntended", b"A-1", payload, sequence=sequence, durable_sequence=durable, recorded_ns=1, remaining=0,
        previous_hash=bytes(32),
    )  # fmt: skip


FIRST, LARGE = a_record(8), a_record(8, payload=b"x" * 1_600)
SIZE = len(FIRST)
BEFORE = b"r" * 100
"""Records before the place that is judged, so that offsets in the file are not those of the tail."""


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def without(data, begin, end):
    return data[:begin] + bytes(end - begin) + data[end:]


CHANGED = "a record was changed: nothing of it is missing, and its CRC is wrong"
TAILS = {
    "nothing": (b"", Tail(kind="clean")),
    "zeros": (bytes(3_000), Tail(kind="clean")),
    "a footer": (encode_footer(9) + bytes(50), Tail(kind="closed", reason="the segment after it, 9, is missing")),
    "a byte": (b"\1" + bytes(500), Tail(kind="torn", size=1, reason="1 bytes of a commit that did not finish")),
    "all but the last byte of a record": (
        FIRST[:-1] + bytes(500),
        Tail(kind="torn", size=SIZE - 1, reason=f"{SIZE - 1} bytes of a commit that did not finish"),
    ),
    "a record with a bit changed": (flipped(FIRST, 60) + bytes(500), Tail(kind="damaged", size=SIZE, reason=CHANGED)),
    "a record with a bit changed at the end of the file": (
        flipped(FIRST, 60),
        Tail(kind="damaged", size=SIZE, reason=CHANGED),
    ),
    "a record that the file is too short for": (
        LARGE[:700],
        Tail(kind="damaged", size=700, reason=f"a record of {len(LARGE)} bytes or more, and the file ends after 700"),
    ),
    "less than a header at the end of the file": (
        b"NJR1",
        Tail(
            kind="damaged",
            size=4,
            reason=f"a record of {FORMAT.header_size} bytes or more, and the file ends after 4",
        ),
    ),
    "a sector of a record is missing": (
        without(LARGE, 412, 924) + bytes(500),
        Tail(kind="torn", size=len(LARGE), reason=f"{len(LARGE)} bytes of a commit that did not finish"),
    ),
    "a sector less a byte of a record is missing": (
        without(LARGE, 413, 924) + bytes(500),
        Tail(kind="damaged", size=len(LARGE), reason=CHANGED),
    ),
    "a record changed before one of the same commit": (
        flipped(FIRST, 60) + a_record(9, durable=7) + bytes(500),
        Tail(kind="damaged", size=SIZE + len(a_record(9)), reason=CHANGED),
    ),
    "a record changed before one of the same commit of which a sector is missing": (
        flipped(FIRST, 60) + FIRST + without(a_record(9, durable=7, payload=b"x" * 1_600), 600, 1_400) + bytes(500),
        Tail(kind="damaged", size=2 * SIZE + len(a_record(9, payload=b"x" * 1_600)), reason=CHANGED),
    ),
    "a record changed before a sector that is missing of what is none": (
        flipped(FIRST, 60) + b"r" * 500 + bytes(1_024) + b"r" + bytes(500),
        Tail(
            kind="torn",
            size=SIZE + 500 + 1_024 + 1,
            reason=f"{SIZE + 500 + 1_024 + 1} bytes of a commit that did not finish",
        ),
    ),
    "a record missing before one of the same commit": (
        bytes(len(LARGE)) + a_record(9, durable=7) + bytes(500),
        Tail(
            kind="torn",
            size=len(LARGE) + len(a_record(9)),
            reason=f"{len(LARGE) + len(a_record(9))} bytes of a commit that did not finish",
        ),
    ),
    "a record missing before one that was written later": (
        bytes(len(LARGE)) + b"NJR1" + a_record(9, durable=8) + bytes(500),
        Tail(
            kind="damaged",
            size=len(LARGE) + 4 + len(a_record(9)),
            reason="record 9 behind it was written after it was durable",
        ),
    ),
    "a record of an earlier sequence behind it": (
        bytes(len(LARGE)) + a_record(8, durable=8) + bytes(500),
        Tail(kind="torn", size=len(LARGE) + SIZE, reason=f"{len(LARGE) + SIZE} bytes of a commit that did not finish"),
    ),
}  # fmt: skip


class TestATail:
    @pytest.mark.parametrize(("data", "wanted"), TAILS.values(), ids=TAILS.keys())
    def test_is_clean_torn_or_damaged_by_what_is_missing_and_by_what_was_written_later(self, disk, data, wanted):
        file = disk.create(Path("/a/tail"), 0)
        file.write(BEFORE + data, 0)

        assert judge_tail(file, FORMAT, offset=len(BEFORE), sequence=8) == wanted
