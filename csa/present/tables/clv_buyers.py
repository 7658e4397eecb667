"""Tables of customers without a contract: values, newcomers, who comes next, models compared."""

from typing import Final

import numpy as np
import pandas as pd

from csa.analysis.clv.buyers import BuyersResult
from csa.analysis.clv.holdout import Scorecard
from csa.analysis.clv.newcomers import NewcomerValue
from csa.analysis.clv.value import ALL, BuyerValue
from csa.methods.btyd.dated import MODEL as DATED
from csa.methods.btyd.regular import MODEL as REGULAR
from csa.present.columns import Column
from csa.present.items import Table
from csa.present.money import major
from csa.present.names import capital
from csa.present.table_rows import pairs
from csa.present.words import Words, known

ENGLISH: Final = Words()
NO_VALUE: Final = "There is no value to show: the models could not be fitted."
MONEY: Final = (
    *("value", "ci_low", "ci_high", "per_customer", "first", "later", "spend"),
    *("outcome_low", "outcome_high"),
)
COMPARED: Final = {
    DATED: "BG/NBD in which new customers may buy in a burst and weeks may be good or bad",
    REGULAR: "MBG/NBD in which gaps between purchases may be more even than chance",
}
MOST: Final = 10  # groups of a table; a page holds no more beside what is said of them
SUMS: Final = ("customers", "alive", "purchases", "value", "share")


