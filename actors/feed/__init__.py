"""Owner of the market data source: replays recordings or a synthetic market, paced by the rest of the system.

actor.py        the actor: releases one message at a time, when all actors are idle
source.py       protocol of a source; sources.py, the table of sources; opening.py, when a market begins
bodies/         the sources: replay.py of CSV recordings, synthetic.py of a random walk
apart.py        reads a recording in a process of its own; reading.py, that process
merging.py      several recordings merged in the order of time
planning.py     how to read a file: its order, the length of its candles; survey.py, what its rows tell of that
table.py        a file as rows of texts; sorting.py, an external merge sort of them
columns.py      which column is what
rows.py         what both row readers share; tick_rows.py, candle_rows.py
numbers.py      prices and counts from text; times.py, times
errors.py
"""

from .actor import FeedActor
from .bodies.replay import Recording
from .errors import FeedError, RecordingError
from .opening import Outlook, look_ahead
from .source import MarketMessage, MarketSource, Surroundings
from .sources import SOURCES, SourceBody, source_of

__all__ = [
    "SOURCES",
    "FeedActor",
    "FeedError",
    "MarketMessage",
    "MarketSource",
    "Outlook",
    "Recording",
    "RecordingError",
    "SourceBody",
    "Surroundings",
    "look_ahead",
    "source_of",
]
