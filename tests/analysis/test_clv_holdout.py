"""Holdout, tracking and choice: figures by hand, printed ones, and real purchases."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import stored

from csa.analysis.clv.buyers import buyers
from csa.analysis.clv.dated import log_gaps, repeat_days
from csa.analysis.clv.holdout import AGAIN, AT_RATE, holdout_rows, naive_rules, rolling, scorecard
from csa.analysis.clv.holdout_money import revenue_error, spend_of
from csa.analysis.clv.holdout_scores import by_frequency, scores, tenths
from csa.analysis.clv.models import BG_NBD, MODELS, PARETO_NBD
from csa.analysis.clv.rfm import rfm
from csa.analysis.clv.tracking import tracking
from csa.data.purchases import purchases
from csa.data.rollups import RollupContext
from csa.errors import InputError
from csa.methods.btyd.counts import BuyerCounts
from csa.methods.btyd.dated_predict import predictive_totals

REFERENCE = Path(__file__).parent.parent / "reference"
END, AS_OF = date(1997, 9, 30), date(1998, 6, 30)  # of CDNOW
SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("amount", pa.decimal128(18, 4)),
    ]
)


# --- figures by hand ----------------------------------------------------------------------------


def test_scores_by_hand():
    made = scores([0, 2, 4], [1, 1, 3], [2, 1, 1])
    assert made["customers"] == 4
    assert (made["actual"], made["predicted"]) == (6, 6)
    assert made["total_error"] == 0
    assert made["mae"] == 1.0
    assert made["rmse"] == 1.0
    # best order: gini 2 x (1/4 x 2/6 + 1/4 x 5/6 + 2/4 x 1) - 1 = 7/12; ours: 2 x (1/4 x 2/6
    # + 3/4 x 5/6) - 1 = 5/12
    assert made["gini"] == pytest.approx(5 / 7)


def test_scores_of_the_truth_are_perfect():
    made = scores([0, 1, 5], [0, 1, 5], [3, 2, 1])
    assert (made["mae"], made["rmse"], made["gini"]) == (0, 0, 1)


@pytest.mark.parametrize("actual", [[0, 0], [2, 2]])
def test_scores_without_differences_have_no_gini(actual):
    assert np.isnan(scores(actual, [1, 2], [1, 1])["gini"])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.floats(0, 9), st.integers(1, 5)), min_size=2, max_size=30
    )
)
def test_scores_do_not_depend_on_how_customers_are_counted(rows):
    y, m, w = (np.array(v, dtype=float) for v in zip(*rows, strict=True))
    single = [np.repeat(v, w.astype(int)) for v in (y, m)]
    one, each = scores(y, m, w), scores(*single, np.ones(len(single[0])))
    assert list(one.values()) == pytest.approx(list(each.values()), nan_ok=True)
    assert not one["gini"] > 1 + 1e-9
    whole = tenths(y, m, w)
    assert whole["customers"].sum() == pytest.approx(w.sum())
    assert (whole["customers"] * whole["actual"]).sum() == pytest.approx(w @ y, abs=1e-9)
    assert (whole["customers"] * whole["predicted"]).sum() == pytest.approx(w @ m, abs=1e-9)
    pd.testing.assert_frame_equal(whole, tenths(*single, np.ones(len(single[0]))))


def test_tenths_of_nobody_are_empty():
    assert len(tenths([], [], [])) == 0


# --- the published holdout ----------------------------------------------------------------------


def sample():
    """CDNOW's 2,357 sample customers as the models see them, and their holdout purchases."""
    rows = pd.read_csv(REFERENCE / "cdnow_sample_rfm.csv")
    counts = BuyerCounts(
        frequency=rows["x"].to_numpy(),
        recency=rows["t_x"].to_numpy() / 7,
        age=rows["T"].to_numpy() / 7,
        weight=rows["customers"].to_numpy(dtype=float),
    )
    return counts, (rows["holdout"] / rows["customers"]).to_numpy()


PRINTED = {
    BG_NBD.name: (
        *(0.2250893, 0.5231364, 1.044126, 1.520256),
        *(2.163824, 2.653789, 3.503957, 6.157036),
    ),
    PARETO_NBD.name: (0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403),
}


