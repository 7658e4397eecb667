"""Casts: what DuckDB parses itself and what is matched first, for other engines, agree."""

from datetime import date, datetime
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csa.data.columns import IBIS_TYPES
from csa.data.sources import formats
from csa.data.sources.casts import Casts, present
from csa.settings import ColumnMapping

ENGINE = ibis.duckdb.connect()


def cast(texts, kind, *, duck=True, zone="Europe/Berlin", **mapping):
    """Cast texts; `duck=False` is the way of engines without a forgiving cast."""
    table = ibis.memtable(pa.table({"x": pa.array(texts, pa.string())}))
    how = ColumnMapping.model_validate(mapping)
    value = (
        Casts(zone, engine="duckdb" if duck else "postgres")
        .cast(table.x, kind, how)
        .cast(IBIS_TYPES[kind])
    )
    return ENGINE.to_pyarrow(table.select(value=value))["value"].to_pylist()


@pytest.mark.parametrize("duck", [True, False])
@pytest.mark.parametrize(
    ("kind", "mapping", "pairs"),
    [
        (
            "money",
            {},
            {
                "1": "1",
                " 2.50 ": "2.5",
                "-3.": "-3",
                ".5": "0.5",
                "1e+05": "100000",
                "1.23456": "1.2346",
                "99999999999999": "99999999999999",
                "123456789012345678": None,
                "1,5": None,
                "1_000": None,
                "0x10": None,
                "NaN": None,
                "12 €": None,
            },
        ),
        (
            "money",
            {"decimal": ","},
            {"1.234,56 €": "1234.56", "12": "12", "1\u00a0234,5": "1234.5", "x": None},
        ),
        ("money", {"decimal": "."}, {"$1,234.5": "1234.5", "1'234.5": "1234.5"}),
        ("number", {}, {"1e3": 1000.0, "inf": None, "-7": -7.0, "1e400": None, "": None}),
        (
            "integer",
            {},
            {"7": 7, "7.0": 7, "7.5": None, "1e3": 1000, "99999999999999999999": None},
        ),
        (
            "flag",
            {},
            {"TRUE": True, " yes": True, "0": False, "off": False, "2": None, "ja?": None},
        ),
        ("text", {}, {" a ": "a", "NA": "NA", "  ": None}),
        (
            "date",
            {"format": "%d-%m-%Y"},
            {
                "29-02-2024": date(2024, 2, 29),
                "29-02-2023": None,
                "5-1-2024 3:04": date(2024, 1, 5),
                "05-01-24": None,
                "31-04-2024": None,
            },
        ),
        ("date", {"format": "%d/%m/%y"}, {"1/2/69": date(1969, 2, 1), "1/2/68": date(2068, 2, 1)}),
        ("date", {}, {"2024-01-05": date(2024, 1, 5), "24-01-05": None, "2024-13-01": None}),
        (
            "time",
            {},
            {
                "2024-01-05T23:30Z": datetime(2024, 1, 6, 0, 30),  # noqa: DTZ001 (local)
                "2024-01-05 24:00": None,
                "2024-02-30 10:00Z": None,
            },
        ),
        ("time", {"format": "epoch"}, {"0": datetime(1970, 1, 1, 1), "x": None}),  # noqa: DTZ001
    ],
)
def test_texts_become_values_or_missing(kind, mapping, pairs, duck):
    wanted = [Decimal(v) if v and kind == "money" else v for v in pairs.values()]
    assert cast(list(pairs), kind, duck=duck, **mapping) == wanted


_NUMBERS = st.text(alphabet="0123456789.+-eE ", max_size=12)
_DAYS = st.builds(
    "{}{}{}{}{}{}".format,
    st.integers(0, 2100),
    st.sampled_from("-/."),
    st.integers(0, 13),
    st.sampled_from("-/."),
    st.integers(0, 2100),
    st.sampled_from(["", " 1:02", " 23:59:59", "T10:00:00.5", " 25:00", "Z", " 10:00+02:00"]),
)
_FEW = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@_FEW
@given(
    st.lists(_NUMBERS, min_size=20, max_size=60), st.sampled_from(["money", "number", "integer"])
)
@pytest.mark.slow
def test_both_ways_of_casting_numbers_agree(texts, kind):
    assert cast(texts, kind) == cast(texts, kind, duck=False)


@pytest.mark.slow
@_FEW
@given(
    st.lists(_DAYS, min_size=20, max_size=60),
    st.sampled_from([{}, *({"format": f} for f in formats.DAYS if "b" not in f.lower())]),
)
def test_both_ways_of_casting_days_agree(texts, mapping):
    assert cast(texts, "date", **mapping) == cast(texts, "date", duck=False, **mapping)


@pytest.mark.parametrize("word", ["", " ", "NA", "n/a", "NaN", "null", "None", "-", "\\N"])
def test_words_for_missing(word):
    table = ibis.memtable(pa.table({"x": [word, "x"]}))
    numbers = ENGINE.to_pyarrow(table.select(v=present(table.x, "number")))["v"].to_pylist()
    assert numbers == [None, "x"]
    texts = ENGINE.to_pyarrow(table.select(v=present(table.x, "text")))["v"].to_pylist()
    assert texts == [word.strip() or None, "x"]


# formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "form", "rival"),
    [
        (["2024-01-05", "2024-1-5 10:00:00.123Z"], formats.ISO, None),
        (["16-10-2024", "01-02-2024"], "%d-%m-%Y", None),
        (["10/16/2024 3:05 PM"], "%m/%d/%Y", None),
        (["01/02/2024"], "%d/%m/%Y", "%m/%d/%Y"),
        (["01.02.2024"], "%d.%m.%Y", None),  # nobody writes months first with dots
        (["20240105"], "%Y%m%d", None),
        (["05.01.24"], "%d.%m.%y", None),
        (["Jan 5, 2024"], "%b %d, %Y", None),
        (["5 January 2024"], "%d %B %Y", None),
        (["9999-12-31"], formats.ISO, None),
        (["Basic"], None, None),
        ([], formats.ISO, None),
    ],
)
def test_detect_names_the_format_that_fits_most(values, form, rival):
    found = formats.detect(values)
    assert (found.format, found.rival) == (form, rival)


@pytest.mark.parametrize("form", formats.DAYS)
def test_every_known_format_reads_what_it_writes(form):
    day = date(2024, 3, 31)
    written = [day.strftime(f) for f in formats.spellings(form)]
    assert formats.detect(written[:1]).format is not None
    assert set(cast(written, "date", format=form)) == {day}
