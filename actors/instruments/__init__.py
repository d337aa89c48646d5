"""The list of instruments: what a symbol stands for at the broker, and what an order for it must look like.

The problem: the broker knows instruments by numbers that mean something else in another segment, publishes 200,000 of
them anew each day, and sometimes publishes half of them. The idea: each list that was read whole is a DuckDB file of
its own, named by when it was read, written once and never changed, so that any number of processes may read it; the
newest that opens is in use. The trap: a file that is written to belongs to one process, so these are not tables of the
database, which a command could not ask beside a running system, and which a rebuild would have to fill again.

actor       the owner in a running system; schedule: when it fetches a list (pure)
master      `InstrumentMaster`: lists in a folder, asked and refreshed; usable by itself
naming      which instrument a name means (pure)
tables      the two lists it may ask: a file (`stored`), or the few that are part of natya (`built_in`)
reading     a published file into instruments; fetching: one from the network; comparing: with the one before (pure)
folder      the files
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.lazily import lazily

if TYPE_CHECKING:
    from .actor import InstrumentsActor, InstrumentsActorSettings
    from .errors import InstrumentsError, ListNotHadError, ListRefusedError
    from .master import InstrumentMaster
    from .naming import NameUnknownError

__all__ = [
    "InstrumentMaster",
    "InstrumentsActor",
    "InstrumentsActorSettings",
    "InstrumentsError",
    "ListNotHadError",
    "ListRefusedError",
    "NameUnknownError",
]

_HOMES = {
    ".actor": ("InstrumentsActor", "InstrumentsActorSettings"),
    ".errors": ("InstrumentsError", "ListNotHadError", "ListRefusedError"),
    ".master": ("InstrumentMaster",),
    ".naming": ("NameUnknownError",),
}

__getattr__ = lazily(__name__, _HOMES)
