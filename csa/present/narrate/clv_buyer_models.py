"""Findings about the models behind the value of buyers: whether they hold."""

from dataclasses import replace
from typing import Final

import pandas as pd

from csa.analysis.clv.buyers import BuyersResult
from csa.analysis.clv.dated_total import DatedTotal
from csa.analysis.clv.holdout import AGAIN, AT_RATE
from csa.analysis.clv.opportunities import OpportunityBuyers
from csa.methods.btyd.independence import SpendIndependence
from csa.methods.btyd.model import Diagnosis
from csa.present.items import Finding, Measure, Status
from csa.present.names import capital, plural
from csa.present.narrate.clv_buyer_rivals import rivals
from csa.present.phrases import number
from csa.present.words import Words

ENGLISH: Final = Words()
SAME: Final = "Nothing to do."
WAIT: Final = "Judge it again when customers differ more in their chance."
FEWEST_STEPS: Final = 3  # of the chance, below which nothing can be said of its whole range
RULES: Final = {
    AT_RATE: "expect every customer to go on buying at the rate so far",
    AGAIN: "expect of every customer as many purchases as in the last stretch of the same length",
}
IN_WORDS: Final = {
    Diagnosis.NOBODY_LEAVES: "The purchases show nobody leaving for good, so that the model takes "
    "every customer for one still, however long ago the last purchase was; who is still a "
    "customer cannot be told from it.",
    Diagnosis.ALL_LEAVE_AT_ONCE: "Hardly anybody bought a second time, so that the model takes "
    "nearly all for gone after the first purchase.",
    Diagnosis.ONE_RATE: "The model finds all customers buying equally often, so that it cannot "
    "tell frequent buyers from rare ones.",
    Diagnosis.ONE_DROPOUT: "The model finds all customers equally likely to leave.",
    Diagnosis.AT_ONCE_OR_NEVER: "The model finds customers who leave at once or never, and "
    "nothing between.",
}
OPPORTUNITIES: Final = "buyers-by-opportunity"
CROWDED: Final = (
    0.05  # share of periods with several purchase days, above which times are not fixed
)
TOTAL_OFF: Final = 0.08  # share by which a model may miss the total before readers should mind


def buyer_models(
    result: BuyersResult, *, dated: DatedTotal | None = None, words: Words = ENGLISH
) -> Finding:
    """Say which model the values rest on, and whether it held on what it had not seen.

    Parameters
    ----------
    result : BuyersResult
        From `csa.analysis.clv.buyers.buyers`.
    dated : DatedTotal, optional
        From `csa.analysis.clv.buyers_valued.followed`; its total is told where it did better from
        earlier days than the model chosen.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good: beats the naive rules and misses the total by at most 8 %; watch: beats them but
        misses it by more; bad: does not beat them; unclear: nothing could be held back.
    """
    ident, title = "buyer-models", "Model of purchases"
    chosen = result.table.loc[result.table["model"] == result.chosen]
    if result.chosen is None or chosen.empty or number(chosen["total_error"].iloc[0]) is None:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text=capital(result.why),
            evidence="No model was held against time that it had not seen.",
            action="Take the values as a first guess.",
            status="unclear",
        )
    row = chosen.iloc[0]
    off = float(row["total_error"])
    status: Status = "bad"
    if bool(row["beats_naive"]):
        status = "good" if abs(off) <= TOTAL_OFF else "watch"
    measure = Measure(
        metric_id="buyer_total_error",
        value=off,
        low=None,
        high=None,
        n=int(result.holdout.table["customers"].max()) if result.holdout is not None else 0,
        unit="share",
        confidence=0.95,
        method=f"{result.chosen}, held back",
    )
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=_model_text(result.chosen, off, words),
        evidence=" ".join(
            [capital(result.why), *_what_happened(result), *rivals(result, dated, words=words)]
        ),
        action=_model_action(status, off, result, words),
        status=status,
        measure=measure,
        weight=min(1.0, abs(off)),
    )


