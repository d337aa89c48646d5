"""What is installed: exactly the package, under one name."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
DATA = {".css", ".csv", ".html", ".js", ".json", ".LICENSE", ".sql", ".template", ".toml"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The names of the files in a wheel that is built from a copy of the tree, without the network."""
    place = tmp_path_factory.mktemp("wheel")
    ours = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, place / "tree", ignore=ours)
    (place / "out").mkdir()
    build = f"from setuptools.build_meta import build_wheel; build_wheel({str(place / 'out')!r})"  # as pip calls it
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=place / "tree", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = (place / "out").glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def package_files():
    """Every file of the tree that belongs to the package, as it is called inside it."""
    inside = [path for room in ROOMS for path in (ROOT / room).rglob("*")]
    files = [*(path for path in ROOT.glob("*.py") if path.name != "setup.py"), ROOT / "py.typed", *inside]
    wanted = (path.relative_to(ROOT) for path in files if path.suffix in {".py", *DATA} or path.name == "py.typed")
    return {f"natya/{path.as_posix()}" for path in wanted}


class TestTheWheel:
    def test_holds_exactly_the_files_of_the_package(self, wheel):
        assert {name for name in wheel if ".dist-info/" not in name} == package_files()

    def test_has_every_room(self, wheel):
        assert ROOMS == [
            "actors",
            "backtest",
            "cli",
            "client",
            "composition",
            "config",
            "domain",
            "messages",
            "testing",
            "transfer",
        ]
        assert all(f"natya/{room}/__init__.py" in wheel for room in ROOMS)

    def test_has_one_name_at_its_top(self, wheel):
        assert {name.partition("/")[0] for name in wheel if ".dist-info/" not in name} == {"natya"}

    @pytest.mark.parametrize("folder", ["tests", "examples", "benchmarks", "docs"])
    def test_leaves_out(self, wheel, folder):
        assert not [name for name in wheel if name.startswith((f"natya/{folder}/", f"{folder}/"))]

    @pytest.mark.parametrize(
        "name",
        [
            "py.typed",
            "config/default.toml",
            "config/paper.toml",
            "config/live.toml",
            "config/live_market.toml",
            "config/backtest.toml",
        ],
    )
    def test_brings_what_it_reads(self, wheel, name):
        assert f"natya/{name}" in wheel

    def test_brings_the_migrations_of_both_databases(self, wheel):
        found = [Path(name) for name in wheel if name.endswith(".sql")]
        migrations = {path.name.partition("_")[0] for path in found if path.parent.name == "migrations"}
        schemas = {path.stem for path in found if path.parent.name == "schema"}

        assert migrations == schemas == {"core", "market"}

    def test_brings_the_licence_and_the_command(self, wheel):
        assert any(name.endswith("/LICENSE") for name in wheel)
        assert any(name.endswith("/entry_points.txt") for name in wheel)


class TestThePackages:
    @pytest.mark.parametrize("room", ROOMS)
    def test_forgets_no_folder_that_lacks_its_init(self, room):
        folders = {path.parent for path in (ROOT / room).rglob("*.py")}

        assert not [folder for folder in folders if not (folder / "__init__.py").exists()]