@pytest.mark.parametrize("model", [BG_NBD, PARETO_NBD], ids=lambda model: model.name)
def test_holdout_by_frequency_is_the_printed_one(model):
    """BTYD walkthrough: purchases of 39 weeks by repeat purchases 0 to 7+, expected and actual.

    Printed with parameters rounded to three digits, which moves the expectations by up to 1e-3.
    """
    counts, actual = sample()
    expected = model.residual(model.fit(counts), counts, 39.0)
    table = by_frequency(counts.frequency, {"actual": actual, "expected": expected}, counts.weight)
    assert table["customers"].tolist() == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert table["actual"].tolist() == pytest.approx(
        [0.2367116, 0.6970387, 1.392523, 1.56, 2.532258, 2.947368, 3.862069, 6.359375], abs=5e-7
    )
    assert table["expected"].tolist() == pytest.approx(PRINTED[model.name], abs=1.2e-3)


@lru_cache
def cdnow():
    names = ["account_id", "day", "discs", "amount"]
    text = {"account_id": "string", "day": "string"}
    file = stored("CSA_DATA", "cdnow", "CDNOW_master.txt")
    frame = pd.read_csv(file, sep=r"\s+", skiprows=1, names=names, dtype=text)
    at = pd.to_datetime(frame["day"], format="%Y%m%d")
    amounts = [Decimal(f"{a:.2f}") for a in frame["amount"]]
    rows = ibis.memtable(pa.table([frame["account_id"], at, amounts], schema=SCHEMA))
    return purchases(rows, RollupContext(as_of=AS_OF)).cache()


def sampled():
    ids = (REFERENCE / "cdnow_sample_ids.txt").read_text("utf-8").split()
    rows = cdnow()
    return rows.filter(rows.account_id.isin(ids))


@pytest.mark.slow
def test_tracking_of_the_cdnow_sample_is_the_printed_one():
    """BTYD walkthrough, Pareto/NBD: weeks 20 to 25 and the total after 25 weeks.

    Actual to the purchase; expected to its printed digits but for parameters rounded to three.
    """
    rows = sampled()
    summary = rfm(rows, as_of=AS_OF, calibration_end=END)
    fits = {PARETO_NBD.name: PARETO_NBD.fit(summary.counts)}
    made = tracking(rows, summary, fits)
    weeks = made.table.set_index("period").loc[20:25]
    assert weeks["actual"].tolist() == [73, 55, 70, 33, 56, 99]
    assert weeks["actual_total"].iloc[-1] == 1672
    assert weeks[PARETO_NBD.name].tolist() == pytest.approx(
        [78.308, 76.419, 74.648, 72.983, 71.414, 69.933], abs=5e-3
    )
    assert weeks[f"{PARETO_NBD.name} total"].iloc[-1] == pytest.approx(1674.253, abs=0.1)
    assert len(made.table) == 78
    assert made.table["complete"].all()
    assert made.table["holdout"].sum() == 39
    assert made.table["actual_total"].iloc[-1] == 2457 + 1882
    assert made.table["ends_on"].iloc[-1] == pd.Timestamp(AS_OF)


PLAIN = ("BG/NBD", "MBG/NBD", "Pareto/NBD")
MEASURED = {  # total error, MAE, RMSE: computed with three other tools alike, no printed source
    "BG/NBD": (-0.143, 0.819, 1.733),
    "MBG/NBD": (-0.191, 0.795, 1.740),
    "Pareto/NBD": (-0.129, 0.794, 1.726),
    AT_RATE: (0.47, 1.04, None),
    AGAIN: (0.24, 0.91, None),
}


@pytest.mark.slow
def test_scorecard_of_all_of_cdnow():
    """23,570 customers, 39 weeks ahead: every model falls short, and all beat the naive rules."""
    made = scorecard(rfm(cdnow(), as_of=AS_OF, calibration_end=END))
    table = made.table.set_index("model")
    assert (table["actual"] == 19_684).all()
    for name, (total, mae, rmse) in MEASURED.items():
        assert table.loc[name, "total_error"] == pytest.approx(total, abs=6e-3 if rmse else 5e-3)
        assert table.loc[name, "mae"] == pytest.approx(mae, abs=6e-4 if rmse else 5e-3)
        if rmse:
            assert table.loc[name, "rmse"] == pytest.approx(rmse, abs=6e-4)
    assert table["beats_naive"].tolist() == [True, True, True, False, False]
    errors = table["revenue_error"].iloc[:3].tolist()
    assert errors == pytest.approx([-0.173, -0.219, -0.158], abs=6e-4)


@pytest.mark.slow
def test_revenue_of_the_cdnow_sample_is_missed_as_elsewhere():
    """Expected purchases times expected spend against what came."""
    table = scorecard(rfm(sampled(), as_of=AS_OF, calibration_end=END)).table
    errors = table["revenue_error"].iloc[:3].tolist()
    assert errors == pytest.approx([-0.156, -0.195, -0.148], abs=6e-4)


