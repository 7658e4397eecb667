"""What a notebook opens: roll-ups that are cached, refusals that teach."""

import gc
import multiprocessing
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml

from csa.data import cache
from csa.data import workspace as module
from csa.data.rolled_up import CACHE
from csa.data.workspace import Workspace, open_workspace
from csa.errors import ConfigError, InputError, NotAvailable, RunError

pytestmark = pytest.mark.slow  # over a second each; make test-fast leaves them out

AS_OF = date(2024, 3, 31)
ACCOUNTS = """account_id,segment,signed_up_on,tier
A1,small,2023-01-01,1
A2,large,2023-06-01,2
A3,,2024-01-01,
"""
SUBSCRIPTIONS = """subscription_id,account_id,start_on,end_on,mrr
S1,A1,2023-01-01,2024-03-10,10
S2,A2,2023-06-01,,20
S3,A3,2024-01-01,,30
S4,A9,2024-02-01,,40
"""
ALWAYS = {"observed_from": "always"}


@pytest.fixture
def opened(workspace):
    """Open a workspace over two CSV files: `opened(as_of=..., accounts={mapping})`.

    Its tables are only checked with `gate`.
    """

    def make(files=None, *, gate=False, as_of=AS_OF, segment="all", top=None, **tables):
        found = {"accounts.csv": ACCOUNTS, "subscriptions.csv": SUBSCRIPTIONS}
        found = {n: t for n, t in (found | (files or {})).items() if t is not None}
        stated = {n: ALWAYS for n in ("accounts", "subscriptions") if f"{n}.csv" in found}
        settings = workspace(found, top=top, **(stated | tables))
        made = Workspace(settings, as_of=as_of, segment=segment)
        if not gate:  # it takes most of the time
            made._usable = lambda table: None
        return made

    return make


def rows(table, *columns):
    found = table.select(*columns).to_pyarrow().to_pylist()
    return sorted(tuple(r.values()) for r in found)


def cached(workspace, pattern):
    return sorted(p.name for p in (workspace.settings.root / CACHE).glob(pattern))


# spells ----------------------------------------------------------------------------------------


def test_spells_carry_the_group_of_their_account(opened):
    assert rows(opened().spells(), "account_id", "group", "exit_days", "event") == [
        ("A1", "small", 434, True),
        ("A2", "large", 304, False),
        ("A3", "not stated", 90, False),
        ("A9", "not stated", 59, False),  # no such account: in totals, in no group
    ]


def test_spells_by_cohort_of_signup(opened):
    found = rows(opened().spells(by="signup_year"), "account_id", "group")
    assert dict(found)["A1"] == "2023"
    assert dict(found)["A9"] == "not stated"


def test_spells_by_an_attribute_of_ones_own(opened):
    assert rows(opened().spells(by="tier"), "account_id", "group") == [
        ("A1", "1"),
        ("A2", "2"),
        ("A3", "not stated"),
        ("A9", "not stated"),
    ]


def test_spells_of_one_segment(opened):
    assert rows(opened(segment="large").spells(), "account_id") == [("A2",)]


def test_spells_without_accounts_have_one_group(opened):
    spells = opened({"accounts.csv": None}).spells()
    assert {g for _, g in rows(spells, "account_id", "group")} == {"not stated"}


def test_spells_carry_attributes_of_their_account(opened):
    found = rows(opened().spells(attributes=["tier", "segment"]), "account_id", "tier", "segment")
    assert [row[0] for row in found] == ["A1", "A2", "A3", "A9"]
    assert found[0][2] == "small"
    with pytest.raises(InputError, match='no column "teir"'):
        opened().spells(attributes=["teir"])


def test_months_carry_the_groups_of_the_spells(opened):
    workspace = opened()
    every = workspace.rollup("account_months").count().execute()
    months = workspace.months().execute()
    assert len(months) == every
    groups = months.groupby("account_id")["group"].agg(set)
    assert groups["A1"] == {"small"}
    assert groups["A9"] == {"not stated"}
    assert set(opened(segment="large").months().execute()["account_id"]) == {"A2"}


