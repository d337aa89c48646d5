"""Which parameters a sweep tries (pure)."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ...config.values import toml_value
from ..errors import BacktestRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

CHOICES_MAX: Final = 100_000

_NAMED: Final = re.compile(r"([A-Za-z_]\w*)=")

Choice: TypeAlias = tuple[tuple[str, Any], ...]
"""Names of parameters, and the value of each."""


def grid_of(text: str) -> tuple[Choice, ...]:
    """Return every choice of a text such as `fast=5:50:5,slow=100|200`: the last parameter changes fastest.

    A value is a range from, to (included) and step, or several values between bars, or one.

    Raises:
        BacktestRefusedError: it is no such text, names a parameter twice, or there are too many choices.
    """
    parts = _NAMED.split(text.strip().rstrip(","))
    if len(parts) < 3 or parts[0]:  # noqa: PLR2004  nothing before, a name and its values
        raise BacktestRefusedError(f"a sweep such as fast=5:50:5,slow=100|200 wanted, found {text!r}")
    names, values = parts[1::2], [list(_values(each.rstrip(","))) for each in parts[2::2]]
    if len(set(names)) < len(names):
        raise BacktestRefusedError(f"each parameter once in a sweep wanted, found {', '.join(names)}")
    count = 1
    for each in values:
        count *= len(each)
    if count > CHOICES_MAX:
        raise BacktestRefusedError(f"at most {CHOICES_MAX:,} choices in a sweep wanted, found {count:,}")
    return tuple(tuple(zip(names, chosen, strict=True)) for chosen in itertools.product(*values))


def _values(text: str) -> Iterator[Any]:
    if ":" not in text:
        for part in text.split("|"):
            parsed = toml_value(part)
            if not part:
                raise BacktestRefusedError(f"a value wanted in a sweep, found none in {text!r}")
            yield part if parsed is None else parsed
        return
    try:
        first, last, step = limits = [Decimal(part) for part in text.split(":")]
        is_range = all(each.is_finite() for each in limits) and step > 0 and 0 <= (last - first) / step < CHOICES_MAX
    except (InvalidOperation, ValueError):
        is_range = False
    if not is_range:
        raise BacktestRefusedError(f"a range from:to:step upwards wanted, found {text!r}")
    is_whole = set(".eE").isdisjoint(text)
    for number in range(int((last - first) / step) + 1):
        value = first + number * step
        yield int(value) if is_whole else float(value)
