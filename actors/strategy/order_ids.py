"""Client order ids that never come twice (pure)."""

from __future__ import annotations

import re
import string
from typing import Final
from zlib import crc32

DIGITS: Final = string.digits + string.ascii_lowercase
NAME_LENGTH_MAX: Final = 10
STARTED_DIGITS: Final = 8
COUNTER_DIGITS: Final = 5
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)


class OrderIds:
    """Ids of one strategy: `crossover-loyw3v28-1`, at most 25 characters for sixty million orders.

    The start, in milliseconds since 1970 (36^8 of them last until 2059), tells the runs of a strategy apart; the
    counter, which a restart hands over, tells apart what one run makes even if its clock stands still. A name that is
    too long, or not in the broker's alphabet, is cut and marked with its checksum, so that no two names become one.
    """

    def __init__(self, name: str, *, started_ns: int, counter: int = 0) -> None:
        self._name: Final = short_name(name)
        started = base36(started_ns // 1_000_000 % 36**STARTED_DIGITS).rjust(STARTED_DIGITS, "0")
        self._prefix: Final = f"{self._name}-{started}-"
        self.counter = counter
        """How many were made."""

    @property
    def upcoming(self) -> str:
        """The next one, which nobody has until `next` is called."""
        return self._prefix + base36(self.counter + 1)

    def next(self) -> str:
        """Make the next one."""
        self.counter += 1
        return self._prefix + base36(self.counter)

    def is_own(self, client_order_id: str) -> bool:
        """Say whether this strategy made it, in this run or an earlier one."""
        return client_order_id.rsplit("-", 2)[0] == self._name


def short_name(name: str) -> str:
    """Return the name itself if every broker takes it, else its beginning and six digits of checksum."""
    if 1 <= len(name) <= NAME_LENGTH_MAX and not _FOREIGN.search(name):
        return name
    checksum = base36(crc32(name.encode("utf-8", "surrogatepass")) % 36**6).rjust(6, "0")
    return _FOREIGN.sub("_", name[: NAME_LENGTH_MAX - 6]) + checksum


def base36(number: int) -> str:
    """Write a number of 0 or more in digits and small letters."""
    digits = ""
    while number >= 36:  # noqa: PLR2004  the base
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return DIGITS[number] + digits
