"""Writes the reference: settings, commands, operations, messages and metrics, each from where the code has it."""

from __future__ import annotations

import inspect
import re
import types
from collections import defaultdict
from importlib import resources
from typing import TYPE_CHECKING, Any, get_type_hints

import typer

from natya.actors.control.operations import OPERATIONS
from natya.actors.observability.exposition import PREFIX
from natya.actors.observability.metrics import METRICS
from natya.cli.app import COMMANDS, GROUPS, Commands
from natya.config.layers import NAMED_VARIABLES
from natya.messages.codec import FACT_TYPES, MESSAGE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FENCE = "```"
COUNTED = {"counter": "_total", "lasting": "_total"}


def write(folder: Path) -> None:
    """Write every page of the reference, those only that have changed."""
    folder.mkdir(exist_ok=True)
    for name, lines in PAGES.items():
        text = "\n".join(lines()) + "\n"
        page = folder / f"{name}.md"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def settings() -> Iterator[str]:
    """Every setting with its default, by section, and the variables with names of their own."""
    yield "# Settings\n"
    yield "Each key may be set by `--set section.key=value`, or by `NATYA_SECTION__KEY`, or in a file (`--config`)."
    yield "Without that, it has this value; `natya config show` prints those in force, and where each came from.\n"
    yield "| variable | key |\n|---|---|"
    for variable, key in NAMED_VARIABLES.items():
        yield f"| `{variable}` | `{key}` |"
    text = resources.files("natya.config").joinpath("default.toml").read_text(encoding="utf-8")
    for section in re.split(r"^(?=\[)", text, flags=re.MULTILINE)[1:]:
        name = re.match(r"\[+([\w.]+)\]", section)
        yield f"\n## {name[1] if name else 'settings'}\n\n{FENCE}toml\n{section.rstrip()}\n{FENCE}"


def commands() -> Iterator[str]:
    """Every command with its help."""
    yield "# Commands\n\nEvery command says the same with `--help`.\n"
    group = ""
    for name in COMMANDS:
        *above, _ = name.split(".")
        if ".".join(above) != group:
            group = ".".join(above)
            if group:
                yield f"## natya {group.replace('.', ' ')} …\n\n{GROUPS[group]}\n"
        words = name.replace(".", " ")
        yield f"{'###' if group else '##'} natya {words}\n\n{FENCE}text\n{_help(name)}\n{FENCE}\n"


def _help(name: str) -> str:
    *above, last = name.split(".")
    command: Any = Commands("".join(f"{each}." for each in above))[last]
    context = typer.Context(
        command, info_name=f"natya {name.replace('.', ' ')}", terminal_width=100, max_content_width=100
    )
    return str(command.get_help(context)).rstrip()


def operations() -> Iterator[str]:
    """Every operation of the control socket and HTTP."""
    yield "# Operations\n"
    yield "What a running system may be asked, through its unix socket (`natya.connect()` has a method for each) and,"
    yield "but for what is a file for the user, over HTTP. `operate` may do what `read` may, `trade` may do all.\n"
    yield "| operation | role | asks | arguments | answers | over HTTP | audited | does |"
    yield "|---|---|---|---|---|---|---|---|"
    for each in OPERATIONS:
        cells = (
            f"`{each.name}`",
            each.role_told,
            each.actor,
            ", ".join(f"`{name}`" for name in each.arguments),
            ", ".join(f"`{answer.__name__}`" for answer in each.answers),
            "yes" if each.over_http else "no",
            "yes" if each.audited else "",
            each.summary,
        )
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"


def messages() -> Iterator[str]:
    """Every message by the file that it stands in, facts marked."""
    yield "# Messages and facts\n"
    yield "What actors say to each other. A *fact* is journaled, and can be subscribed to.\n"
    facts = set(FACT_TYPES)
    by_module = defaultdict(list)
    for each in MESSAGE_TYPES:
        by_module[each.__module__].append(each)
    for module, found in sorted(by_module.items()):
        yield f"## {module.rpartition('.')[2]}\n"
        for each in sorted(found, key=lambda each: each.__name__):
            yield f"### {each.__name__}{' (fact)' if each in facts else ''}\n\n{_plain(inspect.getdoc(each) or '')}\n"
            hints = get_type_hints(each)
            required = len(each.__struct_fields__) - len(each.__struct_defaults__)
            for place, name in enumerate(each.__struct_fields__):
                kept = "" if place < required else ", may be left out"
                yield f"- `{name}`: `{_type(hints[name])}`{kept}"
            yield ""


def metrics() -> Iterator[str]:
    """Every metric."""
    yield "# Metrics\n\n`natya metrics`, or `/metrics` over HTTP for Prometheus.\n"
    yield "| metric | kind | labels | is |\n|---|---|---|---|"
    for each in METRICS:
        kind = {"timing": "histogram", "lasting": "counter"}.get(each.kind, each.kind)
        labels = ", ".join(f"`{label}`" for label in each.labels)
        yield f"| `{PREFIX}{each.name}{COUNTED.get(each.kind, '')}` | {kind} | {labels} | {_cell(each.help)} |"


def _type(hint: Any) -> str:
    if isinstance(hint, types.UnionType) and len(hint.__args__) > 6:  # noqa: PLR2004  a long one says nothing
        return "one of the facts"
    name = hint.__name__ if isinstance(hint, type) and not hasattr(hint, "__args__") else str(hint)
    return name.replace("typing.", "").replace("natya.messages.", "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _plain(text: str) -> str:
    """A docstring without the indents that Markdown would take for code."""
    return "\n".join(line.strip() for line in text.splitlines())


PAGES = {
    "settings": settings,
    "commands": commands,
    "operations": operations,
    "messages": messages,
    "metrics": metrics,
}
