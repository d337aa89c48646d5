"""`natya data inspect`."""

import gzip

import msgspec

LINES = "Date;Time;Open;High;Low;Close;Volume;Note\n13-04-2025;09:16;1;2;1;2;5;x\n13-04-2025;09:15;1;2;1;2;5;x\n"


class TestInspect:
    def test_shows_how_a_file_is_understood(self, natya, tmp_path):
        path = tmp_path / "tcs.csv.gz"
        path.write_bytes(gzip.compress(LINES.encode("utf-16")))

        shown = natya("data", "inspect", path, "--symbol", "TCS", "--json")

        found = msgspec.json.decode(shown.stdout)
        assert shown.exit_code == 0
        assert [found[name] for name in ("kind", "packing", "encoding", "divider", "dates", "zone", "order")] == [
            *("CSV", "gzip", "utf-16", ";", "day-first", "IST", "newest first")
        ]
        assert (found["rows"], found["intervals"], found["some_symbols"]) == (2, ["1m"], ["TCS"])
        assert found["outside"] == 2  # it was a Sunday
        assert (found["columns"]["time"], found["unread"]) == ("Date and Time", ["Note"])
        assert "2025-04-13" in natya("data", "inspect", path, "--symbol", "TCS").stdout

    def test_counts_what_is_outside_of_the_session_that_each_symbol_has(self, natya, tmp_path):
        path, times = tmp_path / "a.csv", ("09:00", "09:15", "15:28", "15:30", "16:59", "17:00", "23:29")
        found = {}
        for symbol in ("TCS", "USDINR-26Nov2025-FUT", "MCX:GOLDM-05Dec2025-FUT"):
            rows = "".join(f"{symbol},2025-11-03T{time},1,1,1,1\n" for time in times)
            path.write_text(f"symbol,time,open,high,low,close\n{rows}")
            shown = natya("data", "inspect", path, "--interval", "1m", "--json")
            found[symbol] = msgspec.json.decode(shown.stdout)["outside"]

        assert found == {"TCS": 5, "USDINR-26Nov2025-FUT": 2, "MCX:GOLDM-05Dec2025-FUT": 0}

    def test_says_that_times_may_be_of_the_ends_of_candles(self, natya, tmp_path):
        path, rows = tmp_path / "a.csv", ["{}09:15,1,1,1,1", "{}09:16,1,1,1,1", "{}15:30,1,1,1,1", "{}15:29:59,1,1,1,1"]
        noted = []
        for chosen in (rows[1:3], rows[3:], rows[:3], rows[1:2]):
            lines = [row.format("2026-01-02T") for row in chosen]
            path.write_text("\n".join(["time,open,high,low,close", *lines]))
            shown = natya("data", "inspect", path, "--symbol", "TCS", "--interval", "1m", "--json")
            noted.append(any("ends of candles" in note for note in msgspec.json.decode(shown.stdout)["notes"]))

        assert noted == [True, True, False, False]

    def test_ends_with_65_for_a_file_that_is_ambiguous_and_names_the_option(self, natya, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("Date,Open,High,Low,Close\n03/04/2025,1,1,1,1\n")

        refused = natya("data", "inspect", path, "--symbol", "TCS")

        assert refused.exit_code == 65
        assert "--dates" in refused.output
        assert natya("data", "inspect", path, "--symbol", "TCS", "--dates", "day-first").exit_code == 0

    def test_of_a_number_that_may_have_a_decimal_comma_names_the_option(self, natya, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("Date;Open;High;Low;Close\n2025-04-09;74,125;74,125;74,125;74,125\n")

        refused = natya("data", "inspect", path, "--symbol", "TCS")

        assert refused.exit_code == 65
        assert "--decimal" in refused.output
        assert "open 74125.0" in natya("data", "inspect", path, "--symbol", "TCS", "--decimal", "point").stdout
        assert "open 74.125" in natya("data", "inspect", path, "--symbol", "TCS", "--decimal", "comma").stdout

    def test_says_whether_times_have_a_zone(self, natya, tmp_path):
        path, said = tmp_path / "a.csv", []
        for time in ("2026-01-02T10:00:00", "2026-01-02T10:00:00+05:30", "1767328200", "2026-01-02"):
            path.write_text(f"time,open,high,low,close\n{time},1,1,1,1\n")
            shown = natya("data", "inspect", path, "--symbol", "TCS").stdout
            said.append("each with its zone" in shown)
            assert said[-1] is not ("without a zone: IST" in shown)

        assert said == [False, True, True, False]
        assert "without a zone: UTC" in natya("data", "inspect", path, "--symbol", "TCS", "--zone", "UTC").stdout

    def test_says_in_which_order_rows_are(self, natya, tmp_path):
        path, found = tmp_path / "a.csv", []
        first, second, third = (f"{{}},2026-01-02T09:1{minute},1,1,1,1\n" for minute in (5, 6, 7))
        for rows in (("A", first, second, third), ("A", third, second, first)):
            path.write_text("symbol,time,open,high,low,close\n" + "".join(row.format(rows[0]) for row in rows[1:]))
            found.append(msgspec.json.decode(natya("data", "inspect", path, "--json").stdout)["order"])
        path.write_text(
            "symbol,time,open,high,low,close\n" + "".join(r.format(s) for s in "AB" for r in (first, second))
        )
        found.append(msgspec.json.decode(natya("data", "inspect", path, "--json").stdout)["order"])

        assert found == ["of time", "newest first", "of time for each symbol alone"]

    def test_names_columns_as_the_file_does(self, natya, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("INSTRUMENT,SYMBOL,EXPIRY_DT,STRIKE_PR,OPTION_TYP,OPEN,HIGH,LOW,CLOSE,CONTRACTS,TIMESTAMP\n"
                        "FUTIDX,NIFTY,24-APR-2025,0,XX,5,6,5,6,7,09-APR-2025\n")  # fmt: skip

        found = msgspec.json.decode(natya("data", "inspect", path, "--json").stdout)

        assert (found["columns"]["volume"], found["columns"]["time"]) == ("CONTRACTS", "TIMESTAMP")
        assert found["unread"] == ["INSTRUMENT", "EXPIRY_DT", "STRIKE_PR", "OPTION_TYP"]

    def test_takes_the_length_of_candles_and_refuses_one_that_is_none(self, natya, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("time,open,high,low,close\n2026-01-02T10:00:00,1,1,1,1\n")

        assert "interval  5m" in natya("data", "inspect", path, "--interval", "5m").stdout
        assert natya("data", "inspect", path, "--interval", "5x").exit_code == 2

    def test_ends_with_65_for_a_file_of_which_no_row_can_be_read_and_shows_why(self, natya, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("time,open,high,low,close\n10:00:00,1,1,1,1\n")

        refused = natya("data", "inspect", path, "--symbol", "TCS")

        assert refused.exit_code == 65
        assert "found '10:00:00'" in refused.stdout

    def test_shows_a_file_however_many_of_its_rows_cannot_be_read(self, natya, tmp_path):
        path, bad = tmp_path / "a.csv", "2026-01-02T10:00:00,x\n" * 300
        path.write_text(f"time,ltp\n2026-01-02T10:00:00,1.5\n{bad}")

        shown = natya("data", "inspect", path, "--symbol", "TCS", "--json")

        assert shown.exit_code == 0
        assert msgspec.json.decode(shown.stdout)["rows"] == 1

    def test_shows_a_file_that_names_no_symbol_and_says_so(self, natya, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("time,ltp\n2026-01-02T10:00:00,1.5\n")

        shown = natya("data", "inspect", path)

        assert shown.exit_code == 0
        assert "symbols   none" in shown.stdout
        assert "--symbol says it" in shown.stdout

    def test_shows_every_file_and_ends_with_65_for_the_one_that_is_refused(self, natya, tmp_path):
        names = ["a.csv", "broken.csv", "c.csv"]
        for name in names:
            (tmp_path / name).write_text("x\n1\n" if name == "broken.csv" else "time,ltp\n2026-01-02T10:00:00,1.5\n")

        shown = natya("data", "inspect", *(tmp_path / name for name in names), "--symbol", "TCS", "--json")

        found = [msgspec.json.decode(line)["file"] for line in shown.stdout.splitlines()]
        assert (shown.exit_code, found) == (65, [str(tmp_path / "a.csv"), str(tmp_path / "c.csv")])
        assert "broken.csv" in shown.stderr
