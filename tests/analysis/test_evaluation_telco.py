"""IBM Telco through the evaluation: the published figures of honest models, and of leaking ones.

Models are scikit-learn's and lifelines'; only their judgement is ours. The file is read from the
folder that CSA_DATA names.
"""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    RepeatedStratifiedKFold,
    StratifiedKFold,
    cross_val_predict,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler
from stored import stored

from csa.analysis.risk.evaluation import evaluate
from csa.analysis.risk.evaluation.curves import evaluate_curves
from csa.analysis.risk.evaluation.thresholds import (
    Costs,
    given_threshold,
    threshold_by_cost,
    threshold_by_f1,
)
from csa.analysis.risk.evaluation.verdict import reachable_at, verdict
from csa.methods.concordance import concordance
from csa.methods.outcomes import outcomes_at

pytestmark = pytest.mark.slow

NUMBERS = ["tenure", "MonthlyCharges", "TotalCharges"]
HORIZON = 30  # the file says who left within the last month


@pytest.fixture(scope="module")
def telco():
    raw = pd.read_csv(stored("CSA_DATA", "telco", "ibm_telco_customer_churn.csv"))
    raw["TotalCharges"] = pd.to_numeric(raw["TotalCharges"], errors="coerce").fillna(0)
    return raw


def splines():
    """Logistic regression with splines of the three numbers."""
    words = OneHotEncoder(drop="if_binary", handle_unknown="ignore")
    bend = make_pipeline(SplineTransformer(n_knots=6), StandardScaler())
    columns = make_column_transformer((bend, NUMBERS), remainder=words)
    return make_pipeline(columns, LogisticRegression(C=1.0, max_iter=3000))


def features(raw):
    return raw.drop(columns=["customerID", "Churn"])


def judged(raw, risk):
    """Everybody is known to the end of the month."""
    return pd.DataFrame(
        {
            "account_id": raw["customerID"].to_numpy(),
            "risk": np.asarray(risk),
            "days_after": np.where(raw["Churn"] == "Yes", 15, HORIZON),
            "event": (raw["Churn"] == "Yes").to_numpy(),
        }
    )


@pytest.fixture(scope="module")
def out_of_fold(telco):
    """Risks of every account from the other four fifths."""
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    risk = cross_val_predict(
        splines(), features(telco), telco["Churn"] == "Yes", cv=folds, method="predict_proba"
    )
    return judged(telco, risk[:, 1])


def test_out_of_fold_figures_match_the_published_ones(out_of_fold):
    """Churn anchors 6.1, logistic + splines: 15 folds; ours is one pass of five."""
    result = evaluate(out_of_fold, horizon_days=HORIZON, capacity=704)
    assert (result.n, result.events) == (7043, 1869)
    assert result.base_rate.value == pytest.approx(0.2653698708, abs=1e-10)
    published = {
        "auc": (0.8494, 0.005),
        "average_precision": (0.668, 0.01),
        "brier": (0.1335, 0.002),
    }
    for metric, (value, within) in published.items():
        assert result.figure(metric).value == pytest.approx(value, abs=within)
    assert result.figure("f1").value == pytest.approx(0.635, abs=0.015)
    assert result.figure("precision").value == pytest.approx(0.561, abs=0.04)
    assert result.figure("recall").value == pytest.approx(0.734, abs=0.04)
    assert reachable_at(result, "recall", 0.80).value == pytest.approx(0.524, abs=0.02)
    assert reachable_at(result, "precision", 0.85).value == pytest.approx(0.175, abs=0.08)
    top = result.lift[result.lift["is_capacity"]].iloc[0]
    assert top["lift"] == pytest.approx(2.89, abs=0.1)
    slope, index = (result.figure(f"calibration_{x}") for x in ("slope", "error"))
    assert slope.low <= 1 <= slope.high
    assert index.value < 0.021


def test_the_verdict_is_not_reachable_on_these_data(out_of_fold):
    """At recall 80 % precision is 52 % +/- 2 points: P85/R80/F1 82 cannot be met."""
    found = verdict(evaluate(out_of_fold, horizon_days=HORIZON))
    assert (found.status, found.reach) == ("not met", "not reachable")
    assert found.reachable.value == pytest.approx(0.52, abs=0.02)
    assert found.auc_needed == pytest.approx(0.960, abs=5e-4)
    assert found.sentence.startswith("not reachable on these data: at recall 80% precision is 5")


