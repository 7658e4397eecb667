"""Many sample companies, drawn as `csa sample` draws them but for the tables churn does not read.

What is true of survival is what `truth.json` would state: the limit of the Kaplan-Meier curve for
the start days of that company. What is true of a period (rates of churn) is integrated over the
stated hazards too: the mean of the accounts' own chances to leave in it, over the contracts of one
much larger company drawn from the same parameters.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from csa.data import rollups
from csa.data.sample import engine, model, truth

STEPS = ("reset", "account", "born_first", "outcome", "born_again", "outcome")
PRICED = ("move", "term", "sub", "extra")
CONTEXT = rollups.RollupContext(as_of=model.LAST_DAY, observed_from="observed_from")
SEEN = {"spells": ["observed_from"], "account_months": []}  # given to both below
WITH_GROUP = """
    create or replace temp table {name} as
    select r.*, s.name as "group", date '2021-11-01' as observed_from
    from ({rollup}) r join account a on account_name(a.i) = r.account_id
    join segment_name s using (seg)
"""

NOBODY = """
    create or replace temp table ahead (name varchar, d int, c bigint, seg int, risk double)
"""
# The chance of one contract to leave in a window it has reached: frailty given survival to its
# start is gamma(shape, shape + H), H the hazard so far, so that 1 - ((shape + H) / (shape + H'))
# to the power of shape leave before its end. A contract counts as gone on the day after its age.
AHEAD = """
    insert into ahead
    with reached as (
        select w.*, k.c, k.seg, b.shape, d - 1 - b.start as reached, e - 1 - b.start as until
        from born b join contract k using (c), window_ w
        where k.start < w.d and k.stop >= w.d
    ),
    met as (
        select
            r.*, sum(p.step * least(1, greatest(0, (reached - 30 * p.k) / 30))) as so_far,
            sum(p.step * least(1, greatest(0, (until - 30 * p.k) / 30))) as by_then
        from reached r join path p using (c)
        group by all
    )
    select name, d, c, seg, 1 - pow((shape + so_far) / (shape + by_then), shape) from met
"""
CHANCES = """
    with plain as (
        select a.name, a.c, arg_max(s.mrr, s.day)::double as mrr
        from ahead a join sub s on s.c = a.c and s.day < a.d
        group by all
    ),
    beside as (
        select a.name, a.c, sum(x.price)::double as mrr
        from ahead a join extra x on x.c = a.c and x.kind = 1 and x.day < a.d
        group by all
    ),
    each as (
        select a.*, p.mrr + coalesce(b.mrr, 0) as mrr
        from ahead a join plain p using (name, c) left join beside b using (name, c)
    )
    select
        e.name, s.name as "group", count(*) as n, sum(risk) as gone, sum(mrr) as paid,
        sum(risk * mrr) as lost
    from each e join segment_name s using (seg)
    group by all
"""


@dataclass(frozen=True)
class Chances:
    """Shares of accounts and of revenue that leave, by window and group."""

    accounts: pd.Series
    revenue: pd.Series


@dataclass(frozen=True)
class Company:
    """Roll-ups with groups, and what is true of the contracts: `survival` of truth.json."""

    spells: ir.Table
    months: ir.Table
    survival: dict[str, dict]


class Maker:
    """An engine that draws one company after another."""

    def __init__(self, accounts: int) -> None:
        self.accounts = accounts
        self.folder = tempfile.TemporaryDirectory(prefix="csa-companies-")
        self.con = engine.connect(Path(self.folder.name), accounts=accounts, seed=0)
        self.con.execute("set threads = 1")
        names = [(s.seg, s.name) for s in model.SEGMENTS]
        self.con.execute("create table segment_name (seg int, name varchar)")
        self.con.executemany("insert into segment_name values (?, ?)", names)
        self.backend = ibis.duckdb.from_connection(self.con)

    def __enter__(self) -> "Maker":
        return self

    def __exit__(self, *_: object) -> None:
        self.con.close()
        self.folder.cleanup()

    def contracts(
        self, seed: int, first: int = 1, past: int | None = None, *, after: str = ""
    ) -> None:
        """Draw accounts and how long their contracts last; `after` each round of contracts."""
        text = f"csa sample company, seed {seed}"
        values = {"seed_text": text, "chunk_first": first, "chunk_end": past or self.accounts + 1}
        for name, value in values.items():
            self.con.execute(f"set variable {name} = ?", [value])
        for step in (*STEPS, *PRICED):
            self.con.execute(engine.sql(step)).fetchall()
            if step == "outcome" and after:
                self.con.execute(after).fetchall()

    def company(self, seed: int) -> Company:
        """Draw a company and roll it up as the kit does."""
        self.contracts(seed)
        self.con.execute(f"create or replace temp table rows as {engine.sql('subscriptions')}")
        rows = self.backend.table("rows")
        for name in ("spells", "account_months"):
            table = rollups.ROLLUPS[name].build(rows, CONTEXT).drop(*SEEN[name])
            rollup = ibis.to_sql(table, dialect="duckdb")
            self.con.execute(WITH_GROUP.format(name=name, rollup=rollup))
        starts: dict[int, dict[int, int]] = {}
        for seg, start, n in self.con.execute(
            "select seg, start, count(*) from contract group by all"
        ).fetchall():
            starts.setdefault(seg, {})[start] = n
        spells, months = self.backend.table("spells"), self.backend.table("account_months")
        return Company(spells, months, truth.survival(starts))

    def chances(self, windows: dict[str, tuple[int, int]], *, seed: int, chunks: int) -> Chances:
        """Mean chances to leave in windows of days [from, to), over a large company."""
        self.con.execute("create or replace temp table window_ (name varchar, d int, e int)")
        rows = [(name, *days) for name, days in windows.items()]
        self.con.executemany("insert into window_ values (?, ?, ?)", rows)
        parts = []
        for n in range(chunks):
            self.con.execute(NOBODY)
            self.contracts(seed, 1 + n * engine.CHUNK, 1 + (n + 1) * engine.CHUNK, after=AHEAD)
            parts.append(self.con.execute(CHANCES).df())
        sums = pd.concat(parts).groupby(["name", "group"]).sum()
        whole = sums.groupby("name").sum()
        whole.index = pd.MultiIndex.from_product([whole.index, ["all"]], names=sums.index.names)
        both = pd.concat([whole, sums])
        return Chances(both["gone"] / both["n"], both["lost"] / both["paid"])
