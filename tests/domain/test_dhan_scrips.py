"""Dhan's lists of instruments: both forms, and what is wrong with a file."""

import csv
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from natya_scrips import COMPACT, COMPACT_ROWS, DETAILED, DETAILED_ROWS, listed

from natya.domain.dhan import scrips
from natya.domain.dhan.scrip_writing import header, lines
from natya.domain.dhan.scrips import ScripListError, read_scrips
from natya.messages.instruments import InstrumentDefinition

SYMBOLS = {
    "NSE_EQ:1594": "INFY",
    "BSE_EQ:500209": "BSE:INFY",
    "NSE_EQ:685": "CHOLAFIN",
    "NSE_EQ:19257": "CHOLAFIN-D1",
    "NSE_EQ:21954": "HFCL",
    "NSE_EQ:18116": "ELECTCAST-W1",
    "IDX_I:13": "NIFTY",
    "IDX_I:51": "BSE:SENSEX",
    "NSE_FNO:68407": "NIFTY-29Sep2026-FUT",
    "NSE_FNO:35084": "NIFTY-29Sep2026-29150-CE",
    "NSE_FNO:35085": "NIFTY-22Sep2026-29150-CE",
    "NSE_FNO:49083": "BAJAJ-AUTO-29Sep2026-9050.5-PE",
    "BSE_FNO:85001": "BSE:SENSEX-09Oct2026-80000-CE",
    "NSE_CURRENCY:1008": "USDINR-28Sep2026-FUT",
    "MCX_COMM:569900": "MCX:CRUDEOIL-19Oct2026-FUT",
    "NSE_COMM:35084": "NSE_COMM:GOLD-28Sep2026-90000-CE",
}


def read(text):
    rows = csv.reader(text.splitlines())
    return read_scrips(next(rows), rows)


def by_number(found):
    return {f"{each.segment}:{each.security_id}": each for each in found.instruments}


def of_one(row, header=COMPACT, *, more=300):
    """Read a list in which the row is one of many."""
    return read(listed(header, [row], more=more))


BOTH = pytest.mark.parametrize("text", [listed(), listed(DETAILED, DETAILED_ROWS)], ids=["compact", "detailed"])


