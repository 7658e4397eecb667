"""The numbers of the chapters retention, revenue and adoption from finished roll-ups.

A company of 100 million events, that is 2 million users of 100,000 accounts, one subscription
each. What the notebooks compute is computed, with their own parameters, and nothing is drawn or
told; cohorts are those of accounts, as the chapter has them by default. Making the roll-ups and
opening the workspace are not counted (`benchmarks.usage` measures the former), reading them is.
"""
# ruff: noqa: PLC0415  a side imports only what it uses; all SQL here is of our own

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.events import EVENTS_PER_USER, FIRST_DAY, LAST_DAY, USERS_PER_ACCOUNT
from benchmarks.record import Measured, Record, measure
from benchmarks.survival import Clock
from benchmarks.usage import PEER_SIZE, SIZE, connected, one_more_day, roll_ups, workspace_root

MODULE = "benchmarks.chapters"
SECONDS = 10.0
START, END, BEFORE = "2026-10-01", "2026-11-01", "2026-09-01"
CHAPTERS = ("retention", "revenue", "adoption")
ROLL_UPS = ("spells", "account_months", "licences", "accounts", "user_days", "feature_months")

ACCOUNTS = """
    copy (
        select 'a' || n::varchar as account_id, 'Account ' || n::varchar as name,
               ['small', 'middle', 'large'][1 + (hash(n, 1) % 3)::integer] as segment,
               date '{first}' + (hash(n, 2) % 500)::integer as signed_up_on
        from range({accounts}) as drawn(n)
    ) to '{folder}/accounts.parquet' (format parquet)
"""
SUBSCRIPTIONS = """
    copy (
        select 's' || n::varchar as subscription_id, 'a' || n::varchar as account_id,
               date '{first}' + (hash(n, 2) % 500)::integer as start_on,
               if(hash(n, 3) % 3 = 0, start_on + (31 + hash(n, 4) % 600)::integer, null) as ended,
               if(ended <= date '{last}', ended, null) as end_on,
               (20 + hash(n, 5) % 2000)::decimal(18, 4) as mrr, 30 as seats
        from range({accounts}) as drawn(n)
    ) to '{folder}/subscriptions.parquet' (format parquet)
"""


def opened(millions: int) -> Any:
    """Open the workspace whose roll-ups of usage are there; accounts are added to it."""
    from csa.data.workspace import Workspace
    from csa.settings import from_mapping

    data = workspace_root(millions) / "data"
    rule = {
        "folder": data,
        "accounts": millions * 1_000_000 // EVENTS_PER_USER // USERS_PER_ACCOUNT,
        "first": FIRST_DAY,
        "last": LAST_DAY,
    }
    if not (data / "subscriptions.parquet").exists():
        engine = connected()
        engine.execute(ACCOUNTS.format(**rule))
        engine.execute(SUBSCRIPTIONS.format(**rule))
    settings = {
        "name": "Benchmark",
        "currency": "EUR",
        "timezone": "Pacific/Auckland",
        "data": {
            "sources": {"files": {"path": "data"}},
            "tables": {t: {"observed_from": FIRST_DAY} for t in ("accounts", "subscriptions")},
        },
    }
    made = Workspace(from_mapping(settings, root=workspace_root(millions)), as_of=LAST_DAY)
    made._usable = lambda table: None  # type: ignore[method-assign]
    return made


def finished(millions: int) -> dict[str, float]:
    """Make the roll-ups that are not there yet."""
    known = opened(millions)
    clock = Clock()
    for name in ROLL_UPS:
        known.rollup(name)
    return clock.figures()


def retention(millions: int) -> dict[str, float]:
    """Compute what the chapter on retention shows."""
    from csa.analysis import cohorts
    from csa.data.activity import activity

    known = opened(millions)
    clock = Clock()
    active = activity(known, kind="paid", by="segment")
    basis = cohorts.Basis(
        unit=active.unit, activity=active.kind, start=active.start, begins=active.begins
    )
    months = cohorts.named_clock("month", week_start="monday", least_days=1, last_age=12)
    counted = cohorts.count(active.rows, clock=months, as_of=LAST_DAY, basis=basis)
    kept = cohorts.retention(counted)
    cohorts.retention(counted, returned="unbounded")
    cohorts.age_trend(kept, age=3)
    cohorts.by_group(kept, age=3)
    cohorts.revenue_retention(known.months(by="segment"), as_of=LAST_DAY, last_age=12)
    cohorts.ways(counted, active.rows, ages=[1, 3, 12])
    return clock.figures()


