"""Owner of the market data source: replays recordings or a synthetic market, paced by the rest of the system.

simulated.py    the actor of a simulated market: releases one message at a time, when all actors are idle
live.py         the actor of a live one: passes on what comes; queue.py, from its thread to the actor
source.py       protocol of a simulated source; live_source.py, of a live one
sources.py      the tables of sources; opening.py, when a market begins
bodies/         the sources: recorded.py of recordings, synthetic.py of a random walk, dhan/ of the broker's feed
apart.py        reads a recording in another process, reader_process.py; here.py, a small one in this; reading.py, both
again.py        reads one in this process that is played over and over
recording.py    a recording in a file; merging.py, several recordings merged in the order of time
first_look.py   what the times of a file do not say themselves: day or month first, the zone
planning.py     how to read a file: its order, the length of its candles; survey.py, what its rows tell of that
files/          a file as rows of texts, however it is written
inspection.py   how a file is understood, for its user
columns.py      which column is what
rows.py         what both row readers share; tick_rows.py, candle_rows.py
numbers.py      prices and counts from text; times.py, times
errors.py
"""

from .again import Again
from .errors import FeedError, RecordingError
from .files.folders import absolute as absolute_recording
from .files.folders import files_of
from .files.folders import named as named_recording
from .inspection import UNNAMED, Inspection, inspect
from .live import LiveFeedActor, LiveFeedSettings
from .numbers import DecimalMark
from .opening import CandlesWanted, Outlook, look_ahead
from .recording import Recording, open_recordings
from .simulated import SimulatedFeedActor
from .source import BEHIND_CLOSE_NS, MarketSource, Surroundings
from .sources import LIVE_SOURCES, SOURCES, SourceBody, expect_source, is_live, is_served_here, source_of
from .times import DateOrder, zone_of

__all__ = [
    "BEHIND_CLOSE_NS",
    "LIVE_SOURCES",
    "SOURCES",
    "UNNAMED",
    "Again",
    "CandlesWanted",
    "DateOrder",
    "DecimalMark",
    "FeedError",
    "Inspection",
    "LiveFeedActor",
    "LiveFeedSettings",
    "MarketSource",
    "Outlook",
    "Recording",
    "RecordingError",
    "SimulatedFeedActor",
    "SourceBody",
    "Surroundings",
    "absolute_recording",
    "expect_source",
    "files_of",
    "inspect",
    "is_live",
    "is_served_here",
    "look_ahead",
    "named_recording",
    "open_recordings",
    "source_of",
    "zone_of",
]
