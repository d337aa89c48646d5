"""Frames on any stream."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.messages.framing import LENGTH_BYTES, FrameCutError, FrameLengthError, FrameReader, framed, read_frame

payloads = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


class TestAStreamOfFrames:
    @given(payloads=payloads, data=st.data())
    def test_gives_the_payloads_again_however_it_is_cut(self, payloads, data):
        stream = b"".join(map(framed, payloads))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
        reader = FrameReader(300, bytes)
        found = []
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            found += reader.feed(stream[start:end])

        assert found == payloads
        assert not reader.unfinished

    @given(payload=st.binary(min_size=1, max_size=300), data=st.data())
    def test_is_unfinished_in_the_middle_of_one(self, payload, data):
        frame = framed(payload)
        reader = FrameReader(300, bytes)
        end = data.draw(st.integers(1, len(frame) - 1))

        assert reader.feed(frame[:end]) == []
        assert reader.unfinished


class TestAnAnnouncedLength:
    @given(size=st.one_of(st.just(0), st.integers(101, 2**32 - 1)))
    def test_out_of_bounds_is_refused_before_memory_is_taken(self, size):
        reader = FrameReader(100, bytes)

        with pytest.raises(FrameLengthError, match=str(size)):
            reader.feed(size.to_bytes(LENGTH_BYTES, "big"))
        assert not reader.unfinished

    @given(chunks=st.lists(st.binary(max_size=64), max_size=30))
    def test_whatever_comes_keeps_the_memory_bounded(self, chunks):
        reader = FrameReader(100, bytes)
        for chunk in chunks:
            try:
                reader.feed(chunk)
            except FrameLengthError:
                break
            assert len(reader._buffer) < LENGTH_BYTES + 100


class TestAFile:
    @given(payloads=st.lists(st.binary(max_size=300), max_size=8))
    def test_gives_the_payloads_again_and_then_nothing(self, payloads):
        file = io.BytesIO(b"".join(map(framed, payloads)))

        assert [read_frame(file) for _ in payloads] == payloads
        assert read_frame(file) is None

    @given(payload=st.binary(min_size=1, max_size=300), data=st.data())
    def test_that_ends_in_the_middle_of_one_says_so(self, payload, data):
        frame = framed(payload)
        cut = data.draw(st.integers(1, len(frame) - 1))

        with pytest.raises(FrameCutError, match=f"found {cut} bytes of one"):
            read_frame(io.BytesIO(frame[:cut]))
