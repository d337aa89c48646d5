"""Check, back up, archive, export, sort: while the database is open."""

import datetime as dt
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from natya_database import opened

from natya.actors.database import DuckDBAdapter, MarketDataRepositoryImpl
from natya.actors.database.errors import DatabaseDamaged, StatementFailed
from natya.actors.database.tables.archive_folder import archive_folder, make_durable
from natya.actors.database.tables.moments import start_ns
from natya.actors.database.upkeep import copies, days
from natya.actors.database.upkeep.copies import back_up, check, snapshot
from natya.actors.database.upkeep.days import archive, sort_day, tidy
from natya.actors.database.writing.market import MarketStore
from natya.actors.database.writing.read_model import ReadModel
from natya.domain.time import DAY_NS

pytestmark = pytest.mark.usefixtures("engines")

FRIDAY = dt.date(2026, 1, 2)
FRIDAY_NS = start_ns("2026-01-02T09:15:00")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture
def database(path, folder):
    with opened(path, directories=[str(folder)]) as database:
        yield database


@pytest.fixture
def three_days(database, build):
    """Friday, Saturday, Sunday; ten ticks of two symbols a day."""
    ticks = [
        build.tick(
            1 + number + 10 * day,
            exchange_ns=FRIDAY_NS + day * DAY_NS + number * 10**9,
            symbol=("TCS", "NIFTY")[number % 2],
            depth=build.depth(7 if number == 3 else 5),
        )
        for day in range(3)
        for number in range(10)
    ]
    MarketStore(database).write(ticks, [build.candle()])
    ReadModel(database).apply(build.records(build.intended(), build.filled()))
    return sorted(ticks, key=lambda tick: tick.exchange_ns)


def all_ticks(database):
    with MarketDataRepositoryImpl(database) as market:
        return list(market.find().data)


@pytest.mark.usefixtures("three_days")
class TestACheck:
    def test_finds_nothing_wrong_with_a_good_database(self, database):
        assert check(database) == ()

    @pytest.mark.parametrize(
        ("file", "harm", "problem"),
        [
            ("market", "insert into ticks from ticks limit 1", "a tick is there more than once"),
            ("market", "update recorded set sequence = 3", "beyond what its source has recorded"),
            ("market", "insert into recorded from recorded", "a source is listed more than once"),
            ("core", "delete from facts where sequence = 1", "the facts have a gap"),
            ("core", "update fills set quantity = 1", "do not add up"),
        ],
    )
    def test_names_what_contradicts(self, database, file, harm, problem):
        database.execute(harm, file=file)

        assert any(problem in found for found in check(database))


