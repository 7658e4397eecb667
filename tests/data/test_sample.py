"""The sample company: the same bytes for the same seed, sound tables, and truth that holds."""

import json
import math
import time
from datetime import date
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pytest

from csa.data import rollups
from csa.data.sample import TABLES, write_sample
from csa.data.sample import engine as sample_engine
from csa.data.sample import model as sample_model
from csa.data.sample import parameters as sample_parameters
from csa.data.sample import truth as sample_truth
from csa.data.schema import TABLES as CANONICAL
from csa.errors import InputError

pytestmark = pytest.mark.slow  # over a second each; make test-fast leaves them out

DUCKDB_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "date": "DATE",
    "time": "TIMESTAMP",
    "money": "DECIMAL(18,4)",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "flag": "BOOLEAN",
}
OUR_TABLES = {name: table for name, table in CANONICAL.items() if not table.ledger}
ACCOUNTS = 1500


class Company:
    """A written sample, its truth, and its tables as views."""

    def __init__(self, folder: Path, *, accounts: int = ACCOUNTS, seed: int = 7) -> None:
        self.folder = folder
        self.truth = write_sample(folder, accounts=accounts, seed=seed)
        self.con = duckdb.connect()
        for name in TABLES:
            self.con.read_parquet(str(folder / f"{name}.parquet")).create_view(name)

    def rows(self, query: str) -> list[tuple]:
        """All rows of a query."""
        return self.con.execute(query).fetchall()

    def value(self, query: str):
        """Return the one value of a query."""
        return self.rows(query)[0][0]

    def count(self, name: str, condition: str = "true") -> int:
        """Count the rows of a table for which a condition holds."""
        return len(self.con.view(name).filter(condition))


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> Company:
    return Company(tmp_path_factory.mktemp("company") / "sample")


@pytest.fixture(scope="module")
def spells(company) -> dict[str, np.ndarray]:
    """Spells as the kit rolls them up, with segment and onboarding."""
    backend = ibis.duckdb.connect()
    read = {
        name: backend.read_parquet(company.folder / f"{name}.parquet")
        for name in ("subscriptions", "accounts")
    }
    ctx = rollups.RollupContext(as_of=date(2026, 10, 31), observed_from="observed_from")
    table = rollups.spells(read["subscriptions"], ctx)
    table = table.filter(table.entry_days < table.exit_days).join(
        read["accounts"].select("account_id", "segment", "onboarding"), "account_id"
    )
    frame = table.order_by("account_id", "spell").to_pandas()
    return {name: frame[name].to_numpy() for name in frame.columns}


def digest(folder: Path) -> dict[str, bytes]:
    """Bytes of every file."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def kaplan_meier(entry, leave, event, day: int) -> tuple[float, float]:
    """Survival at `day` with delayed entry, and Greenwood's standard error."""
    times, deaths = np.unique(leave[event & (leave <= day)], return_counts=True)
    at_risk = np.array([((entry < t) & (leave >= t)).sum() for t in times])
    survival = float(np.prod(1 - deaths / at_risk))
    return survival, survival * math.sqrt(float((deaths / (at_risk * (at_risk - deaths))).sum()))


@pytest.mark.slow
def test_write_sample_gives_the_same_bytes_for_the_same_seed(tmp_path, monkeypatch):
    write_sample(tmp_path / "one", accounts=120, seed=3)
    connect = sample_engine.connect

    def one_thread(spill, **kwargs):
        con = connect(spill, **kwargs)
        con.execute("set threads = 1")
        return con

    monkeypatch.setattr(sample_engine, "connect", one_thread)
    write_sample(tmp_path / "two", accounts=120, seed=3)
    write_sample(tmp_path / "other", accounts=120, seed=4)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert (
        digest(tmp_path / "one")["accounts.parquet"]
        != digest(tmp_path / "other")["accounts.parquet"]
    )


@pytest.mark.slow
def test_write_sample_does_not_depend_on_the_chunks(tmp_path, monkeypatch):
    whole = Company(tmp_path / "whole", accounts=90)
    monkeypatch.setattr(sample_engine, "CHUNK", 40)
    parts = Company(tmp_path / "parts", accounts=90, seed=7)
    for name in sample_engine.CHUNK_TABLES:
        made = [sorted(map(str, c.con.view(name).fetchall())) for c in (whole, parts)]
        assert made[0] == made[1], name