def _model_text(model: str, off: float, words: Words) -> str:
    if abs(off) < 0.0005:
        return (
            f"Values rest on {model}; in the time held back as many purchases came as it expected."
        )
    side, share = "fewer" if off < 0 else "more", words.share(abs(off))
    return (
        f"Values rest on {model}; for the time held back it expected {share} {side} purchases "
        "than came."
    )


def buyers_by_opportunity(found: OpportunityBuyers, *, words: Words = ENGLISH) -> Finding:
    """Say which model predicts best where purchases can be made at fixed times only.

    Parameters
    ----------
    found : OpportunityBuyers
        From `csa.analysis.clv.opportunities.buyers_by_opportunity`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Judged as `buyer_models`; watch at best where many periods had more than one purchase.
    """
    plain = buyer_models(found.result, words=words)
    status: Status = plain.status
    unit, held = found.opportunity, found.periods_held
    evidence = f"{capital(found.result.why)} {_crowding(found, words)}"
    crowded = found.crowded > CROWDED
    if plain.measure is None:
        text = f"Purchases at one opportunity a {unit}: {plain.text[0].lower()}{plain.text[1:]}"
        return replace(plain, id=OPPORTUNITIES, title="Fixed times", text=text, evidence=evidence)
    off = float(plain.measure.value or 0.0)
    side = "fewer" if off < 0 else "more"
    if crowded and status == "good":
        status = "watch"
    return replace(
        plain,
        id=OPPORTUNITIES,
        title="Fixed times",
        text=f"With one opportunity a {unit}, {found.result.chosen} predicts best: in the "
        f"{words.number(held)} {plural(held, unit)} held back it expected "
        f"{words.share(abs(off))} {side} purchases than came.",
        evidence=evidence,
        action="Count days, not periods: set opportunity to none." if crowded else plain.action,
        status=status,
        measure=replace(plain.measure, metric_id="opportunity_total_error"),
    )


def _crowding(found: OpportunityBuyers, words: Words) -> str:
    share = words.share(found.crowded)
    if found.crowded > CROWDED:
        return (
            f"{share} of all {found.opportunity}s with a purchase had purchases on several days: "
            "fixed times are not how these customers buy."
        )
    return f"{share} of all {found.opportunity}s with a purchase had purchases on several days."


def _what_happened(result: BuyersResult) -> list[str]:
    """Tell in words what became of the model chosen, where it lies at one of its limits."""
    said = list(result.table.loc[result.table["chosen"].astype(bool), "diagnosis"].fillna(""))
    held = result.holdout.fits.get(str(result.chosen)) if result.holdout is not None else None
    found = "; ".join([*said, *(held.diagnosis if held is not None else ())])
    return [text for word, text in IN_WORDS.items() if str(word) in found]


def _best_rule(result: BuyersResult) -> str:
    """Name the naive rule that came closest to each customer, as something to do."""
    if result.holdout is None:
        return RULES[AGAIN]
    rules = result.holdout.table.loc[result.holdout.table["naive"].astype(bool)]
    return RULES.get(str(rules.sort_values("mae")["model"].iloc[0]), RULES[AGAIN])


def _model_action(status: Status, off: float, result: BuyersResult, words: Words) -> str:
    if status == "good":
        return "Nothing to do."
    if status == "watch":
        side = "low" if off < 0 else "high"
        return f"Take totals as about {words.percent(abs(off))} too {side}; the order still holds."
    return f"Do not plan by these values; use the plain rule instead: {_best_rule(result)}."


