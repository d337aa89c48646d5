"""Columns as Arrow tables and data frames: every value arrives, and what is missing is missing there too."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_examples import HALF

from natya.actors.database.results.frames import Frames, PackageMissing, columns_of

FORMS = {
    "arrow": lambda table: table.to_pydict(),
    "df": lambda frame: {name: frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame},
    "polars": lambda frame: frame.to_dict(as_series=False),
}
KINDS = (
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs"])),
)


class Framed(Frames):
    def __init__(self, names, rows):
        self._columns = columns_of(names, rows)

    def columns(self):
        return self._columns


@pytest.mark.parametrize("form", FORMS)
class TestRowsAsAFrame:
    @settings(max_examples=HALF)
    @given(data=st.data(), height=st.integers(1, 5))
    def test_hold_every_value_and_no_more(self, form, data, height):
        wanted = {
            f"column {number}": [
                None if missing else value
                for missing, value in data.draw(
                    st.lists(st.tuples(st.booleans(), kind), min_size=height, max_size=height)
                )
            ]
            for number, kind in enumerate(KINDS)
        }
        framed = Framed(tuple(wanted), list(zip(*wanted.values(), strict=True)))

        assert FORMS[form](getattr(framed, form)()) == wanted

    def test_keep_their_names_where_there_is_no_row(self, form):
        frame = getattr(Framed(("a", "b"), ()), form)()

        assert FORMS[form](frame) == {"a": [], "b": []}

    def test_need_a_package_and_say_which(self, form, monkeypatch):
        package = {"arrow": "pyarrow", "df": "pandas", "polars": "polars"}[form]
        monkeypatch.setitem(sys.modules, package, None)

        with pytest.raises(PackageMissing, match=rf"\.{form}\(\) needs the package {package}.*pip install {package}"):
            getattr(Framed(("a",), [(1,)]), form)()


class TestRowsAsColumns:
    def test_have_the_type_of_their_values(self):
        columns = columns_of(
            ("whole", "real", "both", "truth", "text"), [(1, 1.5, 2, True, "a"), (2, 2.5, 0.5, False, "b")]
        )

        assert [column.dtype for column in columns.values()] == [np.int64, np.float64, np.float64, np.bool_, object]

    def test_are_plain_where_nothing_is_missing(self):
        columns = columns_of(("whole", "text"), [(1, "a"), (2, "b")])

        assert [type(column) for column in columns.values()] == [np.ndarray, np.ndarray]

    def test_mask_what_is_missing(self):
        (column,) = columns_of(("n",), [(1,), (None,)]).values()

        assert column.tolist() == [1, None]