def test_write_sample_leaves_the_same_sample_alone(tmp_path):
    first = write_sample(tmp_path / "s", accounts=50)
    stamps = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "s").iterdir()}
    begun = time.perf_counter()
    assert write_sample(tmp_path / "s", accounts=50) == first
    assert time.perf_counter() - begun < 0.5
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "s").iterdir()} == stamps


def test_write_sample_makes_a_damaged_sample_anew(tmp_path):
    write_sample(tmp_path / "s", accounts=50)
    whole = digest(tmp_path / "s")
    cut = tmp_path / "s" / "tickets.parquet"
    cut.write_bytes(cut.read_bytes()[:100])
    write_sample(tmp_path / "s", accounts=50)
    assert digest(tmp_path / "s") == whole


def test_write_sample_replaces_another_sample(tmp_path):
    write_sample(tmp_path / "s", accounts=50)
    assert write_sample(tmp_path / "s", accounts=60)["tables"]["accounts"]["rows"] == 60
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_write_sample_refuses_a_folder_with_foreign_files(tmp_path):
    (tmp_path / "customers.csv").write_text("id\n1\n")
    with pytest.raises(InputError, match=r"holds customers\.csv, which the sample company did not"):
        write_sample(tmp_path, accounts=50)
    assert [p.name for p in tmp_path.iterdir()] == ["customers.csv"]


def test_write_sample_refuses_tables_without_a_truth(tmp_path):
    (tmp_path / "accounts.parquet").write_bytes(b"mine")
    with pytest.raises(InputError, match=r"holds accounts\.parquet"):
        write_sample(tmp_path, accounts=50)


def test_write_sample_refuses_a_file_as_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        write_sample(tmp_path / "file", accounts=50)


@pytest.mark.parametrize("accounts", [0, -5, 10_000_001])
def test_write_sample_refuses_impossible_sizes(tmp_path, accounts):
    with pytest.raises(InputError, match="is not between 1 and"):
        write_sample(tmp_path / "s", accounts=accounts)


def test_write_sample_that_fails_keeps_the_earlier_one(tmp_path, monkeypatch):
    write_sample(tmp_path / "s", accounts=50)
    before = digest(tmp_path / "s")

    def broken(*_args):
        raise InputError("disk full")

    monkeypatch.setattr(sample_engine, "write_office", broken)
    with pytest.raises(InputError, match="disk full"):
        write_sample(tmp_path / "s", accounts=60)
    assert digest(tmp_path / "s") == before
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_write_sample_reports_progress(tmp_path):
    seen: list[tuple[str, float]] = []
    write_sample(
        tmp_path / "s", accounts=20, on_progress=lambda name, share: seen.append((name, share))
    )
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert seen[0][1] == 0
    assert seen[-1] == ("done", 1.0)


@pytest.mark.parametrize("accounts", [1, 7])
def test_write_sample_can_be_tiny(tmp_path, accounts):
    company = Company(tmp_path / "s", accounts=accounts)
    assert company.value("select count(*) from accounts") == accounts


def test_every_table_of_the_schema_is_written():
    assert set(TABLES) == set(OUR_TABLES)


@pytest.mark.parametrize("name", sorted(OUR_TABLES))
def test_table_has_the_canonical_columns_and_types(company, name):
    found = {row[0]: row[1] for row in company.rows(f"describe {name}")}
    wanted = {c.name: DUCKDB_TYPES[c.kind] for c in OUR_TABLES[name].columns}
    assert {column: found.get(column) for column in wanted} == wanted
    assert set(found) - set(wanted) <= ({"onboarding"} if OUR_TABLES[name].open else set())


def column_faults(column) -> list[str]:
    """Conditions that no row may meet."""
    name, faults = column.name, []
    if column.required:
        faults.append(f"{name} is null")
    if column.low is not None:
        faults.append(f"{name} < {column.low}")
    if column.high is not None:
        faults.append(f"{name} > {column.high}")
    if column.choices:
        faults.append(f"{name} not in {(*column.choices, '')}")
    if column.kind in {"date", "time"} and not column.planned:
        faults.append(f"{name} >= date '2026-11-01'")
    return faults


@pytest.mark.parametrize("name", sorted(OUR_TABLES))
def test_table_keeps_ranges_choices_order_and_ends_on_the_last_day(company, name):
    table = OUR_TABLES[name]
    faults = [fault for column in table.columns for fault in column_faults(column)]
    faults += [f"{earlier} > {later}" for earlier, later in table.order]
    counts = {fault: company.count(name, fault) for fault in faults}
    assert counts == dict.fromkeys(faults, 0)