def _money(rows: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Turn minor units into those of the currency."""
    changed = rows.copy()
    for name in (*MONEY, "expected_spend"):
        if name in changed:
            changed[name] = [major(cell, words) for cell in rows[name]]
    return changed


def _sentence(text: str) -> str:
    return f"{capital(text.rstrip('.'))}." if text else ""


def _largest(rows: pd.DataFrame, by: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep all customers and the largest of many groups, largest first; the rest apart."""
    groups = rows.loc[rows["group"] != ALL]
    if len(groups) <= MOST + 1:  # one other is no shorter than its own row
        return rows, groups.iloc[:0]
    kept = groups[by].nlargest(MOST).index
    rest = groups.index.difference(kept)
    return pd.concat([rows.loc[rows["group"] == ALL], rows.loc[kept]]), rows.loc[rest]


def _with_others(rows: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Add the smaller groups up; what they may bring together has no interval of its own."""
    kept, rest = _largest(rows, "value")
    if rest.empty:
        return rows
    one: dict[str, object] = {name: rest[name].sum() for name in SUMS}
    one |= {"group": f"{words.number(len(rest))} others, together"}
    one |= {"per_customer": rest["value"].sum() / rest["customers"].sum()}
    return pd.concat([kept, pd.DataFrame([one])], ignore_index=True)


def buyer_values(result: BuyerValue, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """List the value of customers by group, all first.

    Parameters
    ----------
    result : BuyerValue
        From `csa.analysis.clv.value.buyer_value`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Groups add up to all; of many, those of most value and the others together.
    """
    rows = _with_others(result.table.loc[result.table["value"].notna()], words)
    rows = _money(rows, words)
    rows = rows.assign(
        group=["All customers" if group == ALL else group for group in rows["group"]],
        interval=pairs(rows, "ci_low", "ci_high"),
    )
    terms = result.terms
    return Table(
        id="buyer-values",
        title=f"Value of customers to come, by {by}",
        columns=(
            Column("group", capital(by)),
            Column("customers", "Customers", "integer"),
            Column("alive", "Still customers", "integer"),
            Column("purchases", "Purchases to come", "integer"),
            Column("value", "Value", "money"),
            Column("interval", f"{words.share(terms.confidence, 0)} interval", "interval", "money"),
            Column("per_customer", "Each", "money"),
            Column("share", "Of all", "share"),
        ),
        rows=rows,
        note=f"Discounted by {words.share(terms.annual_rate)} a year, margin "
        f"{words.percent(terms.margin)}; intervals are of what is expected. "
        f"{_sentence(result.reason)}".strip(),
        empty=NO_VALUE,
        words=words,
    )


def newcomer_values(result: NewcomerValue, *, by: str = "segment", words: Words = ENGLISH) -> Table:
    """List the value of a new customer by segment, all first.

    Parameters
    ----------
    result : NewcomerValue
        From `csa.analysis.clv.newcomers.newcomer_value`.
    by : str
        What the groups are.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        With the ratios as drawn in; of many segments, those with most customers.
    """
    rows, rest = _largest(result.table.loc[result.table["value"].notna()], "customers")
    rows = _money(rows, words)
    rows = rows.assign(
        group=["All customers" if group == ALL else group for group in rows["group"]],
        interval=pairs(rows, "ci_low", "ci_high"),
    )
    return Table(
        id="newcomer-values",
        title=f"Value of a new customer, by {by}",
        columns=(
            Column("group", capital(by)),
            Column("customers", "Learned from", "integer"),
            Column("value", "Value", "money"),
            Column(
                "interval",
                f"{words.share(result.terms.confidence, 0)} interval",
                "interval",
                "money",
            ),
            Column("first", "First purchase", "money"),
            Column("later", "Later ones", "money"),
            Column("frequency_ratio", "Frequency to all", "share"),
            Column("spend_ratio", "Spend to all", "share"),
        ),
        rows=rows,
        note="Segments are compared with all customers; the fewer customers, the more they are "
        f"drawn in to all.{_left_out(rest, words)}",
        empty=NO_VALUE,
        words=words,
    )


def _left_out(rest: pd.DataFrame, words: Words) -> str:
    if rest.empty:
        return ""
    count, people = words.number(len(rest)), words.number(rest["customers"].sum())
    return f" {count} smaller ones, {people} customers together, are in the numbers of the chart."


def next_best_customers(rows: pd.DataFrame, result: BuyerValue, *, words: Words = ENGLISH) -> Table:
    """List the customers of highest expected value.

    Parameters
    ----------
    rows : DataFrame
        From `csa.analysis.clv.value.next_best`.
    result : BuyerValue
        Where they come from.
    words : Words
        Locale and currency.

    Returns
    -------
    Table
        Most valuable first; with what each may bring where
        `csa.analysis.clv.value_outcomes.with_outcomes` has told it.
    """
    keys = ("account_id", "group", "frequency", "alive", "expected_purchases", "expected_spend")
    shown = rows if len(rows) else pd.DataFrame(columns=["rank", *keys, "value"])
    shown = _money(shown, words)
    shown = shown.assign(interval=pairs(shown, "ci_low", "ci_high") if len(rows) else [])
    level = words.share(result.terms.confidence, 0)
    spread = Column("interval", f"{level} interval", "interval", "money")
    ranged = "outcome_low" in shown
    if ranged:  # says more than the interval of what is expected
        shown = shown.assign(outcome=pairs(shown, "outcome_low", "outcome_high"))
        spread = Column("outcome", "May bring", "interval", "money")
    grouped = shown["group"].ne(ALL).any()
    segment = (Column("group", "Segment"),) if grouped else ()
    return Table(
        id="next-best-customers-list",
        title="Next best customers",
        columns=(
            Column("rank", "Rank", "integer"),
            Column("account_id", "Customer"),
            *segment,
            Column("frequency", "Repeats", "integer"),
            Column("alive", "Still there", "share"),
            Column("expected_purchases", "To come", "number"),
            Column("expected_spend", "Each time", "money"),
            Column("value", "Value", "money"),
            spread,
        ),
        rows=shown,
        note=_best_note(result, words, ranged=ranged),
        empty=NO_VALUE,
        words=words,
    )


def _best_note(result: BuyerValue, words: Words, *, ranged: bool) -> str:
    base = "Repeats: purchases after the first; to come: expected and discounted"
    if not ranged:
        return f"{base}; intervals are of what is expected, what one customer does varies more."
    share = words.share(result.terms.confidence, 0)
    return f"{base}. May bring: where {share} of such customers end."


def _signed(share: float, words: Words) -> str:
    return f"+{words.share(share)}" if known(share) and share > 0 else words.share(share)


def buyer_models(
    result: BuyersResult,
    *,
    words: Words = ENGLISH,
    title: str = "Models of purchases, compared",
    table_id: str = "buyer-models-compared",
) -> Table:
    """List the models, how well they describe the past and how well they foretold.

    Parameters
    ----------
    result : BuyersResult
        From `csa.analysis.clv.buyers.buyers`.
    words : Words
        Locale and currency.
    title : str
        What is compared.
    table_id : str
        Id of the table on the page.

    Returns
    -------
    Table
        The chosen model first, naive rules last; before them models that are no choice.
    """
    rows = result.table.assign(
        verdict=[
            "chosen" if row.chosen else "unclear" if row.status != "ok" else ""
            for row in result.table.itertuples()
        ]
    )
    if result.holdout is not None:
        others = result.holdout.table.drop(columns="reason")
        others = others.loc[~others["model"].isin(rows["model"]) & others["total_error"].notna()]
        verdict = np.where(others["naive"].astype(bool), "naive rule", "compared")
        others = others.assign(verdict=verdict, diagnosis="")
        rows = pd.concat([rows, others], ignore_index=True)
    rows = rows.assign(
        total_error=[_signed(off, words) for off in rows["total_error"]],
        revenue_error=[_signed(off, words) for off in rows["revenue_error"]],
        mae=[words.number(off, 3) for off in rows["mae"]],
        rmse=[words.number(off, 3) for off in rows["rmse"]],
    )
    said = dict.fromkeys(d for d in result.table["diagnosis"].fillna("") if d)
    return Table(
        id=table_id,
        title=title,
        columns=(
            Column("model", "Model"),
            Column("verdict", "Verdict"),
            Column("total_error", "Purchases off"),
            Column("revenue_error", "Revenue off"),
            Column("mae", "MAE"),
            Column("rmse", "RMSE"),
            Column("gini", "Gini", "share"),
            Column("log_likelihood", "Log-likelihood", "number"),
            Column("bic", "BIC", "number"),
        ),
        rows=rows,
        note=" ".join(
            filter(
                None,
                [
                    result.why,
                    _sentence("; ".join(said)),
                    _compared_only(rows["model"], result.holdout),
                ],
            )
        ),
        empty="No model was fitted.",
        words=words,
    )


def _compared_only(models: pd.Series, card: Scorecard | None) -> str:
    """Say what the models are that values do not rest on."""
    told = [f"{name}: {what}" for name, what in COMPARED.items() if models.eq(name).any()]
    if card is not None and card.regular is not None and told:
        told.append(f"here k = {card.regular.k}{', MBG/NBD' if card.regular.k == 1 else ''}")
    return f"For comparison only: {'; '.join(told)}." if told else ""
