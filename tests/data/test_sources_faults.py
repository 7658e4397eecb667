"""Bad input: one clear line with its place and a way out, never a traceback."""

import gzip
from datetime import date

import ibis
import pytest

from csa.data.sources import Tables, faults
from csa.errors import CsaError, InputError

ACCOUNTS = "account_id,signed_up_on,segment\na,2024-01-05,small\nb,2024-02-01,\n"
SURVEYS = "response_id,account_id,kind,sent_at,score\n1,a,nps,2024-01-05,9\n"


def only(settings):
    """Return the one fault there is, after checking that reading refuses as well."""
    lines = faults(settings)
    assert len(lines) == 1, lines
    assert lines[0].startswith("csa.yml: data.")
    assert str(settings.root) not in lines[0]
    assert "\n" not in lines[0]
    return lines[0]


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("accounts.csv", b"", "accounts.csv is empty; export it again"),
        ("accounts.csv", b"\n \n", "accounts.csv is empty"),
        ("accounts.csv", b"\x00\x01\x02\x03" * 100, "is not a CSV (it holds binary data)"),
        ("accounts.csv", bytes(range(1, 32)) * 100, "is not a CSV (it holds binary data)"),
        ("accounts.csv", b"PK\x03\x04 sheet", "is not a CSV but an Excel or zip file; save the"),
        ("accounts.csv", b"\x89PNG\r\n\x1a\n", "is not a CSV but a picture"),
        ("accounts.csv", b"PAR1....", "is not a CSV but a Parquet file; name it .parquet"),
        ("accounts.csv", gzip.compress(b"a", mtime=0), "compressed with gzip; name it .csv.gz"),
        ("accounts.csv", b"<!doctype html><p>Log in", "it looks like HTML or XML"),
        ("accounts.csv", b'{"accounts": []}', "it looks like JSON"),
        (
            "accounts.csv",
            "account_id,signed_up_on,name\na,2024-01-05,Müller\n".encode("latin-1"),
            "accounts.csv is not UTF-8 (line 2); state its encoding in csa.yml",
        ),
        (
            "accounts.csv",
            (
                "account_id,signed_up_on,name\n" + "a,2024-01-05,x\n" * 30000 + "b,2024-01-05,ü\n"
            ).encode("latin-1"),
            "line 30002 is not UTF-8; state its encoding",
        ),
        (
            "accounts.csv",
            ACCOUNTS + "c,2024-01-05\n",
            "accounts.csv cannot be read: line 4 has 2 columns, the header 3; repair the line",
        ),
        ("accounts.csv", ACCOUNTS + "c,2024-01-05,x,y\n", "line 4 has 4 columns, the header 3"),
        ("accounts.csv", ACCOUNTS + 'c,2024-01-05,"open\n', "accounts.csv cannot be read: "),
        (
            "accounts.csv.gz",
            gzip.compress(ACCOUNTS.encode() * 500, mtime=0)[:60],
            "is not a whole gzip",
        ),
        ("accounts.csv.gz", ACCOUNTS.encode(), "accounts.csv.gz is not a whole gzip file"),
        ("accounts.parquet", b"", "accounts.parquet is empty (0 bytes)"),
        ("accounts.parquet", ACCOUNTS.encode(), "accounts.parquet is not a Parquet file"),
        ("accounts.csv", "account_id;name\na;x\n", 'required, but no column "signed_up_on" in'),
    ],
)
def test_files_that_cannot_be_read(workspace, name, content, fault):
    content = content.encode() if isinstance(content, str) else content
    settings = workspace({name: content})
    assert fault in only(settings)
    with Tables(settings) as tables, pytest.raises(CsaError) as caught:
        tables.uncast("accounts")
    assert caught.value.faults == tuple(faults(settings))


