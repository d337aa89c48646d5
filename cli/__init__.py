"""The command line: options become settings and messages, answers become text, errors become exit codes.

| file              | purpose                                                                                |
|-------------------|----------------------------------------------------------------------------------------|
| `app.py`          | the table of commands, each loaded when it is called                                   |
| `commands/`       | one file a command: `natya db query` is `commands/db/query.py`                         |
| `options.py`      | options that several commands have                                                     |
| `own_settings.py` | which file of settings holds where none is named                                       |
| `session.py`      | what several commands do: settings, connections, errors to exit codes, answers as JSON |
| `journals.py`     | what several of them do with the files of a journal                                    |
| `exit_codes.py`   | the process exit codes                                                                 |
| `terminal.py`     | standard output and error, and which text may be printed there                         |
| `signals.py`      | signals that end a command, which tidies up first                                      |
| `foreground.py`   | a system that runs in this process until it ends or is stopped                         |
| `node.py`         | a machine that runs strategies for a broker node, in the foreground                    |
| `serving.py`      | the paper exchange in the foreground                                                   |
| `broker_session.py` | what is asked of the broker session: its token, its order updates                    |
| `book.py`         | orders and positions: of the running system, or of the files where none runs            |
| `changing.py`     | what commands about strategies share; `dead_letters.py`, `events.py`: about those,     |
|                   | `keeping.py`, `secret_outcomes.py`: about secrets, `switching.py`: the kill switch     |
| `processes.py`    | the memory of processes                                                                |
| `failures.py`     | failures of a running system, each reported once                                       |
| `views/`          | the screen, tables, trees                                                              |
"""

import gc
import os
import sys
import threading
import time

LOADING_THRESHOLD = 50_000
"""New objects between two looks of the garbage collector. Modules are kept: to look for garbage in them takes a fifth
of the start of a system."""

OFFLOAD = "/offload"
"""Ends the names of the threads on which actors have work done; none of an actor that has ended is idle."""

ENDING_S = 0.5
"""Such a thread without a job ends within milliseconds."""


def leave_threads(code: int) -> None:
    """End the process at once if a job is left that nothing can interrupt, such as one that opens a large file.

    What a library does at the end of the interpreter waits for its thread, for as long as it takes, and a thread that
    comes back from the library meanwhile aborts the process. All that is ours is closed by now.
    """
    last = time.monotonic() + ENDING_S
    for thread in threading.enumerate():
        if thread.name.endswith(OFFLOAD):
            thread.join(max(0.0, last - time.monotonic()))
            if thread.is_alive():
                sys.stderr.flush()
                os._exit(code)


def main() -> None:
    """Run the command line; the console script `natya`.

    NumPy's linear algebra starts a thread per core when it is imported, 0.1 s of a core that nothing here uses. A
    strategy that multiplies large matrices says how many it wants: `OPENBLAS_NUM_THREADS=4 natya run …`.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(LOADING_THRESHOLD)
    from .signals import end_in_order  # noqa: PLC0415  as what follows

    end_in_order()
    from .app import run  # noqa: PLC0415  importing a part of this package must not need typer

    code = run()
    leave_threads(code)
    sys.exit(code)