def spend_and_frequency(found: SpendIndependence, *, words: Words = ENGLISH) -> Finding:
    """Say whether frequent buyers also spend more each time, which the models leave out.

    Parameters
    ----------
    found : SpendIndependence
        From `csa.methods.btyd.independence.spend_independence`.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good where they do not, or hardly; watch where they do.
    """
    verdicts: dict[str, Status] = {"independent": "good", "slight": "good", "related": "watch"}
    first, _, rest = found.said.partition("; ")
    evidence = f"{words.number(found.n)} customers with repeat purchases."
    if found.per_doubling is not None and found.correlation is not None:
        level = words.share(found.confidence, 0)
        change = words.interval(found.per_doubling_low, found.per_doubling_high, "share")
        side = "more" if found.per_doubling >= 0 else "less"
        pearson = " to ".join(words.number(v, 2) for v in (found.ci_low, found.ci_high))
        evidence = (
            f"Who buys twice as often spends {words.share(abs(found.per_doubling))} {side} each "
            f"time ({level} interval {change}); correlation {words.number(found.correlation, 2)} "
            f"({pearson}). {evidence}"
        )
    return Finding(
        id="spend-and-frequency",
        kind="report",
        title="Spend and frequency",
        text=f"{first.rstrip('.')}.",
        evidence=evidence,
        action=capital(rest) or "Nothing to do.",
        status=verdicts.get(found.verdict, "unclear"),
    )


def alive_calibration(rows: pd.DataFrame, model: str, *, words: Words = ENGLISH) -> Finding:
    """Say whether customers that the model takes for gone stay away.

    Parameters
    ----------
    rows : DataFrame
        From `csa.analysis.clv.alive.alive_calibration`.
    model : str
        Name of the model.
    words : Words
        Locale and currency.

    Returns
    -------
    Finding
        Good where the share that bought was as expected in every step of the chance, unclear where
        fewer than three steps have customers.
    """
    ident, title = "alive-calibration", "Who is still a customer"
    if rows.empty:
        return Finding(
            id=ident,
            kind="report",
            title=title,
            text="Whether customers taken for gone stay away has not been seen.",
            evidence="Nothing was held against the past.",
            action="Come back when there is a history to hold back.",
            status="unclear",
        )
    above = rows["ci_low"] > rows["expected"]
    below = rows["ci_high"] < rows["expected"]
    off = int((above | below).sum())
    gone = rows.loc[rows["high"] <= 0.5 + 1e-9]
    side = "more" if above.sum() >= below.sum() else "fewer"
    status, text = _alive_verdict(off, len(rows), side, model)
    return Finding(
        id=ident,
        kind="report",
        title=title,
        text=text,
        evidence=f"In {words.number(off)} of {words.number(len(rows))} steps of the chance the "
        "share expected lies outside the 95% interval of the share that bought. "
        f"{_gone(gone, words)}",
        action=WAIT if status == "unclear" else _careful(side) if off else SAME,
        status=status,
    )


def _alive_verdict(off: int, steps: int, side: str, model: str) -> tuple[Status, str]:
    """Judge the steps, and say it."""
    if steps < FEWEST_STEPS:
        told = "one chance" if steps == 1 else f"{steps} steps of the chance"
        return "unclear", (
            f"Whether customers taken for gone stay away cannot be told: {model} gives nearly all "
            f"of them {told}."
        )
    if not off:
        return "good", (
            f"Customers buy again as often as {model} expects from their chance to be there."
        )
    if off <= steps / 2:
        return "watch", (
            f"For some of their chances {side} customers buy again than {model} expects."
        )
    return "bad", f"{side.capitalize()} customers buy again than {model} expects of their chance."


def _gone(rows: pd.DataFrame, words: Words) -> str:
    n = float(rows["customers"].sum())
    if not n:
        return "Nobody was taken for gone."
    came, said = (float((rows[c] * rows["customers"]).sum() / n) for c in ("bought", "expected"))
    return (
        f"Of {words.number(n)} customers with a chance below 50%, {words.percent(came)} bought "
        f"again and {words.percent(said)} were expected to."
    )


def _careful(side: str) -> str:
    if side == "more":
        return "Do not strike out customers by this chance: more of them are there than it says."
    return "Do not count on customers by this chance: fewer of them are there than it says."