def test_parquet_cut_in_half(workspace, tmp_path):
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "features.parquet"
    con = ibis.duckdb.connect()
    con.raw_sql(f"COPY (SELECT i::VARCHAR AS feature FROM range(9999) t(i)) TO '{file}'")  # noqa: S608
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert only(workspace()) == (
        "csa.yml: data.tables.features: features.parquet is a Parquet file that was cut off; "
        "copy or export it again"
    )
    file.write_bytes(whole[:200] + b"\0" * (len(whole) - 400) + whole[-200:])
    assert "features.parquet" in only(workspace())


def test_no_table_at_all(workspace):
    line = only(workspace({"customers.csv": ACCOUNTS}))
    assert "no canonical table found (there are customers)" in line
    assert "csa init FOLDER" in line


@pytest.mark.parametrize(
    ("mapping", "fault"),
    [
        (
            {"columns": {"score": "scroe"}},
            'data.tables.surveys.columns.score: no column "scroe" in surveys.csv; '
            'did you mean "score"?',
        ),
        (
            {"columns": {"scor": "score"}},
            'surveys.columns.scor: surveys has no such column; did you mean "score"?',
        ),
        ({"columns": {"xyz": "score"}}, "columns.xyz: surveys has no such column; it has respon"),
        ({"columns": {"kind": {"value": None}}}, "columns.kind: required, so it cannot be missi"),
        ({"columns": {"score": {"value": "many"}}}, 'columns.score: "many" is not a number'),
        ({"columns": {"sent_at": {"value": "x"}}}, 'columns.sent_at: "x" is not a time'),
        ({"file": "survey.csv"}, 'surveys.file: no file "survey.csv"; did you mean "surveys.csv"'),
        ({"file": "notes.pdf"}, 'surveys.file: "notes.pdf" is neither CSV nor Parquet'),
        ({"source": "fils"}, 'surveys.source: no source "fils"; did you mean "files"?'),
        ({"table": "surveys"}, "surveys: state its source: one of files"),
        ({"where": "kid = 'nps'"}, 'surveys: where: Referenced column "kid" not found'),
        ({"where": "kind = = 1"}, "surveys: where: "),
        ({"query": "select * frm surveys"}, "surveys.query: "),
        ({"query": "select foo from surveys"}, 'surveys.query: Referenced column "foo" not found'),
        (
            {"query": "select response_id, account_id, kind, cast(kind as int) score from surveys"},
            "surveys: query over surveys.csv cannot be read: ",
        ),
        ({"observed_from": "seen"}, "surveys.columns.observed_from: surveys has no such column"),
    ],
)
def test_mappings_that_fit_nothing(workspace, mapping, fault):
    files = {"surveys.csv": SURVEYS, "notes.pdf": "x"}
    line = only(workspace(files, surveys=mapping))
    assert fault in line


def test_observed_from_a_column_that_is_not_there(workspace):
    line = only(workspace({"accounts.csv": ACCOUNTS}, accounts={"observed_from": "sen"}))
    assert 'accounts.columns.observed_from: no column "sen" in accounts.csv' in line


