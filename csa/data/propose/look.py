"""What `csa init` sees of a file: names, types, and what a sample of its values looks like."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

import ibis.expr.datatypes as dt
from ibis.backends import BaseBackend

from csa.data.columns import Kind
from csa.data.propose.words import CURRENCIES
from csa.data.sources import formats, readers
from csa.data.sources.casts import MISSING
from csa.data.sources.readers import DataFile

_SAMPLE = 2000
_ENOUGH = 0.95  # share of values that must fit
_MISSING = re.compile(MISSING)
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")
_COMMA = re.compile(r"[+-]?\d{1,3}(\.?\d{3})*,\d+|[+-]?\d+")
_POINT = re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?")
_SIGN = re.compile(r"[\s$€£¥]")


@dataclass(frozen=True)
class Look:
    """A column of a file."""

    name: str
    type: dt.DataType
    values: tuple[str, ...]  # a sample, trimmed, without missing ones

    @cached_property
    def compact(self) -> str:
        """Name without case, punctuation and currency, as in signupdate for Signup_Date."""
        words = re.sub(r"[^0-9a-z]+", " ", self.name.casefold()).split()
        if len(words) > 1 and words[-1] in CURRENCIES:
            words.pop()
        return "".join(words)

    @cached_property
    def dates(self) -> formats.Detected:
        """Format of dates in text."""
        return formats.detect(self.values)

    @cached_property
    def decimal(self) -> str | None:
        """Decimal sign that must be stated: "," for 12,50, "." for $1,200.50, else None."""
        if not self.type.is_string() or self._share(_PLAIN, self.values) >= _ENOUGH:
            return None
        bare = [_SIGN.sub("", v) for v in self.values]
        return "," if self._share(_COMMA, bare) > self._share(_POINT, bare) else "."

    def fits(self, kind: Kind) -> bool:
        """Return whether the values could be of a kind.

        Parameters
        ----------
        kind : str
            Canonical kind.

        Returns
        -------
        bool
            True for a column without values.
        """
        if kind in {"id", "text"}:
            return not (self.type.is_nested() or self.type.is_temporal())
        if not self.type.is_string():
            return self._typed(kind)
        if not self.values:
            return True
        if kind in {"date", "time"}:
            return self.dates.share >= _ENOUGH
        if kind == "flag":
            return {v.casefold() for v in self.values} <= {"true", "false", "yes", "no", "0", "1"}
        bare = [_SIGN.sub("", v) for v in self.values]
        return max(self._share(p, bare) for p in (_PLAIN, _COMMA, _POINT)) >= _ENOUGH

    def _typed(self, kind: Kind) -> bool:
        if kind in {"date", "time"}:
            return bool(self.type.is_date() or self.type.is_timestamp())
        if kind == "flag":
            return bool(self.type.is_boolean())
        return bool(self.type.is_numeric() and not self.type.is_boolean())

    @staticmethod
    def _share(pattern: re.Pattern[str], values: Sequence[str]) -> float:
        return sum(pattern.fullmatch(v) is not None for v in values) / max(1, len(values))


@dataclass(frozen=True)
class Seen:
    """A file and its columns."""

    file: DataFile
    stem: str
    columns: tuple[Look, ...]

    def column(self, name: str) -> Look | None:
        """Return a column by its name.

        Parameters
        ----------
        name : str
            As in the file.

        Returns
        -------
        Look or None
            None where there is none.
        """
        return next((c for c in self.columns if c.name == name), None)


def look(engine: BaseBackend, stem: str, file: DataFile) -> Seen:
    """Look at the first rows of a file.

    Parameters
    ----------
    engine : BaseBackend
        DuckDB.
    stem : str
        Name of the file without suffix.
    file : DataFile
        CSV or Parquet.

    Returns
    -------
    Seen
        Its columns with a sample of values.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    rows = readers.register(engine, file, file.name)
    head = engine.to_pyarrow(rows.limit(_SAMPLE))
    return Seen(
        file,
        stem,
        tuple(
            Look(name, kind, tuple(_texts(head[name].to_pylist())))
            for name, kind in rows.schema().items()
        ),
    )


def _texts(values: Sequence[object]) -> list[str]:
    texts = (_text(value).strip() for value in values if value is not None)
    return [text for text in texts if _MISSING.match(text.lower()) is None]


def _text(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
