"""Fifteen ways to be wrong about churn, each with the input that makes it and the refusal.

Where a mistake cannot be made because nothing takes its input, the test shows what is given
instead. The literature on each stands in the docstring of the function that is called.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from csa.analysis.churn import conditional_survival, survival
from csa.analysis.churn.causes import incidence
from csa.analysis.churn.censoring import censoring_bounds
from csa.analysis.churn.effects import effects
from csa.analysis.churn.spell_frames import spells_from
from csa.analysis.risk import worklist
from csa.analysis.risk.challenger import choose
from csa.analysis.risk.evaluation import evaluate
from csa.analysis.risk.evaluation.thresholds import threshold_by_f1
from csa.analysis.risk.evaluation.verdict import Targets, verdict
from csa.analysis.risk.leaks import split_audit
from csa.data.features import Feature, check_features
from csa.errors import InputError

AS_OF = date(2024, 12, 31)


def rows(n=60, seed=1):
    """Spells of an analyst's own: dates, some of them ended."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 600, n), unit="D")
    end = pd.Series(start + pd.to_timedelta(rng.integers(1, 500, n), unit="D"))
    return pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(n)],
            "start_on": start,
            "end_on": end.where(end <= pd.Timestamp(AS_OF)),
        }
    )


def counted(n=400, seed=2):
    """Spells as the estimators take them."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "group": "all of them",
            "entry_days": 0,
            "exit_days": rng.integers(1, 700, n),
            "event": rng.random(n) < 0.5,
        }
    )


def predictions(n=600, seed=3, slope=1.5):
    """Risks and what happened within 90 days."""
    rng = np.random.default_rng(seed)
    risk = 1 / (1 + np.exp(2 - slope * rng.standard_normal(n)))
    event = rng.random(n) < risk
    return pd.DataFrame(
        {
            "account_id": [f"a{i}" for i in range(n)],
            "risk": risk,
            "days_after": np.where(event, 45, 200),
            "event": event,
        }
    )


def test_1_left_truncation_cannot_be_left_out():
    with pytest.raises(InputError, match="since when would a leaving account have been recorded"):
        spells_from(rows(), as_of=AS_OF, observed_from=None)


def test_2_a_snapshot_of_tenures_is_no_survival_time():
    snapshot = pd.DataFrame({"group": "all", "tenure": [1, 5, 12], "churned": [True, False, True]})
    with pytest.raises(InputError, match="a tenure and a flag do not say since when"):
        survival(snapshot)


def test_3_ages_rounded_to_months_are_refused():
    months = counted().astype({"exit_days": float}).assign(entry_days=0.0)
    with pytest.raises(InputError, match="exit_days is float64, not whole days"):
        survival(months)


def test_4_a_group_that_one_must_live_to_join_is_refused():
    joined = rows().assign(group="upgraded", group_known_on="2024-06-01")
    spells = spells_from(joined, as_of=AS_OF, observed_from="always")
    for estimator in (survival, incidence):
        with pytest.raises(InputError, match="had to stay to join"):
            estimator(spells)


def test_5_other_causes_are_not_censored():
    one_cause = counted().assign(cause="payment")
    one_cause["event"] = False
    with pytest.raises(InputError, match="left for another cause is not censored"):
        survival(one_cause)


def test_6_what_is_known_only_later_is_no_feature():
    """Today's value of an attribute may have been written after the account had left."""
    today = Feature(
        name="health",
        table="accounts",
        columns=("health",),
        meaning="health score",
        value=lambda known: known["health"].max(),
    )
    with pytest.raises(InputError, match="holds today's value"):
        check_features([today])


def test_7_resampled_rows_raise_the_alarm():
    half = predictions(2000).assign(cutoff_on="2024-01-31", age_days=100, mrr_minor=1000, use=1.0)
    rng = np.random.default_rng(4)
    half["use"] = rng.standard_normal(len(half))
    half = half.drop(columns="risk")
    train, test = half.iloc[:1400], half.iloc[1400:].assign(cutoff_on="2024-06-30")
    more = pd.concat([train, *[train.loc[train["event"]]] * 4], ignore_index=True)
    audit = split_audit(more, test, snapshots=half, horizon_days=90, features=["use"])
    assert audit.status == "alarm"
    assert {"repeated rows", "share of churn"} <= set(audit.table["kind"])


