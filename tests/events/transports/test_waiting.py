"""For whom an event of ours waits: by what the server, which is played, tells of the streams' readers."""

import pytest

from natya.actors.events.transports.redis import GONE_MS, RedisStreams
from natya.config.sections.redis import RedisSettings

ENTRY = (7, 1)


class PlayedClient:
    """Readers by name: the newest entry each was given, the oldest it has not confirmed, and its idle times."""

    def __init__(self, readers):
        self.readers = readers

    def xinfo_groups(self, _key):
        return [{"name": name.encode(), "last-delivered-id": given} for name, (given, _, _) in self.readers.items()]

    def xpending(self, _key, name):
        return {"min": self.readers[name][1]}

    def xinfo_consumers(self, _key, name):
        return [{"idle": idle_ms} for idle_ms in self.readers[name][2]]


@pytest.mark.parametrize(
    ("readers", "waits_for"),
    [
        ({}, "delhi"),
        ({"delhi": (b"7-0", None, [])}, "delhi"),
        ({"delhi": (b"7-0", None, [GONE_MS * 9])}, "delhi"),
        ({"delhi": (b"7-1", b"7-1", [0])}, "delhi"),
        ({"delhi": (b"9-0", b"7-0", [0])}, "delhi"),
        ({"delhi": (b"7-1", None, [])}, ""),
        ({"delhi": (b"9-0", b"7-2", [])}, ""),
        ({"delhi": (b"9-0", None, []), "mumbai": (b"7-0", None, [GONE_MS - 1])}, "mumbai"),
        ({"delhi": (b"9-0", None, []), "mumbai": (b"6-9", None, [GONE_MS, 0])}, "mumbai"),
        ({"delhi": (b"9-0", None, []), "mumbai": (b"8-0", b"7-1", [0])}, "mumbai"),
        ({"delhi": (b"9-0", None, []), "mumbai": (b"7-0", None, [GONE_MS])}, ""),
        ({"delhi": (b"9-0", None, []), "mumbai": (b"7-0", None, [])}, ""),
        ({"delhi": (b"9-0", None, []), "mumbai": (b"8-0", b"8-0", [0])}, ""),
        ({"delhi": (b"9-0", None, []), "pune": (b"0-0", None, [0])}, ""),
    ],
)
def test_an_event_waits_for_who_is_named_and_for_who_was_there_lately_until_each_has_confirmed_it(readers, waits_for):
    streams = RedisStreams(RedisSettings.default(node="pune", receivers=("delhi", "pune")))
    streams.close()
    streams._client = PlayedClient(readers)

    assert streams.waits_for(0, ENTRY) == waits_for