class TestABackup:
    def test_opens_as_the_same_database(self, database, folder, three_days):
        core, market = back_up(database, folder)

        with DuckDBAdapter(core, max_connections=3) as copy:
            assert copy.market_path == str(market)
            assert all_ticks(copy) == three_days
            assert ReadModel(copy).sequence() == 2
            assert check(copy) == ()

    def test_is_of_one_moment_while_others_write(self, database, folder, build):
        with ThreadPoolExecutor(1) as threads:
            store = MarketStore(database)
            writing = threads.submit(lambda: [store.write(build.ticks(20, start=1 + 20 * n)) for n in range(30)])
            core, _ = back_up(database, folder)
            writing.result()

        with DuckDBAdapter(core, max_connections=3) as copy:
            sequences = [tick.sequence for tick in all_ticks(copy)]
            assert sequences == list(range(1, len(sequences) + 1))
            assert len(sequences) % 20 == 0
            assert check(copy) == ()

    def test_never_replaces_another(self, database, folder):
        back_up(database, folder)

        with pytest.raises(FileExistsError, match=r"natya\.duckdb is there already"):
            back_up(database, folder)

    @pytest.mark.parametrize("harm", ["delete from ticks where sequence = 1", "update ticks set price = price + 1"])
    @pytest.mark.parametrize("kind", ["backup", "snapshot"])
    @pytest.mark.usefixtures("three_days")
    def test_that_does_not_read_back_is_none(self, database, folder, monkeypatch, harm, kind):
        """A disk may take the bytes and lose them."""
        harmed_files = []
        read_and_copy = database.read_and_copy

        def harmed(work, *, label, **options):
            done = read_and_copy(work, label=label, **options)
            if label in {"back up market", "snapshot"}:
                name = "natya-market.duckdb" if kind == "backup" else "copy.duckdb"
                with duckdb.connect(folder / name) as copy:
                    copy.execute(harm)
                harmed_files.append(name)
            return done

        monkeypatch.setattr(database, "read_and_copy", harmed)
        with pytest.raises(DatabaseDamaged, match="reads back as"):
            back_up(database, folder) if kind == "backup" else snapshot(database, folder / "copy.duckdb")
        assert len(harmed_files) == 1

    def test_of_one_file_has_both_as_they_were_at_one_moment(self, database, folder, monkeypatch):
        """What is committed to the core file while the market file is copied comes too late for it."""
        database.execute("create table notes (text varchar)")
        database.execute("insert into notes values ('before')")
        fingerprints, copied = copies._fingerprints, []

        def noted(cursor, file):
            copied.append(file)
            if copied == ["market"]:
                database.execute("insert into notes values ('meanwhile')")
            return fingerprints(cursor, file)

        monkeypatch.setattr(copies, "_fingerprints", noted)
        snapshot(database, folder / "copy.duckdb")

        assert copied == ["market", "core", "backup"]
        with duckdb.connect(folder / "copy.duckdb") as copy:
            assert copy.execute("select text from notes").fetchall() == [("before",)]

    @pytest.mark.parametrize("kind", ["backup", "snapshot"])
    def test_ends_at_each_of_its_steps_when_who_asked_is_gone_or_the_time_is_over(
        self, database, folder, monkeypatch, kind
    ):
        steps, abandoned = [], Future()
        read_and_copy = database.read_and_copy

        def noted(work, *, label, **options):
            steps.append(options)
            return read_and_copy(work, label=label, **options)

        monkeypatch.setattr(database, "read_and_copy", noted)
        options = {"timeout_s": 30.0, "abandoned": abandoned}
        back_up(database, folder, **options) if kind == "backup" else snapshot(
            database, folder / "copy.duckdb", **options
        )

        assert steps == [options] * (4 if kind == "backup" else 2)

    @pytest.mark.usefixtures("engine_of_its_own")
    def test_is_written_only_where_the_owner_allows_it(self, database, tmp_path):
        with pytest.raises(StatementFailed, match="file system operations are disabled"):
            back_up(database, tmp_path / "anywhere")


class TestAnArchive:
    def test_takes_the_days_and_hides_nothing(self, database, folder, three_days):
        archived = archive(database, folder, before=FRIDAY + dt.timedelta(days=2))

        assert [(day.day, day.rows) for day in archived] == [(FRIDAY, 10), (FRIDAY + dt.timedelta(days=1), 10)]
        assert all(Path(day.file).exists() for day in archived)
        assert database.query("select count(*) from ticks").rows == ((10,),)
        assert all_ticks(database) == three_days
        assert check(database) == ()

    def test_still_knows_what_it_recorded(self, database, folder, three_days):
        archive(database, folder, before=FRIDAY + dt.timedelta(days=9))
        written = MarketStore(database).write(three_days)

        assert (written.ticks, written.duplicates) == (0, 30)

    def test_is_seen_after_a_reopening(self, database, folder, three_days, path):
        archive(database, folder, before=FRIDAY + dt.timedelta(days=1))
        database.close()

        with DuckDBAdapter(path, max_connections=3, directories=[str(folder)]) as again:
            assert all_ticks(again) == three_days

    def test_beside_the_files_is_seen_without_a_word_about_it_and_moves_with_them(self, tmp_path, build):
        home = tmp_path / "it's home"
        with DuckDBAdapter(home / "natya.duckdb", max_connections=3) as database:
            MarketStore(database).write(build.ticks(10, exchange_ns=FRIDAY_NS))
            folder = archive_folder(database.core_path)
            folder.mkdir()
            archive(database, folder, before=FRIDAY + dt.timedelta(days=1))
        home.rename(tmp_path / "moved")

        for _ in range(2):
            with DuckDBAdapter(tmp_path / "moved" / "natya.duckdb", max_connections=3) as database:
                assert len(all_ticks(database)) == 10
                assert check(database) == ()

    def test_takes_late_ticks_of_an_archived_day_too(self, database, folder, three_days, build):
        archive(database, folder, before=FRIDAY + dt.timedelta(days=1))
        late = build.tick(31, exchange_ns=FRIDAY_NS + 3600 * 10**9)
        MarketStore(database).write([late])
        (day,) = archive(database, folder, before=FRIDAY + dt.timedelta(days=1))

        assert day.rows == 1
        assert sorted(tick.sequence for tick in all_ticks(database)) == list(range(1, 32))
        assert len(three_days) == 30

    def test_lets_the_writer_go_on_and_takes_the_ticks_that_come_while_a_day_is_copied(
        self, database, folder, three_days, build, monkeypatch
    ):
        late = build.tick(31, exchange_ns=FRIDAY_NS + 3600 * 10**9, depth=build.depth())

        def make_durable_late(file):
            monkeypatch.setattr(days, "make_durable", make_durable)
            assert MarketStore(database).write([late]).ticks == 1
            make_durable(file)

        monkeypatch.setattr(days, "make_durable", make_durable_late)
        (day,) = archive(database, folder, before=FRIDAY + dt.timedelta(days=1))

        assert day.rows == 11
        assert database.query("select count(*) from ticks").rows == ((20,),)
        assert late in all_ticks(database)
        assert check(database) == ()
        assert len(all_ticks(database)) == len(three_days) + 1

    def test_ignores_a_file_that_a_crash_left_behind(self, database, folder, three_days):
        archive(database, folder, before=FRIDAY + dt.timedelta(days=1))
        (first,) = folder.glob(f"*/ticks-{FRIDAY}-0.parquet")
        for place in (first.parent, folder):
            (place / "ticks-2026-01-03-0.parquet").write_bytes(first.read_bytes())

        assert all_ticks(database) == three_days


