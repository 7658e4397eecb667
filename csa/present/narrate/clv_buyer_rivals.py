"""What models said that values do not rest on, where they did better: weeks, and even gaps."""

from typing import Final

from csa.analysis.clv.buyers import TIED, BuyersResult
from csa.analysis.clv.dated_total import DatedTotal
from csa.methods.btyd.regular import MODEL as REGULAR
from csa.present.words import Words

ENGLISH: Final = Words()


def rivals(result: BuyersResult, dated: DatedTotal | None, *, words: Words = ENGLISH) -> list[str]:
    """Say what models for comparison foretold, where they did better than the one chosen.

    Parameters
    ----------
    result : BuyersResult
        From `csa.analysis.clv.buyers.buyers`.
    dated : DatedTotal or None
        From `csa.analysis.clv.buyers_valued.followed`.
    words : Words
        Locale and currency.

    Returns
    -------
    list of str
        Sentences; none where they did not.
    """
    return [text for text in (_by_weeks(dated, words), _by_gaps(result, words)) if text]


def _by_weeks(dated: DatedTotal | None, words: Words) -> str:
    """Tell the total of the model with a clock, where it has done better before."""
    if dated is None or not dated.better:
        return ""
    return (
        "A model that knows bursts of new customers and good and bad weeks (BG/NBD, dated), off by "
        f"{words.share(dated.error)} on average from {words.number(dated.days_earlier)} earlier "
        f"days where this one was off by {words.share(dated.chosen_error)}, expected "
        f"{words.number(round(dated.expected))} purchases "
        f"({words.share(dated.confidence, 0)} interval {words.number(round(dated.low))} to "
        f"{words.number(round(dated.high))}); {words.number(round(dated.actual))} came."
    )


def _by_gaps(result: BuyersResult, words: Words) -> str:
    """Tell that customers buy at even gaps, where knowing that came closer to each of them."""
    card = result.holdout
    if card is None or card.regular is None or card.regular.k == 1:
        return ""
    off = card.table.set_index("model")["rmse"]
    if not off[REGULAR] < off[str(result.chosen)] * (1 - TIED):
        return ""
    return (
        f"Purchases come at more even gaps than chance would have them: a model that knows it "
        f"({REGULAR}) came closer to each customer (RMSE {words.number(off[REGULAR], 3)} against "
        f"{words.number(off[str(result.chosen)], 3)})."
    )
