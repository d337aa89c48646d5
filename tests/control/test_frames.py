import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.control.errors import FrameError
from natya.actors.control.frames import HEADER_BYTES, FrameReader, frame

payloads = st.lists(st.binary(min_size=1, max_size=300), max_size=8)


class TestAStreamOfFrames:
    @given(payloads=payloads, data=st.data())
    def test_gives_the_payloads_again_however_it_is_cut(self, payloads, data):
        stream = b"".join(map(frame, payloads))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
        reader = FrameReader(300)
        found = []
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            found += reader.feed(stream[start:end])

        assert found == payloads
        assert not reader.unfinished

    @given(payload=st.binary(min_size=1, max_size=300), data=st.data())
    def test_is_unfinished_in_the_middle_of_one(self, payload, data):
        framed = frame(payload)
        reader = FrameReader(300)
        end = data.draw(st.integers(1, len(framed) - 1))

        assert reader.feed(framed[:end]) == []
        assert reader.unfinished


class TestAnAnnouncedLength:
    @given(size=st.one_of(st.just(0), st.integers(101, 2**32 - 1)))
    def test_out_of_bounds_is_refused_before_memory_is_taken(self, size):
        reader = FrameReader(100)

        with pytest.raises(FrameError, match=str(size)):
            reader.feed(size.to_bytes(HEADER_BYTES, "big"))
        assert not reader.unfinished

    @given(chunks=st.lists(st.binary(max_size=64), max_size=30))
    def test_whatever_comes_keeps_the_memory_bounded(self, chunks):
        reader = FrameReader(100)
        for chunk in chunks:
            try:
                reader.feed(chunk)
            except FrameError:
                break
            assert len(reader._buffer) < HEADER_BYTES + 100
