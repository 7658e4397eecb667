"""What the other columns say of a column: one design, one Gram matrix, a fit per target.

Sums and products are linear in values or in logarithms, so each number enters both ways; what is
left of a column after that is its own news, and that must not know the end of the account.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from csa.analysis.risk.leaks.frame import Audited, BoolArray, Column, FloatArray

CHURNED_ROWS, STAYED_ROWS = 4_000, 8_000  # rows of accounts that left and of others
TEXT_TERMS = 8  # levels of a text that enter
FEW_VALUES = 10  # distinct values up to which a column is a flag or a mark
FEW = 30  # known values below which a column is no target
RIDGE = 1e-5
FAR = 8.0  # standard deviations beyond which a term is cut
AGE, CLASS, FINAL, AFTER = "#age", "#class", "#final", "#after"  # terms that are no columns


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Design:
    """Terms of all columns, and whose they are."""

    terms: FloatArray
    owner: NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Target:
    """A column, in one form, on the rows where it is known; fits come from one Gram matrix."""

    column: str
    form: str  # "value" or "logarithm"
    rows: BoolArray
    x: FloatArray  # standardised
    scale: float  # of one standard deviation, in units of the form
    terms: FloatArray
    gram: FloatArray
    side: FloatArray  # terms times x
    owner: NDArray[np.str_]
    without: frozenset[str]

    @property
    def measured(self) -> bool:
        """Whether it is the logarithm of an amount, not of a flag or a mark."""
        return self.form == "logarithm" and len(np.unique(self.x)) > FEW_VALUES

    def weights(self, *extra: str, leaving_out: Collection[str] = ()) -> FloatArray:
        """Weights of all other columns and the extra terms, 0 for the rest.

        Parameters
        ----------
        *extra : str
            Terms besides columns and age.
        leaving_out : collection of str
            Terms that must not help.

        Returns
        -------
        array of float
            One per term.
        """
        dropped = {CLASS, FINAL, AFTER, self.column, *self.without} - set(extra)
        use = np.flatnonzero(~np.isin(self.owner, [*dropped, *leaving_out]))
        gram = self.gram[np.ix_(use, use)] + RIDGE * len(self.x) * np.eye(len(use))
        weights = np.zeros(len(self.owner))
        weights[use] = np.linalg.solve(gram, self.side[use])
        return weights

    def left(self, *extra: str) -> FloatArray:
        """Give what a fit leaves of the column.

        Parameters
        ----------
        *extra : str
            Terms besides columns and age.

        Returns
        -------
        array of float
            On the target's rows, in standard deviations of the column.
        """
        rest: FloatArray = self.x - self.terms @ self.weights(*extra)
        return rest


def design_of(data: Audited) -> Design:
    """Terms of all columns, of age, price and calendar, and of the outcome.

    Parameters
    ----------
    data : Audited
        Snapshots.

    Returns
    -------
    Design
        Each number as value and logarithm, each text by its most frequent levels, each gap.
    """
    terms: list[FloatArray] = [np.ones(data.n)]
    owner = [""]

    def add(name: str, *columns: FloatArray) -> None:
        for values in columns:
            column = values / max(float(np.abs(values).max(initial=0)), 1.0)  # huge ones overflow
            spread = column.std() if len(column) else 0.0
            if spread > 0:
                terms.append(np.clip((column - column.mean()) / spread, -FAR, FAR))
                owner.append(name)

    add(AGE, *bent(data.age))
    for name, value in (("mrr_minor", data.mrr), ("cutoff_on", data.cutoff)):
        add(name, *_number_terms(value))
    for column in data.columns:
        add(column.name, *_terms(column))
    gone = data.event.astype(float)
    after = data.after / max(float(data.after.max(initial=0)), 1.0)
    add(CLASS, gone, gone * after, gone * np.log1p(50 * after))
    add(FINAL, *bent(data.age + data.after))
    add(AFTER, *bent(data.after))
    return Design(terms=np.stack(terms, axis=1), owner=np.array(owner))


def honest_terms(data: Audited) -> FloatArray:
    """Terms of a model that knows nothing of the outcome.

    Parameters
    ----------
    data : Audited
        Snapshots.

    Returns
    -------
    array of float
        Rows by terms.
    """
    design = design_of(data)
    terms: FloatArray = design.terms[:, ~np.isin(design.owner, [CLASS, FINAL, AFTER])]
    return terms


def bent(value: FloatArray) -> list[FloatArray]:
    """Terms of a smooth curve in a number of days."""
    if not np.isfinite(value).all():
        return _number_terms(value)
    days = np.maximum(value, 0)
    return [days, np.sqrt(days), np.log1p(days), days**2]


def _terms(column: Column) -> list[FloatArray]:
    if column.kind != "text":
        return _number_terms(column.value)
    levels = [(column.value == code).astype(float) for code in range(TEXT_TERMS)]
    return [*levels, (~column.known).astype(float)]


def _number_terms(value: FloatArray) -> list[FloatArray]:
    """Value, logarithm of what is never negative, and gap; a gap stands at the mean."""
    known = np.isfinite(value)
    if not known.any():
        return []
    seen = value[known]
    two = len(np.unique(seen)) < 3  # a flag has no other form
    found = []
    for form in (seen, np.log1p(seen)) if seen.min() >= 0 and not two else (seen,):
        term = np.full(len(value), float(form.mean()))
        term[known] = form
        found.append(term)
    return [*found, (~known).astype(float)]


def targets(
    data: Audited, design: Design, *, without: frozenset[str], only: Collection[str] | None = None
) -> Iterator[Target]:
    """Every column that can be a target, in every form.

    Parameters
    ----------
    data : Audited
        Snapshots.
    design : Design
        Terms of all columns.
    without : frozenset of str
        Columns that are no terms: found to leak, they would explain the others away.
    only : collection of str, optional
        Columns to take as targets.

    Yields
    ------
    Target
        By column and form.
    """
    whole: FloatArray | None = None
    for column in data.columns:
        rows = column.known
        skip = column.kind == "text" or int(rows.sum()) < FEW or not _wanted(column, without, only)
        if skip or np.ptp(column.value[rows]) == 0:
            continue
        if rows.all():
            whole = design.terms.T @ design.terms if whole is None else whole
            terms, gram = design.terms, whole
        else:
            whole = design.terms.T @ design.terms if whole is None else whole
            terms = design.terms[rows]
            gram = _gram(design.terms, rows, whole)
        for form, x, scale in _forms(column.value[rows], column.kind):
            yield Target(
                column=column.name,
                form=form,
                rows=rows,
                x=x,
                scale=scale,
                terms=terms,
                gram=gram,
                side=x @ terms,
                owner=design.owner,
                without=without,
            )


def _gram(terms: FloatArray, rows: BoolArray, whole: FloatArray) -> FloatArray:
    """Gram matrix of some rows, from theirs or from all but the others."""
    if 2 * int(rows.sum()) > len(rows):
        rest = terms[~rows]
        gram: FloatArray = whole - rest.T @ rest
        return gram
    some = terms[rows]
    own: FloatArray = some.T @ some
    return own


def _wanted(column: Column, without: frozenset[str], only: Collection[str] | None) -> bool:
    return column.name not in without if only is None else column.name in only


def _forms(value: FloatArray, kind: str) -> Iterator[tuple[str, FloatArray, float]]:
    """Values and, of what is never negative, logarithms; standardised."""
    forms = {"value": value}
    if kind == "number" and value.min() >= 0:
        forms["logarithm"] = np.log1p(value)
    for form, x in forms.items():
        scale = float(x.std()) or 1.0
        yield form, (x - x.mean()) / scale, scale
