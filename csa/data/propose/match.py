"""Which file could be which table, and which column which: names first, then values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from csa.data.columns import Column, Table
from csa.data.propose.look import Look, Seen
from csa.data.propose.words import COLUMN_WORDS, PREFIXES, TABLE_WORDS
from csa.data.schema import TABLES

SURE = 6.0  # a file that is called so and has all required columns
_LIKELY = 4.5


@dataclass(frozen=True)
class Match:
    """A file as a table."""

    table: Table
    seen: Seen
    columns: dict[str, Look]  # canonical column to column of the file
    borrowed: tuple[Seen, str] | None = None  # file that knows the account, by this column
    product: tuple[str, str] | None = None  # quantity and unit price that make the amount
    score: float = 0.0
    twin: bool = False  # a second table from the file of another

    @property
    def lacking(self) -> list[str]:
        """Required columns for which nothing was found."""
        made = {"account_id"} if self.borrowed else set()
        made |= {"amount"} if self.product else set()
        return [c for c in self.table.required if c not in self.columns and c not in made]

    @property
    def left(self) -> list[str]:
        """Columns of the file that were not placed."""
        used = {look.name for look in self.columns.values()} | set(self.product or ())
        return [c.name for c in self.seen.columns if c.name not in used]


@dataclass
class Found:
    """What was found in a folder."""

    matches: list[Match] = field(default_factory=list)
    unplaced: list[Seen] = field(default_factory=list)


def match_files(files: Sequence[Seen]) -> Found:
    """Give each table its best file; each file serves one table.

    Parameters
    ----------
    files : sequence of Seen
        All files that can be read.

    Returns
    -------
    Found
        Matches in the order of the schema, and files without a table.
    """
    pairs = [
        match
        for table in TABLES.values()
        if not table.ledger
        for seen in files
        if (match := match_table(table, seen, files)).score >= _LIKELY
    ]
    found = Found()
    for match in sorted(pairs, key=lambda m: -m.score):
        tables = {m.table.name for m in found.matches}
        if match.table.name not in tables and match.seen not in [m.seen for m in found.matches]:
            found.matches.append(match)
    found.matches += _twins(found.matches)
    order = list(TABLES)
    found.matches.sort(key=lambda m: order.index(m.table.name))
    placed = [m.seen for m in found.matches]
    found.unplaced = [seen for seen in files if seen not in placed]
    return found


def _twins(matches: Sequence[Match]) -> list[Match]:
    """Make subscriptions from the file of accounts, where it alone holds a price."""
    tables = {m.table.name: m for m in matches}
    accounts = tables.get("accounts")
    if accounts is None or "subscriptions" in tables or "account_id" not in accounts.columns:
        return []
    table = TABLES["subscriptions"]
    columns = match_columns(table, accounts.seen)
    start = columns.get("start_on") or accounts.columns.get("signed_up_on")
    if start is None or "mrr" not in columns:
        return []
    key = accounts.columns["account_id"]
    columns |= {"subscription_id": key, "account_id": key, "start_on": start}
    ordered = {c.name: columns[c.name] for c in table.columns if c.name in columns}
    return [Match(table, accounts.seen, ordered, score=SURE, twin=True)]


def match_table(table: Table, seen: Seen, files: Sequence[Seen]) -> Match:
    """Match the columns of a file with those of a table, and say how well they fit.

    Parameters
    ----------
    table : Table
        Canonical table.
    seen : Seen
        A file.
    files : sequence of Seen
        All files: one may know the account that this one lacks.

    Returns
    -------
    Match
        Score: up to 3 for the name, 4 for all required columns, a little for each other one.
    """
    columns = match_columns(table, seen)
    borrowed = _borrowed(seen, files) if _lacks(table, columns, "account_id") else None
    product = _product(seen) if _lacks(table, columns, "amount") else None
    had = sum([*(c in columns for c in table.required), borrowed is not None, product is not None])
    name = _name_score(table.name, seen.stem)
    score = name + 4 * had / len(table.required) + 0.05 * len(columns)
    if name == 0 and had < len(table.required):
        score = 0.0  # neither name nor content speaks for it
    return Match(table, seen, columns, borrowed, product, score)


def match_columns(table: Table, seen: Seen) -> dict[str, Look]:
    """Match the columns of a file with those of a table, the surest pairs first.

    Parameters
    ----------
    table : Table
        Canonical table.
    seen : Seen
        A file.

    Returns
    -------
    dict
        Canonical column to column of the file; each is used once.
    """
    ranked = sorted(
        (rank, number, column.name, look.name)
        for number, column in enumerate(table.columns)
        for look in seen.columns
        if (rank := _rank(table, column, look)) is not None and look.fits(column.kind)
    )
    chosen: dict[str, Look] = {}
    used: set[str] = set()
    for _, _, name, source in ranked:
        look = seen.column(source)
        if name not in chosen and source not in used and look is not None:
            chosen[name] = look
            used.add(source)
    return {c.name: chosen[c.name] for c in table.columns if c.name in chosen}


def _rank(table: Table, column: Column, look: Look) -> int | None:
    """Return the place of a name among those known for a column; None for others."""
    own = column.name.replace("_", "")
    words = (own, *COLUMN_WORDS.get(column.name, ()))
    if not look.name.isprintable():  # Excel allows line breaks in a header
        return None
    if (column.name,) == table.key:
        words = (*words, "id", "uuid", "key", "number", "nummer")
        if not column.required and len(set(look.values)) < len(look.values):
            return None  # lines of an invoice are no key
    if look.compact in words:
        return words.index(look.compact)
    for prefix in PREFIXES.get(table.name, ()):
        rest = look.compact.removeprefix(prefix)
        if rest != look.compact and rest in words:
            return 50 + words.index(rest)
    return None


def _name_score(table: str, stem: str) -> float:
    parts = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", stem).casefold())
    together = "".join(parts)
    if together == table.replace("_", ""):
        return 3.5
    sure, vague = TABLE_WORDS[table]
    if any(word in parts or word == together for word in sure):
        return 3.0
    return 1.5 if any(word in parts for word in vague) else 0.0


def _lacks(table: Table, columns: dict[str, Look], name: str) -> bool:
    return name in table.required and name not in columns and table.key != (name,)


def _borrowed(seen: Seen, files: Sequence[Seen]) -> tuple[Seen, str] | None:
    """Find another file with an account for each value of a column that both have."""
    for other in files:
        if other is seen or "account_id" not in match_columns(TABLES["subscriptions"], other):
            continue
        first = other.columns[0]  # its key
        shared = seen.column(first.name)
        unique = len(set(first.values)) == len(first.values)
        if shared is not None and unique and first.compact.endswith("id"):
            return other, first.name
    return None


def _product(seen: Seen) -> tuple[str, str] | None:
    by_name = {c.compact: c for c in seen.columns if c.fits("number")}
    for count in ("quantity", "qty", "units"):
        for price in ("unitprice", "price", "priceperunit"):
            if count in by_name and price in by_name:
                return by_name[count].name, by_name[price].name
    return None