class TestAList:
    @BOTH
    def test_names_each_instrument_by_what_it_is_and_none_twice(self, text):
        found = read(text)

        assert {number: each.symbol for number, each in by_number(found).items()} == SYMBOLS
        assert (found.faulty, found.other) == (0, 0)

    @BOTH
    def test_has_ticks_in_paise_and_those_of_indices_in_rupees(self, text):
        found = by_number(read(text))

        ticks = {"NSE_EQ:1594": 0.1, "NSE_FNO:35084": 0.05, "NSE_CURRENCY:1008": 0.0025, "MCX_COMM:569900": 1.0}
        assert {number: found[number].tick_size_rupees for number in ticks} == ticks
        assert found["IDX_I:13"].tick_size_rupees == 0.05

    @BOTH
    def test_has_contracts_whole(self, text):
        found = by_number(read(text))["NSE_FNO:49083"]

        assert (found.underlying, found.expiry, found.strike_rupees, found.option_type, found.lot_size) == (
            "BAJAJ-AUTO",
            dt.date(2026, 9, 29),
            9050.5,
            "PE",
            75,
        )

    def test_in_detail_has_freeze_quantities_where_there_are_any(self):
        found = by_number(read(listed(DETAILED, DETAILED_ROWS)))

        freeze = {"NSE_FNO:35084": 1756, "NSE_EQ:1594": 331_034, "BSE_EQ:500209": None, "NSE_EQ:685": None}
        assert {number: found[number].freeze_quantity for number in freeze} == freeze
        assert found["NSE_EQ:1594"].isin == "INE009A01021"

    def test_of_which_a_share_trades_in_two_series_has_the_first_under_its_name(self):
        be = "NSE,E,21951,EQUITY,,HFCL,1.0,HFCL,,,,1.0000,NA,ES,EQ,HFCL LIMITED"

        found = by_number(read(listed(rows=(*COMPACT_ROWS, be))))
        assert (found["NSE_EQ:21951"].symbol, found["NSE_EQ:21954"].symbol) == ("HFCL", "HFCL#21954")

    @pytest.mark.parametrize("nothing", ["", "NA", "XX", "-"])
    def test_has_nothing_where_a_cell_says_so_in_any_way(self, nothing):
        row = f"NSE,E,21951,EQUITY,,HFCL,1.0,HFCL,{nothing},{nothing},{nothing},1.0000,NA,ES,{nothing},HFCL LIMITED"

        (found,) = [each for each in of_one(row).instruments if each.security_id == "21951"]
        assert (found.symbol, found.series, found.expiry, found.option_type) == ("HFCL", "", None, None)

    @pytest.mark.parametrize("nothing", ["", "NA"])
    def test_in_detail_names_a_share_by_its_own_name_where_no_other_is_there(self, nothing):
        row = f"NSE,E,1594,INE009A01021,EQUITY,,{nothing},INFOSYS,Infosys,ES,EQ,1.0,,,,10.0000,NA,4.5,1648.0,1348.5,1,"

        (found,) = [each for each in of_one(row, DETAILED, more=0).instruments if each.security_id == "1594"]
        assert found.symbol == "INFOSYS"

    def test_of_which_one_is_a_guest_of_its_exchange_gives_the_other_the_name(self):
        rows = [
            f"BSE,E,{number},EQUITY,,FOO,1.0,Foo,,,,5.0000,NA,ES,{group},FOO" for number, group in ((7, "NS"), (8, "A"))
        ]

        found = by_number(read(listed(rows=rows)))
        assert (found["BSE_EQ:7"].symbol, found["BSE_EQ:8"].symbol) == ("BSE:FOO#7", "BSE:FOO")

    def test_of_which_two_are_alike_gives_neither_the_name(self):
        adjusted = COMPACT_ROWS[9].replace("35084", "35086")

        found = by_number(read(listed(rows=(*COMPACT_ROWS, adjusted))))
        assert found["NSE_FNO:35084"].symbol == "NIFTY-29Sep2026-29150-CE#35084"
        assert found["NSE_FNO:35086"].symbol == "NIFTY-29Sep2026-29150-CE#35086"

    def test_leaves_out_what_the_api_does_not_trade(self):
        found = of_one("NCDEX,M,1,FUTCOM,0,JEERA-Sep2026-FUT,1.0,JEERA,2026-09-20,,XX,5.0,M,F,NA,JEERA")

        assert (found.other, found.faulty, len(found.instruments)) == (1, 0, 300)