def test_revenue_of_the_holdout_by_hand():
    """Customers counted together spend what they do one by one; nothing came: no error."""
    rows = pd.DataFrame({"weight": [2.0, 1.0], "holdout_minor": [300.0, 100.0]})
    predicted, spend = np.array([1.0, 2.0]), np.array([100.0, 50.0])
    assert revenue_error(rows, predicted, spend) == pytest.approx(-0.25)
    assert np.isnan(revenue_error(rows.assign(holdout_minor=0.0), predicted, spend))


def test_spend_of_customers_counted_together_is_that_of_each():
    summary = rfm(world(customers=300), as_of=FIRST + timedelta(days=400))
    each = pd.DataFrame({"frequency": [3, 3, 0], "mean_minor": [900.0, 1500.0, np.nan]})
    both = pd.DataFrame({"frequency": [3], "mean_minor": [1200.0]})
    apart = spend_of(summary, each)
    assert apart[:2].mean() == pytest.approx(spend_of(summary, both)[0])
    assert (np.isfinite(apart)).all()


DATED = {  # total error, its interval's ends, MAE, RMSE: figures of our own
    "all": (-0.097, -0.19, -0.01, 0.830, 1.721),
    "sample": (-0.091, -0.24, 0.05, 0.791, 1.603),
}


@pytest.mark.slow
@pytest.mark.parametrize("part", ["all", "sample"])
def test_a_clock_of_bursts_and_calendar_misses_cdnow_by_less(part):
    """No printed source. Goal of the project: 8 %; plain models miss by 11.5 to 19.1 %.

    What is left is Christmas and March: weeks 45 to 50 and 61 to 65 bring 39 % more than others.
    """
    rows = cdnow() if part == "all" else sampled()
    summary = rfm(rows, as_of=AS_OF, calibration_end=END)
    made = scorecard(summary, purchases=rows, rng=np.random.default_rng(1)).table.set_index("model")
    total, low, high, mae, rmse = DATED[part]
    dated, plain = made.loc["BG/NBD, dated"], made.loc[list(PLAIN)]
    assert dated["total_error"] == pytest.approx(total, abs=2e-3)
    assert [dated["low"], dated["high"]] == pytest.approx(
        [(1 + low) * dated["actual"], (1 + high) * dated["actual"]], rel=0.03
    )
    assert (dated["mae"], dated["rmse"]) == (
        pytest.approx(mae, abs=1e-3),
        pytest.approx(rmse, abs=1e-3),
    )
    assert abs(dated["total_error"]) < plain["total_error"].abs().min()
    assert dated["rmse"] < plain["rmse"].min() * 1.001  # of the sample, no difference
    assert dated["beats_naive"]


@pytest.mark.slow
def test_a_clock_earned_its_place_at_earlier_days_of_cdnow():
    """Fitted to 13 to 19 weeks, asked for as many: off by 2 % on average, plain models by 4 to 9.

    Every interval holds what came.
    """
    first = date(1997, 1, 1)
    off = {name: [] for name in (*PLAIN, "BG/NBD, dated")}
    for days in (90, 104, 118, 132):
        end = first + timedelta(days=days)
        last = end + timedelta(days=days)
        rows = cdnow().filter(lambda t, last=last: t.day <= last)
        summary = rfm(rows, as_of=last, calibration_end=end)
        card = scorecard(summary, purchases=rows)
        made = card.table.set_index("model")
        drawn = predictive_totals(
            card.dated, summary.counts, card.horizon, np.random.default_rng(1), draws=150
        )
        low, high = np.quantile(drawn, [0.025, 0.975])
        assert low < made["actual"].iloc[0] < high
        for name, errors in off.items():
            errors.append(abs(made.loc[name, "total_error"]))
    mean = {name: float(np.mean(errors)) for name, errors in off.items()}
    assert mean.pop("BG/NBD, dated") < 0.025
    assert min(mean.values()) > 0.035


def test_repeat_days_count_repeats_of_the_calibration_only():
    days = {"a": [0, 3, 10, 30], "b": [10, 12], "c": [25]}
    frame = pd.DataFrame(
        [
            (account, FIRST + timedelta(days=d), 100)
            for account, list_ in days.items()
            for d in list_
        ],
        columns=["account_id", "day", "amount_minor"],
    )
    rows = ibis.memtable(frame)
    end = FIRST + timedelta(days=20)
    summary = rfm(rows, as_of=FIRST + timedelta(days=40), calibration_end=end)
    by_back, by_age = repeat_days(rows, summary)
    assert np.flatnonzero(by_back).tolist() == [8, 10, 17]
    assert np.flatnonzero(by_age).tolist() == [2, 3, 10]
    assert by_back.sum() == by_age.sum() == summary.counts.events


