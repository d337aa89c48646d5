"""Unique client order ids (pure)."""

from __future__ import annotations

import re
import string
from typing import Final
from zlib import crc32

from ...domain.client_order_ids import LENGTH_MAX
from .errors import OrderIdsExhaustedError

DIGITS: Final = string.digits + string.ascii_lowercase
LIFE_DIGITS: Final = 7
COUNTER_DIGITS: Final = 6
NAME_LENGTH_MAX: Final = LENGTH_MAX - LIFE_DIGITS - COUNTER_DIGITS - 2
CHECKSUM_DIGITS: Final = 6
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)


class OrderIds:
    """Ids of one life (start) of a strategy, name-life-counter: `crossover-2s-1`, at most 25 characters.

    The actor `orders` gives each life its number (see `HoldingsRead`), from the journal and not from a clock, so it is
    unique in a data directory; the counter is unique in a life. A name that is too long, or not in the broker's
    alphabet, is cut and gets a checksum, so that no two names have the same prefix.
    """

    def __init__(self, name: str, *, life: int) -> None:
        """Take the strategy's name, and the number of its life.

        Raises:
            OrderIdsExhaustedError: the number has more than `LIFE_DIGITS` digits in base 36, after 78 * 10^9 facts.
        """
        if life >= 36**LIFE_DIGITS:
            raise OrderIdsExhaustedError(f"a life below {36**LIFE_DIGITS} wanted, found {life}")
        self._prefix: Final = f"{short_name(name)}-{base36(life)}-"
        self.counter = 0
        """Ids made so far."""

    @property
    def upcoming(self) -> str:
        """The next id, not used before `next` is called."""
        return self._prefix + base36(self.counter + 1)

    def next(self) -> str:
        """Make the next id.

        Raises:
            OrderIdsExhaustedError: this life has made 2,176,782,335; a restart has new ones.
        """
        if self.counter + 1 >= 36**COUNTER_DIGITS:
            raise OrderIdsExhaustedError(f"at most {36**COUNTER_DIGITS - 1} orders a life wanted, found one more")
        self.counter += 1
        return self._prefix + base36(self.counter)


def is_own(name: str, client_order_id: str) -> bool:
    """Say whether an id is of a strategy of that name, of any life; older ids have up to 12 characters of the name."""
    maker = client_order_id.rsplit("-", 2)[0]
    return maker == name or maker == short_name(name)


def short_name(name: str) -> str:
    """Return the name itself if every broker accepts it, else its beginning and a checksum of six digits."""
    if 1 <= len(name) <= NAME_LENGTH_MAX and not _FOREIGN.search(name):
        return name
    checksum = base36(crc32(name.encode("utf-8", "surrogatepass")) % 36**CHECKSUM_DIGITS).rjust(CHECKSUM_DIGITS, "0")
    return _FOREIGN.sub("_", name[: NAME_LENGTH_MAX - CHECKSUM_DIGITS]) + checksum


def base36(number: int) -> str:
    """Return a number, 0 or more, in base 36, with lower-case letters."""
    digits = ""
    while number >= 36:  # noqa: PLR2004  the base
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return DIGITS[number] + digits
