"""One append on its way into the journal: encoded, and read back before any of it is written.

msgspec checks types and ranges when it decodes, not when a message is created: untyped code can create a fact that
cannot be decoded again. So each payload is decoded at once, and subscribers get the decoded facts: by construction the
same as any later reader gets. It costs 0.4 us a fact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from ...domain.shown import text_of
from ...messages import codec
from ...messages.journal import Fact, JournalRecord
from .errors import AppendInvalidError
from .records import RecordFormat, hash_of

CORRELATION_SIZE_MAX: Final = 65_535
"""Bytes of UTF-8."""

_NAMES: Final = {fact_type: fact_type.__name__.encode("ascii") for fact_type in codec.FACT_TYPES}


class Batch(msgspec.Struct, frozen=True, gc=False):
    """An append as it will stand in the file."""

    data: bytes
    records: Sequence[JournalRecord]

    sizes: Sequence[int]
    """Bytes of each record."""

    last_hash: bytes


def encode_append(  # noqa: PLR0913  where it goes, and what
    record_format: RecordFormat,
    facts: Sequence[Fact],
    correlation_id: str,
    *,
    first_sequence: int,
    durable_sequence: int,
    recorded_ns: int,
    previous_hash: bytes,
) -> Batch:
    """Encode facts that belong together, to stand behind the record with `previous_hash`.

    Raises:
        AppendInvalidError: no facts, or something that could not be read back.
    """
    if type(facts) is not tuple or not facts:  # a list may change meanwhile, and a user's subclass do anything
        raise AppendInvalidError(f"an append has a tuple of at least 1 fact, found {text_of(facts):.100}")
    correlation = _encoded_correlation(correlation_id)
    sequence, remaining = first_sequence, len(facts)
    raws, records = [], []
    for fact in facts:
        name = _NAMES.get(type(fact))
        if name is None:
            raise AppendInvalidError(f"a fact is wanted, found {type(fact).__name__}")
        try:
            payload = codec.encode(fact)
            as_read = codec.decode(payload)
        except Exception as fault:  # a value of a user's own may have code in it, and that raises anything
            raise AppendInvalidError(f"{type(fact).__name__} could not be read back: {text_of(fault)}") from fault
        remaining -= 1
        raw = record_format.encode(
            name,
            correlation,
            payload,
            sequence=sequence,
            durable_sequence=durable_sequence,
            recorded_ns=recorded_ns,
            remaining=remaining,
            previous_hash=previous_hash,
        )
        previous_hash = hash_of(raw)
        raws.append(raw)
        records.append(
            JournalRecord(sequence=sequence, recorded_ns=recorded_ns, correlation_id=correlation_id, fact=as_read)
        )
        sequence += 1
    return Batch(b"".join(raws), records, [len(raw) for raw in raws], previous_hash)


def _encoded_correlation(correlation_id: str) -> bytes:
    if type(correlation_id) is not str:
        raise AppendInvalidError(f"a correlation id is a text, found {text_of(correlation_id):.100}")
    try:
        correlation = correlation_id.encode()
    except UnicodeEncodeError as fault:
        raise AppendInvalidError(f"a correlation id is a text of UTF-8, found {correlation_id!a:.100}") from fault
    if len(correlation) > CORRELATION_SIZE_MAX:
        raise AppendInvalidError(f"a correlation id has at most {CORRELATION_SIZE_MAX} bytes, found {len(correlation)}")
    return correlation
