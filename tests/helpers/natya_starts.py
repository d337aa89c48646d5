"""This interpreter as a process of its own, forked from one that has imported what `natya` needs.

That is half a second of CPU less each time.

For tests of what a process does, not of how an interpreter begins. The fork has its own id, descriptors, directory and
environment, is a child of the test's process, and runs what it is to run in its main thread to the end of its
interpreter. A test of the command line of a process, of its encodings, of its memory, of what `/proc` says of it, or of
what is imported when, wants a real start: `subprocess`.
"""

import array
import atexit
import ctypes
import fcntl
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
import threading
import types
from importlib import import_module
from pathlib import Path

from natya_processes import FORKING

_NUMBER = struct.Struct("<I")
_PR_SET_CHILD_SUBREAPER = 36
_DESCRIPTORS_MAX = 16

Executed = subprocess.Popen
"""A real start, also where `subprocess.Popen` is a fork."""

WITH_HELPERS = {"PYTHONPATH": str(Path(__file__).parent)}
"""Environment of a process that imports what is here."""

_OUT_OF_THE_WAY = 200
"""Descriptors from here on are nobody's."""

_IMPORTED = (
    *("natya.system", "natya.exchange_system", "natya.events_system", "natya.composition", "natya.bodies"),
    *("natya.actors.database.actor", "natya.actors.broker.bodies.paper", "natya.actors.broker.bodies.dhan"),
    *("natya.actors.strategy.bodies.crossover", "natya.actors.runtime.workers.hosting", "natya.actors.journal.tools"),
    *("natya.summary", "natya.client", "natya.transfer.stored", "natya.cli.app", "natya.cli.foreground"),
    *("natya.cli.commands.run", "natya.cli.views.screen", "natya.cli.views.rows"),
    *("natya.cli.commands.exchange.serve", "natya.cli.serving", "natya.actors.exchange.wire"),
    *("natya.actors.exchange.streams", "uvicorn.loops.asyncio", "uvicorn.lifespan.off"),
    *("typer._click.decorators", "importlib.readers", "numpy.ma"),
)

_OF_THE_INTERPRETER = {"__main__", "builtins", "sys", "_io", "io", "threading", "warnings"}
"""Modules that its end itself asks for."""

_shared = set()


