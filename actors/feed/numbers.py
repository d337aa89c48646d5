"""Numbers as recordings write them: parsed exactly, validated, and memoised by text.

Prices of neighbouring rows are mostly the same texts. A dictionary that is asked first costs 40 ns; parsing, checking
and rounding a price costs 800, and a full packet has fifteen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeAlias, TypeVar

from ...domain.instruments import PriceGrid
from ...messages.units import INTEGER_MAX, RUPEES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")

DecimalMark: TypeAlias = Literal["point", "comma"]
"""What stands before the decimals of a number; the other of both divides its thousands."""

_MARKS: Final[dict[str, DecimalMark]] = {".": "point", ",": "comma"}
_DIVIDERS: Final[dict[str, DecimalMark]] = {",": "point", ".": "comma"}
_MARKED = re.compile(r"\d*([.,]\d*)+", re.ASCII)
_EITHER_WAY = re.compile(r"[1-9]\d{0,2}[.,]\d{3}", re.ASCII)
_WITH_COMMA = re.compile(r"\d{1,3}(\.\d{2,3})*\.\d{3}(,\d*)?|\d*(,\d*)?", re.ASCII)
_SEPARATED = re.compile(r"\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?", re.ASCII)

MEMO_ENTRIES_MAX = 20_000
"""Texts that a memo keeps (about 2 MB); then it is cleared."""

FLOAT32_NOISE = 2.0**-24
"""Half a unit in the last place of a 32-bit float, relative to the number."""


class Memo(dict[str, Value], Generic[Value]):
    """`memo[text]` is `read(text)`, computed once for each text; an exception of `read` is not cached."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[str], Value]) -> None:
        self._read = read

    def __missing__(self, text: str) -> Value:
        value = self._read(text)
        if len(self) >= MEMO_ENTRIES_MAX:
            self.clear()
        self[text] = value
        return value


class PriceReader(PriceGrid):
    """Reads prices, and rounds them to the grid."""

    __slots__ = ()

    def price(self, text: str) -> float:
        """Read a price of a trade: above 0, rounded to the grid.

        Raises:
            ValueError: it is none.
        """
        price = self.nearest(rupees(text))
        if not 0 < price <= RUPEES_MAX:  # rounding may lead out of the valid range
            raise ValueError(f"a price above 0 rupees is wanted, found {text!r}")
        return price

    def price_or_none(self, text: str) -> float:
        """Read a price that may be missing: 0 where the field is empty or 0.

        Raises:
            ValueError: it is neither.
        """
        return min(self.nearest(rupees(text)), RUPEES_MAX) if text else 0.0


class PricesAsWritten(PriceReader):
    """No grid: prices stay as they are written, but for the noise of a wire that has 32 bits for a float."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0.01)

    def nearest(self, price: float) -> float:
        """Remove the noise of a 32-bit float: 25974.900390625 becomes 25974.9; 101.337 stays."""
        in_paise = round(price, 2)
        return in_paise if abs(price - in_paise) <= price * FLOAT32_NOISE else price


def rupees(text: str) -> float:
    """Read an amount of rupees, at least 0.

    Raises:
        ValueError: it is none, negative, or above `RUPEES_MAX`.
    """
    try:
        amount = float(text)
    except ValueError:
        amount = float(_without_separators(text) or "-1")
    if not 0 <= amount <= RUPEES_MAX or "_" in text:  # true for NaN as well
        raise ValueError(f"rupees from 0 to {RUPEES_MAX:.0f} are wanted, found {text!r}")
    return amount


def mark_of(text: str) -> DecimalMark | None:
    """Tell which mark a number has before its decimals: `74,5` a comma; None where it may have either, as `74,125`."""
    plain = text.strip()
    if not _MARKED.fullmatch(plain) or _EITHER_WAY.fullmatch(plain):
        return None
    *before, last = [each for each in plain if each in _MARKS]
    return _DIVIDERS[last] if last in before else _MARKS[last]


def doubting_commas(read: Callable[[str], float]) -> Callable[[str], float]:
    """Refuse texts such as `74,125` before they are read: of a file that commas do not divide, it may be 74.125."""

    def read_clear(text: str) -> float:
        if "," in text and _EITHER_WAY.fullmatch(text.strip()):
            raise ValueError(
                f"rupees that can be read in one way are wanted, found {text!r}, which may have a decimal comma: "
                f"--decimal or the setting feed.decimal says whether point or comma stands before decimals"
            )
        return read(text)

    return read_clear


def with_decimal_comma(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Make a reader of numbers such as `74.5` one of `74,5`, whose thousands are divided by points."""

    def read_comma(text: str) -> Value:
        plain = text.strip()
        if not _WITH_COMMA.fullmatch(plain):
            raise ValueError(f"a number with a decimal comma is wanted, found {text!r}")
        return read(plain.replace(".", "").replace(",", "."))

    return read_comma


def paise(text: str) -> float:
    """Read an amount of rupees and round it to paise; 0 where the field is empty.

    Raises:
        ValueError: as `rupees`.
    """
    return round(rupees(text), 2) if text else 0.0


def whole(text: str) -> int:
    """Read a number of shares, contracts or orders, at least 0; 0 where the field is empty. `75.0` is 75.

    Raises:
        ValueError: it is negative, has a fraction, or does not fit into 64 bits.
    """
    try:
        number = int(text) if text else 0
    except ValueError:
        number = _whole_float(_without_separators(text) or text)
    # Python accepts 1_000 as a thousand; no recording is written like that.
    if not 0 <= number <= INTEGER_MAX or "_" in text:
        raise ValueError(f"a whole number from 0 is wanted, found {text!r}")
    return number


def whole_or_none(text: str) -> int | None:
    """Read a number as `whole` does; None where the field is empty."""
    return whole(text) if text else None


def _whole_float(text: str) -> int:
    try:
        number = float(text)
    except ValueError:
        return -1
    return int(number) if number.is_integer() else -1


def _without_separators(text: str) -> str:
    """Remove the commas of `1,234.50`, or of Indian `12,34,567`; empty if commas are in other places."""
    return text.replace(",", "") if _SEPARATED.fullmatch(text.strip()) else ""
