"""Snapshots of a workspace: made once, from files and databases, with what is left out said."""

from dataclasses import replace
from datetime import date

import pytest

from csa.data import cache
from csa.data.features import FEATURES, Feature
from csa.data.rolled_up import CACHE
from csa.data.workspace import Workspace
from csa.errors import InputError, NotAvailable

pytestmark = pytest.mark.slow  # over a second each; make test-fast leaves them out

AS_OF = date(2024, 3, 31)
CUTOFFS = (date(2023, 12, 31), AS_OF)
ACCOUNTS = """account_id,segment,signed_up_on
A1,small,2023-01-01
A2,large,2023-06-01
"""
SUBSCRIPTIONS = """subscription_id,account_id,start_on,end_on,mrr,seats
S1,A1,2023-01-01,2024-03-10,10,1
S2,A2,2023-06-01,,20,4
"""
TICKETS = """ticket_id,account_id,opened_at,resolved_at
K1,A1,2023-06-01 10:00,2024-01-02 10:00
K2,A2,2024-02-01 10:00,
"""
ALWAYS = {"observed_from": "always"}
SOME = ("age_days", "seats", "open_tickets", "tickets_per_month_90", "segment")


@pytest.fixture
def opened(workspace):
    """Open a workspace over CSV files: `opened({name: text})`; None takes a file away."""

    def make(files=None, *, gate=False, segment="all", as_of=AS_OF, top=None):
        found = {
            "accounts.csv": ACCOUNTS,
            "subscriptions.csv": SUBSCRIPTIONS,
            "tickets.csv": TICKETS,
        }
        found = {n: t for n, t in (found | (files or {})).items() if t is not None}
        stated = {n: ALWAYS for n in ("accounts", "subscriptions") if f"{n}.csv" in found}
        made = Workspace(workspace(found, top=top, **stated), as_of=as_of, segment=segment)
        if not gate:  # it takes most of the time
            made._usable = lambda table: None
        return made

    return make


def rows(table):
    return [tuple(r.values()) for r in table.drop("cause", "mrr_minor").to_pyarrow().to_pylist()]


def files(workspace):
    return sorted((workspace.settings.root / CACHE).glob("snapshots-*"))


def test_snapshots_of_a_workspace(opened):
    found = opened().snapshots(cutoffs=CUTOFFS, features=SOME)
    first, last = CUTOFFS
    assert rows(found) == [
        ("A1", first, 364, 70, True, "small", 1.0, 1.0, 0.0, "small"),
        ("A2", first, 213, 91, False, "large", 4.0, 0.0, 0.0, "large"),
        ("A2", last, 304, 0, False, "large", 4.0, 1.0, 30.4375 / 90, "large"),
    ]


def test_snapshots_of_one_segment(opened):
    found = opened(segment="small").snapshots(cutoffs=CUTOFFS, features=SOME)
    assert [r[0] for r in rows(found)] == ["A1"]


def test_snapshots_are_made_once_and_leave_nothing_else_behind(opened):
    workspace = opened()
    workspace.snapshots(cutoffs=CUTOFFS, features=SOME)
    (made,) = files(workspace)
    first = made.stat().st_mtime_ns
    opened().snapshots(cutoffs=CUTOFFS[::-1], features=list(SOME))
    assert files(workspace) == [made]
    assert made.stat().st_mtime_ns == first
    hidden = [p.name for p in made.parent.glob(".snapshots*") if not p.name.endswith(".lock")]
    assert hidden == []


def another(value):
    return Feature(name="mine", table="tickets", meaning="mine", value=value)