def revenue(millions: int) -> dict[str, float]:
    """Compute what the chapter on revenue shows of recurring revenue."""
    from csa import periods
    from csa.analysis import revenue as of

    known = opened(millions)
    clock = Clock()
    months = known.months(by="segment")
    span = of.span(start=periods.day(START), end=periods.day(END), as_of=LAST_DAY)
    definitions = known.settings.definitions.chosen
    moved = of.movements(months, span=span, history=13)
    flows = of.flow_rates(months, span=span, horizon_months=12)
    kept = of.retention(months, span=span, horizons=[1, 3, 12])
    of.as_defined(kept, flows, definitions=definitions)
    of.retention_over_time(months, span=span, horizon_months=12)
    of.by_definition(kept, flows, moved, definitions=definitions)
    of.retention_bridge(kept, of="nrr", horizon_months=12)
    of.retention_bridge(kept, of="grr", horizon_months=12)
    of.arpa_bridge(months, span=span)
    of.revenue_concentration(months, span=span)
    return clock.figures()


def adoption(millions: int) -> dict[str, float]:
    """Compute what the chapter on adoption shows."""
    from csa import periods
    from csa.analysis import adoption as of
    from csa.data.adoption import adoption as use_of

    workspace = opened(millions)
    clock = Clock()
    known = use_of(workspace, by="segment")
    first = periods.day(START)
    span = of.span(
        known.days,
        start=first,
        end=periods.day(END),
        previous_start=periods.day(BEFORE),
        as_of=LAST_DAY,
    )
    use = of.account_use(known.days, span=span).cache()
    parts: dict[str, Callable[[], object]] = {
        "actives": lambda: of.stickiness(of.actives(known.days, use, span=span)),
        "depth": lambda: of.depth(use, span=span),
        "utilisation": lambda: of.utilisation(known.days, known.licences, span=span),
        "breadth": lambda: of.breadth(known.features, known.launched, span=span),
        "uptake": lambda: of.uptake(known.features, known.customers, known.launched, span=span),
        "power": lambda: of.power_users(known.days, span=span, often=4),
        "engagement": lambda: _engagement(of, known, span),
    }
    each = {}
    for name, part in parts.items():
        own = Clock()
        part()
        each[name] = own.figures()["cpu"]
    return clock.figures() | each


def _engagement(of: Any, known: Any, span: Any) -> object:
    from csa import periods

    names = ("days", "features", "customers", "licences", "launched")
    return of.engagement(
        of.Sources(**{name: getattr(known, name) for name in names}),
        span=span,
        reference_end=of.last_reference(periods.day(START)),
    )


SIDES = {f.__name__: f for f in (finished, retention, revenue, adoption)}


def side(name: str, millions: int) -> Measured:
    """Measure one chapter in a process of its own."""
    return measure(["-m", MODULE, name, str(millions)])


def run() -> list[Record]:
    """Measure the three chapters, at a tenth and at full size."""
    found = []
    for millions in (PEER_SIZE, SIZE):
        if not workspace_root(millions).exists():
            roll_ups(millions)
            one_more_day(millions)
        side("finished", millions)
        found.append(record(millions, {name: side(name, millions) for name in CHAPTERS}))
    return found


def record(millions: int, made: dict[str, Measured]) -> Record:
    """Sum chapters up; the goal is for the full size, a smaller one must not miss it either."""
    cpu = {name: found.output["cpu"] for name, found in made.items()}
    total = sum(cpu.values())
    each = ", ".join(f"{name} {seconds:.1f}" for name, seconds in cpu.items())
    wall = sum(found.output["wall"] for found in made.values())
    return Record(
        name="chapters from roll-ups",
        size=f"{millions * 1_000_000:,} events",
        ours=round(total, 3),
        unit="s cpu",
        goal=f"under {SECONDS:g} s",
        holds=total < SECONDS,
        peak_mb=round(max(found.output["peak_mb"] for found in made.values())),
        note=f"numbers of {each}; one after the other, elapsed {wall:.0f} s; load "
        f"{os.getloadavg()[1]:.0f} on {os.cpu_count()} cores",
    )


if __name__ == "__main__":
    print(json.dumps(SIDES[sys.argv[1]](int(sys.argv[2]))))