class TestADayOfTheExchange:
    """Its midnight is India's: 18:30 UTC of the day before."""

    @pytest.fixture
    def night(self, database, build):
        """The last tick of Thursday, the first and the last of Friday, the first of Saturday."""
        times = ("2026-01-01T23:59:59", "2026-01-02T00:00:00", "2026-01-02T23:59:59", "2026-01-03T00:00:00")
        MarketStore(database).write(
            [build.tick(n, exchange_ns=start_ns(time)) for n, time in enumerate(times, start=1)]
        )

    @pytest.mark.usefixtures("night")
    def test_is_what_is_archived(self, database, folder):
        archived = archive(database, folder, before=FRIDAY + dt.timedelta(days=1))

        assert [(str(day.day), day.rows) for day in archived] == [("2026-01-01", 1), ("2026-01-02", 2)]
        assert database.query("select sequence from ticks").rows == ((4,),)
        for day in archived:
            with duckdb.connect() as engine:
                rows = engine.execute("select min(sequence), max(sequence) from read_parquet(?)", [day.file]).fetchall()
            assert rows == [(1, 1) if str(day.day) == "2026-01-01" else (2, 3)]

    @pytest.mark.usefixtures("night")
    def test_is_what_is_sorted(self, database):
        assert sort_day(database, FRIDAY) == 2
        assert database.query("select day::varchar, rows from sorted_days").rows == (("2026-01-02", 2),)

    @pytest.mark.usefixtures("night")
    @pytest.mark.parametrize(
        ("now", "sorted_day"),
        [
            ("2026-01-02T00:00:00", None),
            ("2026-01-02T00:29:59", None),
            ("2026-01-02T00:30:00", "2026-01-01"),
            ("2026-01-02T05:29:59", "2026-01-01"),
            ("2026-01-02T05:30:00", "2026-01-01"),
        ],
    )
    def test_is_over_half_an_hour_after_its_midnight(self, database, now, sorted_day):
        """Late ticks are there by then."""
        day = tidy(database, start_ns(now))
        assert (day and str(day)) == sorted_day

    @pytest.mark.usefixtures("night")
    def test_is_sorted_one_at_a_time_the_oldest_first_and_once(self, database, build):
        now_ns = start_ns("2026-01-04T09:00:00")
        found = [tidy(database, now_ns) for _ in range(4)]
        assert [day and day.day for day in found] == [1, 2, 3, None]

        MarketStore(database).write([build.tick(5, exchange_ns=start_ns("2026-01-02T12:00:00"))])
        assert [tidy(database, now_ns), tidy(database, now_ns)] == [FRIDAY, None]


class TestSortingADay:
    def test_changes_the_order_and_nothing_else(self, database, three_days):
        assert sort_day(database, FRIDAY) == 10

        symbols = [symbol for (symbol,) in database.query("select symbol from ticks").rows]
        assert symbols[-10:] == ["NIFTY"] * 5 + ["TCS"] * 5
        assert all_ticks(database) == three_days
        assert check(database) == ()
