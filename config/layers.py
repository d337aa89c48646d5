"""The layers of settings: TOML files, the environment, the command line.

Each is read into a `Layer`: values that were checked key by key, each with its origin, and the problems of the others.
A secret is wrapped as soon as it is read, and no problem shows a value that might be a secret.
"""

from __future__ import annotations

import os
import shlex
import stat
import sys
import tomllib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from .files import may_be_written_by_others
from .keys import (
    KEYS,
    PROFILE,
    SECRET_KEYS,
    SECTIONS,
    STRATEGIES,
    STRATEGY_KEYS,
    near,
    near_key,
)
from .sections.strategy import StrategySettings
from .values import WrongValueError, kind, read_text, read_value, toml_value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE_SIZE_MAX_BYTES: Final = 1 << 20
"""A larger settings file is refused unread."""

PREFIX: Final = "NATYA_"
NAMED_VARIABLES: Final = {
    "DATABASE_PATH": "database.path",
    "DATABASE_MAX_CONNECTIONS": "database.max_connections",
    "BROKER_CLIENT_ID": "broker.client_id",
    "BROKER_ACCESS_TOKEN": "broker.access_token",
    "BROKER_BASE_URL": "broker.base_url",
    "REDIS_HOST": "redis.host",
    "REDIS_PORT": "redis.port",
    "REDIS_DB": "redis.db",
}
"""Variables with names of their own; `NATYA_SECTION__KEY` takes precedence over them."""

STRATEGIES_VARIABLE: Final = f"{PREFIX}STRATEGIES"
"""Its value is a TOML array of inline tables."""

VARIABLES: Final = {f"{PREFIX}{key.replace('.', '__').upper()}": key for key in KEYS if key != PROFILE}

_SECRET_VARIABLES: Final = frozenset(
    name for name, key in (*NAMED_VARIABLES.items(), *VARIABLES.items()) if key in SECRET_KEYS
)


class Value(NamedTuple):
    """The value of one key in one layer, and where it came from."""

    value: Any
    origin: str


class Layer:
    """The content of one source: checked values by key, and the problems found."""

    def __init__(self, origin: str) -> None:
        self.origin: Final = origin
        self.values: Final[dict[str, Value]] = {}
        self.problems: Final[list[str]] = []

    def take(self, key: str, value: Any, origin: str, *, text: bool = False) -> None:
        """Check a value of a known key and keep it, or note the problem."""
        if key == PROFILE:
            self.problems.append(f"{origin}: {key}: wanted as --profile when starting, found here")
            return
        try:
            checked = read_text(KEYS[key], value) if text else read_value(KEYS[key], value)
        except WrongValueError as fault:
            self.problems.append(f"{origin}: {key}: {fault}")
        else:
            self.values[key] = Value(checked, origin)

    def take_strategies(self, tables: Any, origin: str) -> None:
        """Check an array of strategy tables; it replaces that of lower layers."""
        if not isinstance(tables, list):
            self.problems.append(f"{origin}: {STRATEGIES}: wanted [[{STRATEGIES}]] tables, found {kind(tables)}")
            return
        checked = [self._strategy(f"{origin}: {STRATEGIES}[{index}]", table) for index, table in enumerate(tables)]
        self.values[STRATEGIES] = Value(tuple(strategy for strategy in checked if strategy is not None), origin)

    def _strategy(self, place: str, table: Any) -> StrategySettings | None:
        if not isinstance(table, dict):
            self.problems.append(f"{place}: wanted a table, found {kind(table)}")
            return None
        before, fields = len(self.problems), {}
        for name, value in table.items():
            if name not in STRATEGY_KEYS:
                self.problems.append(f"{place}.{name}: unknown key{near(name, list(STRATEGY_KEYS))}")
                continue
            try:
                given = _path_of(value) if name == "strategy" and isinstance(value, type) else value
                fields[name] = read_value(STRATEGY_KEYS[name], given)
            except WrongValueError as fault:
                self.problems.append(f"{place}.{name}: {fault}")
        self.problems.extend(
            f"{place}: wanted a {field.name}, found none"
            for field in msgspec.structs.fields(StrategySettings)
            if field.required and field.name not in table
        )
        return StrategySettings(**fields) if len(self.problems) == before else None


def _path_of(found: type) -> str:
    """Return a class as `module:Class`, by which another process, too, can import the same class."""
    if getattr(sys.modules.get(found.__module__), found.__qualname__, None) is not found:
        raise WrongValueError(f"wanted a class at the top of a module, found {found.__module__}:{found.__qualname__}")
    return f"{found.__module__}:{found.__qualname__}"