def test_spells_by_an_unknown_column_say_which_there_are(opened):
    with pytest.raises(InputError, match=r'no column "segmnt".*did you mean "segment"'):
        opened().spells(by="segmnt")


def test_spells_of_an_unknown_segment_say_which_there_are(opened):
    with pytest.raises(InputError, match=r'no account is in segment "Large".*did you mean "large"'):
        opened(segment="Large").spells()


@pytest.mark.parametrize(
    ("accounts", "subscriptions", "entry"),
    [
        ("always", "always", 0),
        ("always", date(2023, 7, 1), 30),
        (date(2023, 7, 1), "always", 30),
        (date(2023, 7, 1), date(2023, 6, 11), 30),  # the later one
        (date(2023, 5, 1), date(2023, 5, 2), 0),
    ],
)
def test_spells_enter_at_the_later_start_of_observation(opened, accounts, subscriptions, entry):
    spells = opened(
        accounts={"observed_from": accounts}, subscriptions={"observed_from": subscriptions}
    ).spells()
    assert dict(rows(spells, "account_id", "entry_days"))["A2"] == entry


def test_spells_take_the_start_of_observation_from_a_column(opened):
    seen = ACCOUNTS.replace("tier", "seen").replace(",2\n", ",2023-07-01\n")
    seen = seen.replace("01,1\n", "01,\n")
    spells = opened({"accounts.csv": seen}, accounts={"observed_from": "seen"}).spells()
    assert dict(rows(spells, "account_id", "entry_days")) == {"A1": 0, "A2": 30, "A3": 0, "A9": 0}


def settings_in(error):
    """Lines of YAML in a refusal, as a user would paste them."""
    lines = [line for line in str(error).splitlines() if line.startswith((" ", "data:"))]
    return yaml.safe_load("\n".join(lines))


def test_spells_without_observed_from_are_refused_with_the_lines_to_add(opened):
    with pytest.raises(NotAvailable, match="left truncation") as refusal:
        opened(accounts={}, subscriptions={}).spells()
    pasted = settings_in(refusal.value)["data"]["tables"]
    assert pasted.keys() == {"accounts", "subscriptions"}
    assert rows(opened(**pasted).spells(), "account_id", "entry_days")


def test_spells_are_refused_where_one_of_the_two_is_silent(opened):
    with pytest.raises(NotAvailable, match="observed_from of accounts") as refusal:
        opened(accounts={}).spells()
    assert settings_in(refusal.value)["data"]["tables"].keys() == {"accounts"}


def test_spells_without_a_contract_are_refused(opened):
    files = {
        "subscriptions.csv": None,
        "transactions.csv": "account_id,occurred_at,amount\nA1,2024-01-01,5\n",
    }
    with pytest.raises(NotAvailable, match=r"contract.*the CLV chapter") as refusal:
        opened(files).spells()
    wanted = settings_in(refusal.value)["data"]["tables"]["subscriptions"]["columns"]
    assert wanted.keys() == {"subscription_id", "account_id", "start_on", "end_on", "mrr"}


# roll-ups --------------------------------------------------------------------------------------


def test_rollup_of_a_blocked_table_is_refused_with_the_rows_at_fault(opened):
    files = {"subscriptions.csv": SUBSCRIPTIONS + "S5,A1,2024-01-01,,-7\n"}
    workspace = opened(files, gate=True)
    with pytest.raises(NotAvailable) as refusal:
        workspace.rollup("account_months")
    assert "mrr is below 0 (1 of 5 rows, for example S5 (-7))" in str(refusal.value)
    assert rows(workspace.rollup("accounts"), "account_id")  # the other table is fine


def test_rollup_of_an_absent_table_says_how_to_add_it(opened):
    with pytest.raises(NotAvailable, match=r"subscriptions is missing; add subscriptions.csv"):
        opened({"subscriptions.csv": None}, gate=True).rollup("account_months")


