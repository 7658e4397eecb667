"""The declarations hold together, and their documentation is up to date."""

import re
from pathlib import Path

import ibis
import pytest

from csa.data.schema import IBIS_TYPES, TABLES, documentation, version

ROOT = Path(__file__).resolve().parents[2]
# Section 4 of the design: every table with its columns, * = required.
DESIGN = {
    "accounts": "account_id* name segment industry region plan owner channel signed_up_on* "
    "trial_started_on trial_ended_on converted_on acquisition_cost",
    "subscriptions": "subscription_id* account_id* start_on* end_on renews_on mrr* list_mrr "
    "discount_ends_on currency seats plan billing_months end_reason",
    "transactions": "transaction_id account_id* occurred_at* amount* currency",
    "usage_events": "account_id* user_id occurred_at* feature quantity seconds session_id device",
    "features": "feature* area launched_on",
    "surveys": "response_id* account_id* user_id kind* sent_at answered_at score comment "
    "campaign_id",
    "tickets": "ticket_id* account_id* opened_at* first_response_at resolved_at contacts "
    "category priority escalated_at",
    "interventions": "intervention_id* account_id* kind trigger owner started_at* ended_at "
    "outcome cost",
    "opportunities": "opportunity_id* account_id* kind* opened_on* closed_on stage mrr",
    "campaigns": "campaign_id* name kind started_on* ended_on cost",
    "campaign_accounts": "campaign_id* account_id* exposed_at*",
    "cash_flows": "initiative* kind* category* occurs_on* amount* low high basis",
    "staff": "person_id* role team capacity_hours",
    "training": "person_id* course* assigned_on completed_on certified",
    "measurements": "metric_id* measured_on* value* n low high segment source*",
    "benchmarks": "metric_id* name* value* valid_from* source*",
    "goals": "goal_id* name* owner due_on metric_id",
    "baselines": "metric_id* name* value* n frozen_on*",
    "milestones": "milestone_id* project* due_on done_on budget spent",
    "decisions": "decision_id* raised_at* decided_at report outcome",
}
LEDGER = {
    "report_runs",
    "report_deliveries",
    "report_opens",
    "data_checks",
    "predictions",
    "alerts",
}


@pytest.mark.parametrize("name", DESIGN)
def test_tables_have_the_columns_of_the_design(name):
    declared = {c.name: c.required for c in TABLES[name].columns}
    if name in {"accounts", "subscriptions"}:
        assert declared.pop("observed_from") is False
    if name == "subscriptions":  # for `definitions: {churn_at: cancel}`
        assert declared.pop("cancelled_on") is False
    assert declared == {w.rstrip("*"): w.endswith("*") for w in DESIGN[name].split()}


def test_no_table_is_missing_or_unknown():
    assert set(TABLES) == set(DESIGN) | LEDGER
    assert {n for n, t in TABLES.items() if t.ledger} == LEDGER


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_declarations_hold_together(table):
    names = [c.name for c in table.columns]
    kinds = {c.name: c.kind for c in table.columns}
    assert len(set(names)) == len(names)
    assert set(table.key) <= set(names)
    assert set(table.required) <= set(names)
    for column in table.columns:
        assert column.meaning
        if column.known_by:
            assert kinds[column.known_by] in {"date", "time"}
        assert not (column.planned and column.known_by)
    for name in filter(None, (table.appears, table.appears_else)):
        assert kinds[name] in {"date", "time"}
    for low, high in table.order:
        assert {low, high} <= set(names)
        assert (kinds[low] == "time") == (kinds[high] == "time")
    for name, other in table.references.items():
        assert kinds[name] in {"id", "text"}
        assert TABLES[other].key == (name,)


@pytest.mark.parametrize("kind", IBIS_TYPES)
def test_kinds_are_ibis_types(kind):
    assert str(ibis.dtype(IBIS_TYPES[kind])).replace(" ", "") == IBIS_TYPES[kind].replace(" ", "")


def test_outcomes_are_known_by_themselves():
    for table in TABLES.values():
        for column in table.columns:
            if column.kind in {"date", "time"} and not column.planned:
                own = column.known_by == column.name
                appears = column.name in {table.appears, table.appears_else}
                assert own or appears or column.name == "observed_from", (table.name, column.name)


def test_documentation_is_up_to_date():
    page = (ROOT / "docs" / "tables.md").read_text("utf-8")
    assert page == documentation(), "run: python -m csa.data.schema > docs/tables.md"
    for name in TABLES:
        assert f"# {name}\n" in page


def test_version_is_a_short_digest():
    assert re.fullmatch(r"[0-9a-f]{12}", version())
    assert version() == version()


def test_column_lookup_money_and_required():
    accounts = TABLES["accounts"]
    assert accounts.column("nothing") is None
    assert accounts.column("account_id").ibis_type == "string"
    assert accounts.required == ("account_id", "signed_up_on")
    assert TABLES["subscriptions"].money == ("mrr", "list_mrr")