def test_unknown_tables_in_settings(workspace):
    lines = faults(
        workspace(
            {"accounts.csv": ACCOUNTS},
            top={
                "checks": [
                    {"name": "x", "table": "acounts", "sql": "1", "fix": "y", "source": "fils"}
                ]
            },
            survey={"file": "x.csv"},
            alerts={"file": "x.csv"},
        )
    )
    assert lines == [
        'csa.yml: data.tables.survey: no such table; did you mean "surveys"?',
        "csa.yml: data.tables.alerts: comes from the ledger; remove it",
        'csa.yml: checks[1].table: no table "acounts"; did you mean "accounts"?',
        'csa.yml: checks[1].source: no source "fils"; did you mean "files"?',
    ]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ({"path": "gone"}, 'data.sources.s.path: no folder "gone"; correct the path or make it'),
        ({"path_env": "TEST_UNSET"}, "s.path_env: environment variable TEST_UNSET is not set"),
        ({"url_env": "TEST_UNSET"}, "s.url_env: environment variable TEST_UNSET is not set"),
        ({"url_env": "TEST_EMPTY"}, "s.url_env: environment variable TEST_EMPTY is not set"),
        ({"url_env": "TEST_DOWN"}, "s.url_env: postgresql://127.0.0.1:1/db cannot be reached"),
        ({"url_env": "TEST_ODD"}, "s.url_env: nosuch://host/db cannot be reached"),
        ({"url_env": "TEST_TEXT"}, "s.url_env: "),
        ({"database": "gone.duckdb"}, 's.database: no file "gone.duckdb"; correct the path'),
        ({"database": "data/accounts.csv"}, 's.database: "data/accounts.csv" cannot be opened'),
        (
            {"path_env": "TEST_FOLDER", "path": "x"},
            's.path: no folder "x" below $TEST_FOLDER',
        ),
    ],
)
def test_sources_that_cannot_be_opened(workspace, monkeypatch, tmp_path, source, fault):
    pytest.importorskip("psycopg")
    monkeypatch.delenv("TEST_UNSET", raising=False)
    monkeypatch.setenv("TEST_EMPTY", "")
    monkeypatch.setenv("TEST_DOWN", "postgresql://me:hunter2@127.0.0.1:1/db?sslkey=hunter3")
    monkeypatch.setenv("TEST_ODD", "nosuch://me:hunter2@host/db")
    monkeypatch.setenv("TEST_TEXT", "hunter2")
    monkeypatch.setenv("TEST_FOLDER", str(tmp_path))
    settings = workspace({"accounts.csv": ACCOUNTS}, top={"data": {"sources": {"s": source}}})
    line = only(settings)
    assert fault in line
    assert "hunter" not in line
    assert "me:" not in line


def test_two_sources_with_the_same_table(workspace, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "accounts.csv").write_text(ACCOUNTS)
    sources = {"files": {"path": "data"}, "more": {"path": "more"}}
    settings = workspace({"accounts.csv": ACCOUNTS}, top={"data": {"sources": sources}})
    assert only(settings) == "csa.yml: data.tables.accounts: state its source: one of files, more"


def test_csv_and_parquet_of_the_same_name(workspace):
    line = only(workspace({"accounts.csv": ACCOUNTS, "accounts.tsv": ACCOUNTS}))
    assert "accounts.csv and accounts.tsv are both there; state which with file" in line


# dates ---------------------------------------------------------------------------------------


def dated(*texts):
    lines = [f"a{i},{text}" for i, text in enumerate(texts)]
    return {"accounts.csv": "account_id,signed_up_on\n" + "\n".join(lines)}


@pytest.mark.slow
def test_two_date_formats_in_one_column(workspace):
    files = dated(*["16-10-2024"] * 30, *["2024-10-16"] * 10)
    assert only(workspace(files)) == (
        "csa.yml: data.tables.accounts.columns.signed_up_on: two date formats in "
        '"signed_up_on" of accounts.csv: 30 values as %d-%m-%Y ("16-10-2024"), 10 as YYYY-MM-DD '
        '("2024-10-16"); export it with one format, or make them one with query'
    )
    stated = {"columns": {"signed_up_on": {"format": "%d-%m-%Y"}}}
    assert "two date formats" in only(workspace(files, accounts=stated))
    assert "two date formats" in only(workspace(dated(*["2024-10-16"] * 9, "10/16/2024")))
    assert "two date formats" in only(workspace(dated("13/01/2024", "14/01/2024", "01/15/2024")))


def test_a_slip_of_the_pen_is_no_second_format(workspace):
    files = dated(*["2024-10-16"] * 2000, "16.10.2024")
    settings = workspace(files)
    assert faults(settings) == []
    with Tables(settings) as tables:
        (found,) = tables.uncast("accounts")
        assert found.examples == ('a2000 ("16.10.2024")',)


def test_values_in_three_spellings_are_rows_at_fault(workspace):
    settings = workspace(dated(*["2024-10-16"] * 9, "16.10.2024", "soon", "31-02-2024"))
    assert faults(settings) == []
    with Tables(settings) as tables:
        assert tables.uncast("accounts")[0].failing == 3