def test_rollup_of_an_unknown_name_says_which_there_are(opened):
    with pytest.raises(InputError, match=r'no roll-up "spell".*did you mean "spells"'):
        opened().rollup("spell")


def test_rollup_is_made_once(opened):
    first, again = opened(), opened()
    first.rollup("spells")
    (name,) = cached(first, "spells-*.parquet")
    file = first.settings.root / CACHE / name
    made = file.stat().st_mtime_ns
    again.rollup("spells")
    assert file.stat().st_mtime_ns == made
    assert cached(first, "spells-*.parquet") == [name]
    assert name in again.lineage().set_index("table").loc["subscriptions", "rollups"]


def test_rollup_uses_the_decimals_of_the_currency(opened):
    yen = opened(top={"currency": "JPY"}).rollup("account_months")
    assert max(m for _, m in rows(yen, "account_id", "mrr_minor")) == 40


CHANGES = {
    "input": {"files": {"subscriptions.csv": SUBSCRIPTIONS + "S5,A2,2024-03-01,,1\n"}},
    "as_of": {"as_of": date(2024, 3, 30)},
    "grace": {"top": {"data": {"grace_days": 31}}},
    "currency": {"top": {"currency": "JPY"}},
    "observed_from": {"subscriptions": {"observed_from": date(2024, 1, 1)}},
    "code": {},
}


@pytest.mark.parametrize("change", CHANGES)
def test_rollup_is_made_anew_after_a_change(opened, monkeypatch, change):
    before = opened()
    before.rollup("spells")
    old = before._files_of("subscriptions")
    if change == "code":
        monkeypatch.setattr(cache, "code_version", lambda: "another")
    after = opened(**CHANGES[change])
    after.rollup("spells")
    assert len(cached(after, "spells-*.parquet")) == 2
    assert after._files_of("subscriptions") != old


def change_in_place(workspace, run):
    """Roll up, change old rows in the database, roll up again; give both results."""
    run(
        "CREATE TABLE subscriptions (subscription_id text, account_id text, start_on date, "
        "end_on date, mrr numeric(9, 2))"
    )
    run("INSERT INTO subscriptions VALUES ('S1', 'A1', '2024-01-01', NULL, 10)")
    found = []
    for change in (None, "UPDATE subscriptions SET end_on = '2024-03-01'"):
        if change:
            run(change)
        opened = workspace()
        found += rows(opened.rollup("spells"), "account_id", "event")
        opened.tables.close()
    return found


def test_rollup_notices_rows_changed_in_a_duckdb_file(workspace, tmp_path):
    def run(sql):
        with duckdb.connect(tmp_path / "own.duckdb") as con:
            con.execute(sql)

    def again():
        sources = {"sources": {"own": {"database": "own.duckdb"}}}
        return Workspace(workspace(top={"data": sources}, subscriptions=ALWAYS), as_of=AS_OF)

    assert change_in_place(again, run) == [("A1", False), ("A1", True)]


def test_rollup_notices_rows_changed_in_postgres(workspace, postgres_url, monkeypatch):
    import psycopg  # noqa: PLC0415 (an optional extra)

    monkeypatch.setenv("TEST_DATABASE_URL", postgres_url)

    def run(sql):
        with psycopg.connect(postgres_url) as con:
            con.execute(sql)

    def again():
        sources = {"sources": {"warehouse": {"url_env": "TEST_DATABASE_URL"}}}
        return Workspace(workspace(top={"data": sources}, subscriptions=ALWAYS), as_of=AS_OF)

    assert change_in_place(again, run) == [("A1", False), ("A1", True)]


def test_rollup_outlives_its_workspace(opened):
    spells = opened().spells()
    gc.collect()
    assert len(rows(spells, "account_id")) == 4


def _roll(root, barrier):
    barrier.wait(60)
    Workspace(module.load(root), as_of=AS_OF).rollup("spells")


