import subprocess
import sys

import pytest

import natya


@pytest.mark.parametrize("name", natya.__all__)
def test_every_public_name_can_be_had(name):
    assert getattr(natya, name) is not None
    assert name in dir(natya)


def test_another_name_is_refused_as_by_any_module():
    with pytest.raises(AttributeError, match="module 'natya' has no attribute 'Tik'"):
        natya.Tik  # noqa: B018


def test_the_names_are_sorted_and_there_once():
    assert natya.__all__ == sorted(set(natya.__all__))


def test_importing_natya_loads_none_of_its_rooms():
    program = "import sys, natya; print([name for name in sys.modules if name.startswith(('natya.', 'duckdb'))])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_who_asks_a_running_system_loads_nothing_that_only_the_system_needs():
    program = "import sys, natya; natya.connect; print({'thespian', 'duckdb', 'numpy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_a_system_that_nobody_awaits_loads_no_event_loop():
    program = "import sys, natya; natya.TradingSystem; print('natya.system' in sys.modules, 'asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "True False\n"


def test_the_version_is_that_of_the_distribution():
    assert natya.__version__.count(".") == 2
