"""The plan of a backtest: the user's arguments, and the settings that follow from them."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..actors.feed import absolute_recording
from ..actors.strategy import StrategyActor, path_of
from ..config.loader import load_with_origins
from ..config.values import toml_value
from ..domain.time import DAY_NS, IST, SECOND_NS
from .errors import BacktestRefusedError
from .figures.charging import MODELS

if TYPE_CHECKING:
    from ..config.settings import Settings

CHARGES: Final = "dhan-equity-intraday"
LATENCY_S: Final = 0.02
CAPITAL_RUPEES_MAX: Final = 1e15
"""Beyond it a float has no paise."""

CAPITAL_RUPEES: Final = 1_000_000.0
SEGMENT_BYTES: Final = 4_294_967_296
"""Bytes of the one segment of a journal in memory, which only takes what is written."""

END_NS: Final = (1 << 63) - 1
STRATEGY: Final = "strategy"
"""Name of the strategy's actor."""

_SLIPPAGE: Final = re.compile(r"(?P<number>\d+(\.\d*)?|\.\d+)\s*(?P<unit>%|bp|ticks?)")
_DURATION: Final = re.compile(r"(?P<number>\d+(\.\d*)?|\.\d+)\s*(?P<unit>us|ms|s)")
_UNITS_S: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One backtest.

    Raises:
        BacktestRefusedError: on construction: no data, no such charges, or no capital.
    """

    strategy: str | type[StrategyActor]
    """`module:Class`, a file with one strategy, `file.py:Class`, or the class."""

    data: tuple[Path, ...]
    """Recordings, each as it is or with its symbol (`TCS=tcs.csv`); or one database of market data: its file, or its
    data directory."""

    symbols: tuple[str, ...] = ()
    """Only these; empty: all. Of a recording that names none the only one is its symbol."""

    since_ns: int = 0
    """Nothing before: nanoseconds since 1970-01-01 UTC."""

    until_ns: int = END_NS
    """Nothing after: nanoseconds since 1970-01-01 UTC."""

    interval: str = ""
    """Of the candles of the data (`5m`), where it does not say that itself, or has several."""

    parameters: dict[str, Any] = {}
    latency_s: float = LATENCY_S
    """From a decision until the order is in the book."""

    slippage_percent: float = 0.0
    slippage_ticks: int = 0
    charges: str = CHARGES
    """Name of a charge model, see `figures/charging.py`."""

    capital_rupees: float = CAPITAL_RUPEES
    settings: dict[str, Any] = {}
    """Any other settings, by key: `orders.quantity_max`."""

    config: Path | None = None
    """A file of settings."""

    data_dir: Path | None = None
    """Where the journal and the log stay; None: they are removed at the end."""

    def __post_init__(self) -> None:
        if not self.data:
            raise BacktestRefusedError("at least one file of market data is wanted, found none")
        if self.charges not in MODELS:
            near = get_close_matches(self.charges, MODELS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise BacktestRefusedError(f"charges are one of {', '.join(MODELS)}, found {self.charges!r}{hint}")
        if not 1 <= self.capital_rupees <= CAPITAL_RUPEES_MAX:  # false for NaN as well
            raise BacktestRefusedError(f"a capital of 1 to 10^15 rupees is wanted, found {self.capital_rupees}")


def settings_of(plan: Plan, recordings: Sequence[Path], data_dir: Path) -> Settings:
    """Return the settings of the run.

    Raises:
        SettingsError: some of them are refused, a line each.
        BacktestRefusedError, StrategyNotFoundError: there is no such strategy.
    """
    given = {
        "log.level": "warning",
        **({"journal.segment_bytes": SEGMENT_BYTES} if plan.data_dir is None else {}),
        **plan.settings,
        "feed.source": "replay",
        "feed.recording": [absolute_recording(path) for path in recordings],
        "feed.symbol": plan.symbols[0] if len(plan.symbols) == 1 else "",
        "feed.speed": 0.0,
        "feed.interval": plan.interval,
        "exchange.order_latency_s": plan.latency_s,
        "exchange.slippage_percent": plan.slippage_percent,
        "exchange.slippage_ticks": plan.slippage_ticks,
        "orders.account": "new",
        **places_in(data_dir),
        "strategies": [{"name": STRATEGY, "strategy": path_of(plan.strategy), "parameters": plan.parameters}],
    }
    return load_with_origins("backtest", config=plan.config, environment={}, overrides=given).settings


def places_in(data_dir: Path) -> dict[str, str]:
    """Return settings that keep a run out of every file but those in its own folder, whatever a user's file says."""
    return {
        "system.data_dir": str(data_dir),
        "journal.path": str(data_dir / "journal"),
        "database.path": str(data_dir / "natya.duckdb"),
        "log.path": str(data_dir / "natya.log"),
    }