@pytest.mark.parametrize(
    "change",
    ["cutoffs", "features", "own", "input", "as_of", "grace", "segment", "gate", "code"],
)
def test_snapshots_are_made_anew_after_a_change(opened, monkeypatch, change):
    before = opened()
    mine = another(lambda k: k.ago_days.max())
    before.snapshots(cutoffs=CUTOFFS, features=[*SOME, mine])
    asked = {"cutoffs": CUTOFFS, "features": [*SOME, mine]}
    ticket = TICKETS + "K3,A2,2024-02-01 10:00,\n"
    after = opened(
        {"tickets.csv": ticket} if change == "input" else None,
        as_of=date(2024, 4, 1) if change == "as_of" else AS_OF,
        top={"data": {"grace_days": 31}} if change == "grace" else None,
        segment="large" if change == "segment" else "all",
    )
    if change == "cutoffs":
        asked["cutoffs"] = CUTOFFS[1:]
    elif change == "features":
        asked["features"] = [mine, *SOME[1:-1]]
    elif change == "own":
        asked["features"] = [*SOME, another(lambda k: k.ago_days.min())]
    elif change == "gate":
        after._usable = refuse
    elif change == "code":
        monkeypatch.setattr(cache, "code_version", lambda: "another")
    after.snapshots(**asked)
    assert len(files(after)) == 2


def refuse(table):
    if table == "tickets":
        raise NotAvailable("tickets have rows at fault", "K1 and others")


def test_features_of_absent_tables_and_columns_are_left_out_and_said(opened):
    workspace = opened({"accounts.csv": None})
    told = workspace.snapshot_features()
    assert "the table surveys is missing; add surveys.csv" in told.left_out["nps_score"]
    assert told.left_out["segment"].startswith("the table accounts is missing")
    assert told.left_out["plan"] == "subscriptions has no plan"
    assert told.left_out["escalations_180"] == "tickets has no escalated_at"
    names = {f.name for f in told.features}
    assert names == {f.name for f in FEATURES if not f.step} - told.left_out.keys() - {"age_days"}
    found = workspace.snapshots(cutoffs=CUTOFFS)
    assert set(found.columns) >= names
    assert told.left_out.keys().isdisjoint(found.columns)
    assert [r[5] for r in rows(found)] == ["not stated"] * 3


def test_features_of_a_table_with_failing_checks_are_left_out_and_said(opened):
    workspace = opened({"tickets.csv": TICKETS + "K1,A2,2024-02-01 10:00,\n"}, gate=True)
    told = workspace.snapshot_features(SOME)
    assert told.left_out.keys() == {"open_tickets", "tickets_per_month_90"}
    assert "rows at fault" in told.left_out["open_tickets"]
    assert "open_tickets" not in workspace.snapshots(cutoffs=CUTOFFS, features=SOME).columns


def test_snapshots_without_a_contract_are_refused(opened):
    with pytest.raises(NotAvailable, match="churn needs subscriptions"):
        opened({"subscriptions.csv": None}).snapshots(cutoffs=CUTOFFS)


def test_snapshots_that_fail_leave_nothing_behind(opened):
    workspace = opened()
    with pytest.raises(InputError, match="lies after the last known day"):
        workspace.snapshots(cutoffs=[date(2024, 4, 1)], features=SOME)
    broken = replace(another(lambda k: k["opened_at"].max()), columns=("opened_at",))
    with pytest.raises(InputError, match="snapshots cannot be made"):
        workspace.snapshots(cutoffs=CUTOFFS, features=[broken])  # a time is no number
    assert files(workspace) == []


def test_snapshots_of_tables_in_a_database_and_in_files_are_the_same(
    opened, postgres_url, monkeypatch
):
    import psycopg  # noqa: PLC0415 (an optional extra)

    wanted = rows(opened().snapshots(cutoffs=CUTOFFS, features=SOME))
    monkeypatch.setenv("TEST_DATABASE_URL", postgres_url)
    with psycopg.connect(postgres_url) as con:
        con.execute(
            "CREATE TABLE tickets (ticket_id text, account_id text, opened_at timestamp, "
            "resolved_at timestamp)"
        )
        for line in TICKETS.splitlines()[1:]:
            values = [value or None for value in line.split(",")]
            con.execute("INSERT INTO tickets VALUES (%s, %s, %s, %s)", values)
    both = {"files": {"path": "data"}, "warehouse": {"url_env": "TEST_DATABASE_URL"}}
    workspace = opened({"tickets.csv": None}, top={"data": {"sources": both}})
    (workspace.settings.root / "data" / "tickets.csv").unlink()
    assert workspace.tables.origin("tickets") != "tickets.csv"
    assert rows(workspace.snapshots(cutoffs=CUTOFFS, features=SOME)) == wanted