@pytest.mark.slow
def test_buyers_choose_by_the_holdout_and_say_why():
    made = buyers(cdnow(), as_of=AS_OF, calibration_end=END)
    assert (made.chosen, made.status) == ("Pareto/NBD", "ok")
    assert made.why.startswith(
        "Pareto/NBD: closest to the holdout, 1.726 purchases a customer off (RMSE) against 1.733 "
        "and 1.740, its total 12.9% too low, although MBG/NBD describes the past better"
    )
    assert made.why.endswith("and it beats both naive rules.")
    assert made.table["model"].iloc[0] == made.chosen
    assert made.table["chosen"].tolist() == [True, False, False]
    assert (made.table["bic"] > made.table["aic"]).all()


def test_log_gaps_are_those_between_purchases_of_the_calibration():
    days = {"a": [0, 7, 21, 60], "b": [10, 11], "c": [25]}
    frame = pd.DataFrame(
        [(one, FIRST + timedelta(days=d), 100) for one, list_ in days.items() for d in list_],
        columns=["account_id", "day", "amount_minor"],
    )
    rows, end, last = ibis.memtable(frame), FIRST + timedelta(days=30), FIRST + timedelta(days=70)
    summary = rfm(rows, as_of=last, calibration_end=end)
    assert log_gaps(rows, summary) == pytest.approx(np.log([1, 2, 1 / 7]).sum())
    once = frame[frame["account_id"] == "c"]
    alone = rfm(once, as_of=last, calibration_end=end)
    assert log_gaps(ibis.memtable(once), alone) == 0


@pytest.mark.slow
def test_buyers_of_online_retail_say_that_no_model_beats_the_naive_rules():
    """UCI 352, the last 90 days: nobody leaves, all models are one, repeating has the lower MAE."""
    file = stored("CSA_DATA", "online_retail", "online_retail_2010_2011.csv.gz")
    con = ibis.duckdb.connect(threads=1)
    con.raw_sql("SET TimeZone = 'UTC'")
    lines = con.sql(
        f"""SELECT CAST(CustomerID AS VARCHAR) AS account_id,
        CAST(min(InvoiceDate) AS TIMESTAMP) AS occurred_at, sum(CAST(Quantity AS DECIMAL(9, 0))
        * CAST(UnitPrice AS DECIMAL(9, 4)))::DECIMAL(18, 4) AS amount
        FROM read_csv('{file}', types={{'InvoiceNo': 'VARCHAR'}}, nullstr=['', 'NA'])
        WHERE CustomerID IS NOT NULL GROUP BY InvoiceNo, CustomerID"""  # noqa: S608
    )
    last = date(2011, 12, 9)
    rows = con.create_table("days", purchases(lines, RollupContext(as_of=last)))
    made = buyers(rows, as_of=last, calibration_end=last - timedelta(days=90))
    assert made.status == "unclear"
    assert "does not beat the naive rules" in made.why
    assert made.table["diagnosis"].str.contains("nobody leaves").any()
    assert not made.table["beats_naive"].any()
    assert made.holdout.table["total_error"].between(-0.4, 0).all()
    even, table = made.holdout.regular, made.holdout.table.set_index("model")
    assert even.k == 2  # of Erlang gaps: by 618 likelier than gaps of chance
    assert even.log_likelihoods[2] - even.log_likelihoods[1] == pytest.approx(617.7, abs=0.1)
    figures = table.loc["MBG/CNBD-k", ["total_error", "mae", "rmse"]].tolist()
    assert figures == pytest.approx([-0.254, 0.920, 1.476], abs=1e-3)  # of our own
    assert figures[2] < table["rmse"].drop("MBG/CNBD-k").min()


# --- a small world, and edges -------------------------------------------------------------------

FIRST = date(2024, 1, 1)


