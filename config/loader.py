"""Loads files, environment and command line into one typed, frozen `Settings`, with the origin of each value."""

from __future__ import annotations

import functools
import os
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

import msgspec
import platformdirs

from ..domain.candles import interval_of
from ..domain.instruments import SYMBOL_LENGTH_MAX, is_symbol
from ..domain.time import duration_ns
from ..messages.addresses import TAKEN
from .confirmation import CONFIRMED, INSTRUMENTS, MADE_UP_MARKETS, unconfirmed
from .credentials import credentials_layer
from .engine_paths import path_problem
from .errors import SettingsError
from .keys import KEYS, PROFILE, SECTIONS, STRATEGIES, near
from .layers import Layer, Value, environment_layer, file_layer, override_layer
from .secret_folder import SecretFolder
from .sections.orders import HALT_AT
from .sections.system import SystemSettings
from .settings import Settings
from .urls import is_loopback_url, url_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROFILES: Final[tuple[str, ...]] = get_args(get_type_hints(SystemSettings)["profile"])

PATHS_IN_DATA_DIR: Final = {
    "journal.path": "journal",
    "database.path": "natya.duckdb",
    "instruments.path": "instruments",
    "log.path": "natya.log",
    "kill_switch.path": "HALT",
}
"""Names in the data directory of paths that are left empty."""

_CLASS = re.compile(r"[\w.]+:\w+")


class LoadedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings, and where each value came from by dotted key: a file's name, `environment NAME` or `command line`."""

    settings: Settings
    origins: dict[str, str]


def load_settings(  # noqa: PLR0913  each layer, and what is left out for whom
    profile: str = "paper",
    *,
    config: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    locked_left_out: bool = False,
    only_looks: bool = False,
) -> Settings:
    """Read the settings of a profile: `paper`, `live`, `backtest`, or `node` for a machine that runs strategies alone.

    Layers, lowest to highest: `default.toml`, the profile's file, `live_market.toml` where the feed is not simulated,
    your own file (`config`), credentials of systemd, what `natya secrets` keeps in the data directory, the environment
    (by default the process's own), `overrides` by dotted key (`{"feed.seed": 11}`; a strategy may be given as a class).
    Paths are made absolute. A kept secret whose passphrase is wanted is an error, or `locked_left_out` of the settings.
    Who `only_looks` at a system, or stops it, takes settings by which none could run, too: those of a live system want
    credentials that only its own environment has.

    Raises:
        SettingsError: with everything that is wrong, a line each.
    """
    return load_with_origins(
        profile,
        config=config,
        environment=environment,
        overrides=overrides,
        locked_left_out=locked_left_out,
        only_looks=only_looks,
    ).settings


def load_with_origins(  # noqa: PLR0913  as `load_settings`
    profile: str = "paper",
    *,
    config: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    locked_left_out: bool = False,
    only_looks: bool = False,
    secrets_elsewhere: bool = False,
) -> LoadedSettings:
    """Read the settings as `load_settings` does, and keep where each value came from.

    For a system that will run as another user, or with credentials of its own, its `secrets_elsewhere` are neither
    read nor missed; all else is judged as for one that runs here.

    Raises:
        SettingsError: with everything that is wrong, a line each.
    """
    if profile not in PROFILES:
        raise SettingsError(
            (f"profile: wanted one of {', '.join(PROFILES)}, found {profile!r}{near(profile, list(PROFILES))}",)
        )
    ours = [_packaged("default.toml"), _packaged(f"{profile}.toml")]
    theirs = [] if config is None else [file_layer(absolute(str(config), "--config"))]
    variables = os.environ if environment is None else environment
    of_the_moment = [environment_layer(variables), override_layer(overrides or {})]
    theirs.append(credentials_layer(variables))
    data_dir = _data_dir_of([*ours, *theirs, *of_the_moment], profile)
    if not secrets_elsewhere:
        theirs.append(SecretFolder(Path(data_dir.value)).layer(locked_left_out=locked_left_out))
    theirs += of_the_moment
    sources = [layer.values["feed.source"].value for layer in (*ours, *theirs) if "feed.source" in layer.values]
    if sources[-1] not in MADE_UP_MARKETS:
        ours.append(_packaged("live_market.toml"))
    layers = ours + theirs

    problems = [problem for layer in layers for problem in layer.problems]
    if problems:
        raise SettingsError(tuple(problems))
    values = {PROFILE: Value(profile, "profile")}
    for layer in layers:
        values.update(layer.values)
    values["system.data_dir"] = data_dir
    _place_files(values)
    problems = _impossible_paths(values) if only_looks else _contradictions(values, secrets_elsewhere=secrets_elsewhere)
    if problems:
        raise SettingsError(tuple(problems))
    return LoadedSettings(settings=_settings(values), origins={key: value.origin for key, value in values.items()})