def test_hold_out_intervals_match_the_published_ones(telco):
    """Churn anchors 6.1, 30 % hold-out of 2,113: AUC 0.847 [0.831, 0.865] and so on.

    Another split, so the published AUC, F1 and slope must lie within our intervals, which must be
    as wide as theirs. Precision and recall hang on where the threshold fell (0.27 here): they are
    compared at the published recall of 0.70, where precision was 0.566.
    """
    train, test = train_test_split(telco, test_size=0.3, stratify=telco["Churn"], random_state=1)
    model = splines().fit(features(train), train["Churn"] == "Yes")
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    inner = cross_val_predict(
        splines(), features(train), train["Churn"] == "Yes", cv=folds, method="predict_proba"
    )
    rule = threshold_by_f1(judged(train, inner[:, 1]), horizon_days=HORIZON)
    risk = model.predict_proba(features(test))[:, 1]
    result = evaluate(judged(test, risk), horizon_days=HORIZON, threshold_rule=rule)
    assert (result.n, result.seen) == (2113, 0)
    published = {"auc": (0.847, 0.831, 0.865), "f1": (0.627, 0.596, 0.657)}
    for metric, (value, low, high) in published.items():
        found = result.figure(metric)
        assert found.low < value < found.high
        assert found.high - found.low == pytest.approx(high - low, abs=0.01)
    for metric, width in (("precision", 0.069), ("recall", 0.076)):
        found = result.figure(metric)
        assert found.high - found.low == pytest.approx(width, abs=0.012)
    at_recall = reachable_at(result, "recall", 0.70)
    assert at_recall.low < 0.566 < at_recall.high
    slope = result.figure("calibration_slope")
    assert slope.low < 0.986 < slope.high
    assert result.figure("calibration_intercept").low < -0.006
    assert result.figure("calibration_intercept").high > -0.006


def test_costs_decide_the_threshold(out_of_fold):
    """Cost 20, save rate 30 %, value 400: 18.4 per account at 0.167, recall 0.90, precision 0.47.

    15.8 at the F1 threshold, 11.9 contacting everybody; with a cost of 50: 6.4, 5.9, -18.1. The
    published figures are those of a hold-out of 2,113 (11.9 is that of 26.55 % churn), ours of all
    out of fold: they must lie within our intervals.
    """
    threshold = threshold_by_f1(out_of_fold, horizon_days=HORIZON).threshold
    for cost, *published in ((20, 18.4, 15.8, 11.9), (50, 6.4, 5.9, -18.1)):
        costs = Costs(cost=cost, save_rate=0.3, value=400)
        by_f1 = given_threshold(threshold, chosen_on="folds", independent=False, costs=costs)
        one, two = (
            evaluate(out_of_fold, horizon_days=HORIZON, threshold_rule=rule)
            for rule in (threshold_by_cost(costs), by_f1)
        )
        net = [one.net.iloc[0], two.net.iloc[0], one.net.iloc[1]]
        for row, value in zip(net, published, strict=True):
            assert row["ci_low"] < value < row["ci_high"]
        assert net[0]["net_value"] > max(net[1]["net_value"], net[2]["net_value"], 0)
        assert net[2]["net_value"] == pytest.approx(120 * 1869 / 7043 - cost)
        if cost == 20:
            assert one.threshold.threshold == pytest.approx(0.167, abs=5e-4)
            assert one.figure("recall").low < 0.90 < one.figure("recall").high
            assert one.figure("precision").low < 0.47 < one.figure("precision").high


