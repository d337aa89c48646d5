"""How the process of a command ends where a thread is left that does not."""

import subprocess
import sys
import threading

import pytest

from natya.actors.runtime.offload import Job, Offloader
from natya.cli import OFFLOAD

COMMAND = """
import atexit, threading
from natya import cli
from natya.cli import app

def run():
    print("done")
    if {is_left}:
        threading.Thread(target=threading.Event().wait, daemon=True, name="database/offload").start()
    return {code}

app.run = run
atexit.register(print, "a library waits for it")
cli.main()
"""


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize(("is_left", "printed"), [(True, "done\n"), (False, "done\na library waits for it\n")])
def test_a_thread_that_is_left_is_not_waited_for_by_what_libraries_do_at_the_end(is_left, printed, code):
    command = [sys.executable, "-u", "-c", COMMAND.format(is_left=is_left, code=code)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (found.stdout, found.returncode) == (printed, code)


def test_one_that_is_about_to_end_is_waited_for():
    script = COMMAND.format(is_left=True, code=3).replace("threading.Event().wait", "lambda: time.sleep(0.05)")
    script = script.replace("app.run = run", "app.run, cli.ENDING_S = run, 60")
    found = subprocess.run(
        [sys.executable, "-u", "-c", f"import time\n{script}"], capture_output=True, text=True, timeout=60, check=False
    )

    assert (found.stdout, found.returncode) == ("done\na library waits for it\n", 3)


def test_such_a_thread_is_known_by_its_name():
    names, ended = [], threading.Event()
    offloader = Offloader(name="database", threads_max=1, jobs_max=1)

    offloader.submit(Job(lambda: names.append(threading.current_thread().name), (), lambda _: ended.set()), "")
    assert ended.wait(60)
    offloader.close()

    assert names == [f"database{OFFLOAD}"]