def world(seed=1, customers=400, days=364):
    """Pareto/NBD customers who joined in the first 60 days, as the roll-up of purchases."""
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(customers):
        rate, leaves = rng.gamma(1.2, 1 / 30), rng.exponential(1 / rng.gamma(1.0, 1 / 150))
        at = float(rng.integers(0, 60))
        end = min(days, at + leaves)
        while at < end:
            rows.append((f"c{n}", FIRST + timedelta(days=int(at))))
            at += max(rng.exponential(1 / rate), 1.0)
    table = pa.table(
        [
            [account for account, _ in rows],
            [datetime.combine(day, datetime.min.time()) for _, day in rows],
            [Decimal(10)] * len(rows),
        ],
        schema=SCHEMA,
    )
    ctx = RollupContext(as_of=FIRST + timedelta(days=days))
    return purchases(ibis.memtable(table), ctx).cache()


def test_rolling_gives_a_scorecard_per_origin():
    origins = [FIRST + timedelta(days=d) for d in (120, 180)]
    made = rolling(world(), origins=origins, horizon_days=90, models=(BG_NBD,))
    assert made.groupby("origin").size().tolist() == [5, 5]  # with dates, and naive rules
    assert made["total_error"].notna().all()


def test_naive_rules_by_hand():
    rows = pd.DataFrame(
        {"frequency": [0, 4, 2], "age": [10.0, 20.0, 0.0], "recent_frequency": [0, 3, 0]}
    )
    made = naive_rules(rows, 5.0)
    assert made[AT_RATE].tolist() == [0, 1, 0]
    assert made[AGAIN].tolist() == [0, 3, 0]


def test_repeat_the_last_window_counts_what_lay_in_it():
    days = [0, 10, 50, 95, 120]  # calibration to day 100, window of 40 days: day 95 only
    frame = pd.DataFrame(
        {
            "account_id": "a",
            "day": [FIRST + timedelta(days=d) for d in days],
            "amount_minor": 100,
        }
    )
    summary = rfm(
        frame, as_of=FIRST + timedelta(days=140), calibration_end=FIRST + timedelta(days=100)
    )
    (row,) = holdout_rows(summary).to_dict("records")
    assert (row["recent_frequency"], row["holdout_frequency"], row["frequency"]) == (1, 1, 3)


@pytest.mark.slow
def test_scorecard_intervals_hold_the_prediction_and_say_whether_they_held_the_truth():
    days = [FIRST + timedelta(days=d) for d in (364, 182)]
    summary = rfm(world(), as_of=days[0], calibration_end=days[1])
    made = scorecard(summary, models=(PARETO_NBD,), rng=np.random.default_rng(1))
    first = made.table.iloc[0]
    assert first["low"] < first["predicted"] < first["high"]
    assert bool(first["covered"]) == (first["low"] <= first["actual"] <= first["high"])
    assert made.table["covered"].isna().tolist() == [False, True, True]


def test_scorecard_without_a_holdout_says_so():
    with pytest.raises(InputError, match="calibration_end before as_of"):
        scorecard(rfm(world(customers=5), as_of=FIRST + timedelta(days=100)))


def test_scorecard_of_one_time_buyers_has_reasons_instead_of_figures():
    frame = pd.DataFrame(
        {
            "account_id": [f"a{n}" for n in range(20)],
            "day": [FIRST + timedelta(days=n) for n in range(20)],
            "amount_minor": 100,
        }
    )
    rows = ibis.memtable(frame)
    end = FIRST + timedelta(days=40)
    made = buyers(rows, as_of=FIRST + timedelta(days=80), calibration_end=end)
    assert made.status == "unclear"
    assert (made.table["status"] == "unclear").all()
    assert made.holdout.table["total_error"].isna().all()


def test_buyers_of_nothing_say_so():
    rows = world(customers=1).filter(ibis.literal(value=False))
    made = buyers(rows, as_of=FIRST + timedelta(days=80))
    assert (made.chosen, made.status) == (None, "unclear")
    assert "no customers" in made.why.lower()


@pytest.mark.slow
def test_tracking_adds_up_and_marks_the_last_part_of_a_period():
    rows = world(customers=60)
    last, end = FIRST + timedelta(days=150), FIRST + timedelta(days=100)
    summary = rfm(rows, as_of=last, calibration_end=end, unit_days=30.0)
    made = tracking(rows, summary, {m.name: m.fit(summary.counts) for m in MODELS})
    held = summary.customers.holdout_frequency.sum().execute()
    assert made.table["actual"].sum() == summary.counts.events + held
    assert made.table["complete"].tolist()[-1:] == [False]
    assert made.table["complete"].tolist()[:-1] == [True] * (len(made.table) - 1)
    for model in MODELS:
        if model.name in made.table:
            assert (made.table[model.name] >= 0).all()
    assert len(tracking(rows, rfm(rows.limit(0), as_of=last), {}).table) == 0
