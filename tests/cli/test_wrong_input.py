"""What an ordinary user may get wrong when he starts it: a line that says what was wanted, and its exit code."""

import pytest

CROSSOVER = "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"


@pytest.fixture
def refused(natya, tmp_path, monkeypatch):
    """Run with something wrong in a directory that has a file, a folder and a file of settings; it must be refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "afile").write_text("x")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "afolder").mkdir()
    (tmp_path / "broken.toml").write_text("[feed\n")

    def call(arguments):
        fast = [] if "--speed" in arguments else ["--speed", "max"]
        result = natya("run", "--duration", "0.01", *fast, *arguments)
        if isinstance(result.exception, Exception):
            raise result.exception
        assert result.stdout == ""
        return result.exit_code, result.stderr

    return call


class TestARunThatCannotBe:
    @pytest.mark.parametrize(
        ("arguments", "code", "told"),
        [
            (["--data-dir", "afile"], 73, "data directory {here}/afile cannot be used: "),
            (["--data-dir", "afile/below"], 73, "data directory {here}/afile/below cannot be used: Not a directory"),
            (["--data-dir", "/proc/natya"], 73, "data directory /proc/natya cannot be used: "),
            (["--data-dir", "x" * 300], 73, "cannot be used: File name too long"),
            (["--data-dir", "/".join(["x" * 200] * 30)], 73, "cannot be used: File name too long"),
            (["--data-dir", "~nosuchuser/x"], 78, "system.data_dir: wanted a path, found '~nosuchuser/x'"),
            (["--set", "log.path=afolder"], 73, "the log {here}/afolder cannot be opened: Is a directory"),
            (["--set", "log.path=none/x.log"], 73, "the log {here}/none/x.log cannot be opened: No such file"),
            (["--set", "journal.path=afile"], 73, "journal: no restart can mend it"),
            (["--set", "journal.path=afile/below"], 73, "journal {here}/afile/below cannot be opened: Not a directory"),
            (["--config", "none.toml"], 78, "none.toml: cannot be read: No such file or directory"),
            (["--config", "afolder"], 78, "afolder: cannot be read: Is a directory"),
            (["--config", "broken.toml"], 78, "broken.toml: wanted TOML"),
            (["--strategy", "nothere:X"], 78, "module 'nothere' of strategy 'nothere:X' was not found"),
            (["--strategy", "json:Nope"], 78, "module 'json' has no class 'Nope'"),
            (["--strategy", "json:JSONDecoder"], 78, "a subclass of StrategyActor wanted"),
            (["--strategy", "nocolon"], 78, "strategies[0].strategy: wanted module:Class, found 'nocolon'"),
            (
                ["--strategy", CROSSOVER, "--param", "fats=10"],
                78,
                "unknown fats; did you mean fast?",
            ),
            (["--strategy", CROSSOVER, "--param", "fast=ten"], 78, "fast: Expected `int`, got `str`, found 'ten'"),
            (["--param", "fast=10"], 2, "--strategy, whose parameters they are, wanted beside --param"),
            (
                ["--strategy", CROSSOVER, "--param", "fast"],
                2,
                "a parameter of the strategy, key=value, is wanted, found 'fast'",
            ),
            (["--speed", "-1"], 78, "feed.speed: wanted a number from 0"),
            (["--speed", "fast"], 2, "a number or max is wanted, found 'fast'"),
            (["--set", "feed.seed"], 2, "section.key=value is wanted"),
            (["--set", "feed.sed=1"], 78, "feed.sed: unknown key; did you mean feed.seed?"),
            (["--replay", "none.csv"], 65, "none.csv"),
            (["--replay", "afolder"], 65, "afolder"),
            (["--replay", "empty.csv"], 65, "empty.csv"),
            (["--replay", "afile"], 65, "afile"),
            (["--replay", "none.csv", "--replay", "empty.csv"], 65, "none.csv"),
            (["--symbol", ""], 78, "feed.symbols: wanted a symbol of 1 to 64 printable characters, found ''"),
            (["--symbol", "R\u00c9LIANCE"], 78, "feed.symbols: wanted a symbol of 1 to 64 printable characters"),
            (["--set", "orders.symbols=TCS,\x07"], 78, "orders.symbols: wanted a symbol of 1 to 64"),
            (["--set", f"feed.symbol={'X' * 65}"], 78, "feed.symbol: wanted a symbol of 1 to 64"),
            (["--profile", "live"], 78, "wanted the number of the account"),
            (["--profile", "papper"], 2, "papper"),
            (
                ["--seed", "7", "--replay", "empty.csv"],
                2,
                "--seed is heeded where feed.source is synthetic, found replay",
            ),
            (["--max-bad-rows", "3"], 2, "--max-bad-rows is heeded where feed.source is replay, found synthetic"),
            (["--interval", "5m"], 2, "--interval is heeded where feed.source is replay, found synthetic"),
            (["--dates", "day-first"], 2, "--dates is heeded where feed.source is replay, found synthetic"),
            (["--decimal", "comma"], 2, "--decimal is heeded where feed.source is replay, found synthetic"),
            (["--zone", "UTC"], 2, "--zone is heeded where feed.source is replay, found synthetic"),
            (
                ["--profile", "node", "--live", "--summary", "json"],
                2,
                "those of its broker node, found --duration, --live, --speed, --summary json",
            ),
        ],
        ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
    )
    def test_says_why_and_ends_with_its_code(self, refused, tmp_path, arguments, code, told):
        found, said = refused(arguments)

        assert found == code, said
        assert told.format(here=tmp_path) in " ".join(said.split())
        assert "Traceback" not in said
        assert len(said.splitlines()) <= 8

    def test_of_a_live_market_has_no_speed(self, refused, monkeypatch):
        monkeypatch.setenv("NATYA_BROKER__CLIENT_ID", "1000000001")
        monkeypatch.setenv("NATYA_BROKER__ACCESS_TOKEN", "token")

        found, said = refused(["--feed", "dhan", "--speed", "2", "--set", "feed.options={url='ws://127.0.0.1:1'}"])

        assert (found, "--speed is heeded where feed.source is replay or synthetic, found dhan" in said) == (2, True)

    def test_leaves_the_directory_as_it_was_where_nothing_was_started(self, refused, tmp_path):
        for arguments in (
            ["--strategy", "nothere:X"],
            ["--set", "feed.sed=1"],
            ["--data-dir", "afile"],
            ["--replay", "none.csv"],
        ):
            refused([*arguments, "--data-dir", "new"] if "--data-dir" not in arguments else arguments)

        assert sorted(each.name for each in tmp_path.iterdir()) == ["afile", "afolder", "broken.toml", "empty.csv"]
