"""A worker process: `python -m natya.actors.runtime.workers SOCKET_FD PARENT_PID`, started by its parent alone."""

import sys

from .hosting import run

if __name__ == "__main__":
    run(int(sys.argv[1]), parent_pid=int(sys.argv[2]))
