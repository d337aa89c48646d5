"""The command line, thin: options become settings and messages, answers become text, a fault becomes an exit code.

| file            | what for                                                                                |
|-----------------|-----------------------------------------------------------------------------------------|
| `app.py`        | the table of commands, each loaded when it is asked for                                 |
| `commands/`     | a file a command: `natya db query` is `commands/db/query.py`                            |
| `options.py`    | options that several commands have                                                      |
| `session.py`    | what several commands do: settings, who is asked, faults as exit codes, answers as JSON |
| `exit_codes.py` | what each exit code says                                                                |
| `terminal.py`   | standard output and error, and what may be printed there                                |
| `foreground.py` | a system that runs in this process until it ends or is stopped                          |
| `failures.py`   | what failed meanwhile, told once each                                                   |
| `views/`        | what is drawn: the screen, tables, trees                                                |
"""


def main() -> None:
    """Run the command line; the console script `natya`."""
    from .app import run  # noqa: PLC0415  who imports a part of this package needs no typer

    run()