@pytest.mark.parametrize("name", sorted(n for n, t in OUR_TABLES.items() if t.key))
def test_table_has_unique_keys(company, name):
    key = ", ".join(OUR_TABLES[name].key)
    assert len(company.con.view(name).select(key).distinct()) == company.count(name)


@pytest.mark.parametrize(
    ("name", "column", "other"),
    [(n, column, other) for n, t in OUR_TABLES.items() for column, other in t.references.items()],
)
def test_table_refers_to_rows_that_exist(company, name, column, other):
    known = company.con.view(other).select(OUR_TABLES[other].key[0]).fetchall()
    used = company.con.view(name).select(column).distinct().fetchall()
    assert set(used) - set(known) <= {(None,)}


def test_tables_are_not_empty(company):
    rows = {name: facts["rows"] for name, facts in company.truth["tables"].items()}
    assert rows == {name: company.count(name) for name in TABLES}
    assert min(rows.values()) > 0


def test_truth_is_what_is_written(company):
    assert company.truth == json.loads((company.folder / "truth.json").read_text())


def test_actual_money_is_past_and_plans_go_on(company):
    last = dict(company.rows("select basis, max(occurs_on) from cash_flows group by basis"))
    assert last["actual"] <= date(2026, 10, 31) < last["plan"]


def test_converted_trials_begin_to_pay_on_that_day(company):
    unpaid = company.value(
        "select count(*) from accounts a where converted_on is not null and converted_on <> "
        "(select min(start_on) from subscriptions s where s.account_id = a.account_id)"
    )
    assert unpaid == 0


def test_accounts_without_contract_buy_and_the_others_do_not(company):
    buys = "account_id in (select account_id from transactions)"
    pays = "account_id in (select account_id from subscriptions)"
    assert company.count("accounts", f"({buys}) <> (plan = 'Pay as you go')") == 0
    assert company.count("accounts", f"{pays} and plan = 'Pay as you go'") == 0


def test_subscription_rows_of_one_product_do_not_overlap(company):
    overlaps = company.value(
        "select count(*) from (select start_on, lag(coalesce(end_on, date '9999-12-31')) over "
        "(partition by account_id order by start_on) as before from subscriptions "
        "where plan <> 'Insights add-on') where before > start_on"
    )
    assert overlaps == 0


def test_answers_come_only_with_a_score(company):
    assert (
        company.value("select count(*) from surveys where (score is null) <> (answered_at is null)")
        == 0
    )


def test_owners_are_staff(company):
    strangers = company.value("select count(*) from accounts anti join staff on owner = person_id")
    assert strangers == 0


def test_blemishes_have_their_stated_share(company):
    checks = {
        "accounts": "industry is null",
        "tickets": "category is null",
        "usage_events": "user_id is null",
    }
    stated = {b["table"]: b["share"] for b in reversed(company.truth["blemishes"])}
    stated["usage_events"] = 0.003
    for table, missing in checks.items():
        n, k = company.count(table), company.count(table, missing)
        p = stated[table]
        assert abs(k - n * p) < 4 * math.sqrt(n * p * (1 - p)), table
        assert k > 0


def test_random_numbers_are_uniform_and_streams_independent():
    con = duckdb.connect()
    con.execute(sample_engine.sql("macros"))
    n = 200_000
    mean, square, across, along = con.execute(
        "select avg(a), avg(a * a), corr(a, b), corr(a, c) from (select u(hash(i), 'one', 0) as a, "
        "u(hash(i), 'two', 0) as b, u(hash(i), 'one', 1) as c from range(?) t(i))",
        [n],
    ).fetchall()[0]
    assert mean == pytest.approx(1 / 2, abs=4 / math.sqrt(12 * n))
    assert square == pytest.approx(1 / 3, abs=4 * math.sqrt(4 / 45 / n))
    assert [across, along] == pytest.approx([0, 0], abs=4 / math.sqrt(n))


def test_outreach_quadrature_equals_the_closed_form_without_outreach():
    total = np.linspace(0, 3, 361)[None, :].repeat(sample_truth._MONTHS, axis=0)
    for shape in (2, 3, 4):
        drawn = sample_truth._with_outreach(total, 0.0, shape)
        assert drawn == pytest.approx((1 + total / shape) ** -shape, abs=1e-7)


