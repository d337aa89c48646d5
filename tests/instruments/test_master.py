"""`InstrumentMaster`: lists that are put in use, kept and asked."""

import datetime as dt
import os
import stat
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from msgspec.structs import replace
from natya_scrips import COMPACT_ROWS, DETAILED, DETAILED_ROWS, listed

from natya.actors.instruments import InstrumentMaster, InstrumentsError, ListRefusedError, reading
from natya.actors.instruments import master as master_module
from natya.actors.instruments.built_in import BuiltIn
from natya.actors.instruments.errors import ListDamagedError
from natya.actors.instruments.naming import NameUnknownError, exchange_of, meant
from natya.actors.instruments.stored import Stored, write_list
from natya.domain.instruments import Instrument
from natya.domain.time import IST
from natya.messages.instruments import FindInstrument, InstrumentList

DAY = dt.datetime(2026, 9, 28, 8, 15, tzinfo=IST)
TOMORROW = dt.timedelta(days=1)


def take(master, path, **how):
    return master.take(path, **{"rows_min": 1} | how)


def lists_of(folder):
    return sorted(each for each in folder.iterdir() if each.suffix == ".duckdb")


class TestAFolderWithoutAList:
    def test_has_the_built_in_instruments(self, master):
        assert master.of == InstrumentList(source="built-in", instruments=58)
        assert master.show("RELIANCE").security_id == "2885"
        assert master.show("NSE_EQ:1594").symbol == "INFY"
        assert not master.is_of_today

    def test_has_indices_and_shares(self, master):
        found = {name: master.show(name) for name in ("NIFTY", "BSE:SENSEX", "INFY")}

        assert {each.symbol: (each.instrument_type, each.series) for each in found.values()} == {
            "NIFTY": ("INDEX", ""),
            "BSE:SENSEX": ("INDEX", ""),
            "INFY": ("EQUITY", "EQ"),
        }

    def test_is_not_made_by_looking(self, master, folder):
        master.find(FindInstrument(text="bank"))

        assert not folder.exists()


class TestAListThatIsTaken:
    def test_is_in_use_and_says_where_it_is_from(self, master, publish):
        path = publish()

        found = take(master, path)
        assert (len(found.instruments), found.faulty) == (16, 0)
        assert master.of == InstrumentList(source=str(path), day=dt.date(2026, 9, 28), instruments=16)
        assert master.is_of_today

    def test_gives_each_instrument_back_as_it_was_read(self, master, publish):
        found = take(master, publish())
        numbers = [f"{each.segment}:{each.security_id}" for each in found.instruments]

        for names in ([each.symbol for each in found.instruments], numbers):
            shown = [replace(master.show(name), is_underlying=None) for name in names]
            assert shown == list(found.instruments)

    @pytest.mark.parametrize(
        ("more", "says"),
        [
            ((), {"INFY": False, "BSE:INFY": False, "CHOLAFIN": False, "CHOLAFIN-D1": None, "NIFTY": None}),
            (
                ("NSE,D,1,FUTSTK,0,INFY-Sep2026-FUT,400.0,INFY FUT,2026-09-29 14:30:00,-0.01000,XX,10.0000,M,FUT,NA,",),
                {"INFY": True, "BSE:INFY": True, "CHOLAFIN": False, "CHOLAFIN-D1": None, "NIFTY": None},
            ),
        ],
        ids=["options of another", "a future of it"],
    )
    def test_says_of_which_shares_there_are_derivatives(self, master, publish, more, says):
        take(master, publish(listed(rows=[*COMPACT_ROWS, *more])))

        assert {symbol: master.show(symbol).is_underlying for symbol in says} == says

    def test_without_any_derivative_of_a_share_says_nothing(self, master, publish):
        take(master, publish(listed(rows=[row for row in COMPACT_ROWS if "OPTSTK" not in row])))

        assert master.show("INFY").is_underlying is None

    def test_is_there_for_other_processes_and_after_a_restart(self, master, publish, folder, days):
        take(master, publish())

        with InstrumentMaster(folder, now=days) as other:
            assert other.of == master.of
            assert other.show("NIFTY-29Sep2026-FUT").lot_size == 65

    def test_is_a_file_of_this_user_alone(self, master, publish, folder):
        take(master, publish())

        (path,) = lists_of(folder)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    def test_takes_the_place_of_yesterdays_which_stays_beside_it(self, master, publish, folder, days):
        for _ in range(4):
            take(master, publish())
            days.now += TOMORROW
            assert not master.is_of_today

        assert master.of.day == dt.date(2026, 10, 1)
        assert [path.name[:13] for path in lists_of(folder)] == ["list-20260930", "list-20261001"]

    def test_is_used_on_while_another_process_puts_new_ones_there(self, master, publish, folder, days):
        take(master, publish())
        with InstrumentMaster(folder, now=days) as other:
            for _ in range(3):
                days.now += TOMORROW
                take(other, publish())

            assert master.of.day == dt.date(2026, 9, 28)
            assert master.show("HFCL").series == "BE"
            master.reopen()
            assert master.of == other.of

    def test_has_all_its_instruments_where_lines_are_empty(self, master, publish):
        take(master, publish(listed(DETAILED, DETAILED_ROWS).replace("\n", "\n\n")))

        assert master.of.instruments == 16

    def test_is_used_on_when_its_file_was_removed(self, master, publish, folder):
        take(master, publish())
        for path in lists_of(folder):
            path.unlink()

        master.reopen()
        assert (master.of.instruments, master.show("HFCL").series) == (16, "BE")


