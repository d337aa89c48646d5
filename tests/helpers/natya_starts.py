"""`natya`, or a program or text of ours, as a process of its own, forked from one that has imported what it needs.

That is half a second of CPU less each time.

For tests of what a process does, not of how an interpreter begins. The fork has its own id, descriptors, directory and
environment, is a child of the test's process, and runs `natya` in its main thread to the end of its interpreter. A test
of the command line of a process, of its encodings, or of what is imported when, wants a real start: `subprocess`.
"""

import array
import ctypes
import functools
import gc
import inspect
import json
import os
import runpy
import socket
import struct
import subprocess
import sys
from importlib import import_module
from pathlib import Path

_NUMBER = struct.Struct("<I")
_PR_SET_CHILD_SUBREAPER = 36
_IMPORTED = (
    *("natya.system", "natya.composition", "natya.bodies", "natya.summary", "natya.actors.database.actor"),
    *("natya.cli.app", "natya.cli.foreground", "natya.cli.commands.run", "natya.cli.views.screen"),
)


class Natya(subprocess.Popen):
    """`Popen` of `natya` with these arguments; descriptors above 2 are not passed on."""

    program = ""
    """File that is run in its place."""

    is_text = False
    """Whether the first argument is a text that is run in its place."""

    def _execute_child(self, *given):
        asked = inspect.signature(super()._execute_child).bind(*given).arguments
        if asked["shell"] or asked["pass_fds"] or asked["preexec_fn"]:
            raise NotImplementedError("a start of `natya` alone is wanted, found one that is prepared in the child")
        wanted = {
            "arguments": [os.fspath(each) for each in asked["args"]],
            "directory": os.path.abspath(asked["cwd"] or "."),  # noqa: PTH100  a path that leads nowhere is one, too
            "environment": dict(os.environ if asked["env"] is None else asked["env"]),
            "new_session": asked["start_new_session"],
            "program": self.program,
            "is_text": self.is_text,
        }
        pipes = [asked[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")]
        descriptors = [own if given == -1 else given for own, given in enumerate((pipes[0], pipes[3], pipes[5]))]
        self.pid = _server().fork(wanted, descriptors)
        self._child_created = True
        self._close_pipe_fds(*pipes)


class Python(Natya):
    """`Popen` of a text and its arguments, which is run as `python -c` runs it."""

    is_text = True


def run_natya(*arguments, timeout=60, kind=Natya, **options):
    """Run it to its end, as `subprocess.run` with what it prints captured as text."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with kind([str(each) for each in arguments], **streams | options) as process:
        try:
            out, errors = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


def run_program(path, *arguments, timeout=60, **options):
    """Run a file of ours to its end, as its own main module, likewise."""
    kind = type("Program", (Natya,), {"program": str(path)})
    return run_natya(*arguments, timeout=timeout, kind=kind, **options)


def run_python(text, *arguments, timeout=60, **options):
    """Run a text to its end, as `python -c` does, likewise."""
    return run_natya(text, *arguments, timeout=timeout, kind=Python, **options)


class _Server:
    """A process that has imported what `natya run` needs, and forks; it ends with this one, whose socket it reads."""

    def __init__(self):
        self._socket, theirs = socket.socketpair()
        program = f"import sys; sys.path[0] = {str(Path(__file__).parent)!r}; from natya_starts import serve"
        program += f"; serve({theirs.fileno()})()"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )

    def fork(self, wanted, descriptors):
        """Start one as a child of this process; return its id."""
        text = json.dumps(wanted).encode()
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what loses its parent from now on is this process's child
        try:
            passed = array.array("i", descriptors)
            self._socket.sendmsg([_NUMBER.pack(len(text))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
            self._socket.sendall(text)
            return _number(self._socket.recv(_NUMBER.size, socket.MSG_WAITALL))
        finally:
            prctl(_PR_SET_CHILD_SUBREAPER, 0)


@functools.cache
def _server():
    return _Server()


def serve(number):
    """Fork for each who asks, until nobody is left to; only the forks return, with what they are to do."""
    for name in _IMPORTED:
        import_module(name)
    gc.collect()
    gc.freeze()
    asked = socket.socket(fileno=number)
    while True:
        head, descriptors, _, _ = socket.recv_fds(asked, _NUMBER.size, 3)
        if not head:
            os._exit(0)
        wanted = json.loads(asked.recv(_number(head), socket.MSG_WAITALL))
        reading, writing = os.pipe()
        first = os.fork()
        if first == 0:
            first = os.getpid()
            second = os.fork()
            if second:
                os.write(writing, _NUMBER.pack(second))
                os._exit(0)
            while os.getppid() == first:  # until then it is no child of the one who asked
                os.sched_yield()
            for each in (reading, writing, asked.detach()):
                os.close(each)
            return _become(wanted, descriptors)
        os.waitpid(first, 0)
        asked.sendall(os.read(reading, _NUMBER.size))
        for each in (reading, writing, *descriptors):
            os.close(each)


def _become(wanted, descriptors):
    """Be as a process that was started so; return its main function."""
    if wanted["new_session"]:
        os.setsid()
    for number, given in enumerate(descriptors):
        os.dup2(given, number)
    for given in descriptors:
        os.close(given)
    os.chdir(wanted["directory"])
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    os.environ.clear()
    os.environ.update(wanted["environment"])
    added = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [wanted["directory"], *added, *sys.path[1 + len(paths) :]]
    if wanted["is_text"]:
        text, *arguments = wanted["arguments"]
        sys.argv[:] = ["-c", *arguments]
        return functools.partial(exec, compile(text, "<string>", "exec"), {"__name__": "__main__"})
    if wanted["program"]:
        sys.path[0] = str(Path(wanted["program"]).parent)
        sys.argv[:] = [wanted["program"], *wanted["arguments"]]
        return functools.partial(runpy.run_path, wanted["program"], run_name="__main__")
    sys.argv[:] = [str(Path(sys.modules["natya"].__path__[0], "__main__.py")), *wanted["arguments"]]
    return import_module("natya.cli").main


def _number(packed):
    return _NUMBER.unpack(packed)[0]