def time_ns(text: str, *, is_end: bool = False) -> int:
    """Return a day or a time in India, as nanoseconds since 1970-01-01 UTC; of a day its start, or its end.

    Raises:
        BacktestRefusedError: it is none.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as fault:
        raise BacktestRefusedError(
            f"a day or time such as 2025-11-03 or 2025-11-03T09:15 wanted, found {text!r}"
        ) from fault
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=IST)
    found = round(moment.replace(microsecond=0).timestamp()) * SECOND_NS + moment.microsecond * 1_000
    return found + DAY_NS if is_end and re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text) else found


def since_ns_of(text: str) -> int:
    """Return the first time that is played; an empty text is the beginning."""
    return time_ns(text) if text else 0


def until_ns_of(text: str) -> int:
    """Return the time behind which nothing is played; an empty text is the end."""
    return time_ns(text, is_end=True) if text else END_NS


def duration_s(text: str) -> float:
    """Return a duration such as `20ms`, `0.5s` or `300us`: seconds.

    Raises:
        BacktestRefusedError: it is none.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None and text.strip() != "0":
        raise BacktestRefusedError(f"a duration such as 20ms or 0.5s wanted, found {text!r}")
    return 0.0 if found is None else float(found["number"]) * _UNITS_S[found["unit"]]


def slippage_of(text: str) -> tuple[float, int]:
    """Return slippage in percent and in ticks, of a text such as `0.05%`, `5bp`, `1tick`, `0.02%+1tick`.

    Raises:
        BacktestRefusedError: it is none.
    """
    percent, ticks = 0.0, 0
    for part in text.split("+") if text.strip() not in {"", "0"} else ():
        found = _SLIPPAGE.fullmatch(part.strip())
        if found is None or (found["unit"].startswith("tick") and not float(found["number"]).is_integer()):
            raise BacktestRefusedError(f"slippage such as 0.05%, 5bp or 1tick wanted, found {part.strip()!r}")
        number = float(found["number"])
        if found["unit"].startswith("tick"):
            ticks += int(number)
        else:
            percent += number if found["unit"] == "%" else number / 100
    return percent, ticks


def assigned(pairs: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide `key=value` texts into parameters of the strategy and settings; the keys of settings have a point.

    Raises:
        BacktestRefusedError: one is no assignment.
    """
    parameters: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise BacktestRefusedError(f"key=value wanted, found {pair!r}")
        if "." in key:
            settings[key] = value
        else:
            parsed = toml_value(value)
            parameters[key] = value if parsed is None else parsed
    return parameters, settings


def paths_of(data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> tuple[Path, ...]:
    """Return the paths of one or several."""
    return (Path(data),) if isinstance(data, str | os.PathLike) else tuple(map(Path, data))


def symbols_of(given: str | Sequence[str]) -> tuple[str, ...]:
    """Return one or several symbols; a text is one, not its letters."""
    return (given,) if isinstance(given, str) else tuple(given)


def parameters_of(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a copy; none for None."""
    return dict(given or {})
