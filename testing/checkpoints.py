"""Checkpoints as a simulation leaves them: each has to be what the journal says up to its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..actors.journal.checkpoints import Checkpoints
from ..actors.journal.segments import list_segments
from ..actors.journal.view import JournalView
from ..actors.orders.book.checkpoint import made, restored, version
from ..actors.orders.book.ledger import Ledger
from ..actors.orders.book.reading import ReadBack
from ..messages.addresses import ORDERS
from ..messages.journal import CheckpointRead, ReadCheckpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..actors.journal.disk import Disk
    from ..messages.journal import JournalRecord


def checkpoint_on(disk: Disk, directory: Path) -> CheckpointRead:
    """Read the checkpoint of the book beside a journal that nobody has open; of sequence 0 where there is none."""
    segments = list_segments(disk, directory)
    if not segments:
        return CheckpointRead(name=ORDERS)
    kept = Checkpoints(disk, directory, segments[-1].header.journal_id)
    return kept.read(JournalView.of_directory(disk, directory), ReadCheckpoint(name=ORDERS, version=version()))


def unlike_the_journal(found: CheckpointRead, records: Sequence[JournalRecord]) -> Iterator[str]:
    """Say in what a checkpoint differs from the records up to its own."""
    if not found.sequence:
        return
    kept, kept_reading, whole, whole_reading = Ledger(), ReadBack(), Ledger(), ReadBack()
    restored(kept, kept_reading, ended=found.past, state=found.state)
    for record in records[: found.sequence]:
        whole_reading.take_in(record, whole)
    whole_reading.read_to(found.sequence)
    made(whole, whole_reading)
    if made(kept, kept_reading) != (b"", found.state) or made(whole, whole_reading)[1] != found.state:
        yield f"the checkpoint of sequence {found.sequence} is not what the journal says"
    ids = [client_order_id for client_order_id, _ in whole.book.newest_facts(0)]
    if ids != [client_order_id for client_order_id, _ in kept.book.newest_facts(0)]:
        yield f"the checkpoint of sequence {found.sequence} has other orders than the journal"
    for each in ids:
        if kept.book.order(each) != whole.book.order(each) or kept.book.newest_fact(each) != whole.book.newest_fact(
            each
        ):
            yield f"order {each} is another one in the checkpoint of sequence {found.sequence}"
