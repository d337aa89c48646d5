"""Files of strangers in and out of the database, against a reading of them that knows nothing of natya."""

import contextlib
import csv
import datetime as dt
import functools
import gzip
import io
from decimal import Decimal
from pathlib import Path
from random import Random
from types import SimpleNamespace

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from natya_builders import a_candle, a_tick
from natya_database import put_migrated
from natya_examples import QUARTER
from natya_market import without_rows

from natya.actors.database import MarketDataRepositoryImpl, OwnFiles
from natya.actors.feed import RecordingError
from natya.client import closed_days, owner, series, stat
from natya.config.loader import load_settings
from natya.domain.history import Hours, Missing
from natya.messages.codec import encode
from natya.messages.database import ArchiveDay, Query, SaveMarketData
from natya.messages.history import Fetched
from natya.messages.market import Candle, Tick
from natya.transfer import export, exporting, import_file, importing

pytestmark = pytest.mark.usefixtures("engines")

SHARED = Path(__file__).parents[3] / "shared" / "data"
IST = dt.timezone(dt.timedelta(hours=5, minutes=30))
MORNING = dt.datetime(2026, 1, 2, 9, 15, tzinfo=IST)
DAY = ("2026-01-01", "2026-01-31")


@pytest.fixture(scope="module")
def shared_files():
    """Recordings of the real market, where they lie beside the project: they are not ours to hand on."""
    if not SHARED.is_dir():
        pytest.skip(f"there are no recordings in {SHARED}")
    return {path.name: path for path in SHARED.glob("*.csv")}


@contextlib.contextmanager
def files_in(folder):
    """Open files that the migrations have made there."""
    put_migrated(folder)
    loaded = load_settings("paper", environment={}, overrides={"system.data_dir": str(folder)})
    with OwnFiles(loaded, read_only=False) as own:
        yield own


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Files of all tests that leave nothing but rows in them, and the market's repository of them."""
    with (
        files_in(tmp_path_factory.mktemp("shared") / "data") as own,
        MarketDataRepositoryImpl(own.database) as market,
    ):
        yield own, market


@pytest.fixture
def empty(shared):
    """Such files without a row."""
    without_rows(shared[0].database)
    return shared


@pytest.fixture
def own(empty):
    return empty[0]


@pytest.fixture
def market(empty):
    return empty[1]


