"""No process of the command line leaves its memory on the disk."""

import subprocess
import sys

COMMAND = """
import resource, subprocess, sys
from natya.cli.app import run
resource.setrlimit(resource.RLIMIT_CORE, (4_096, 4_096))
sys.argv[1:] = ["--version"]
assert run() == 0
print(resource.getrlimit(resource.RLIMIT_CORE))
subprocess.run([sys.executable, "-c", "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"], check=True)
"""


def test_a_command_and_what_it_starts_may_write_no_core():
    told = subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, text=True, check=True, timeout=60)

    assert sorted(told.stdout.splitlines())[:2] == ["(0, 4096)"] * 2
