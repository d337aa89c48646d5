"""A list from the network: whole, within time and size, or not at all."""

import datetime as dt
from types import SimpleNamespace

import pytest
from natya_publisher import saying
from natya_scrips import listed

from natya.actors.external import HttpAnswer
from natya.actors.instruments import ListRefusedError
from natya.actors.instruments.fetching import fetch_list


class TestAListFromAnAddress:
    def test_is_in_use_when_it_came_whole(self, master, serve):
        publisher = serve(saying(listed(more=5)))

        found = master.refresh(publisher.url, rows_min=1)
        assert len(found.instruments) == 21
        assert (master.of.source, master.of.day) == (publisher.url, dt.date(2026, 9, 28))

    def test_of_less_than_half_is_in_use_only_where_somebody_says_so(self, master, serve):
        master.refresh(serve(saying(listed(more=40))).url, rows_min=1)
        with pytest.raises(ListRefusedError, match=r"^rows: at least 28 \(half of the list in use\) wanted, found 16$"):
            master.refresh(serve(saying(listed())).url, rows_min=1)
        assert master.of.instruments == 56
        master.refresh(serve(saying(listed())).url, rows_min=1, may_shrink=True)

        assert master.of.instruments == 16

    def test_leaves_no_file_behind_but_the_list(self, master, serve, folder):
        master.refresh(serve(saying(listed())).url, rows_min=1)

        assert [each.suffix for each in sorted(folder.iterdir()) if each.name != ".natya"] == [".duckdb"]

    def test_is_asked_for_without_a_token_or_a_cookie(self, master, serve):
        publisher = serve(saying(listed()))

        master.refresh(publisher.url, rows_min=1)
        ((_, headers),) = publisher.asked
        assert not {name.lower() for name in headers} & {"access-token", "authorization", "cookie", "client-id"}

    def test_is_asked_for_by_the_session_that_is_given_which_stays_open(self, tmp_path):
        asked, closed = [], []

        def request(method, url, *, timeout_s, sink):
            asked.append((method, url, timeout_s))
            sink(b"rows")
            return HttpAnswer(status_code=200, headers={"content-length": "4"}, body=b"", response_time_s=0.1)

        session = SimpleNamespace(request=request, close=lambda: closed.append(1))
        fetch_list("https://x/l.csv", tmp_path / "l.csv", timeout_s=3.0, bytes_max=9, session=session)

        assert (asked, closed, (tmp_path / "l.csv").read_bytes()) == ([("GET", "https://x/l.csv", 3.0)], [], b"rows")
        with pytest.raises(FileExistsError):  # of nobody's file a part is written over
            fetch_list("https://x/l.csv", tmp_path / "l.csv", timeout_s=3.0, bytes_max=9, session=session)


def without_a_length(text):
    def answer(request):
        request.send_response(200)
        request.end_headers()
        request.wfile.write(text.encode())
        request.close_connection = True

    return answer


class TestAnAnswerThatIsNoList:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (saying("<html>", status=200), "columns: SEM_EXM_EXCH_ID"),
            (saying(listed(), status=503), "status 200 wanted, found 503"),
            (saying(listed(), length=1_000_000), "IncompleteRead"),
            (without_a_length(listed()), "an answer that tells its length wanted"),
            (saying("x" * 300_000), "an answer of at most 200000 bytes wanted, found more"),
        ],
        ids=["HTML", "503", "cut", "without an end", "too long"],
    )
    def test_is_refused_and_the_list_before_is_kept(self, master, serve, folder, answer, reason):
        master.refresh(serve(saying(listed())).url, rows_min=1)
        before = master.of

        with pytest.raises(ListRefusedError, match=reason):
            master.refresh(serve(answer).url, rows_min=1, bytes_max=200_000)
        assert master.of == before
        assert [each.suffix for each in sorted(folder.iterdir()) if each.name != ".natya"] == [".duckdb"]

    def test_in_time_is_refused_also_when_something_comes_all_the_time(self, tmp_path, serve):
        def drip(request):
            request.send_response(200)
            request.send_header("Content-Length", "1000000")
            request.end_headers()
            while not publisher.over.wait(0.02):
                request.wfile.write(b"x")
                request.wfile.flush()

        publisher = serve(drip)

        with pytest.raises(ListRefusedError, match="TimeoutError"):
            fetch_list(publisher.url, tmp_path / "list.csv", timeout_s=0.3, bytes_max=2_000_000)

    @pytest.mark.parametrize("url", ["http://images.dhan.co/list.csv", "ftp://127.0.0.1/list.csv", "list.csv", ""])
    def test_is_not_asked_for_without_encryption(self, tmp_path, url):
        with pytest.raises(ListRefusedError, match="wanted"):
            fetch_list(url, tmp_path / "list.csv", timeout_s=1.0, bytes_max=1)