def test_day_and_month_that_cannot_be_told_apart(workspace):
    line = only(workspace(dated("05/04/2024", "06/04/2024")))
    assert "can be read as %d/%m/%Y and as %m/%d/%Y; state which" in line
    assert 'signed_up_on: {from: signed_up_on, format: "%d/%m/%Y"}' in line
    stated = {"columns": {"signed_up_on": {"format": "%m/%d/%Y"}}}
    settings = workspace(dated("05/04/2024"), accounts=stated)
    with Tables(settings) as tables:
        found = tables.table("accounts").signed_up_on
        assert tables.engine.to_pyarrow(found).to_pylist() == [date(2024, 5, 4)]


def test_a_column_that_holds_no_dates_at_all(workspace):
    line = only(workspace(dated("Basic", "Pro", "Pro")))
    assert 'no value of "signed_up_on" in accounts.csv is a date (for example "Basic")' in line
    assert "state its format" in line


def test_a_column_that_holds_no_amounts_at_all(workspace):
    text = "subscription_id,account_id,start_on,mrr\n"
    text += "".join(f'{i},a,2024-01-05,"12,5{i}"\n' for i in range(5))
    line = only(workspace({"subscriptions.csv": text}))
    assert 'no value of "mrr" in subscriptions.csv is an amount (for example "12,50")' in line
    assert 'decimal: ","' in line


def test_types_that_are_no_dates(workspace, tmp_path):
    (tmp_path / "data").mkdir()
    con = ibis.duckdb.connect()
    con.raw_sql(
        "COPY (SELECT 'a' AS account_id, 20240105 AS signed_up_on, true AS acquisition_cost, "
        f"[1] AS name) TO '{tmp_path}/data/accounts.parquet'"
    )
    assert faults(workspace()) == [
        'csa.yml: data.tables.accounts.columns.name: column "name" in accounts.parquet holds '
        "array<int32>, not texts",
        'csa.yml: data.tables.accounts.columns.signed_up_on: column "signed_up_on" in '
        "accounts.parquet holds int32, not dates; state its format, for example epoch, epoch_ms "
        "or %Y%m%d",
        'csa.yml: data.tables.accounts.columns.acquisition_cost: column "acquisition_cost" in '
        "accounts.parquet holds boolean, not amounts",
    ]
    columns = {
        "signed_up_on": {"format": "%Y%m%d"},
        "acquisition_cost": {"value": 0},
        "name": {"value": "x"},
    }
    settings = workspace(accounts={"columns": columns})
    assert faults(settings) == []
    with Tables(settings) as tables:
        found = tables.table("accounts").signed_up_on
        assert tables.engine.to_pyarrow(found).to_pylist() == [date(2024, 1, 5)]


def test_all_faults_come_at_once(workspace):
    settings = workspace(
        {"accounts.csv": "", "surveys.csv": SURVEYS, "features.csv": "area\nx\n"},
        surveys={"columns": {"score": "scroe", "knd": "kind"}},
    )
    places = [line.split(": ")[1] for line in faults(settings)]
    assert places == [
        "data.tables.accounts",
        "data.tables.features.columns.feature",
        "data.tables.surveys.columns.knd",
        "data.tables.surveys.columns.score",
    ]


def test_names_from_data_are_never_sql(workspace):
    odd = 'x"; DROP TABLE accounts; --'
    text = f'account_id,signed_up_on,"{odd.replace(chr(34), chr(34) * 2)}"\na,2024-01-05,1\n'
    settings = workspace({'it\'s "odd".csv': text}, accounts={"file": 'it\'s "odd".csv'})
    assert faults(settings) == []
    with Tables(settings) as tables:
        assert odd in tables.table("accounts").columns
        assert tables.table("accounts").count().execute() == 1


def test_a_header_alone_is_a_table_without_rows(workspace):
    settings = workspace({"accounts.csv": "account_id,signed_up_on\n"})
    assert faults(settings) == []
    with Tables(settings) as tables:
        assert tables.table("accounts").count().execute() == 0
        with pytest.raises(InputError, match="how far"):
            tables.last_day()