@functools.cache
def _packaged(name: str) -> Layer:
    """Read a file of the package, once: it does not change while its code runs."""
    with resources.as_file(resources.files(__package__) / name) as path:
        return file_layer(path, origin=name)


def _data_dir_of(layers: list[Layer], profile: str) -> Value:
    """Return the data directory: it has to be known before the secrets in it are read."""
    given = next(layer.values["system.data_dir"] for layer in reversed(layers) if "system.data_dir" in layer.values)
    wanted_for = f"{given.origin}: system.data_dir"
    data_dir = absolute(given.value, wanted_for) if given.value else platformdirs.user_state_path("natya") / profile
    return Value(str(data_dir), given.origin)


def _place_files(values: dict[str, Value]) -> None:
    data_dir = Path(values["system.data_dir"].value)
    for key, name in PATHS_IN_DATA_DIR.items():
        path, origin = values[key]
        if not path:
            values[key] = Value(str(data_dir / name), f"{origin}, in system.data_dir")
        elif path != "-":
            values[key] = Value(str(absolute(path, f"{origin}: {key}")), origin)


def absolute(path: str | Path, wanted_for: str) -> Path:
    """Make a path absolute, expanding `~` and `~user`.

    Args:
        path: to expand.
        wanted_for: names the setting in the error.

    Raises:
        SettingsError: there is no such user.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as fault:  # `~name`, and there is no such user
        raise SettingsError((f"{wanted_for}: wanted a path, found {str(path)!r}: {fault}",)) from fault


def _impossible_paths(values: dict[str, Value]) -> list[str]:
    """Return why there can be no database where it should be; nothing, if it can."""
    database, origin = values["database.path"]
    problem = "wanted a file" if database == "-" else path_problem(database)
    return [f"{origin}: database.path: {problem}, found {database!r}"] if problem else []


def _contradictions(values: dict[str, Value], *, secrets_elsewhere: bool) -> list[str]:
    """Return the problems that no single key shows: values that contradict each other."""

    def say(key: str, problem: str) -> str:
        return f"{values[key].origin}: {key}: {problem}"

    problems = []
    if values[PROFILE].value == "live" and values["broker.name"].value == "paper":
        problems.append(say("broker.name", "wanted a broker of the real market for profile live, found 'paper'"))
    problems += _broker_contradictions(values, say)
    problems += _feed_contradictions(values, say, secrets_elsewhere=secrets_elsewhere)
    problems += _node_contradictions(values, say)
    times = values["kill_switch.loss_exit_times"].value
    if 0 < times <= HALT_AT:
        wanted = f"wanted 0, or above {HALT_AT}, where the limit of orders halts, found {times}"
        problems.append(say("kill_switch.loss_exit_times", wanted))
    if values["orders.operator_silence_max_s"].value and not values["control.enabled"].value:
        wanted = "wanted 0 where control.enabled is false: nobody could show himself"
        problems.append(say("orders.operator_silence_max_s", wanted))
    first, most = values["supervision.backoff_first_s"].value, values["supervision.backoff_max_s"].value
    if first > most:
        problems.append(say("supervision.backoff_first_s", f"wanted at most backoff_max_s = {most}, found {first}"))
    problems += _impossible_paths(values)
    for key in ("feed.symbol", "feed.symbols", "orders.symbols"):
        named = values[key].value
        of_one = (named,) if named else ()
        problems.extend(say(key, problem) for problem in _no_symbols(of_one if isinstance(named, str) else named))
    return problems + _contradictions_of_strategies(values[STRATEGIES])


def _contradictions_of_strategies(strategies: Value) -> list[str]:
    problems = []
    taken = set(TAKEN)
    for index, strategy in enumerate(strategies.value):
        origin = f"{strategies.origin}: {STRATEGIES}[{index}]"
        if strategy.name in taken:
            problems.append(f"{origin}.name: wanted a name of its own, found {strategy.name!r}")
        if not _CLASS.fullmatch(strategy.strategy):
            problems.append(f"{origin}.strategy: wanted module:Class, found {strategy.strategy!r}")
        problems.extend(f"{origin}.symbols: {problem}" for problem in _no_symbols(strategy.symbols))
        problems.extend(f"{origin}.candles: {problem}" for problem in _no_intervals(strategy.candles))
        taken.add(strategy.name)
    return problems


def _no_intervals(texts: tuple[str, ...]) -> list[str]:
    problems = []
    for text in texts:
        try:
            interval_of(text)
        except ValueError as fault:
            problems.append(str(fault))
    return problems


def _broker_contradictions(values: dict[str, Value], say: Callable[[str, str], str]) -> list[str]:
    problems = []
    base_url = values["broker.base_url"].value
    is_real = values[PROFILE].value == "live" and values["broker.name"].value != "paper"
    if is_real and not values["broker.client_id"].value:
        problems.append(say("broker.client_id", "wanted the number of the account at the broker, found none"))
    if problem := url_problem(base_url):
        problems.append(say("broker.base_url", problem))
    if values["broker.live"].value:
        limits = {key: values[f"orders.{key}"].value for key in CONFIRMED}
        limits[INSTRUMENTS] = {
            symbol: {name: limit for name, limit in msgspec.to_builtins(own).items() if limit is not None}
            for symbol, own in values["orders.instruments"].value.items()
        }
        found = unconfirmed(limits, values["broker.confirmed_limits"].value)
        problems.extend(say("broker.confirmed_limits", problem) for problem in found)
        source = values["feed.source"].value
        if source in MADE_UP_MARKETS and not is_loopback_url(base_url):
            problems.append(say("feed.source", f"wanted prices of the real market for real orders, found {source!r}"))
    return problems


def _feed_contradictions(
    values: dict[str, Value], say: Callable[[str, str], str], *, secrets_elsewhere: bool
) -> list[str]:
    problems = []
    recording = values["feed.recording"].value
    recordings = [recording] if isinstance(recording, str) else recording
    if values["feed.source"].value == "replay" and not all(recordings or [""]):
        problems.append(say("feed.source", "wanted the file to replay in feed.recording, found none"))
    if interval := values["feed.interval"].value:
        try:
            duration_ns(interval)
        except ValueError as fault:
            problems.append(say("feed.interval", str(fault)))
    if values["feed.source"].value == "dhan":
        wanted = {"broker.client_id": "the number of the account", "broker.access_token": "an access token"}
        can_log_in = values["broker.pin"].value and values["broker.totp_secret"].value  # the session has one made
        if secrets_elsewhere or (can_log_in and values["broker.name"].value == "dhan"):
            del wanted["broker.access_token"]
        problems += [
            say(key, f"wanted {what}, for the feed of dhan, found none")
            for key, what in wanted.items()
            if not values[key].value
        ]
    if values["feed.source"].value == "synthetic" and not values["feed.symbols"].value:
        problems.append(say("feed.symbols", "wanted a symbol at least for the synthetic market, found none"))
    return problems


def _node_contradictions(values: dict[str, Value], say: Callable[[str, str], str]) -> list[str]:
    elsewhere = [each.name for each in values[STRATEGIES].value if each.host == "node"]
    is_node, problems = values[PROFILE].value == "node", []
    if is_node and not elsewhere:
        problems.append(say(STRATEGIES, "wanted one with host = 'node', which this machine may run, found none"))
    if (is_node or elsewhere) and not values["nodes.play"].value:
        problems.append(say("nodes.play", "wanted the name of the play that several machines are of, found none"))
    speed, is_live = values["feed.speed"].value, values["feed.source"].value not in MADE_UP_MARKETS
    if elsewhere and not is_node and not is_live and speed != 1:
        names = ", ".join(elsewhere)
        problems.append(say("feed.speed", f"wanted 1 where strategies run on other machines ({names}), found {speed}"))
    return problems


def _no_symbols(symbols: tuple[str, ...]) -> list[str]:
    """Return a problem for each text that cannot be a symbol."""
    wanted = f"wanted a symbol of 1 to {SYMBOL_LENGTH_MAX} printable characters"
    return [f"{wanted}, found {symbol!r}" for symbol in symbols if not is_symbol(symbol)]


def _settings(values: dict[str, Value]) -> Settings:
    sections: dict[str, Any] = {
        name: section(**{key.partition(".")[2]: values[key].value for key in KEYS if key.startswith(f"{name}.")})
        for name, section in SECTIONS.items()
    }
    return Settings(strategies=values[STRATEGIES].value, **sections)
