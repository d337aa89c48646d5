"""Client order ids (FIX ClOrdID): the name of an order at the broker and in the journal, unique for ever."""

from __future__ import annotations

import re
import string
from typing import Final
from zlib import crc32

LENGTH_MAX: Final = 25
"""Characters that Dhan accepts as `correlationId`, as observed; its documentation says 30, and 26 were refused.

Only new orders have to keep to it: older journals hold ids of up to 30 characters, which are read as they are.
"""

DIGITS: Final = string.digits + string.ascii_lowercase
NAME_LENGTH_MAX: Final = 10
CHECKSUM_DIGITS: Final = 6
LIFE_DIGITS: Final = 10
DRAWS: Final = 36**4
"""How many numbers one is drawn of for each life."""

EXIT_LETTERS: Final = "TSXYZWVUNMRQPOLKJI"
"""What the ids of a bracket's exits add to its entry's: one of them, and behind it the number of the day, if it is not
the first."""

_FORM: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{LENGTH_MAX}}}", re.ASCII)
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_-]", re.ASCII)
_OURS: Final = re.compile(
    rf"[A-Za-z0-9_-]{{1,{NAME_LENGTH_MAX}}}-(?:0|[1-9a-z][0-9a-z]{{0,{LIFE_DIGITS - 1}}})-[1-9a-z][0-9a-z]*"
    rf"(?:[{EXIT_LETTERS}](?:[1-9a-z][0-9a-z]?)?)?"
    r"|flat-[0-9a-z]{10,20}",  # as earlier releases closed positions
    re.ASCII,
)


class OrderIdsExhaustedError(Exception):
    """This life has no client order id left; a restart has new ones."""


class OrderIds:
    """Ids of one life (start) of who orders, name-life-counter: `crossover-2sk3x9-1`, at most 25 characters.

    The actor `orders` gives each life its number (see `HoldingsRead` and `life_of`); the counter is unique in a life. A
    name that is too long, or not in the broker's alphabet, is cut and gets a checksum, so that no two names have the
    same prefix.
    """

    def __init__(self, name: str, *, life: int) -> None:
        """Take the name, and the number of this life.

        Raises:
            OrderIdsExhaustedError: the number has more than `LIFE_DIGITS` digits in base 36, after 2 * 10^9 facts.
        """
        if life >= 36**LIFE_DIGITS:
            raise OrderIdsExhaustedError(f"a life below {36**LIFE_DIGITS} wanted, found {life}")
        self._prefix: Final = f"{short_name(name)}-{base36(life)}-"
        self._counter_max: Final = 36 ** (LENGTH_MAX - len(self._prefix) - len("X")) - 1
        self.counter = 0
        """Ids made so far."""

    @property
    def upcoming(self) -> str:
        """The next id, not used before `next` is called."""
        return self._prefix + base36(self.counter + 1)

    def next(self) -> str:
        """Make the next id; the exits of its bracket have room for a letter more.

        Raises:
            OrderIdsExhaustedError: no more of them fit: a million and more, with a short name in a young journal.
        """
        if self.counter >= self._counter_max:
            raise OrderIdsExhaustedError(f"at most {self._counter_max} orders a life wanted, found one more")
        self.counter += 1
        return self._prefix + base36(self.counter)


def life_of(sequence: int, *, draw: int) -> int:
    """Return the number of a life.

    The first part is unique in a journal. The second, drawn below `DRAWS`, keeps the lives of two journals apart that
    are as long: of two data directories with one account, or of one that was restored from an older copy.

    Args:
        sequence: above that of every record there is, and of every life before.
        draw: at random.
    """
    return sequence * DRAWS + draw


def is_client_order_id(text: str) -> bool:
    """Say whether a new order may have this id: 1 to 25 characters of A-Z a-z 0-9 - _."""
    return _FORM.fullmatch(text) is not None


def is_formed_as_ours(client_order_id: str) -> bool:
    """Say whether an id is formed as every natya forms its own: name, life, counter, and behind it which exit it is."""
    return _OURS.fullmatch(client_order_id) is not None


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