def html(_text):
    return "<html><head><title>503</title></head></html>\n"


def half(text):
    lines = text.splitlines(keepends=True)
    return "".join(lines[: len(lines) // 2])


class TestABrokenList:
    @pytest.mark.parametrize(
        ("broken", "reason"),
        [
            (html, "columns: SEM_EXM_EXCH_ID, .* wanted, found '<html>"),
            (lambda _: "\n", "columns: .* wanted, found 'an empty file'"),
            (lambda text: text[:-30], r"line 41: a line with its end wanted, found the end of the file behind '.*'"),
            (
                lambda text: text[: text.index("\n") + 30],
                r"line 2: a line with its end wanted, found the end",
            ),
            (half, r"rows: at least 20 \(half of the list in use\) wanted, found 19"),
            (
                lambda text: text.replace("SEM_LOT_UNITS", "LOT"),
                "columns: SEM_LOT_UNITS wanted, found 'SEM_EXM_EXCH_ID",
            ),
            (
                lambda text: text.replace(",65.0,", ",,"),
                "rows: at most 1% of the rows faulty wanted, found 3 of 40: line",
            ),
            (lambda text: f'{text}NSE,"E"x\n', "line 42: a row of CSV wanted, found ',' expected after"),
            (lambda text: f"{text}{'x' * 70_000}\n", "line 42: a line with its end wanted, found more than 65,536"),
        ],
        ids=["HTML", "empty", "cut", "cut at once", "half", "columns", "lots", "quotes", "endless line"],
    )
    def test_is_refused_and_yesterdays_is_kept(self, master, publish, days, broken, reason):
        text = listed(more=24)
        take(master, publish(text))
        days.now += TOMORROW

        with pytest.raises(ListRefusedError, match=f"^{reason}"):
            take(master, publish(broken(text)))
        assert (master.of.day, master.of.instruments) == (dt.date(2026, 9, 28), 40)
        assert master.show("INFY").security_id == "1594"

    def test_of_another_meaning_is_refused_unless_somebody_says_so(self, master, publish):
        text = listed(more=24)
        take(master, publish(text))
        other = text.replace(",1594,", ",x,").replace(",685,", ",1594,").replace(",x,", ",685,")

        with pytest.raises(ListRefusedError, match="NSE_EQ:685: CHOLAFIN wanted, as before, found INFY"):
            take(master, publish(other))
        assert master.show("INFY").security_id == "1594"
        take(master, publish(other), may_shrink=True)
        assert master.show("INFY").security_id == "685"

    @pytest.mark.parametrize(
        ("more", "rows_min", "wanted"),
        [
            (4, 1, ""),  # 20 after 40 are half of them
            (3, 1, r"at least 20 \(half of the list in use\)"),
            (4, 20, ""),
            (4, 21, r"at least 21 \(what a list has\)"),
        ],
    )
    def test_of_too_few_rows_is_refused_from_the_first_one_that_is_missing(
        self, master, publish, more, rows_min, wanted
    ):
        take(master, publish(listed(more=24)))
        path = publish(listed(more=more))
        if not wanted:
            assert len(take(master, path, rows_min=rows_min).instruments) == 16 + more
            return
        with pytest.raises(ListRefusedError, match=rf"^rows: {wanted} wanted, found {16 + more}$"):
            take(master, path, rows_min=rows_min)
        assert take(master, path, may_shrink=True)

    def test_of_as_few_rows_as_there_may_be_is_taken_as_the_first(self, master, publish):
        with pytest.raises(ListRefusedError, match=r"^rows: at least 17 \(what a list has\) wanted, found 16$"):
            take(master, publish(), rows_min=17)
        assert len(take(master, publish(), rows_min=16).instruments) == 16

    def test_of_too_few_rows_is_refused_also_as_the_first(self, master, publish, folder):
        with pytest.raises(ListRefusedError, match=r"rows: at least 1,000 \(what a list has\) wanted, found 16"):
            master.take(publish())
        assert not folder.exists()

    @pytest.mark.parametrize("count", [1, 2, 3])
    def test_of_a_clock_that_was_set_back_is_the_newest_all_the_same(self, master, publish, days, folder, count):
        for _ in range(count):
            days.now += TOMORROW
            take(master, publish())
        days.now -= count * TOMORROW + TOMORROW / 2
        for more in (3, 4):  # at the same time, too
            take(master, publish(listed(more=more)))
            assert (master.of.day, master.of.instruments) == (dt.date(2026, 9, 27), 16 + more)

        with InstrumentMaster(folder, now=days) as other:
            assert other.of == master.of
        assert len(lists_of(folder)) == 2

    def test_is_none_that_a_link_leads_to(self, master, publish, days, folder, tmp_path):
        take(master, publish())
        before = master.of
        with InstrumentMaster(tmp_path / "elsewhere", now=days) as other:
            take(other, publish(listed(more=3)))
        (theirs,) = lists_of(tmp_path / "elsewhere")
        (folder / "list-20990101-000000000000.duckdb").symlink_to(theirs)

        with InstrumentMaster(folder, now=days) as opened:
            assert opened.of == before

    def test_of_a_time_between_two_that_are_there_is_the_newest_too(self, master, publish, days, folder):
        for _ in range(2):
            days.now += TOMORROW
            take(master, publish())
        days.now -= TOMORROW / 2
        take(master, publish(listed(more=3)))

        with InstrumentMaster(folder, now=days) as other:
            assert other.of == master.of
            assert other.of.instruments == 19

    def test_is_used_instead_of_the_one_before_which_is_let_go(self, master, publish):
        take(master, publish())
        before = master._table
        assert before.symbol("INFY") is not None

        take(master, publish(listed(more=3)))

        with pytest.raises(duckdb.ConnectionException):
            before.symbol("INFY")

    def test_of_more_lines_than_a_list_may_have_is_refused(self, master, publish, monkeypatch):
        path = publish()
        lines = len(path.read_text().splitlines())
        monkeypatch.setattr(reading, "ROWS_MAX", lines - 1)
        with pytest.raises(ListRefusedError, match=f"at most {lines - 1} wanted, found more"):
            take(master, path)

        monkeypatch.setattr(reading, "ROWS_MAX", lines)
        assert take(master, path).instruments

    def test_that_shrank_is_taken_from_who_says_so(self, master, publish):
        take(master, publish(listed(more=40)))

        take(master, publish(), may_shrink=True)
        assert master.of.instruments == 16


class TestAFileOfOurs:
    def test_that_is_damaged_gives_way_to_the_one_before(self, master, publish, folder, days):
        take(master, publish())
        days.now += TOMORROW
        take(master, publish())
        master.close()
        newest = lists_of(folder)[-1]
        newest.write_bytes(newest.read_bytes()[:5_000])

        with InstrumentMaster(folder, now=days) as other:
            assert other.of.day == dt.date(2026, 9, 28)
            assert str(newest) in other.faults[0]

    def test_with_fewer_instruments_than_it_says_is_not_used(self, folder, days, master, publish):
        take(master, publish())
        broken = InstrumentList(source="here", day=days.now.date(), instruments=2)
        write_list(folder / "list-20270101-000000000000.duckdb", [master.show("INFY")], broken)

        with InstrumentMaster(folder, now=days) as other:
            assert other.of == master.of
            assert "with all its instruments wanted, found format 1 with 1 of 2" in other.faults[0]

    def test_in_a_folder_that_is_not_ours_is_neither_used_nor_made(self, folder, days, publish):
        folder.mkdir()
        (folder / "list-20270101-000000000000.duckdb").write_text("mine")

        with InstrumentMaster(folder, now=days) as opened:
            assert opened.of.source == "built-in"
            with pytest.raises(InstrumentsError, match="a folder of natya's for lists of instruments wanted"):
                take(opened, publish())

    def test_that_cannot_be_written_whole_leaves_the_one_before_and_nothing_half_made(
        self, master, publish, folder, monkeypatch
    ):
        take(master, publish())
        before = (master.of, sorted(folder.iterdir()))

        def full(path, *_):
            path.write_text("half")
            raise OSError("no space left on device")

        monkeypatch.setattr("natya.actors.instruments.folder.write_list", full)
        with pytest.raises(InstrumentsError, match=r"^a list of instruments cannot be written to .*: no space left"):
            take(master, publish(listed(more=3)))

        assert (master.of, sorted(folder.iterdir())) == before

    def test_on_a_disk_that_is_full_is_an_error_of_the_system(self, tmp_path):
        with pytest.raises(OSError, match="cannot be written"):
            write_list(tmp_path / "nowhere" / "list.duckdb", [], InstrumentList(source="here", instruments=0))

    def test_that_was_half_written_is_taken_for_nothing_and_removed_after_a_day(self, master, publish, folder, days):
        take(master, publish())
        left, fresh = folder / f"new-{'0' * 32}.duckdb", folder / f"new-{'1' * 32}.csv"
        for path, age in ((left, 2 * TOMORROW), (fresh, TOMORROW / 2)):
            path.write_text("half")
            at_s = (days.now - age).timestamp()
            os.utime(path, (at_s, at_s))

        with InstrumentMaster(folder, now=days) as other:
            assert (other.of, other.faults) == (master.of, ())
        (before,) = folder.glob("list-*")
        at_s = (days.now - 9 * TOMORROW).timestamp()
        os.utime(before, (at_s, at_s))
        take(master, publish())
        assert (left.exists(), fresh.exists(), before.exists()) == (False, True, True)
        assert len(list(folder.glob("list-*"))) == 2


@pytest.fixture(scope="module")
def in_use(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    (folder / "published.csv").write_text(listed())
    with InstrumentMaster(folder / "instruments", now=lambda: DAY) as opened:
        take(opened, folder / "published.csv")
    return folder / "instruments"


class TestAName:
    @pytest.fixture(scope="class")
    @classmethod
    def opened(cls, in_use):
        clock = SimpleNamespace(now=DAY)
        with InstrumentMaster(in_use, now=lambda: clock.now) as opened:
            yield opened, clock

    @pytest.fixture
    def days(self, opened):
        _, clock = opened
        clock.now = DAY
        return clock

    @pytest.fixture
    def master(self, opened, days):
        return opened[0]

    @pytest.mark.parametrize(
        ("name", "symbol"),
        [
            ("INFY", "INFY"),
            ("infy", "INFY"),
            ("bse:infy", "BSE:INFY"),
            ("NSE:INFY", "INFY"),
            ("NSE_EQ:INFY", "INFY"),
            ("BSE_EQ:500209", "BSE:INFY"),
            ("NSE_FNO:35084", "NIFTY-29Sep2026-29150-CE"),
            ("NSE_COMM:35084", "NSE_COMM:GOLD-28Sep2026-90000-CE"),
            ("nifty 29 sep 29150 call", "NIFTY-29Sep2026-29150-CE"),
            ("nifty-29sep2026-29150-ce", "NIFTY-29Sep2026-29150-CE"),
            ("CRUDEOIL-19Oct2026-FUT", "MCX:CRUDEOIL-19Oct2026-FUT"),
            ("sensex", "BSE:SENSEX"),
            ("cholamandalam investment", "CHOLAFIN"),
        ],
    )
    def test_means_the_instrument_that_has_it_alone(self, master, name, symbol):
        assert master.show(name).symbol == symbol

    def test_of_several_means_none_of_them(self, master, days):
        days.now -= dt.timedelta(days=10)

        with pytest.raises(
            NameUnknownError, match=r"which is that of NIFTY-22Sep2026-29150-CE, NIFTY-29Sep2026-29150-CE$"
        ):
            master.show("NIFTY-Sep2026-29150-CE")

    def test_of_several_means_the_one_that_has_not_expired(self, master):
        assert master.show("NIFTY-Sep2026-29150-CE").symbol == "NIFTY-29Sep2026-29150-CE"

    @pytest.mark.parametrize("name", ["", "NIFTI", "NSE_FNO:1594", "NSE:", "x" * 200, "';--"])
    def test_that_nothing_has_is_unknown(self, master, name):
        with pytest.raises(NameUnknownError, match="an instrument of the list wanted"):
            master.show(name)

    @pytest.mark.parametrize(
        ("name", "near"),
        [
            ("RELIANC", ("RELIANCE",)),
            ("  relianz ", ("RELIANCE",)),
            ("INFIES", ("INFY",)),  # by its first three letters
            ("TAXYZ", ("TITAN", "TATASTEEL", "KOTAKBANK")),  # by its first two
            ("RZ", ()),  # by one letter nothing is near
            ("R", ()),
            ("", ()),
            ("RELIANCE" + "X" * 30, ("RELIANCE",)),
        ],
    )
    def test_that_nothing_has_is_near_those_that_begin_as_it_does(self, tmp_path, name, near):
        with InstrumentMaster(tmp_path, now=lambda: DAY) as built_in:
            assert built_in.near(name) == near

    @pytest.mark.parametrize(("count", "told"), [(5, "A0, A1, A2, A3, A4"), (6, "A0, A1, A2, A3, A4, …")])
    def test_of_many_is_told_with_some_of_them(self, count, told):
        alike = tuple(Instrument(symbol=f"A{n}", segment="NSE_EQ", tick_size_rupees=0.05) for n in range(count))
        table = SimpleNamespace(symbol=lambda _: None, number=lambda *_: None, called=lambda _: alike)
        with pytest.raises(NameUnknownError) as unknown:
            meant(table, "a", DAY.date())

        assert str(unknown.value) == f"a name of one instrument wanted, found 'a', which is that of {told}"
        assert unknown.value.symbols == tuple(each.symbol for each in alike)

    def test_of_contracts_that_have_all_expired_but_one_means_that_one_and_on_its_last_day_too(self):
        contracts = tuple(
            Instrument(symbol=f"A{n}", segment="NSE_FNO", tick_size_rupees=0.05, expiry=DAY.date() + n * TOMORROW)
            for n in (-1, 0)
        )
        table = SimpleNamespace(symbol=lambda _: None, number=lambda *_: None, called=lambda _: contracts)

        assert meant(table, "a", DAY.date()).symbol == "A0"

    def test_of_contracts_that_have_all_expired_means_none_and_is_told_with_them(self, master, days):
        days.now += dt.timedelta(days=10)

        with pytest.raises(NameUnknownError, match="a name of one instrument wanted"):
            master.show("NIFTY-Sep2026-29150-CE")

    def test_is_found_among_all_that_were_ever_listed(self, master):
        found, total = master.find(FindInstrument(is_expired=True, rows_max=100))

        assert (len(found), total) == (master.of.instruments, master.of.instruments)
        assert total > master.find(FindInstrument())[1] > 0

    def test_of_a_share_is_never_that_of_its_warrants(self, master):
        assert master.show("CHOLAFIN").series == "EQ"
        assert master.show("HFCL").security_id == "21954"


@pytest.mark.parametrize(
    ("symbol", "segment", "exchange"),
    [
        ("INFY", "NSE_EQ", "NSE"),
        ("BSE:INFY", "BSE_EQ", "BSE"),
        ("NIFTY-29Sep2026-FUT", "NSE_FNO", "NSE"),
        ("GOLD", "MCX_COMM", "MCX"),
        ("NIFTY 50", "IDX_I", "NSE"),
        ("BSE:SENSEX", "IDX_I", "BSE"),
    ],
)
def test_the_exchange_of_an_instrument_is_that_of_its_segment_and_an_indexs_that_of_its_name(symbol, segment, exchange):
    assert exchange_of(Instrument(symbol=symbol, segment=segment, tick_size_rupees=0.05)) == exchange


class TestWhatWasShown:
    def test_is_looked_up_once_as_far_as_there_is_room_until_the_day_or_the_list_is_another(
        self, tmp_path, monkeypatch
    ):
        looked_up, clock = [], SimpleNamespace(now=DAY)
        monkeypatch.setattr(master_module, "SHOWN_MAX", 2)
        monkeypatch.setattr(master_module, "meant", lambda table, name, _: looked_up.append(name) or table.symbol(name))
        with InstrumentMaster(tmp_path, now=lambda: clock.now) as master:
            names = [each.symbol for each in master.find(FindInstrument(rows_max=3))[0]]
            for name in names * 2:
                assert master.show(name).symbol == name
            assert looked_up == [*names, names[2]]

            clock.now = DAY + TOMORROW
            master.show(names[0])
            master.reopen()
            master.show(names[0])
            assert looked_up[4:] == [names[0]] * 2


class TestASearch:
    @pytest.fixture(scope="class")
    @classmethod
    def tables(cls, tmp_path_factory):
        """The built-in list, as it is and as a file."""
        folder = tmp_path_factory.mktemp("lists")
        with InstrumentMaster(folder / "none", now=lambda: DAY) as master:
            found, total = master.find(FindInstrument(rows_max=1_000))
            assert len(found) == total == 58
            write_list(folder / "built-in.duckdb", found, master.of)
            stored = Stored(folder / "built-in.duckdb")
            yield {"built-in": master._table, "stored": stored}
            stored.close()

    @pytest.fixture(params=["built-in", "stored"])
    def of_either(self, request, tables):
        return tables[request.param]

    @pytest.mark.parametrize(
        "wanted",
        [
            FindInstrument(text="nifty"),
            FindInstrument(text="NIFTY", segment="IDX_I"),
            FindInstrument(text="bank ax"),
            FindInstrument(text="tata", rows_max=1),
            FindInstrument(instrument_type="index"),
            FindInstrument(underlying="NIFTY"),
            FindInstrument(expiry=dt.date(2026, 9, 29)),
            FindInstrument(option_type="CE"),
            FindInstrument(text="tata", skipped=1),
            FindInstrument(text="%"),
        ],
        ids=str,
    )
    def test_finds_the_same_in_memory_and_in_a_file(self, of_either, master, wanted):
        today = dt.date(2026, 9, 28)

        found, total = of_either.find(wanted, today)
        expected, _ = master._table.find(wanted, today)
        if wanted.underlying or wanted.expiry or wanted.option_type:  # it has shares and indices alone
            assert (found, total) == ((), 0)
        assert (len(found), total) == (len(expected), master._table.find(wanted, today)[1])
        assert [each.symbol for each in found[:1]] == [each.symbol for each in expected[:1]]

    @pytest.mark.parametrize("name", ["INFY", "infosys", "M&M", "india vix", "bse:sensex", "nix"])
    def test_knows_the_same_names_in_memory_and_in_a_file(self, of_either, master, name):
        assert of_either.called(name) == master._table.called(name)
        assert of_either.symbol(name) == master._table.symbol(name)

    def test_is_by_what_a_contract_is(self, master, publish, days):
        take(master, publish())

        def symbols(**wanted):
            return [each.symbol for each in master.find(FindInstrument(**wanted))[0]]

        assert symbols(underlying="NIFTY") == ["NIFTY-29Sep2026-FUT", "NIFTY-29Sep2026-29150-CE"]
        assert symbols(underlying="NIFTY", is_expired=True)[0] == "NIFTY-22Sep2026-29150-CE"
        assert symbols(option_type="PE") == ["BAJAJ-AUTO-29Sep2026-9050.5-PE"]
        assert symbols(expiry=dt.date(2026, 10, 9)) == ["BSE:SENSEX-09Oct2026-80000-CE"]
        assert symbols(text="call nifty") == ["NIFTY-29Sep2026-29150-CE"]
        assert symbols(text="INE009A01021") == ["BSE:INFY", "INFY"]
        assert symbols(text="infy")[0] == "INFY"


def test_what_is_written_is_what_is_read(tmp_path):
    bare = Instrument(symbol="A", segment="NSE_EQ", tick_size_rupees=0.05)
    path = tmp_path / "list.duckdb"

    whole = Instrument(
        symbol="B",
        segment="NSE_FNO",
        security_id="7",
        tick_size_rupees=0.25,
        lot_size=65,
        freeze_quantity=1_800,
        expiry=dt.date(2026, 9, 29),
        strike_rupees=22_500.5,
        option_type="PE",
    )
    of = InstrumentList(source="here", day=dt.date(2026, 9, 28), instruments=2, left_out=3)
    write_list(path, [bare, whole], of)
    table = Stored(path)
    assert (table.symbol("A"), table.symbol("B"), table.number("NSE_FNO", "7")) == (bare, whole, whole)
    assert table.of == of
    assert table.symbols(dt.date(2026, 9, 29)) == {("NSE_EQ", ""): "A", ("NSE_FNO", "7"): "B"}
    assert table.symbols(dt.date(2026, 9, 30)) == {("NSE_EQ", ""): "A"}
    table.close()
    with pytest.raises(FileExistsError):
        write_list(path, [bare], InstrumentList(source="here", instruments=1))


def test_a_list_is_read_by_one_thread_in_little_memory_and_by_nothing_from_outside(tmp_path):
    write_list(tmp_path / "list.duckdb", [], InstrumentList(source="here", instruments=0))
    names = (
        *("threads", "memory_limit", "temp_directory", "enable_external_access", "autoload_known_extensions"),
        *("autoinstall_known_extensions", "allow_community_extensions", "access_mode"),
    )
    table = Stored(tmp_path / "list.duckdb")
    (found,) = table._rows(f"select {', '.join(f'current_setting({name!r})' for name in names)}")
    table.close()

    assert found == (1, "256.0 MiB", "", False, False, False, False, "read_only")


def test_a_folder_is_made_with_those_that_it_is_in(tmp_path, publish):
    with InstrumentMaster(tmp_path / "a" / "b" / "lists", now=lambda: DAY) as master:
        assert take(master, publish()).instruments

    assert stat.S_IMODE((tmp_path / "a" / "b" / "lists").stat().st_mode) == 0o700


def test_a_file_of_a_database_that_is_no_list_is_let_go(tmp_path):
    path = tmp_path / "other.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(ListDamagedError, match="a list of instruments wanted, found"):
        Stored(path)

    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert path not in {link.readlink() for link in links}


def test_each_built_in_instrument_is_found_by_its_symbol_and_by_its_number():
    table = BuiltIn()
    found, _ = table.find(FindInstrument(rows_max=1_000), DAY.date())

    assert [table.symbol(each.symbol) for each in found] == list(found)
    assert [table.number(each.segment, each.security_id) for each in found] == list(found)
    assert (table.symbol("SENSEX"), table.number("NSE_EQ", "no")) == (None, None)  # its symbol is BSE:SENSEX
