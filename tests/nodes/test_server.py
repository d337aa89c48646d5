"""What is read of the server: numbers and names that are none are as if they were not there."""

import pytest

from natya.actors.external.streams import ServerDownError
from natya.actors.nodes.server import Batch, _batch, _lease


@pytest.mark.parametrize(
    ("fields", "batch"),
    [
        ({b"n": b"7", b"s": b"mumbai-1", b"t": b"x"}, Batch("mumbai-1", 7, b"x")),
        ({b"n": b"-7", b"s": b"\xff", b"t": b""}, Batch("\ufffd", 0, b"")),
        ({b"n": b"1.5"}, Batch("", 0, b"")),
        ({b"n": b"9" * 18}, Batch("", 10**18 - 1, b"")),
        ({b"n": b"1" + b"0" * 18}, Batch("", 0, b"")),
        ({b"n": b"9" * 5_000}, Batch("", 0, b"")),
        ({}, Batch("", 0, b"")),
    ],
)
def test_a_batch_is_read_whatever_it_has(fields, batch):
    assert _batch(fields) == batch


def test_a_lease_is_read_or_refused():
    assert _lease("march", None) is None
    with pytest.raises(ServerDownError, match="a lease of march wanted, found what is none"):
        _lease("march", b"\xc1")