class TestARow:
    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("NSE,E,1594", "cells: 16 wanted, found 3"),
            (COMPACT_ROWS[0].replace("1594", "15x4"), "SEM_SMST_SECURITY_ID: a number wanted, found '15x4'"),
            (
                COMPACT_ROWS[0].replace(",1.0,", ",1.5,"),
                "SEM_LOT_UNITS: a whole number of at least 1 wanted, found '1.5'",
            ),
            (COMPACT_ROWS[0].replace(",1.0,", ",,"), "SEM_LOT_UNITS: a whole number of at least 1 wanted, found ''"),
            (
                COMPACT_ROWS[0].replace("10.0000", "0.05"),
                "SEM_TICK_SIZE: paise in multiples of 0.25 wanted, found '0.05'",
            ),
            (
                COMPACT_ROWS[0].replace("10.0000", "nan"),
                "SEM_TICK_SIZE: paise in multiples of 0.25 wanted, found 'nan'",
            ),
            (
                COMPACT_ROWS[0].replace("10.0000", "0.0000"),
                "SEM_TICK_SIZE: paise in multiples of 0.25 wanted, found '0.0000'",
            ),
            (
                COMPACT_ROWS[0].replace(",1.0,", ",0.0,"),
                "SEM_LOT_UNITS: a whole number of at least 1 wanted, found '0.0'",
            ),
            (
                COMPACT_ROWS[9].replace(",29150.00000", ",0.00000"),
                "SEM_STRIKE_PRICE: rupees above 0 wanted, found '0.00000'",
            ),
            (COMPACT_ROWS[0].replace("INFY", ""), "SEM_TRADING_SYMBOL: a trading symbol wanted, found ''"),
            (COMPACT_ROWS[0].replace("INFY", "INFÝ"), "a symbol of 1 to 64 printable characters wanted, found 'INFÝ'"),
            (
                COMPACT_ROWS[9].replace("2026-09-29", "29-09-2026"),
                "SEM_EXPIRY_DATE: a day such as 2026-09-29 wanted, found '29-09-2026 14:30:00'",
            ),
            (COMPACT_ROWS[9].replace(",CE,", ",XX,"), "SEM_OPTION_TYPE: CE or PE wanted, found 'XX'"),
            (
                COMPACT_ROWS[9].replace(",29150.00000", ",-0.01000"),
                "SEM_STRIKE_PRICE: rupees above 0 wanted, found '-0.01000'",
            ),
        ],
        ids=lambda value: value[-40:],
    )
    def test_that_cannot_be_read_is_left_out_and_said(self, row, reason):
        found = of_one(row)

        assert (found.faulty, len(found.instruments)) == (1, 300)
        assert found.examples == (f"line 2: {reason}",)

    @pytest.mark.parametrize(
        ("named", "symbol"), [("NIFTYNXT50", "NIFTYNXT50-29Sep2026-FUT"), ("", "NIFTY-29Sep2026-FUT")]
    )
    def test_of_a_contract_is_of_the_underlying_that_is_told_or_that_its_name_begins_with(self, named, symbol):
        rows = [each.replace(",NIFTY,NIFTY-Sep2026-FUT,", f",{named},NIFTY-Sep2026-FUT,") for each in DETAILED_ROWS]
        found = by_number(read(listed(DETAILED, rows)))["NSE_FNO:68407"]

        assert (found.symbol, found.underlying) == (symbol, symbol.partition("-")[0])

    def test_of_a_contract_without_a_trading_symbol_lacks_it_in_the_column_of_contracts(self, monkeypatch):
        monkeypatch.setattr(scrips, "FAULTY_SHARE_MAX", 1.0)
        cells = dict(zip(DETAILED.split(","), next(csv.reader([DETAILED_ROWS[9]])), strict=True))
        faulty = ",".join(f'"{each}"' for each in (cells | {"SYMBOL_NAME": ""}).values())

        assert read(listed(DETAILED, [faulty])).examples == ("line 2: SYMBOL_NAME: a trading symbol wanted, found ''",)

    @pytest.mark.parametrize(
        ("old", "last", "beyond"),
        [
            ("2026-09-29", "1990-01-01", "1989-12-31"),
            (",29150.00000", ",1000000000000", ",1000000000001"),
            (",5.0000", ",100000.0000", ",100000.2500"),
        ],
        ids=["expiry", "strike", "tick"],
    )
    def test_is_read_up_to_the_last_that_may_be(self, old, last, beyond):
        assert old in COMPACT_ROWS[9]
        assert [of_one(COMPACT_ROWS[9].replace(old, each)).faulty for each in (last, beyond)] == [0, 1]

    def test_is_counted_and_told_of_the_first_ten(self):
        faulty = COMPACT_ROWS[0].replace("10.0000", "nan")
        found = read(listed(rows=[faulty] * 12, more=1_500))

        assert (found.faulty, len(found.examples), len(found.instruments)) == (12, 10, 1_500)

    def test_below_whose_lot_the_exchange_freezes_is_left_out(self):
        rows = [row.replace(",1756,", ",64,") for row in DETAILED_ROWS] + [
            f"NSE,E,{70_000 + number},NA,EQUITY,,SHARE{number},SHARE,Share,ES,EQ,1,,,,5,NA,0,0,0,0,"
            for number in range(300)
        ]

        assert "SM_FREEZE_QTY: at least the lot of 65 wanted, found '64'" in read(listed(DETAILED, rows)).examples[0]

    def test_of_a_number_that_another_row_has_leaves_out_both(self):
        found = read(listed(rows=[COMPACT_ROWS[0], COMPACT_ROWS[2].replace(",685,", ",1594,")], more=300))

        assert (found.faulty, len(found.instruments)) == (2, 300)
        assert found.examples[0].startswith("line 3: ")
        assert "one row of a number wanted, found another of NSE_EQ:1594" in found.examples[0]

    def test_that_comes_twice_is_one(self):
        assert len(read(listed(rows=[COMPACT_ROWS[0]] * 2)).instruments) == 1


