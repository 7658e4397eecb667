"""Editions made without data, kernels or clock, for tests of pages and print."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from csa.analysis.churn import churn_rate, conditional_survival, remaining_lifetime, survival
from csa.present import narrate, plots, tables
from csa.present.items import Finding, Table
from csa.report import assemble, ranking
from csa.report.engine import Run

HOSTILE = ("<script>alert(1)</script>", "A" * 200, "حساب تجريبي", "$x$ & \u202eco")
SEGMENTS = ("Enterprise", "Mid-market", "SMB")
AS_OF = date(2026, 10, 31)
NO_TABLE = (
    "the table subscriptions is missing; add subscriptions.csv to the data, or map yours in "
    "csa.yml under data.tables.subscriptions (docs/tables.md has all columns)",
)


@dataclass(frozen=True)
class Target:
    """A target as csa.yml gives it."""

    value: float
    warn: float | None = None
    better: str = "lower"


STAY = Target(0.9, 0.85, "higher")


@dataclass(frozen=True)
class Check:
    """A check as the quality gate gives it."""

    table: str
    column: str = ""
    check: str = "schema"
    severity: str = "error"
    failing: int = 0
    rows: int = 500
    examples: tuple = ()
    message: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Quality:
    """A report of the quality gate."""

    checks: tuple
    blocked: frozenset = frozenset()
    tables: pd.DataFrame = field(default_factory=pd.DataFrame)
    missing: pd.DataFrame = field(default_factory=pd.DataFrame)


FAILING = (
    Check(
        "accounts",
        "churned",
        "contradiction",
        "warning",
        312,
        500,
        ("A-1001", "<b>x</b>"),
        "churn flag disagrees with the churn events",
        "trust the events; correct the flag at its source",
    ),
    Check(
        "subscriptions",
        "mrr",
        "range",
        "error",
        3,
        2400,
        ("s1", "s2", "s3"),
        "mrr is negative",
        "write refunds as transactions, or filter with where",
    ),
    Check(
        "usage_events",
        "occurred_at",
        "freshness",
        "warning",
        1,
        1,
        (),
        "newest row is 12 days older than the period's end",
        "load the missing days",
    ),
)
TABLES = pd.DataFrame(
    [
        ("accounts", 2000, date(2026, 10, 30), "accounts.parquet", "a" * 40),
        ("subscriptions", 2431, date(2026, 10, 31), "subscriptions.parquet", "b" * 40),
        ("usage_events", 1203344, date(2026, 10, 19), "warehouse: public.events", "c" * 40),
    ],
    columns=["table", "rows", "newest", "origin", "fingerprint"],
)

MISSING = pd.DataFrame(
    [("accounts", "name", 0, 0.0), ("accounts", "plan", 12, 0.006), ("surveys", "score", 9, 0.5)],
    columns=["table", "column", "missing", "share"],
)


def quality(failing=3):
    passing = tuple(Check(t) for t in ("accounts", "subscriptions", "usage_events") for _ in "xxx")
    blocked = frozenset({"subscriptions"} if failing > 1 else ())
    return Quality((*FAILING[:failing], *passing), blocked, TABLES, MISSING)


def spells(groups=SEGMENTS, *, accounts=900, seed=1):
    """Spells of accounts that leave at a constant rate, higher from group to group."""
    rng = np.random.default_rng(seed)
    parts = []
    for i, group in enumerate(groups):
        n = max(6, int(accounts * (1 - 0.2 * i)))
        start = rng.integers(0, 1800, n)
        stays = np.ceil(rng.exponential(30 / (0.010 * (1 + 0.6 * i)), n)).astype(int)
        seen = 1826 - start
        parts.append(
            pd.DataFrame(
                {
                    "group": group,
                    "account_id": [f"{i}-{k}" for k in range(n)],
                    "start_on": pd.Timestamp("2021-11-01") + pd.to_timedelta(start, "D"),
                    "entry_days": 0,
                    "exit_days": np.minimum(stays, seen),
                    "event": stays < seen,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@cache
def rate(groups=SEGMENTS):
    return churn_rate(
        spells(groups),
        start=date(2026, 10, 1),
        end=date(2026, 11, 1),
        previous_start=date(2026, 9, 1),
        previous_end=date(2026, 10, 1),
    )


@cache
def lifetimes(groups=SEGMENTS):
    return survival(spells(groups))


def chances(groups=SEGMENTS):
    return conditional_survival(lifetimes(groups), ages_days=[0, 365, 730], ahead_days=[365])


def rate_finding(target=Target(0.02, 0.03), groups=SEGMENTS, **options):
    return narrate.churn_rate(
        rate(groups),
        target=target,
        period_label="October 2026",
        previous_label="September 2026",
        **options,
    )


def markdown(source, *tags):
    return new_markdown_cell(source, metadata={"tags": list(tags)})


def shows(item, *tags):
    output = new_output("execute_result", data=item._repr_mimebundle_(), execution_count=1)
    code = "account_secret = 1"  # must never be seen on a page
    return new_code_cell(code, execution_count=1, metadata={"tags": list(tags)}, outputs=[output])


def chapter(name, *cells, status="ok", problem=()):
    setup = new_code_cell("import setup_of_the_chapter", metadata={"tags": ["setup"]})
    notebook = new_notebook(cells=[cells[0], setup, *cells[1:]])
    return Run(name=name, status=status, seconds=3.2, notebook=notebook, problem=problem)


def churn_chapter(groups=SEGMENTS, *, long=False):
    ahead = remaining_lifetime(lifetimes(groups), ages_days=[0, 365, 730], ahead_days=[365])
    stay = tables.remaining(ahead, confidence=0.95)
    cells = [
        markdown("# Churn\nWho leaves, how soon, and is it more than last month?"),
        markdown("## How many accounts left?"),
        shows(rate_finding(groups=groups)),
        shows(plots.churn_rates(rate(groups), target=Target(0.02))),
        shows(tables.churn_rate(rate(groups))),
        markdown("Share of the accounts at the start; Wilson interval.", "method"),
        markdown("## How long do accounts stay?"),
        shows(narrate.lifetime(lifetimes(groups))),
        shows(narrate.groups(lifetimes(groups))),
        shows(plots.survival_curves(lifetimes(groups))),
        shows(tables.survival_summary(lifetimes(groups))),
        markdown("Kaplan-Meier with delayed entry.\n\n- a return is a new spell", "method"),
        markdown("## Who stays from here on?"),
        shows(narrate.first_year(chances(groups), confidence=0.95, target=STAY)),
        shows(stay),
    ]
    if long:
        rows = pd.concat([stay.rows] * 9, ignore_index=True)
        cells.append(shows(Table(id="long", title="A long table", columns=stay.columns, rows=rows)))
    return chapter("churn", *cells)


def quality_chapter(report=None):
    report = report or quality()
    return chapter(
        "data_quality",
        markdown("# Data quality\nCan these numbers be trusted?"),
        markdown("## What fails?"),
        shows(narrate.data_quality(report)),
        shows(tables.checks(report)),
        markdown("## How fresh are the data?"),
        shows(narrate.freshness(report, as_of=AS_OF)),
        shows(tables.freshness(report)),
        markdown("## Where do the numbers come from?"),
        shows(tables.lineage(report.tables)),
    )


def broken(kind, name, title, problem):
    error = new_output("error", ename=kind, evalue="\n".join(problem), traceback=["secret path"])
    cell = new_code_cell("boom()", execution_count=1, outputs=[error])
    status = "unavailable" if kind == "NotAvailable" else "failed"
    head = markdown(f"# {title}\nA question.")
    return chapter(name, head, cell, status=status, problem=tuple(problem))


def unavailable(name="revenue", title="Revenue", problem=NO_TABLE):
    return broken("NotAvailable", name, title, problem)


def failed(name="risk", title="Risk"):
    return broken("KeyError", name, title, ["In \"Which accounts first?\": KeyError: 'mrr'"])


def many_findings(count):
    """Make a chapter with nothing but findings."""
    cells = [
        shows(
            Finding(
                id=f"finding-{i}",
                title=f"Finding number {i}",
                text=f"{i}.5% of accounts did what they did in October 2026: {i} of 200, "
                "up 0.4 points from 1.7% in September 2026.",
                evidence="95% interval 1.5% to 2.8%; the target of 2.0% lies inside it. The change "
                "is within chance (−0.5 to +1.2 pp).",
                action="Wait for more data before acting; watch Mid-market: 1.9%, 8 of 425.",
                status=("bad", "watch", "good", "unclear")[i % 4],
            )
        )
        for i in range(count)
    ]
    return chapter("many", markdown("# Many findings\nAnd a question."), *cells)


def edition_of(*runs, workspace="Acme Cloud", report=None, **changes):
    """Make the combined notebook and the edition of some chapters."""
    pages, notebook = assemble.chapters_of(runs)
    report = report or quality(0)
    failing = [vars(check) for check in report.checks if check.failing]
    errors = sum(check["severity"] == "error" for check in failing)
    fields = {
        "report": "monthly",
        "title": "Monthly customer success report",
        "workspace": workspace,
        "period": "2026-10",
        "period_label": "October 2026",
        "previous_label": "September 2026",
        "cadence": "month",
        "start": date(2026, 10, 1),
        "end": date(2026, 11, 1),
        "as_of": AS_OF,
        "data_until": AS_OF,
        "revision": 1,
        "fingerprint": "9f2c4b7a" * 8,
        "code_version": "0.1.0+3fa9c1d2",
        "made_at": datetime(2026, 11, 1, 7, 0, tzinfo=ZoneInfo("Europe/Berlin")),
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "locale": "en",
        "status": ranking.status_of(pages),
        "chapters": pages,
        "findings": ranking.rank(pages),
        "scorecard": ranking.scorecard_of(pages),
        "contents": assemble.contents_of(notebook),
        "quality": assemble.QualitySummary(
            checks=len(report.checks),
            errors=errors,
            warnings=len(failing) - errors,
            blocked=tuple(sorted(report.blocked)),
            failing=tuple(failing),
        ),
        "lineage": tuple(assemble.LineageRow(**row) for row in TABLES.to_dict("records")),
        "stages": {"chapters": 9.1},
    }
    return notebook, assemble.Edition(**fields | changes)


def full():
    runs = (churn_chapter(long=True), unavailable(), failed(), quality_chapter())
    return edition_of(*runs, report=quality())


def hostile():
    name = "<script>alert(1)</script> " + "W" * 200
    runs = (churn_chapter(HOSTILE), quality_chapter())
    return edition_of(*runs, report=quality(), workspace=name)


def nothing():
    return edition_of(unavailable(), unavailable("churn", "Churn"), report=quality(2))