def file_layer(path: Path, *, origin: str = "") -> Layer:
    """Read a TOML file; `origin` is the name of one of natya's own in errors, empty for one of a person's."""
    layer = Layer(origin or str(path))
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            content = file.read(FILE_SIZE_MAX_BYTES + 1)
    except OSError as fault:
        layer.problems.append(f"{layer.origin}: cannot be read: {fault.strerror}")
        return layer
    if len(content) > FILE_SIZE_MAX_BYTES:
        layer.problems.append(f"{layer.origin}: wanted at most {FILE_SIZE_MAX_BYTES} bytes, found more")
        return layer
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as fault:
        # Neither fault quotes a value: tomllib names line and column, the codec one byte and its position.
        layer.problems.append(f"{layer.origin}: wanted TOML, found an error: {fault}")
        return layer
    _take_document(layer, document)
    _refuse_shared_secrets(layer, stat.S_IMODE(found.st_mode))
    if not origin:
        _refuse_written_by_others(layer, path, found)
    return layer


def _take_document(layer: Layer, document: dict[str, Any]) -> None:
    for name, content in document.items():
        if name == STRATEGIES:
            layer.take_strategies(content, layer.origin)
        elif name not in SECTIONS:
            layer.problems.append(f"{layer.origin}: {name}: unknown section{near(name, [*SECTIONS, STRATEGIES])}")
        elif not isinstance(content, dict):
            layer.problems.append(f"{layer.origin}: {name}: wanted a table [{name}], found {kind(content)}")
        else:
            for key, value in content.items():
                if f"{name}.{key}" in KEYS:
                    layer.take(f"{name}.{key}", value, layer.origin)
                else:
                    names = [known.partition(".")[2] for known in KEYS if known.startswith(f"{name}.")]
                    hint = near(key, names) or near_key(f"{name}.{key}")
                    layer.problems.append(f"{layer.origin}: {name}.{key}: unknown key{hint}")


def _refuse_shared_secrets(layer: Layer, mode: int) -> None:
    held = sorted(key for key in SECRET_KEYS & layer.values.keys() if layer.values[key].value)
    if held and mode & 0o077:
        layer.problems.append(
            f"{layer.origin}: wanted mode 600 for a file that holds {', '.join(held)}, found {mode:o}: chmod 600 it"
        )


def _refuse_written_by_others(layer: Layer, path: Path, found: os.stat_result) -> None:
    """Refuse a file that others could write, or another in its place: it names code to run, and a command."""
    folder = path.resolve().parent
    around = folder.stat()
    for place, status in ((path, found), (folder, around)):
        is_sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if not is_sticky and may_be_written_by_others(status):
            mode = stat.S_IMODE(status.st_mode)
            layer.problems.append(
                f"{layer.origin}: wanted one that nobody else can write, found mode {mode:o} of {place}: "
                f"chmod go-w {shlex.quote(str(place))}"
            )


def environment_layer(environment: Mapping[str, str]) -> Layer:
    """Read natya's environment variables; an empty one counts as not set."""
    layer = Layer("environment")
    for names in (NAMED_VARIABLES, VARIABLES):
        for name, key in names.items():
            if environment.get(name):
                layer.take(key, environment[name], f"environment {name}", text=True)
    if environment.get(STRATEGIES_VARIABLE):
        layer.take_strategies(_tables(environment[STRATEGIES_VARIABLE]), f"environment {STRATEGIES_VARIABLE}")
    known = {*VARIABLES, STRATEGIES_VARIABLE}
    layer.problems.extend(
        f"environment {name}: unknown variable{_near_variable(name)}"
        for name in sorted(environment)
        if name.upper().startswith(PREFIX) and name not in known
    )
    return layer


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return it without what holds a secret of natya's: the environment of a program that natya runs for its user."""
    return {name: value for name, value in environment.items() if name not in _SECRET_VARIABLES}


def _near_variable(name: str) -> str:
    whole_section = [variable for variable in VARIABLES if variable.startswith(f"{name.upper()}__")]
    if whole_section:
        return f"; a section is set key by key, as {whole_section[0]}"
    return near(name.upper(), [*VARIABLES, STRATEGIES_VARIABLE])


def _tables(text: str) -> Any:
    """Parse text that should be an array of tables; anything else is returned as it is, to be refused later."""
    value = toml_value(text.strip())
    return text if value is None else value


def override_layer(overrides: Mapping[str, Any]) -> Layer:
    """Read dotted keys from the command line: text is converted to the type of its key, other values are checked."""
    layer = Layer("command line")
    for key, value in overrides.items():
        if key == STRATEGIES:
            layer.take_strategies(_tables(value) if isinstance(value, str) else value, layer.origin)
        elif key not in KEYS:
            layer.problems.append(f"command line: {key}: unknown key{near_key(key)}")
        elif key in SECRET_KEYS and isinstance(value, str):
            layer.problems.append(
                f"command line: {key}: wanted in the environment or a file of mode 600, found on the command line, "
                "which every user of this machine can read"
            )
        else:
            layer.take(key, value, layer.origin, text=isinstance(value, str))
    return layer