def test_8_precision_is_never_without_horizon_base_rate_and_events():
    with pytest.raises(InputError, match="horizon_days"):
        evaluate(predictions(), horizon_days=0)
    told = verdict(evaluate(predictions(), horizon_days=90)).table
    assert {"horizon_days", "base_rate", "n", "events", "threshold_rule", "ci_low"} <= set(told)


def test_9_models_are_compared_out_of_time_only():
    """One cut-off has no later one to be tested on."""
    one = predictions().assign(cutoff_on=AS_OF, age_days=200, mrr_minor=1, use=1.0)
    choice = choose(one, features=["use"], horizon_days=90)
    assert choice.status == "unclear"


def test_10_hazards_that_are_not_proportional_are_told_by_age():
    """The effect turns round after 100 days; one ratio for all ages would say there is none."""
    rng = np.random.default_rng(5)
    n = 6000
    late = rng.random(n) < 0.5
    early_life = rng.exponential(np.where(late, 800, 200))
    rest = 100 + rng.exponential(np.where(late, 200, 800))
    life = np.ceil(np.where(early_life < 100, early_life, rest))
    spells = pd.DataFrame(
        {
            "entry_days": 0,
            "exit_days": np.minimum(life, 700).astype(int),
            "event": life <= 700,
            "kind": np.where(late, "late", "early"),
        }
    )
    result = effects(spells, covariates=["kind"])
    assert result.tests["proportional"].iloc[0] == "rejected"
    ratios = result.bands.dropna(subset=["ci_low"])["hazard_ratio"]
    assert ratios.min() < 0.6
    assert ratios.max() > 1.5


def test_11_a_risk_at_a_horizon_is_not_judged_by_concordance():
    """It is told, and can be no target: it may prefer the worse model of a risk at a horizon."""
    told = verdict(evaluate(predictions(), horizon_days=90))
    assert set(told.table["metric"]) == {"precision", "recall", "f1"}
    with pytest.raises(TypeError, match="concordance"):
        Targets(concordance=0.8)


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.2])
def test_12_what_an_action_saves_is_stated_and_never_the_risk(rate):
    scores = predictions().assign(mrr_minor=100)
    with pytest.raises(InputError, match="save_rate"):
        worklist(scores, cost_per_action_minor=10, save_rate=rate)


def test_13_accounts_that_went_out_of_sight_need_a_reason_and_have_bounds():
    both = rows().assign(cause="price", censoring="merged")
    both.loc[both["end_on"].isna(), ["cause", "censoring"]] = None
    with pytest.raises(InputError, match="both a cause of churn and a reason of censoring"):
        spells_from(both, as_of=AS_OF, observed_from="always")
    merged = both.assign(cause=None)
    table = censoring_bounds(
        spells_from(merged, as_of=AS_OF, observed_from="always"), ages_days=[200]
    )
    assert table["if_all_left"].iloc[0] < table["if_none_left"].iloc[0]


def test_14_the_chance_of_a_customer_is_given_that_it_is_here():
    """At an age, the chance to stay on is S(age + ahead) / S(age), not S(age + ahead)."""
    result = survival(counted())
    stay = conditional_survival(result, ages_days=[300], ahead_days=[90])["stay"].iloc[0]
    curve = result.curves.set_index("time_days")["survival"]
    later, now = (curve[curve.index <= age].iloc[-1] for age in (390, 300))
    assert stay == pytest.approx(later / now)
    assert stay > later


def test_15_a_score_that_is_no_probability_is_refused_and_an_uncalibrated_one_told():
    points = predictions().assign(risk=lambda f: f["risk"] * 100)
    with pytest.raises(InputError, match=r"not within \[0, 1\]"):
        evaluate(points, horizon_days=90)
    steep = predictions(3000).assign(risk=lambda f: f["risk"] ** 3 / (f["risk"] ** 3 + 0.01))
    result = evaluate(steep, horizon_days=90)
    slope = result.figure("calibration_slope")
    assert slope.high < 1 or slope.low > 1
    assert len(result.calibration) > 5


def test_thresholds_are_not_judged_on_the_rows_they_were_chosen_on():
    given = predictions()
    rule = threshold_by_f1(given, horizon_days=90)
    told = verdict(evaluate(given, horizon_days=90, threshold_rule=rule))
    assert told.status == "unclear"
