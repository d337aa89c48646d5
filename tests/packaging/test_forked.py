"""The tests run in several processes, and nothing that goes wrong in one of them is lost."""

import subprocess
import sys
from pathlib import Path

import natya_forked
import pytest

FILES = {
    "test_shared.py": """
        import os, pytest
        @pytest.fixture(scope="module")
        def shared(): return []
        def test_a(shared): shared.append(os.getpid())
        def test_b(shared): assert shared == [os.getpid()]
    """,
    "test_fails.py": """
        def test_says_why(): print("seen before"); assert {"a": 1} == {"a": 2}
        def test_after_it(): pass
    """,
    "test_dies.py": """
        import os
        def test_before(): pass
        def test_dies(): os._exit(7)
        def test_after():
            try: raise ValueError
            except ValueError as fault: assert fault.__context__ is None
    """,
    "test_is_left_out.py": """
        import pytest
        @pytest.mark.skip(reason="not today")
        def test_skipped(): pass
    """,
    "test_ends_badly.py": """
        import atexit, os, pytest
        @pytest.fixture(scope="session")
        def lasting():
            yield
            raise RuntimeError("when all was over")
        def test_passes(lasting): pass
    """,
}


def run(directory, *options, files=FILES):
    """Run pytest there as somebody else would; return its status and its words."""
    for name, text in files.items():
        lines = text.strip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip())
        Path(directory, name).write_text("\n".join(line[indent:] for line in lines) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "natya_forked", "-p", "no:cacheprovider", "-v", "-rA", *options]
    environment = {"PYTHONPATH": str(Path(natya_forked.__file__).parent), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    return run(tmp_path_factory.mktemp("played"), "--processes", "2")


class TestARun:
    def test_counts_every_test_once(self, played):
        status, said = played

        assert status == pytest.ExitCode.TESTS_FAILED
        assert "2 failed, 6 passed, 1 skipped, 1 error" in said

    def test_keeps_what_a_file_shares(self, played):
        assert "test_shared.py::test_b PASSED" in played[1]

    def test_tells_of_a_failure_what_pytest_tells(self, played):
        assert "assert {'a': 1} == {'a': 2}" in played[1]
        assert "Differing items" in played[1]
        assert "seen before" in played[1]

    def test_goes_on_after_a_process_that_died_and_names_its_test(self, played):
        assert "FAILED test_dies.py::test_dies - the process of this test ended with 7" in played[1]
        assert "test_dies.py::test_after PASSED" in played[1]

    def test_hears_of_what_fails_when_a_process_ends(self, played):
        assert "RuntimeError: when all was over" in played[1]


def test_a_run_that_is_to_end_at_the_first_failure_does(tmp_path):
    files = {name: FILES[name] for name in ("test_fails.py", "test_shared.py")}
    status, said = run(tmp_path, "--processes", "1", "-x", files=files)

    assert status == pytest.ExitCode.TESTS_FAILED
    assert "1 failed" in said
    assert "test_shared.py::test_a" not in said


def test_all_that_pass_are_a_success(tmp_path):
    status, said = run(tmp_path, "--processes", "3", files={"test_shared.py": FILES["test_shared.py"]})

    assert status == pytest.ExitCode.OK
    assert "2 passed" in said


def test_a_process_that_fails_only_after_its_last_test_fails_the_run(tmp_path):
    late = """
        import atexit, os
        def test_passes(): atexit.register(os._exit, 9)
    """
    status, said = run(tmp_path, "--processes", "1", files={"test_late.py": late})

    assert status == pytest.ExitCode.TESTS_FAILED
    assert "the process of this test ended with 9" in said