class Forked(Executed):
    """`Popen`; if it is this interpreter with a text, a module or a file, and nothing is prepared in it, as a fork."""

    starts_others = False
    """Whether those that it starts are to be forks, too; it then has one child more, which makes them."""

    def _execute_child(self, *given):
        asked = inspect.signature(super()._execute_child).bind(*given).arguments
        wanted = self._wanted(asked)
        if wanted is None:
            super()._execute_child(*given)
            return
        pipes = [asked[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")]
        descriptors = [own if given == -1 else given for own, given in enumerate((pipes[0], pipes[3], pipes[5]))]
        self.pid = _server().fork(wanted, [*descriptors, *asked["pass_fds"]])
        self._child_created = True
        self._close_pipe_fds(*pipes)

    def _wanted(self, asked):
        """What the fork is to be; None if it cannot be one."""
        if asked["shell"] or asked["preexec_fn"] or isinstance(asked["args"], (str, bytes, os.PathLike)):
            return None
        program, *arguments = (os.fspath(each) for each in asked["args"])
        if program != sys.executable or not arguments:
            return None
        is_safe_path = arguments[0] == "-P"
        kind, *arguments = arguments[1:] if is_safe_path else arguments
        if kind.startswith("-") and kind not in {"-c", "-m"}:
            return None
        return {
            "kind": kind,
            "arguments": arguments,
            "is_safe_path": is_safe_path,
            "directory": os.path.abspath(asked["cwd"] or "."),  # noqa: PTH100  a path that leads nowhere is one, too
            "environment": dict(os.environ if asked["env"] is None else asked["env"]),
            "new_session": asked["start_new_session"],
            "passed": list(asked["pass_fds"]),
            "starts_others": self.starts_others,
        }


class Natya(Forked):
    """`Popen` of `natya` with these arguments."""

    def __init__(self, arguments, **options):
        super().__init__([sys.executable, "-m", "natya", *arguments], **options)


class Python(Forked):
    """`Popen` of a text and its arguments, which is run as `python -c` runs it."""

    def __init__(self, arguments, **options):
        super().__init__([sys.executable, "-c", *arguments], **options)


def run_forked(*command, timeout=60, kind=Forked, **options):
    """Run this interpreter so to its end, as `subprocess.run` with what it prints captured as text."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with kind([sys.executable, *(str(each) for each in command)], **streams | options) as process:
        try:
            out, errors = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


def run_natya(*arguments, **options):
    """Run `natya` to its end, likewise."""
    return run_forked("-m", "natya", *arguments, **options)


def run_python(text, *arguments, **options):
    """Run a text to its end, likewise."""
    return run_forked("-c", text, *arguments, **options)


class StartsOthers(Forked):
    """One whose own processes are forks, too."""

    starts_others = True


class _Server:
    """A process that has imported what `natya run` needs, and forks; it ends with this one, whose socket it reads."""

    def __init__(self, line, process):
        self._line = line
        self._process = process  # whose end nobody waits for
        self._lock = threading.Lock()

    def fork(self, wanted, descriptors):
        """Start one as a child of this process; return its id."""
        text = json.dumps(wanted).encode()
        prctl = ctypes.CDLL(None).prctl
        with self._lock:
            prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what loses its parent from now on is this process's child
            try:
                passed = array.array("i", descriptors)
                self._line.sendmsg([_NUMBER.pack(len(text))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
                self._line.sendall(text)
                return _number(self._line.recv(_NUMBER.size, socket.MSG_WAITALL))
            finally:
                prctl(_PR_SET_CHILD_SUBREAPER, 0)


@functools.cache
def _server():
    line, theirs = socket.socketpair()
    program = f"import sys; sys.path[0] = {str(Path(__file__).parent)!r}; from natya_starts import serve"
    program += f"; serve({theirs.fileno()})()"
    with theirs:
        process = Executed(
            [sys.executable, "-c", program],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
        )
    return _Server(line, process)


def serve(number):
    """Fork for each who asks, until nobody is left to; only the forks return, with what they are to do."""
    Path("/proc/self/comm").write_text(FORKING)
    atexit.register(_keep_imported)  # the first that is registered is the last that is called
    gc.disable()
    for name in _IMPORTED:
        import_module(name)
    _read_the_package()
    gc.enable()
    gc.collect()
    gc.freeze()
    _shared.update(sys.modules.keys() - _OF_THE_INTERPRETER)
    return _forking(socket.socket(fileno=number))


def _read_the_package():
    """Have in its caches what a process reads of the package once, since it does not change while its code runs."""
    import_module("natya.config.loader").load_settings("paper", environment={}, overrides={})
    import_module("natya.domain.calendar").session_at(0)
    import_module("natya.actors.orders.book.checkpoint").version()
    import_module("natya.cli.app").Commands()["run"]  # its options, as typer sees them


def _keep_imported():
    """Leave what was imported before the fork out of the end of the interpreter, which takes the rest to pieces.

    To clear 800 modules copies each of their pages, 60 ms of CPU for nothing.
    """
    kept = dict(sys.modules)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
    own = {name: module for name, module in kept.items() if name not in _shared}
    sys.modules.clear()  # all at once: a thread that goes on to the end hardly ever finds some of them gone
    sys.modules.update(own)


def _forking(asked):
    while True:
        head, descriptors, _, _ = socket.recv_fds(asked, _NUMBER.size, _DESCRIPTORS_MAX)
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
    if wanted["starts_others"]:
        line, theirs = socket.socketpair()
        if os.fork() == 0:
            line.close()
            for each in descriptors:
                os.close(each)
            return _forking(theirs)
        theirs.close()
        globals()["_server"] = functools.partial(_identity, _Server(line, None))
        subprocess.Popen = StartsOthers
    Path("/proc/self/comm").write_text("python")
    if wanted["new_session"]:
        os.setsid()
    aside = [fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY) for each in descriptors]
    for each in descriptors:
        os.close(each)
    for number, given in zip((0, 1, 2, *wanted["passed"]), aside, strict=True):
        os.dup2(given, number)
        os.close(given)
    os.chdir(wanted["directory"])
    own = len(_paths_given())
    os.environ.clear()
    os.environ.update(wanted["environment"])
    directory = wanted["directory"] if wanted["kind"].startswith("-") else str(Path(wanted["kind"]).resolve().parent)
    sys.path[:] = [*([] if wanted["is_safe_path"] else [directory]), *_paths_given(), *sys.path[1 + own :]]
    return functools.partial(_run, wanted["kind"], *wanted["arguments"])


def _identity(server):
    return server


def _run(kind, *arguments):
    """Run what the interpreter was asked for."""
    if kind == "-c":
        text, *arguments = arguments
        sys.argv[:] = ["-c", *arguments]
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(text, "<string>", "exec"), vars(main))  # noqa: S102  a test's own text
    elif kind == "-m":
        module, *arguments = arguments
        sys.argv[:] = [module, *arguments]
        if module == "natya":
            sys.argv[0] = str(Path(sys.modules["natya"].__path__[0], "__main__.py"))
            import_module("natya.cli").main()
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = [kind, *arguments]
        runpy.run_path(kind, run_name="__main__")


def _paths_given():
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _number(packed):
    return _NUMBER.unpack(packed)[0]
