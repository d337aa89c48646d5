"""The commands as the command line has them."""

import click
from typer.main import get_command

from natya.cli import app


def every_command():
    """Yield the words of each command, and what they call."""
    group = get_command(app.app)
    yield from _leaves(group, click.Context(group))


def _leaves(group, context, path=()):
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        below = click.Context(found, parent=context, info_name=name)
        if hasattr(found, "list_commands"):
            yield from _leaves(found, below, (*path, name))
        else:
            yield " ".join((*path, name)), found
