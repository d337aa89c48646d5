"""`natya init`: a project that runs as it is."""

import msgspec
import pytest
from natya_starts import run_python


@pytest.fixture
def project(natya, tmp_path):
    made = natya("init", tmp_path / "momentum")
    assert made.exit_code == 0
    return tmp_path / "momentum"


class TestAProject:
    def test_passes_its_own_tests(self, project):
        options = ["-q", "--natya-seeds", "1", "-p", "no:cacheprovider"]

        ended = run_python(f"import pytest; raise SystemExit(pytest.main({options}))", cwd=project)

        assert "2 passed" in ended.stdout, ended.stdout
        assert ended.returncode == 0

    def test_has_settings_that_are_right(self, natya, project, monkeypatch):
        monkeypatch.chdir(project)
        monkeypatch.syspath_prepend(project)

        assert natya("config", "check", "--config", "natya.toml").exit_code == 0

    def test_has_a_notebook_whose_cells_run(self, project, monkeypatch):
        monkeypatch.chdir(project)
        closes = [100 + number % 7 for number in range(60)]
        rows = [f"2026-01-02 10:{minute:02},{price},{price},{price},{price},5" for minute, price in enumerate(closes)]
        (project / "candles.csv").write_text("\n".join(["date,open,high,low,close,volume", *rows]))
        notebook = msgspec.json.decode((project / "research.ipynb").read_bytes())
        cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        program = "\n".join(
            ["import sys; sys.path.insert(0, '')", *cells[:2], "print(result.table('equity').df().columns)"]
        )

        ended = run_python(program)

        assert ended.returncode == 0, ended.stderr
        assert "equity" in ended.stdout

    def test_keeps_what_is_there(self, natya, project):
        (project / "strategy.py").write_text("mine")

        again = natya("init", project)

        assert again.exit_code == 0
        assert (project / "strategy.py").read_text() == "mine"
        assert "kept" in again.stdout

    def test_is_not_made_where_nothing_can_be(self, natya, tmp_path):
        (tmp_path / "file").write_text("")

        refused = natya("init", tmp_path / "file")

        assert refused.exit_code == 73
        assert str(tmp_path / "file") in refused.output