class TestAFileThatIsNoList:
    @pytest.mark.parametrize(
        "text", ["<!DOCTYPE html>\n<html><body>Sorry</body></html>\n", "{}\n", ",,\n"], ids=["HTML", "JSON", "commas"]
    )
    def test_is_refused_by_its_columns(self, text):
        with pytest.raises(ScripListError, match=r"columns: SEM_EXM_EXCH_ID, .* wanted, found"):
            read(text)

    def test_that_is_empty_is_refused_as_that(self):
        with pytest.raises(ScripListError, match=r"wanted, found 'an empty file'$"):
            read_scrips([], [])

    def test_that_lacks_a_column_says_which(self):
        with pytest.raises(ScripListError, match="columns: TICK_SIZE wanted, found 'EXCH_ID, SEGMENT") as refused:
            read(listed(DETAILED.replace("TICK_SIZE", "TICKS"), DETAILED_ROWS))

        assert refused.value.field == "columns"

    def test_of_which_too_much_cannot_be_read_is_refused(self):
        with pytest.raises(
            ScripListError, match="rows: at most 1% of the rows faulty wanted, found 1 of 20: line 2: cells"
        ):
            of_one("NSE,E,1594", more=19)

    @pytest.mark.parametrize(("rows", "is_read"), [(99, False), (100, True)])
    def test_is_read_where_one_of_a_hundred_rows_cannot_be(self, rows, is_read):
        if is_read:
            assert of_one("NSE,E,1594", more=rows - 1).faulty == 1
            return
        with pytest.raises(ScripListError, match=f"found 1 of {rows}: "):
            of_one("NSE,E,1594", more=rows - 1)

    def test_in_rupees_is_refused(self):
        with pytest.raises(ScripListError, match=r"SEM_TICK_SIZE: paise in multiples of 0\.25 wanted, found '0.05'"):
            read(listed(rows=[row.replace("5.0000", "0.05") for row in COMPACT_ROWS]))

    @given(
        header=st.sampled_from([COMPACT, DETAILED]),
        rows=st.lists(
            st.lists(st.text(max_size=12) | st.sampled_from([*COMPACT_ROWS[0].split(","), "-1"]), max_size=22)
        ),
    )
    def test_is_refused_or_read_whatever_is_in_it(self, header, rows):
        try:
            found = read_scrips(header.split(","), rows)
        except ScripListError:
            return  # as the tests above show how
        assert len(found.instruments) + found.faulty + found.other <= len(rows)
        assert len({each.symbol for each in found.instruments}) == len(found.instruments)