@pytest.mark.slow
def test_processes_may_want_the_same_rollup_at_once(opened):
    workspace = opened()
    root = workspace.settings.root
    text = workspace.settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
    (root / "csa.yml").write_text(yaml.safe_dump(text))
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    processes = [context.Process(target=_roll, args=(root, barrier)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [p.exitcode for p in processes] == [0, 0, 0]
    assert len(cached(workspace, "*.parquet")) == 1
    assert cached(workspace, ".*.parquet") == []  # nothing half done


def test_keep_leaves_nothing_behind_when_writing_fails(tmp_path):
    def broken(path: Path) -> None:
        path.write_text("half")
        raise InputError("the source broke off")

    file = tmp_path / "new" / "spells.parquet"
    with pytest.raises(InputError):
        cache.keep(file, broken)
    assert not list(file.parent.glob("*.parquet"))
    assert cache.keep(file, lambda path: path.write_text("whole") and None).read_text() == "whole"


def test_keep_says_where_it_cannot_write(tmp_path):
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(RunError, match=r"cannot be written to .csa"):
        cache.keep(tmp_path / "cache" / "spells.parquet", lambda path: None)


# quality, lineage, targets ---------------------------------------------------------------------


def test_quality_is_checked_once_for_the_same_data(opened, monkeypatch):
    first = opened().quality()
    monkeypatch.delattr(module, "check_tables")
    again = opened().quality()
    assert again.checks == first.checks
    with pytest.raises(NameError):  # another day is another question
        opened(as_of=date(2024, 3, 30)).quality()


def test_quality_sees_changes_in_files_that_only_own_checks_read(opened):
    check = {"name": "left", "table": "accounts", "fix": "none", "source": "files"}
    top = {"checks": [check | {"sql": "SELECT account_id FROM left_accounts"}]}
    first = opened({"left_accounts.csv": "account_id\nA1\n"}, top=top).quality()
    second = opened({"left_accounts.csv": "account_id\nA1\nA2\n"}, top=top).quality()
    assert [r.checks[-1].failing for r in (first, second)] == [1, 2]


def test_lineage_leaves_out_the_ledger(opened):
    workspace = opened()
    (workspace.settings.root / "reports").mkdir()
    frame = workspace.lineage()
    assert frame.columns.tolist() == [
        *("table", "origin", "rows", "newest", "fingerprint", "rollups"),
    ]
    assert frame["table"].tolist() == ["accounts", "subscriptions"]
    assert frame["rows"].tolist() == [3, 4]


def test_target_is_that_of_csa_yml(opened):
    workspace = opened(top={"targets": {"logo_churn_rate": {"value": 0.02, "better": "lower"}}})
    assert workspace.target("logo_churn_rate").value == 0.02
    assert workspace.target("nps") is None


# opening ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "fault"),
    [
        ("2024-02-30", "does not exist"),
        ("31.3.2024", "YYYY-MM-DD"),
        ("2998-01-01", "in the future"),
    ],
)
def test_open_workspace_refuses_a_day_that_is_none(opened, as_of, fault):
    root = opened().settings.root
    (root / "csa.yml").write_text(
        "{name: T, currency: EUR, timezone: UTC, data: {sources: {files: {path: data}}}}"
    )
    with pytest.raises(InputError, match=fault):
        open_workspace(as_of=as_of, path=root)


def test_open_workspace_finds_its_settings(opened, monkeypatch):
    root = opened().settings.root
    (root / "csa.yml").write_text(
        "{name: T, currency: EUR, timezone: UTC, data: {sources: {files: {path: data}}}}"
    )
    monkeypatch.setenv("CSA_WORKSPACE", str(root))
    workspace = open_workspace(as_of="2024-03-31", segment="small")
    assert (workspace.settings.name, workspace.segment) == ("T", "small")
    assert workspace.as_of == AS_OF


def test_open_workspace_without_settings_is_refused(tmp_path):
    with pytest.raises(ConfigError):
        open_workspace(as_of="2024-03-31", path=tmp_path)