@pytest.mark.parametrize(("accounts", "share", "cap"), [(2000, 1, 60), (10_000_000, 0.1, 6)])
def test_usage_is_thinned_beyond_a_million_accounts(accounts, share, cap):
    assert sample_parameters.detail(accounts) == share
    assert sample_parameters.session_cap(accounts) == cap


def test_largest_company_can_be_made(tmp_path):
    """Its last accounts and its own side; the chunks between differ only in their numbers."""
    parts, folder = tmp_path / "parts", tmp_path / "made"
    parts.mkdir()
    folder.mkdir()
    con = sample_engine.connect(tmp_path / "spill", accounts=10_000_000, seed=7)
    sample_engine.build_chunk(con, 9_999_901, 10_000_001, parts, final=True)
    for name in sample_engine.CHUNK_TABLES:
        sample_engine.join_parts(con, name, parts, folder)
    sample_engine.write_office(con, folder)
    rows = sample_engine.row_counts(con, folder)
    con.close()
    assert rows["accounts"] == 100
    assert set(rows) == set(TABLES)


def test_sessions_keep_to_the_cap(company):
    most = company.value(
        "select max(n) from (select count(*) as n from usage_events "
        "group by account_id, date_trunc('month', occurred_at))"
    )
    assert most <= company.truth["usage"]["cap"]["events_per_account_and_month"] + 1


def test_rollup_finds_every_contract_and_no_other(company, spells):
    """Short gaps are bridged, returns are spells of their own, the free plan is no contract."""
    found = dict(zip(*np.unique(spells["segment"], return_counts=True), strict=True))
    stated = {
        name: s["contracts"] for name, s in company.truth["survival"].items() if name != "all"
    }
    assert found == stated


@pytest.mark.parametrize("day", [90, 365, 730])
@pytest.mark.parametrize("segment", ["SMB", "Mid-market", "Enterprise", "all"])
def test_kaplan_meier_covers_the_true_survival(company, spells, segment, day):
    chosen = (spells["segment"] == segment) | (segment == "all")
    survival, error = kaplan_meier(
        *(spells[name][chosen] for name in ("entry_days", "exit_days", "event")), day
    )
    assert abs(survival - company.truth["survival"][segment]["survival"][str(day)]) < 4 * error


@pytest.mark.parametrize("cause", sample_model.CAUSES)
def test_incidence_by_cause_is_near_the_true_one(company, spells, cause):
    """Aalen-Johansen at one year; the binomial error is a little too large, which is safe."""
    chosen = spells["segment"] == "SMB"
    entry, leave = spells["entry_days"][chosen], spells["exit_days"][chosen]
    event, causes = spells["event"][chosen], spells["cause"][chosen]
    alive, incidence = 1.0, 0.0
    for t in np.unique(leave[event & (leave <= 365)]):
        at_risk = ((entry < t) & (leave >= t)).sum()
        here = event & (leave == t)
        incidence += alive * (here & (causes == cause)).sum() / at_risk
        alive *= 1 - here.sum() / at_risk
    true = company.truth["survival"]["SMB"]["incidence"][cause]["365"]
    assert abs(incidence - true) < 4 * math.sqrt(true * (1 - true) / chosen.sum())


def test_true_incidences_and_survival_add_up_to_one(company):
    for stated in company.truth["survival"].values():
        for day, survival in stated["survival"].items():
            left = sum(by_day[day] for by_day in stated["incidence"].values())
            assert survival + left == pytest.approx(1, abs=3e-6)


def test_outreach_changes_the_hazard_as_stated(company, spells):
    """Reviews rebuilt from the schedule; outreach was drawn at random given onboarding."""
    treated = {
        (account, day)
        for account, day in company.rows(
            "select account_id, started_at::date from interventions where kind = 'proactive'"
        )
    }
    counts: dict[tuple[str, bool], list[float]] = {}
    starts = spells["start_on"].astype("datetime64[D]").astype(date)
    for n, start in enumerate(starts):
        if spells["spell"][n] > 1:
            continue
        for age in range(90, int(spells["exit_days"][n]), 180):
            day = date.fromordinal(start.toordinal() + age)
            if day < sample_model.PROGRAMME_DAY:
                continue
            key = (spells["onboarding"][n], (spells["account_id"][n], day) in treated)
            left = min(180, spells["exit_days"][n] - age)
            gone = bool(spells["event"][n]) and spells["exit_days"][n] <= age + 180
            cell = counts.setdefault(key, [0, 0.0])
            cell[0] += gone
            cell[1] += left
    # Mantel-Haenszel rate ratio over onboarding
    up = down = spread = 0.0
    for onboarding in sample_model.ONBOARDING:
        (d1, t1), (d0, t0) = counts[onboarding, True], counts[onboarding, False]
        up += d1 * t0 / (t1 + t0)
        down += d0 * t1 / (t1 + t0)
        spread += (d1 + d0) * t1 * t0 / (t1 + t0) ** 2
    error = math.sqrt(spread / (up * down))
    assert abs(math.log(up / down) - math.log(sample_model.OUTREACH_RATIO)) < 4 * error
    assert sum(cell[0] for cell in counts.values()) > 50