def test_survival_figures_match_the_published_ones(telco):
    """Churn anchors 6.2, Cox, window ignored, 5-fold: C, Uno's C, IBS to 70, AUC at 12, 24, 48.

    Where the published grid of ages began is not stated; from 2 on, the Kaplan-Meier curve alone
    gives the published 0.1806 (from 1 on 0.178).
    """
    data = pd.get_dummies(
        telco.drop(columns=["customerID", "TotalCharges"]).assign(
            Churn=telco["Churn"].eq("Yes").astype(int),
            Contract=telco["Contract"].str.replace(" ", "_"),
        ),
        drop_first=True,
        dtype=float,
    ).query("tenure > 0")
    data = data.loc[:, ~data.T.duplicated()]  # "No internet service" stands in seven columns
    grid = np.arange(2.0, 71.0)
    found = []
    for train, test in RepeatedStratifiedKFold(n_splits=5, n_repeats=1, random_state=0).split(
        data, data["Churn"]
    ):
        model = CoxPHFitter(penalizer=1e-3).fit(data.iloc[train], "tenure", "Churn")
        rows = data.iloc[test]
        curves = model.predict_survival_function(rows, times=grid).to_numpy().T
        spells = pd.DataFrame({"exit_days": rows["tenure"], "event": rows["Churn"] == 1})
        result = evaluate_curves(spells, curves, times=grid, auc_times=[12, 24, 48])
        assert (result.figures["status"] == "ok").all()
        scores = result.figures.set_index("metric")["value"]
        reference = scores["integrated_brier"] / (1 - result.skill)
        found.append([*result.figures["value"], *result.auc["auc"], reference])
    mean = np.mean(found, axis=0)
    assert mean[:2] == pytest.approx([0.8644, 0.8575], abs=0.006)
    assert mean[2] == pytest.approx(0.0818, abs=0.0015)
    assert mean[3:6] == pytest.approx([0.904, 0.926, 0.953], abs=0.006)
    assert mean[6] == pytest.approx(0.1806, abs=0.002)


def test_the_last_age_of_telco_raises_nothing(telco):
    """All 362 that reach tenure 72 end there; scikit-survival raises, here the horizon is cut."""
    event = telco["Churn"] == "Yes"
    at_end, beyond = (outcomes_at(h, telco["tenure"], event) for h in (72, 90))
    assert at_end.note == ""
    assert at_end.base_rate == pytest.approx(1 - 0.592790, abs=5e-7)
    assert beyond.horizon == 72
    assert beyond.note.startswith("nobody is followed to 90")


def test_concordance_of_telco_matches_r(telco):
    """R survival 3.5-3, Cox model of 8 terms with printed coefficients: C 0.852488."""
    terms = {
        "SeniorCitizen": -0.083338151,
        ("Partner", "Yes"): -0.549987678,
        ("Dependents", "Yes"): -0.074713765,
        ("Contract", "One year"): -1.719133652,
        ("Contract", "Two year"): -3.417764564,
        ("PaperlessBilling", "Yes"): 0.181286841,
        ("PaymentMethod", "Credit card (automatic)"): -0.072067930,
        ("PaymentMethod", "Electronic check"): 0.668546302,
        ("PaymentMethod", "Mailed check"): 0.631996776,
        ("InternetService", "Fiber optic"): 1.467030735,
        ("InternetService", "No"): -1.229003576,
        "MonthlyCharges": -0.030562004,
    }
    score = np.zeros(len(telco))
    for term, beta in terms.items():
        column = telco[term] if isinstance(term, str) else telco[term[0]] == term[1]
        score += beta * column.to_numpy(float)
    found = concordance(score, telco["tenure"], telco["Churn"] == "Yes")
    assert found.value == pytest.approx(0.852488, abs=5e-7)
    assert found.std_error == pytest.approx(0.004, abs=5e-4)


def test_ravenstack_has_no_signal():
    """Churn anchors 6.3: AUC 0.51 (0.45 to 0.56 over folds) of the flag on 500 accounts."""
    raw = pd.read_csv(
        stored("CSA_DATA", "ravenstack", "ravenstack_accounts.csv"), encoding="utf-8-sig"
    )
    words = ["industry", "country", "referral_source", "plan_tier", "is_trial"]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), words), (StandardScaler(), ["seats"])
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = make_pipeline(columns, LogisticRegression(max_iter=2000))
    y = raw["churn_flag"].astype(bool)
    risk = cross_val_predict(model, raw, y, cv=folds, method="predict_proba")[:, 1]
    frame = pd.DataFrame({"account_id": raw["account_id"], "risk": risk, "event": y})
    result = evaluate(frame.assign(days_after=np.where(y, 15, 30)), horizon_days=30)
    found = result.figure("auc")
    assert result.signal == "no signal"
    assert found.low < 0.5 < found.high
    assert found.value == pytest.approx(0.51, abs=0.06)
    assert verdict(result).sentence.startswith("no signal: AUC 0.")