@pytest.fixture
def write(tmp_path):
    def build(text, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return build


@pytest.fixture
def bring(own, write):
    """Import a text and tell what became of it."""

    def build(text, *, symbol="TCS", **options):
        return import_file(write(text), own, symbol=symbol, **options)

    return build


@pytest.fixture
def small_batches(monkeypatch):
    """What is saved at once is a fifth: three parts need no more ticks than that."""
    monkeypatch.setattr(importing, "BATCH_MESSAGES", 2_000)
    return importing.BATCH_MESSAGES


def rows(own, sql):
    return own.work(Query(sql=sql), timeout_s=5).rows


def ns(moment):
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000


def ticks_text(count=5, end="\n"):
    lines = [f"{(MORNING + dt.timedelta(seconds=n)).isoformat()},{100 + n}.05,{n}" for n in range(count)]
    return end.join(["time,ltp,volume", *lines, ""])


def candles_text(count=5):
    lines = [
        f"{(MORNING + dt.timedelta(minutes=n)).isoformat()},{100 + n}.1,{102 + n}.3,{99 + n}.2,{101 + n}.4,{n}"
        for n in range(count)
    ]
    return "\n".join(["date,open,high,low,close,volume", *lines, ""])


class TestTheSharedFiles:
    """They are read here with the csv module alone."""

    def test_of_candles_say_what_the_file_says(self, own, market, shared_files):
        for name, interval in (("reliance_1min_60days.csv", "1m"), ("reliance_daily_2000days.csv", "1d")):
            import_file(shared_files[name], own, symbol=name)
            with shared_files[name].open() as file:
                wanted = [
                    (
                        ns(dt.datetime.fromisoformat(row["date"])),
                        *(float(row[field]) for field in ("open", "high", "low", "close")),
                        int(row["volume"]),
                    )
                    for row in csv.DictReader(file)
                ]
            found = market.candles(name, interval, "2000-01-01", "2100-01-01").data

            assert [(c.start_ns, c.open, c.high, c.low, c.close, c.volume) for c in found] == wanted

    def test_of_ticks_say_what_the_file_says(self, own, market, shared_files):
        path = shared_files["dhan_nifty_futures_ticks.csv"]
        done = import_file(path, own, symbol="NIFTY")
        with path.open() as file:
            read = [row for row in csv.DictReader(file) if row["ltp"]]
        found = market.find_by_symbol_and_date_range("NIFTY", "2025-12-29", "2025-12-29").data

        assert (done.ticks, done.written, len(found)) == (len(read), len(read), len(read))
        for tick, row in zip(found, read, strict=True):
            time = dt.datetime.fromisoformat(row["time"]).replace(tzinfo=IST)
            assert (tick.exchange_ns, tick.volume, tick.quantity) == (ns(time), int(row["volume"]), int(row["ltq"]))
            assert tick.price == float(round(Decimal(row["ltp"]), 2))
            assert tick.day.open_interest == int(row["oi"])
            assert tick.depth.bid_prices == tuple(
                float(round(Decimal(row[f"bid_price_{level}"]), 2)) for level in range(1, 6)
            )
            assert tick.depth.ask_quantities == tuple(int(row[f"ask_qty_{level}"]) for level in range(1, 6))


class TestAStrangersFile:
    @pytest.mark.parametrize(
        "text",
        [
            ticks_text(end="\r\n"),
            "\ufeff" + ticks_text(),
            gzip.compress(ticks_text().encode()),
            ticks_text().replace("time,ltp,volume", '"Time","Last Price","Vol"'),
            ticks_text().replace("+05:30", ""),
            ticks_text().replace("T", " ").replace("+05:30", ""),
            ticks_text().rstrip("\n"),
            ticks_text().replace("\n", "\n\n"),
            "\n".join(",".join(reversed(line.split(","))) for line in ticks_text().splitlines()),
            "\n".join(f"{line},extra" for line in ticks_text().splitlines()),
        ],
        ids=["crlf", "bom", "gzip", "quotes", "naive", "spaced", "no end", "blank", "reversed", "more columns"],
    )
    def test_says_the_same_in_every_dress(self, bring, market, text):
        bring(text)
        ticks = market.find_by_symbol_and_date_range("TCS", *DAY).data

        assert [(tick.exchange_ns, tick.price, tick.volume) for tick in ticks] == [
            (ns(MORNING + dt.timedelta(seconds=n)), 100.05 + n, n) for n in range(5)
        ]

    def test_in_another_zone_is_at_the_same_time(self, bring, market):
        london = dt.datetime(2026, 1, 2, 3, 45, tzinfo=dt.UTC)
        bring(f"time,ltp\n{london.isoformat()},1\n{int(london.timestamp())},2\n")
        bring(f"time,ltp\n{ns(london)},3\n")

        assert {tick.exchange_ns for tick in market.find().data} == {ns(MORNING)}

    def test_may_lack_what_is_not_needed(self, bring, market):
        bring("date,open,high,low,close\n2026-01-02T09:15:00,1,2,0.5,1.5\n")

        (candle,) = market.candles("TCS", "1m", *DAY).data
        assert (candle.close, candle.volume) == (1.5, 0)

    def test_keeps_prices_as_they_are_written(self, bring, market):
        """0.01 and 0.05 are the grids of some; currencies have four decimals, and a wire has 32 bits."""
        bring("time,ltp\n2026-01-02,101.337\n2026-01-02,83.4525\n2026-01-02,25974.900390625\n2026-01-02,0.0175\n")

        assert [tick.price for tick in market.find().data] == [101.337, 83.4525, 25974.9, 0.0175]

    def test_may_be_rounded_to_a_grid(self, bring, market):
        bring("time,ltp\n2026-01-02,101.337\n", tick_size_rupees=0.05)

        assert [tick.price for tick in market.find().data] == [101.35]

    def test_may_have_dates_a_zone_and_a_length_that_it_does_not_tell(self, own, bring):
        text = "date,open,high,low,close\n03/04/2025 03:45,1,1,1,1\n"
        bring(text, dates="day-first", zone="UTC", interval_ns=5 * MINUTE_NS)
        at_ns = ns(dt.datetime(2025, 4, 3, 9, 15, tzinfo=IST))

        assert rows(own, "select start_ns, interval_ns from candles") == ((at_ns, 5 * MINUTE_NS),)

    def test_of_several_symbols_may_be_sorted_by_symbol(self, bring, market):
        lines = candles_text(3).splitlines()
        text = "\n".join(["symbol," + lines[0], *(f"{s},{line}" for s in ("TCS", "INFY") for line in lines[1:])])
        done = bring(text)

        assert done.symbols == ("INFY", "TCS")
        assert len(market.candles("INFY", "1m", *DAY).data) == len(market.candles("TCS", "1m", *DAY).data) == 3

    def test_of_ticks_sorted_by_symbol_is_taken_too(self, bring, market):
        bring("symbol,time,ltp\nB,2026-01-02T10:00,1\nB,2026-01-02T11:00,2\nA,2026-01-02T09:00,3\n")

        assert market.latest("B").data.price == 2
        assert market.latest("A").data.price == 3

    def test_may_have_several_ticks_at_one_time(self, bring, market):
        bring("time,ltp\n2026-01-02T09:15,1\n2026-01-02T09:15,2\n2026-01-02T09:15,2\n")

        assert [tick.price for tick in market.find().data] == [1, 2, 2]

    @given(seed=st.integers(0, 2**32))
    @settings(max_examples=QUARTER, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_of_any_kind_says_what_the_csv_module_reads(self, own, tmp_path, seed):
        path = tmp_path / f"{seed}.csv"
        wanted = write_any(path, Random(seed))
        symbol = f"S{seed}"
        done = import_file(path, own, symbol=symbol)

        assert done.written == done.ticks == len(wanted)
        sql = f"select exchange_ns, price, volume from ticks where symbol = '{symbol}' order by sequence"  # noqa: S608
        assert list(rows(own, sql)) == wanted


def write_any(path, random):
    """Write ticks in a dress that the seed chooses; return what an independent reader makes of them."""
    count = random.randrange(1, 60)
    times = sorted(random.randrange(0, 6 * 3600 * 10**6) for _ in range(count))
    prices = [f"{random.randrange(1, 10 ** random.randrange(2, 9)) / 100:.2f}" for _ in range(count)]
    volumes = [random.choice(["", str(random.randrange(10**9))]) for _ in range(count)]
    zone = random.choice([None, IST, dt.UTC, dt.timezone(dt.timedelta(hours=-5))])
    names = {"time": random.choice(["time", "Timestamp", "DATE"]), "price": random.choice(["ltp", "Last Price"])}
    columns = [names["time"], names["price"], "volume", "remark"]
    random.shuffle(columns)
    out = io.StringIO()
    writer = csv.DictWriter(
        out,
        columns,
        lineterminator=random.choice(["\n", "\r\n"]),
        quoting=random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    )
    writer.writeheader()
    wanted = []
    for micros, price, volume in zip(times, prices, volumes, strict=True):
        moment = MORNING + dt.timedelta(microseconds=micros)
        text = moment.astimezone(zone).isoformat() if zone else moment.replace(tzinfo=None).isoformat(sep=" ")
        writer.writerow({names["time"]: text, names["price"]: price, "volume": volume, "remark": 'a, "b"\nc'})
        wanted.append((ns(moment), float(price), int(volume or 0)))
    data = out.getvalue().encode(random.choice(["utf-8", "utf-8-sig"]))
    path.write_bytes(gzip.compress(data) if random.random() < 0.3 else data)
    return wanted


class TestAFileThatIsRefused:
    @pytest.mark.parametrize(
        ("text", "line", "reason"),
        [
            ("", 0, "an empty file"),
            ("time,ltp\n", 0, "at least one whole row"),
            ("when,what\n1,2\n", 1, "columns time and ltp"),
            ("time:ltp\n2026-01-02:1\n", 1, "columns time and ltp"),
            (ticks_text() + "2026-01-02T10:00,none,1\n", 7, "rupees"),
            (ticks_text() + "2026-01-02T10:00,-5,1\n", 7, "rupees"),
            (ticks_text() + "2026-01-02T10:00,1\n", 7, "3 columns are wanted, found 2"),
            (ticks_text() + "2026-01-01T10:00,1,1\n", 7, "a time not before"),
            (ticks_text() + "02/01/2026,1,1\n", 7, "ISO 8601"),
            (candles_text() + "2026-01-02T10:00,5,4,6,5,1\n", 7, "between low and high"),
            (candles_text() + candles_text().splitlines()[-1] + "\n", 7, "a start after"),
            ("time,timestamp,ltp\n1,2,3\n", 1, "one column for time"),
        ],
        ids=str,
    )
    def test_says_where_and_why_and_leaves_nothing(self, own, bring, text, line, reason):
        with pytest.raises(RecordingError, match=reason) as caught:
            bring(text)

        assert caught.value.line == line
        assert rows(own, "select (select count(*) from ticks) + (select count(*) from candles)") == ((0,),)

    def test_needs_a_symbol(self, bring):
        with pytest.raises(RecordingError, match="--symbol"):
            bring(ticks_text(), symbol="")

    @pytest.mark.usefixtures("small_batches")
    def test_is_mended_and_imported_once(self, own, bring):
        """What was saved of the broken file would be there twice."""
        with pytest.raises(RecordingError):
            bring(ticks_text(5_000) + "broken\n")
        bring(ticks_text(5_000))

        assert rows(own, "select count(*) from ticks") == ((5_000,),)

    def test_may_have_so_many_bad_rows_and_names_them(self, bring):
        text = ticks_text() + "a,b,c\n2026-01-02T10:00,1,1\n,,\n"
        done = bring(text, bad_rows_max=2)

        assert (done.ticks, done.bad_rows) == (6, 1)
        assert [line for line, _ in done.bad_lines] == [7]
        assert "ISO 8601" in done.bad_lines[0][1]
        with pytest.raises(RecordingError, match="line 7"):
            bring(text, bad_rows_max=0)

    def test_tells_the_line_of_a_field_without_end(self, bring):
        with pytest.raises(RecordingError, match="field larger than field limit") as caught:
            bring(ticks_text() + '2026-01-02T10:00,"' + "1" * 200_000 + "\n")

        assert caught.value.line == 7


class TestCandlesThatBeginWithTheNewest:
    """As many vendors sell them."""

    def test_are_what_they_are_in_the_order_of_time(self, own, bring):
        header, *lines = candles_text(400).splitlines()
        candles = "select * exclude (source) from candles order by all"
        bring(candles_text(400))
        forwards = rows(own, candles)
        own.database.execute("delete from market.candles", file="market")
        done = bring("\n".join([header, *reversed(lines), ""]))

        assert (done.candles, done.written) == (400, 400)
        assert rows(own, candles) == forwards

    def test_are_of_a_day_where_they_are_a_day_apart(self, own, bring):
        bring("date,open,high,low,close\n2026-01-05,1,1,1,1\n2026-01-02,1,1,1,1\n2026-01-01,1,1,1,1\n")

        assert rows(own, "select distinct interval_ns from candles") == ((86_400 * 10**9,),)

    @pytest.mark.parametrize("then", ["2026-01-06", "2026-01-05", "2026-01-02", "2026-01-02T12:00"])
    def test_go_on_so_to_the_end(self, own, bring, then):
        text = "date,open,high,low,close\n2026-01-05,1,1,1,1\n2026-01-02,1,1,1,1\n2026-01-01,1,1,1,1\n"
        with pytest.raises(RecordingError, match="a start not after") as caught:
            bring(f"{text}{then},1,1,1,1\n")

        assert caught.value.line == 5
        assert rows(own, "select count(*) from candles") == ((0,),)


class TestAnImport:
    def test_made_twice_is_made_once(self, own, bring):
        first, second = bring(ticks_text()), bring(ticks_text())

        assert (first.written, first.replaced, second.written) == (5, 0, 0)
        assert rows(own, "select count(*) from ticks") == ((5,),)
        assert [bring(candles_text()).written > 0, bring(candles_text()).written] == [True, 0]
        assert rows(own, "select count(*) from candles") == ((5,),)

    def test_made_again_with_a_symbol_that_the_file_does_not_need_is_made_once(self, own, bring):
        header, *lines = ticks_text().splitlines()
        text = "\n".join([f"{header},symbol", *(f"{line},INFY" for line in lines), ""])

        assert [bring(text, symbol=symbol).written for symbol in ("", "TCS", "INFY")] == [5, 0, 0]
        assert rows(own, "select count(*), min(symbol) from ticks") == ((5, "INFY"),)

    def test_tells_of_ticks_that_came_from_elsewhere(self, own, write):
        header, *lines = ticks_text(50).splitlines()
        parts = ["\n".join([header, *part, ""]) for part in (lines[:30], lines[20:])]
        tell = [import_file(write(part), own, symbol=symbol).beside for part in parts for symbol in ("TCS", "INFY")]

        assert tell == [0, 0, 10, 10]
        assert import_file(write(parts[0]), own, symbol="TCS").beside == 10
        assert rows(own, "select count(*) from ticks") == ((120,),)

    def test_tells_of_candles_from_elsewhere_that_it_replaced(self, bring):
        header, *lines = candles_text().splitlines()
        traded = [f"{lines[0]}7", *lines[1:]]
        texts = ["\n".join([header, *some, ""]) for some in (lines[:3], traded, lines[:3], lines[:3])]

        assert [(done.written, done.replaced) for done in map(bring, texts)] == [(3, 0), (5, 3), (3, 3), (0, 0)]

    @pytest.mark.parametrize("parts", [0, 1, 2])
    def test_goes_on_where_it_was_interrupted(self, own, write, small_batches, parts):
        text = ticks_text(5_000)
        with pytest.raises(InterruptedError):
            import_file(write(text), Dying(own, after=parts), symbol="TCS")
        done = import_file(write(text), own, symbol="TCS")

        assert (done.ticks, done.written) == (5_000, 5_000 - parts * small_batches)
        assert rows(own, "select count(*), count(distinct sequence), max(sequence) from ticks") == ((5_000,) * 3,)

    @pytest.mark.usefixtures("small_batches")
    def test_whose_answer_was_lost_is_made_once(self, own, write):
        text = ticks_text(5_000)
        with pytest.raises(InterruptedError):
            import_file(write(text), Dying(own, after=1, silently=True), symbol="TCS")
        import_file(write(text), own, symbol="TCS")

        assert rows(own, "select count(*), count(distinct sequence) from ticks") == ((5_000,) * 2,)

    @pytest.mark.usefixtures("small_batches")
    def test_tells_how_far_it_is(self, bring):
        shares = []
        bring(ticks_text(6_000), on_progress=shares.append)

        assert shares == sorted(shares)
        assert (0 < shares[0] < 0.5, shares[-1]) == (True, 1.0)

    def test_asks_the_owner_for_no_more_than_it_takes(self, own, write):
        header = ",".join(
            f"{side}_{what}_{n}" for n in range(1, 21) for side in ("bid", "ask") for what in ("price", "qty")
        )
        book = ",".join(["100.05", "123456789"] * 40)
        text = f"time,ltp,{header}\n" + f"2026-01-02T10:00,1,{book}\n" * 2_000
        sizes = Sizes(own)
        done = import_file(write(text), sizes, symbol="TCS")

        assert done.written == 2_000
        assert max(sizes.seen) <= importing.PART_BYTES_MAX < sum(sizes.seen)


class Dying:
    """An owner whose asker dies at the save after so many; the save may still be done."""

    def __init__(self, own, *, after, silently=False):
        self.own, self.left, self.silently = own, after, silently

    def work(self, message, *, timeout_s):
        if type(message).__name__ == "SaveMarketData":
            if self.left == 0:
                if self.silently:
                    self.own.work(message, timeout_s=timeout_s)
                raise InterruptedError
            self.left -= 1
        return self.own.work(message, timeout_s=timeout_s)


class Sizes:
    def __init__(self, own):
        self.own, self.seen = own, []

    def work(self, message, *, timeout_s):
        if type(message).__name__ == "SaveMarketData":
            self.seen.append(len(importing.encode(message)))
        return self.own.work(message, timeout_s=timeout_s)


class TestAParquetFile:
    @pytest.mark.parametrize(
        "time",
        [
            "moment::timestamp",
            "moment::timestamp_ns",
            "(moment - interval 330 minutes)::timestamp at time zone 'UTC'",
            "epoch_ns(moment - interval 330 minutes)",
            "epoch_ms(moment - interval 330 minutes)",
            "strftime(moment, '%Y-%m-%d %H:%M:%S')",
        ],
    )
    def test_says_the_same_however_it_writes_times(self, own, market, tmp_path, time):
        path = tmp_path / "ticks.parquet"
        make_parquet(path, f"{time} as timestamp, 100 + n + 0.05::double as ltp, n as volume from rows")
        import_file(path, own, symbol="TCS")

        assert [(tick.exchange_ns, tick.price, tick.volume) for tick in market.find().data] == [
            (ns(MORNING + dt.timedelta(seconds=n)), 100.05 + n, n) for n in range(5)
        ]

    @pytest.mark.parametrize(
        "price", ["(100 + n)::float", "(100 + n)::decimal(10, 4)", "100 + n", "(100 + n)::varchar"]
    )
    def test_says_the_same_however_it_writes_numbers(self, own, market, tmp_path, price):
        path = tmp_path / "ticks.parquet"
        volume = "case when n = 2 then 'nan'::double else n end"
        make_parquet(path, f"moment as time, {price} as ltp, {volume} as volume from rows")
        import_file(path, own, symbol="TCS")

        assert [(tick.price, tick.volume) for tick in market.find().data] == [
            (100 + n, 0 if n == 2 else n) for n in range(5)
        ]

    def test_names_the_bad_row(self, own, tmp_path):
        path = tmp_path / "ticks.parquet"
        make_parquet(path, "moment as time, case when n = 3 then -1.0 else 1.0 end as ltp from rows")

        with pytest.raises(RecordingError, match="line 4"):
            import_file(path, own, symbol="TCS")

    def test_that_is_cut_off_is_refused(self, own, tmp_path):
        path = tmp_path / "ticks.parquet"
        make_parquet(path, "moment as time, 1.0 as ltp from rows")
        path.write_bytes(path.read_bytes()[:-20])

        with pytest.raises(RecordingError, match="is wanted, found"):
            import_file(path, own, symbol="TCS")

    def test_without_a_row_is_refused(self, own, tmp_path):
        path = tmp_path / "ticks.parquet"
        make_parquet(path, "moment as time, 1.0 as ltp from rows where false")

        with pytest.raises(RecordingError, match="at least one whole row"):
            import_file(path, own, symbol="TCS")


@functools.cache
def five_rows():
    """Make an engine in which `rows` has five moments of a morning in India, without a zone."""
    connection = duckdb.connect()
    moments = f"timestamp '{MORNING.replace(tzinfo=None)}' + interval 1 second * range as moment"
    connection.execute(f"create view rows as select range as n, {moments} from range(5)")  # noqa: S608
    return connection


def make_parquet(path, selection):
    """Write a selection from `rows`."""
    five_rows().execute(f"copy (select {selection}) to '{path}' (format parquet)")


TICKS, MINUTES_A_DAY, MINUTE_DAYS, DAYS = 355, 375, 4, 400
LAST_DAY = dt.datetime(2025, 12, 29, 9, 15, tzinfo=IST)


def full_ticks(count):
    """Ticks of LAST_DAY with open interest, the day's summary and a book of five levels; prices as float32 has them."""
    levels = range(1, 6)
    sides = [f"{side}_{what}_{level}" for level in levels for side in ("bid", "ask") for what in ("price", "qty")]
    lines = [
        ",".join(["time", "ltp", "volume", "oi", "ltq", "atp", "open", "high", "low", "close", *sides, "bid_orders_1"])
    ]
    for n in range(count):
        price = 25_974.900390625 + n % 40 * 0.05
        book = [f"{price + sign * 0.1 * level:.9f},{75 * level}" for level in levels for sign in (-1, 1)]
        lines.append(
            f"{LAST_DAY + dt.timedelta(seconds=n, microseconds=553_384)},{price},{3_333_675 + 75 * n},{11_148_150 + n},"
            f"75,26024.109375,26080.0,26100.19921875,25972.400390625,26060.19921875,{','.join(book)},{n % 9 + 1}"
        )
    return "\n".join([*lines, ""])


def walk_of_candles(moments):
    """A candle at each moment."""
    lines, chance, price = ["date,open,high,low,close,volume"], Random(1), 1_490.0
    for moment in moments:
        close = round(price + chance.randint(-20, 20) * 0.1, 1)
        high, low = round(max(price, close) + 0.3, 1), round(min(price, close) - 0.2, 1)
        lines.append(f"{moment.isoformat()},{price},{high},{low},{close},{chance.randint(0, 10**6)}")
        price = close
    return "\n".join([*lines, ""])


@pytest.fixture(scope="class")
def exported(tmp_path_factory):
    """Files with ticks of one day, minutes of four that end with it, and a candle a day of more than a year."""
    minutes = [
        LAST_DAY - dt.timedelta(days=day, minutes=-minute)
        for day in reversed(range(MINUTE_DAYS))
        for minute in range(MINUTES_A_DAY)
    ]
    midnight = LAST_DAY.replace(hour=0, minute=0)
    days = [midnight - dt.timedelta(days=day) for day in reversed(range(DAYS))]
    folder = tmp_path_factory.mktemp("exported")
    with files_in(folder / "data") as own:
        for text, symbol in (
            (full_ticks(TICKS), "NIFTY"),
            (walk_of_candles(minutes), "RELIANCE"),
            (walk_of_candles(days), "RELIANCE"),
        ):
            (folder / "file.csv").write_text(text)
            import_file(folder / "file.csv", own, symbol=symbol)
        yield own


A_DAY_NS = 86_400 * 10**9
SINCE_NS = int(dt.datetime(2025, 12, 26, tzinfo=IST).timestamp()) * 10**9
WITHIN_A_DAY = {"since_ns": SINCE_NS, "until_ns": SINCE_NS + A_DAY_NS}


class TestOneRequest:
    @given(
        sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12),
        most=st.integers(40, 400),
        kinds=st.lists(st.booleans(), min_size=12, max_size=12),
    )
    def test_has_as_much_as_its_owner_accepts_and_all_of_them_have_all(self, sizes, most, kinds):
        messages = [
            (a_tick(number, "T" * size) if is_tick else a_candle("C" * size))
            for number, (size, is_tick) in enumerate(zip(sizes, kinds, strict=False))
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(importing, "PART_BYTES_MAX", most)
            parts = list(importing.small_enough(messages))

        for kept, kind in (("ticks", Tick), ("candles", Candle)):
            found = [each for part in parts for each in getattr(part, kept)]
            assert found == [each for each in messages if isinstance(each, kind)]
        for part in parts:
            assert len(encode(part)) <= most or len(part.ticks) + len(part.candles) == 1


class TestAnExport:
    def test_to_a_file_that_is_there_asks_for_nothing(self, tmp_path):
        target = tmp_path / "there.csv"
        target.write_text("mine")

        with pytest.raises(FileExistsError):
            exporting.query_to(target, None, "select 1", file_format="csv")
        assert target.read_text() == "mine"

    @pytest.mark.parametrize("file_format", ["parquet", "csv"])
    def test_comes_back_as_it_was(self, own, exported, tmp_path, file_format):
        shares = []
        files = list(export(tmp_path / "out", exported, file_format=file_format, on_progress=shares.append))
        for file in files:
            import_file(Path(file.file), own)
        for table, columns in (("full_ticks", "source, sequence, received_ns, deep_book"), ("candles", "source")):
            sql = f"select * exclude ({columns}) from {table} order by all"  # noqa: S608  our names
            assert rows(own, sql) == rows(exported, sql)

        assert shares == [1 / 3, 2 / 3, 1.0]
        assert [Path(file.file).stem for file in files] == ["ticks-2025-12-29", "candles-60s", "candles-86400s"]
        assert sum(file.rows for file in files) == TICKS + MINUTES_A_DAY * MINUTE_DAYS + DAYS

    def test_is_of_the_days_and_symbols_that_were_asked_for(self, exported, tmp_path):
        files = list(export(tmp_path / "out", exported, symbols=["RELIANCE"], **WITHIN_A_DAY))

        assert [(Path(each.file).name, each.rows) for each in files] == [
            ("candles-60s.parquet", MINUTES_A_DAY),
            ("candles-86400s.parquet", 1),
        ]

    def test_of_a_single_candle_comes_back_with_its_interval(self, own, exported, tmp_path):
        _, daily = export(tmp_path / "out", exported, symbols=["RELIANCE"], **WITHIN_A_DAY)
        import_file(Path(daily.file), own)

        assert rows(own, "select interval_ns from candles") == ((86_400 * 10**9,),)

    def test_has_archived_days_too(self, write, tmp_path):
        with files_in(tmp_path / "data") as own:
            import_file(write(full_ticks(TICKS)), own, symbol="NIFTY")
            assert closed_days(own) == (dt.date(2025, 12, 29),)
            own.work(ArchiveDay(day="2025-12-29"), timeout_s=5)
            (file,) = export(tmp_path / "out", own, symbols=["NIFTY"])
            books = five_rows().execute("select count(bid_price_5) from read_parquet(?)", [file.file]).fetchone()

            assert books == (TICKS,)
            assert closed_days(own) == ()
            assert (Path(file.file).name, file.rows) == ("ticks-2025-12-29.parquet", TICKS)
            assert (stat(own).archived_days, stat(own).rows["ticks"], stat(own).rows["all_ticks"]) == (1, 0, TICKS)

    def test_replaces_nothing(self, exported, tmp_path):
        (tmp_path / "candles-60s.parquet").write_text("mine")

        with pytest.raises(FileExistsError, match=r"candles-60s\.parquet"):
            list(export(tmp_path, exported))
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("candles-60s.parquet", "mine")]

    def test_says_how_many_files_are_in_its_way(self, exported, tmp_path):
        for name in ("candles-60s.csv", "candles-86400s.csv"):
            (tmp_path / name).touch()

        with pytest.raises(FileExistsError, match=r"candles-60s\.csv is there already, and 1 other of 3; nothing"):
            list(export(tmp_path, exported, file_format="csv"))

    def test_of_nothing_is_nothing(self, own, tmp_path):
        assert list(export(tmp_path / "out", own)) == []


MINUTE_NS = 60 * 10**9
OPENING_NS = int(MORNING.timestamp()) * 10**9


class TestWhatTheDatabaseHas:
    """Three minutes of TCS without the second, a day of it, and one minute of GOLD, whose hours are not known."""

    @pytest.fixture
    def stored(self, own):
        found = [("TCS", MINUTE_NS, 0), ("TCS", MINUTE_NS, 2), ("GOLD", MINUTE_NS, 0)]
        candles = [
            a_candle(symbol=symbol, interval_ns=interval_ns, start_ns=OPENING_NS + number * MINUTE_NS)
            for symbol, interval_ns, number in found
        ]
        midnight_ns = OPENING_NS - (9 * 60 + 15) * MINUTE_NS
        candles.append(a_candle(symbol="TCS", interval_ns=86_400 * 10**9, start_ns=midnight_ns))
        own.work(SaveMarketData(candles=tuple(candles)), timeout_s=5)
        return own

    def hours_of(self, symbol):
        return Hours.of("MCX_COMM") if symbol == "GOLD" else Hours()

    def test_is_told_by_symbol_and_length_with_what_is_missing_in_between(self, stored):
        shares = []
        gold, minutes, day = series(stored, self.hours_of, on_progress=shares.append)

        assert (gold.symbol, gold.interval_ns, gold.candles, gold.missing) == ("GOLD", MINUTE_NS, 1, ())
        assert [each.are_hours_known for each in (gold, minutes, day)] == [False, True, True]
        assert (minutes.symbol, minutes.interval_ns, minutes.candles) == ("TCS", MINUTE_NS, 2)
        assert (minutes.first_ns, minutes.last_ns) == (OPENING_NS, OPENING_NS + 2 * MINUTE_NS)
        second_ns = OPENING_NS + MINUTE_NS
        assert minutes.missing == (Missing(start_ns=second_ns, end_ns=second_ns + MINUTE_NS, candles=1, sessions=0),)
        assert (day.symbol, day.interval_ns, day.missing) == ("TCS", 86_400 * 10**9, ())
        assert shares == [1 / 3, 2 / 3, 1.0]

    def test_lacks_all_from_the_first_candle_on(self, own):
        """The second minute of a Friday is there, and the second of the Monday behind it: before, nothing was heard."""
        there_ns = OPENING_NS + MINUTE_NS, OPENING_NS + 3 * 86_400 * 10**9 + MINUTE_NS
        candles = tuple(a_candle(symbol="TCS", interval_ns=MINUTE_NS, start_ns=start_ns) for start_ns in there_ns)
        own.work(SaveMarketData(candles=candles), timeout_s=5)
        (found,) = series(own, self.hours_of)

        assert [(each.start_ns, each.candles) for each in found.missing] == [(OPENING_NS + 2 * MINUTE_NS, 373 + 1)]

    def test_lacks_what_was_asked_for_and_did_not_come(self, own):
        """Of Friday and Monday the first minute of Friday came; a request that gave nothing of use is none."""
        midnight_ns = OPENING_NS - (9 * 60 + 15) * MINUTE_NS
        asked = {"symbol": "TCS", "interval_ns": MINUTE_NS, "start_ns": midnight_ns, "asked_ns": 1, "requests": 1}
        ends_ns = midnight_ns + 4 * 86_400 * 10**9, midnight_ns
        notes = tuple(Fetched(**asked, end_ns=end_ns, candles=1) for end_ns in ends_ns)
        candle = a_candle(symbol="TCS", interval_ns=MINUTE_NS, start_ns=OPENING_NS)
        own.work(SaveMarketData(candles=(candle,), fetches=notes), timeout_s=5)
        (found,) = series(own, self.hours_of)

        assert [(each.start_ns, each.candles) for each in found.missing] == [(OPENING_NS + MINUTE_NS, 374 + 375)]

    def test_is_told_of_some_symbols_alone(self, stored):
        assert [each.symbol for each in series(stored, self.hours_of, symbols=["GOLD", "INFY"])] == ["GOLD"]

    def test_is_counted_by_table_and_named_with_its_files(self, stored):
        ticks = [a_tick(number, symbol="INFY", exchange_ns=OPENING_NS + number) for number in (1, 2)]
        later = a_tick(3, symbol="INFY", exchange_ns=OPENING_NS + 86_400 * 10**9)
        stored.work(SaveMarketData(ticks=(*ticks, later)), timeout_s=5)
        found = stat(stored)

        none = {"facts": 0, "orders": 0, "fills": 0, "books": 0, "all_books": 0}
        assert found.rows == {**none, "candles": 4, "ticks": 3, "all_ticks": 3}
        assert (found.days, found.first_day, found.last_day) == (2, dt.date(2026, 1, 2), dt.date(2026, 1, 3))
        assert (found.symbols, found.archived_days) == (("GOLD", "INFY", "TCS"), 0)
        assert sorted(map(Path, found.files)) == [Path(path) for path in sorted(found.files)]
        assert len(found.files) == 2
        assert all(size == Path(path).stat().st_size for path, size in found.files.items())

    def test_of_nothing_has_no_days(self, own):
        found = stat(own)

        assert (found.days, found.first_day, found.last_day, found.symbols) == (0, None, None, ())

    def test_has_days_to_archive_before_today_and_before_one_that_is_named(self, own, monkeypatch):
        now_ns = OPENING_NS + 2 * 86_400 * 10**9
        monkeypatch.setattr(owner, "time", SimpleNamespace(time_ns=lambda: now_ns))
        midnights_ns = [OPENING_NS - (9 * 60 + 15) * MINUTE_NS + day * 86_400 * 10**9 for day in range(4)]
        own.work(
            SaveMarketData(ticks=tuple(a_tick(n, exchange_ns=at_ns) for n, at_ns in enumerate(midnights_ns, 1))),
            timeout_s=5,
        )
        days = [dt.date(2026, 1, day) for day in (2, 3)]

        assert closed_days(own) == tuple(days)
        assert closed_days(own, dt.date(2026, 1, 3)) == (days[0],)
        assert closed_days(own, dt.date(2027, 1, 1)) == tuple(days)