def test_share_of_outreach_is_as_stated(company):
    stated = company.truth["outreach"]
    for onboarding, facts in stated["risk_of_leaving_within_180_days"].items():
        n, p = facts["reviews"], stated["share_by_onboarding"][onboarding]
        # second contracts are reviewed at the mean of their segment: a few percent of them
        assert abs(facts["with_outreach"] - n * p) < 4 * math.sqrt(n * p * (1 - p)) + 0.02 * n
        assert facts["risk_with"] < facts["risk_without"]


def test_purchases_follow_the_stated_law(company):
    """Expected purchases of Pareto/NBD (Schmittlein, Morrison, Colombo 1987, eq. 17)."""
    law = company.truth["purchases"]
    r, alpha = law["rate"]["r"], law["rate"]["alpha"]
    s, beta = law["dropout"]["s"], law["dropout"]["beta"]
    rows = company.rows(
        "select date_diff('day', signed_up_on, date '2026-11-01') / 7.0, "
        "count(*) filter (amount > 0) - 1 from accounts join transactions using (account_id) "
        "group by account_id, signed_up_on"
    )
    weeks, repeats = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    expected = r * beta / (alpha * (s - 1)) * (1 - (beta / (beta + weeks)) ** (s - 1))
    surplus = repeats - expected
    assert abs(surplus.mean()) < 4 * surplus.std() / math.sqrt(len(surplus))


def test_mature_trials_convert_as_stated(company):
    rows = company.rows(
        "select segment, channel, converted_on is not null from accounts "
        "where trial_started_on < date '2026-09-01'"
    )
    stated = company.truth["trials"]
    p = np.array([stated["converts"][s] + stated["added_by_channel"][c] for s, c, _ in rows])
    converted = sum(done for *_, done in rows)
    assert abs(converted - p.sum()) < 4 * math.sqrt(float((p * (1 - p)).sum()))


def test_waves_say_what_the_answers_are(company):
    rows = company.rows(
        "select 100 * avg((score >= 9)::int - (score <= 6)::int), count(score), count(*) "
        "from (select *, date_trunc('month', sent_at) as wave from surveys) where kind = 'nps' "
        "group by wave order by wave"
    )
    stated = company.truth["nps"]["waves"]
    assert [r[1:] for r in rows] == [(w["answered"], w["invited"]) for w in stated]
    assert [r[0] for r in rows] == pytest.approx([w["nps_of_answers"] for w in stated], abs=1e-3)


def test_planted_anomalies_show_in_the_series(company):
    daily = dict(company.rows("select occurred_at::date, count(*) from usage_events group by all"))
    for a in company.truth["anomalies"]:
        if a["metric"] != "usage_events" or a["kind"] not in {"spike", "drop"}:
            continue
        day = date.fromisoformat(a["from"])
        usual = np.median([daily[date.fromordinal(day.toordinal() - 7 * w)] for w in range(1, 5)])
        assert daily[day] / usual == pytest.approx(a["factor"], rel=0.35)
        assert abs(a["noise_deviations"]) > 4


def test_monday_is_busier_than_sunday(company):
    days = dict(
        company.rows("select dayofweek(occurred_at), count(*) from usage_events group by all")
    )
    assert days[1] > 5 * days[0]


@pytest.mark.slow
def test_rows_grow_with_the_number_of_accounts(company, tmp_path):
    small = Company(tmp_path / "small", accounts=500)
    for name in sample_engine.CHUNK_TABLES:
        ratio = company.count(name) / small.count(name)
        assert ratio == pytest.approx(3, rel=0.25), name


@pytest.mark.slow
def test_two_thousand_accounts_take_less_than_five_seconds(tmp_path):
    """Processor seconds of all threads: never less than the time on the clock of an idle core."""
    begun = time.process_time()
    write_sample(tmp_path / "s", accounts=2000, seed=7)
    assert time.process_time() - begun < 5