class TestAListThatIsWritten:
    """As Dhan would publish what was read."""

    @BOTH
    @pytest.mark.parametrize("form", ["compact", "detailed"])
    def test_is_read_as_what_it_was_written_from(self, form, text):
        found = read(text).instruments
        again = read(header(form) + lines(form, [each.definition() for each in found]))

        lost = {"isin": "", "freeze_quantity": None} if form == "compact" else {}
        assert again.faulty == 0
        assert set(again.instruments) == {replace(each, **lost) for each in found}

    def test_has_the_columns_and_words_that_clients_look_for(self):
        found = by_number(read(listed(DETAILED, DETAILED_ROWS)))
        names, *rows = csv.reader(
            (header("compact") + lines("compact", [each.definition() for each in found.values()])).splitlines()
        )
        rows = {row[2]: dict(zip(names, row, strict=True)) for row in rows if row[1] != "M"}

        assert names == COMPACT.split(",")
        assert [rows["35085"][name] for name in ("SEM_EXPIRY_DATE", "SEM_EXPIRY_FLAG", "SEM_OPTION_TYPE")] == [
            "2026-09-22 14:30:00",
            "W",
            "CE",
        ]
        assert (rows["35084"]["SEM_EXPIRY_FLAG"], rows["68407"]["SEM_EXCH_INSTRUMENT_TYPE"]) == ("M", "FUT")
        assert (rows["51"]["SEM_EXM_EXCH_ID"], rows["1594"]["SEM_TICK_SIZE"]) == ("BSE", "10.0000")

    @pytest.mark.parametrize(
        ("number", "compact", "detailed"),
        [
            (
                "NSE_EQ:1594",
                "NSE,E,1594,EQUITY,0,INFY,1.0,Infosys,,-0.01000,XX,10.0000,NA,ES,EQ,INFOSYS",
                "NSE,E,1594,INE009A01021,EQUITY,,INFY,INFOSYS,Infosys,ES,EQ,1.0,,-0.01000,XX,10.0000,NA,331034",
            ),
            (
                "NSE_EQ:18116",
                (
                    "NSE,E,18116,EQUITY,0,ELECTCAST,33340.0,Electcast Warrants,,-0.01000,XX,1.0000,NA,,W1,"
                    "ELECTCAST WARRANTS"
                ),
                (
                    "NSE,E,18116,INE086A13024,EQUITY,,ELECTCAST,ELECTCAST WARRANTS,Electcast Warrants,,W1,33340.0,,"
                    "-0.01000,XX,1.0000,NA,0"
                ),
            ),
            (
                "BSE_EQ:500209",
                "BSE,E,500209,EQUITY,0,INFY,1.0,Infosys,,-0.01000,XX,5.0000,NA,ES,A,INFOSYS",
                "BSE,E,500209,INE009A01021,EQUITY,,INFY,INFOSYS,Infosys,ES,A,1.0,,-0.01000,XX,5.0000,NA,0",
            ),
            (
                "IDX_I:51",
                "BSE,I,51,INDEX,0,SENSEX,1.0,Sensex,,-0.01000,XX,0.0500,NA,INDEX,,SENSEX",
                "BSE,I,51,NA,INDEX,51,SENSEX,SENSEX,Sensex,INDEX,NA,1.0,,-0.01000,XX,0.0500,NA,0",
            ),
            (
                "NSE_FNO:68407",
                (
                    "NSE,D,68407,FUTIDX,0,NIFTY-Sep2026-FUT,65.0,NIFTY SEP FUT,2026-09-29 14:30:00,-0.01000,XX,10.0000,"
                    "M,FUT,NA,NIFTY"
                ),
                (
                    "NSE,D,68407,NA,FUTIDX,,NIFTY,NIFTY-Sep2026-FUT,NIFTY SEP FUT,FUT,NA,65.0,2026-09-29,-0.01000,XX,"
                    "10.0000,M,1756"
                ),
            ),
            (
                "NSE_FNO:35085",
                (
                    "NSE,D,35085,OPTIDX,0,NIFTY-Sep2026-29150-CE,65.0,NIFTY 22 SEP 29150 CALL,2026-09-22 14:30:00,"
                    "29150.00000,CE,5.0000,W,OP,NA,NIFTY"
                ),
                (
                    "NSE,D,35085,NA,OPTIDX,,NIFTY,NIFTY-Sep2026-29150-CE,NIFTY 22 SEP 29150 CALL,OP,NA,65.0,2026-09-22,"
                    "29150.00000,CE,5.0000,W,1756"
                ),
            ),
            (
                "NSE_CURRENCY:1008",
                (
                    "NSE,C,1008,FUTCUR,0,USDINR-Sep2026-FUT,1.0,USDINR SEP FUT,2026-09-28 12:30:00,-0.01000,XX,0.2500,"
                    "M,FUTCUR,NA,USDINR"
                ),
                (
                    "NSE,C,1008,NA,FUTCUR,,USDINR,USDINR-Sep2026-FUT,USDINR SEP FUT,FUTCUR,NA,1.0,2026-09-28,-0.01000,"
                    "XX,0.2500,M,0"
                ),
            ),
            (
                "MCX_COMM:569900",
                (
                    "MCX,M,569900,FUTCOM,0,CRUDEOIL,1.0,CRUDEOIL OCT FUT,2026-10-19 23:30:00,-0.01000,XX,100.0000,M,"
                    "FUTCOM,2,CRUDEOIL"
                ),
                (
                    "MCX,M,569900,NA,FUTCOM,,CRUDEOIL,CRUDEOIL,CRUDEOIL OCT FUT,FUTCOM,2,1.0,2026-10-19,-0.01000,XX,"
                    "100.0000,M,100"
                ),
            ),
        ],
        ids=lambda each: each if ":" in each[:13] else "",
    )
    def test_has_in_each_cell_what_is_written_there(self, number, compact, detailed):
        definition = by_number(read(listed(DETAILED, DETAILED_ROWS)))[number].definition()

        assert lines("compact", [definition]) == f"{compact}\n"
        assert lines("detailed", [definition]) == f"{detailed}\n"

    def test_names_what_no_list_knows_by_our_symbol(self):
        own = InstrumentDefinition(symbol="BSE:MINE", segment="BSE_EQ", tick_size_rupees=0.05, security_id="900000001")
        (found,) = read(header("compact") + lines("compact", [own])).instruments

        assert (found.symbol, found.trading_symbol) == ("BSE:MINE", "MINE")

    @pytest.mark.parametrize(
        ("own", "compact", "detailed"),
        [
            (
                InstrumentDefinition(
                    symbol="NIFTY-29Sep2026-FUT",
                    segment="NSE_FNO",
                    instrument_type="FUTIDX",
                    tick_size_rupees=0.05,
                    security_id="7",
                    expiry=dt.date(2026, 9, 29),
                ),
                (
                    "NSE,D,7,FUTIDX,0,NIFTY-29Sep2026-FUT,1.0,NIFTY-29Sep2026-FUT,2026-09-29 14:30:00,-0.01000,XX,"
                    "5.0000,M,FUT,NA,NIFTY-29Sep2026-FUT"
                ),
                (
                    "NSE,D,7,NA,FUTIDX,,NIFTY-29Sep2026-FUT,NIFTY-29Sep2026-FUT,NIFTY-29Sep2026-FUT,FUT,NA,1.0,"
                    "2026-09-29,-0.01000,XX,5.0000,M,0"
                ),
            ),
            *(
                (
                    InstrumentDefinition(symbol=name, segment="NSE_EQ", tick_size_rupees=0.05, security_id="8"),
                    f"NSE,E,8,EQUITY,0,{name},1.0,{name},,-0.01000,XX,5.0000,NA,ES,,{name}",
                    f"NSE,E,8,NA,EQUITY,,{name},{name},{name},ES,NA,1.0,,-0.01000,XX,5.0000,NA,0",
                )
                for name in ("BSE", "MCX")
            ),
        ],
        ids=["a contract", "the share of an exchange", "the share of another"],
    )
    def test_names_by_our_symbol_what_has_no_other_name_and_its_exchange_by_its_segment(self, own, compact, detailed):
        assert lines("compact", [own]) == f"{compact}\n"
        assert lines("detailed", [own]) == f"{detailed}\n"
