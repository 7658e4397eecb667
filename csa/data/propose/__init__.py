"""`csa init`: look at the files in a folder and propose a csa.yml.

Nothing here is certain, and the file says so: what rests on a guess is marked `# guess:`, what
could not be placed is listed. `csa check` then tells what is left to do.
"""

import os
from collections import Counter
from pathlib import Path

import yaml

from csa.data.columns import Column
from csa.data.engine import engine_errors, first_line, open_engine
from csa.data.propose.look import Look, Seen, look
from csa.data.propose.match import SURE, Match, match_columns, match_files
from csa.data.propose.words import CURRENCIES, SIGNS
from csa.data.schema import TABLES
from csa.data.sources import formats, readers
from csa.errors import ConfigError, InputError
from csa.settings import FILE

_HEAD = """\
# Proposed by `csa init`. Look at every line marked "guess", then run `csa check`: it tells what is
# left to do. What each table and column means is in docs/tables.md; columns that are called like
# ours need no mapping.
"""
_REPORTS = """
# What a metric should reach, so that the report can say met or missed:
# targets:
#   logo_churn_rate: {value: 0.02, warn: 0.03, better: lower}  # share of accounts per month

reports:
  monthly:
    title: Monthly customer success report
    chapters: [churn, data_quality]
    every: month
"""
_OBSERVED = (
    "    # observed_from: always  # since when would a leaving account have been recorded? always, "
    "a day\n    #   or a column; survival is refused until this is stated\n"
)


def propose(folder: Path, to: Path = Path()) -> Path:
    """Write a csa.yml for the files in a folder.

    Parameters
    ----------
    folder : Path
        Folder with CSV or Parquet files.
    to : Path
        Folder for csa.yml; made where it is not there.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ConfigError
        If there is a csa.yml already.
    InputError
        If there are no data files.
    """
    target = to / FILE
    if target.exists():
        raise ConfigError(f"{target}: is there already; move it away, or use --to another folder")
    text = proposal(folder, to)
    try:
        to.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from error
    return target


def proposal(folder: Path, to: Path) -> str:
    """Return the text of a csa.yml for the files in a folder.

    Parameters
    ----------
    folder : Path
        Folder with CSV or Parquet files.
    to : Path
        Folder in which csa.yml will be.

    Returns
    -------
    str
        YAML that `settings.load` accepts.

    Raises
    ------
    InputError
        If there are no data files.
    """
    files, broken = _look_at(folder)
    found = match_files(files)
    path = Path(os.path.relpath(folder, to)).as_posix()
    parts = [
        _HEAD,
        _workspace(folder, files),
        f"data:\n  sources:\n    files: {{path: {_q(path)}}}\n",
    ]
    made = [_table(match) for match in found.matches]
    if "accounts" not in {m.table.name for m in found.matches}:
        made = [*_derived_accounts(found.matches), *made]
    parts += ["  tables:\n" if made else "  # No file looks like one of the tables.\n", *made]
    parts += [_unplaced(seen) for seen in found.unplaced]
    parts += [f"  # cannot be read: {_line(fault)}\n" for fault in broken]
    return "".join([*parts, _REPORTS])


def _look_at(folder: Path) -> tuple[list[Seen], list[str]]:
    """Look at all files; those that cannot be read are told."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name the folder that holds your files")
    listing = readers.listing(folder)
    if not listing:
        raise InputError(
            f"{folder}: no CSV or Parquet file in it; export your tables as one of them"
        )
    files: list[Seen] = []
    broken: list[str] = []
    engine = open_engine()
    try:
        for stem, parts in listing.items():
            for part in parts:
                try:
                    files.append(look(engine, stem, part))
                except InputError as error:
                    broken += error.faults
                except engine_errors() as error:
                    broken.append(f"{part.name}: {first_line(error)}")
    finally:
        engine.disconnect()
    return files, broken


# the head of the file --------------------------------------------------------------------------


def _workspace(folder: Path, files: list[Seen]) -> str:
    code, why = _currency(files)
    name = folder.resolve().name.replace("_", " ").replace("-", " ").strip().capitalize()
    return (
        "version: 1\n"
        f"name: {_q(name or 'My company')}  # guess: after the folder\n"
        f"currency: {code}  # guess: {why}\n"
        "timezone: UTC  # guess: write the zone of your business days, for example Europe/Berlin\n"
    )


def _currency(files: list[Seen]) -> tuple[str, str]:
    """Guess the currency from names, values and signs."""
    votes: Counter[str] = Counter()
    for column in (c for seen in files for c in seen.columns):
        last = column.name.casefold().replace("-", "_").split("_")[-1]
        if last in CURRENCIES:
            votes[last.upper()] += 1
        if column.compact in {"currency", "currencycode"}:
            votes.update(v.upper() for v in column.values if v.casefold() in CURRENCIES)
        votes.update(code for v in column.values[:20] for sign, code in SIGNS.items() if sign in v)
    if not votes:
        return "EUR", "no file names a currency; write yours"
    return votes.most_common(1)[0][0], "named in the files"


# tables ----------------------------------------------------------------------------------------


def _table(match: Match) -> str:
    name = match.table.name
    sure = match.seen.stem == name
    lines = [f"    {name}:" + ("" if sure else f"  # guess: {_reason(match)}")]
    query = _query(match)
    if query:
        lines += ["      query: |", *(f"        {line}" for line in query)]
    elif not sure:
        lines.append(f"      file: {_q(match.seen.file.name)}")
    columns = [line for c, seen in match.columns.items() if (line := _column(match, c, seen))]
    lacking = [f"        # {c}: COLUMN  # required, and nothing was found" for c in match.lacking]
    if columns:
        lines.append("      columns:")
    elif lacking:
        lines.append("      # columns:")
    lines += [*columns, *lacking]
    if len(lines) == 1 and sure:
        lines[0] = f"    {name}: {{}}  # its columns are called like ours"
    text = "\n".join(lines) + "\n"
    if name in {"accounts", "subscriptions"}:
        text += _OBSERVED.replace("    #", "      #") if len(lines) > 1 else _OBSERVED
    if match.left and not match.twin:
        words = "kept as attributes to split by" if match.table.open else "not placed"
        text += f"      # {words}: {_line(', '.join(match.left))}\n"
    return text


def _reason(match: Match) -> str:
    if match.twin:
        return "one for each account, from the same file"
    return "by its name and columns" if match.score >= SURE else "by some of its columns"


def _query(match: Match) -> list[str]:
    """Return SQL for a table whose account or amount has to be made."""
    select, where = ["t.*"], f"FROM {_i(match.seen.stem)} AS t"
    if match.borrowed:
        other, key = match.borrowed
        account = match_columns(TABLES["subscriptions"], other)["account_id"]
        select.append(f"o.{_i(account.name)} AS account_id")
        where += f" JOIN {_i(other.stem)} AS o USING ({_i(key)})"
    if match.product:
        factors = (f"TRY_CAST(t.{_i(c)} AS DECIMAL(18, 4))" for c in match.product)
        select.append(" * ".join(factors) + " AS amount")
    if len(select) == 1:
        return []
    account_column = match.columns.get("account_id")
    if account_column is not None:
        where += f" WHERE t.{_i(account_column.name)} IS NOT NULL"
    return ["SELECT " + ", ".join(select), where]


def _column(match: Match, name: str, seen: Look) -> str:
    """One line of the mapping; none where the name is ours and nothing has to be stated."""
    column = match.table.column(name)
    options, notes = _options(column, seen) if column else ([], [])
    if seen.name == name and not options:
        return ""
    if seen.name != name:
        notes.insert(0, "by its name")
    source = _q(seen.name)
    value = f"{{{', '.join([f'from: {source}', *options])}}}" if options else source
    return f"        {name}: {value}  # guess: {'; '.join(notes)}"


def _options(column: Column, seen: Look) -> tuple[list[str], list[str]]:
    """Format and decimal sign that have to be stated, with what they rest on."""
    if not seen.values or not seen.type.is_string():
        return [], []
    example = f"as in {_line(seen.values[0])}"
    if column.kind in {"date", "time"} and seen.dates.format not in {None, formats.ISO}:
        rival = f", but {seen.dates.rival} would fit as well" if seen.dates.rival else ""
        return [f'format: "{seen.dates.format}"'], [example + rival]
    if column.kind in {"money", "number"} and seen.decimal:
        return [f'decimal: "{seen.decimal}"'], [example]
    return [], []


def _derived_accounts(matches: list[Match]) -> list[str]:
    """Accounts made from the first row of each account in another table."""
    for match in matches:
        account = match.columns.get("account_id")
        first = match.columns.get(match.table.appears or "")
        if account is None or first is None:
            continue
        day = _i(first.name)
        if first.dates.format not in {None, formats.ISO} and first.type.is_string():
            day = f"try_strptime({day}, {_spellings(first)})"
        owner = _i(account.name)
        lines = [
            f"    accounts:  # guess: no file of accounts; made from {_line(match.seen.file.name)}",
            "      query: |",
            f"        SELECT {owner} AS account_id, min({day}) AS signed_up_on",
            f"        FROM {_i(match.seen.stem)}",
            f"        WHERE {owner} IS NOT NULL GROUP BY {owner}",
        ]
        return ["\n".join(lines) + "\n" + _OBSERVED.replace("    #", "      #")]
    return []


def _spellings(seen: Look) -> list[str]:
    """Return the formats that the sample uses; a list of Python is one of SQL."""
    forms = formats.spellings(str(seen.dates.format))
    return [f for f in forms if any(formats.pattern(f).fullmatch(v) for v in seen.values)]


def _unplaced(seen: Seen) -> str:
    names = ", ".join(c.name for c in seen.columns[:12])
    more = f" and {len(seen.columns) - 12} more" if len(seen.columns) > 12 else ""
    return f"  # not placed: {_line(seen.file.name)} with {_line(names)}{more}\n"


# spelling --------------------------------------------------------------------------------------


def _q(text: str) -> str:
    """Spell a text as YAML does, within a flow mapping."""
    return yaml.safe_dump([text], default_flow_style=True, width=10_000, allow_unicode=True)[1:-2]


def _i(name: str) -> str:
    """Spell an identifier as SQL does: quoted where it must be."""
    plain = name.isascii() and name.isidentifier()
    return name if plain else '"' + name.replace('"', '""') + '"'


def _line(text: str) -> str:
    """Make a text safe within a comment."""
    flat = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    return flat if len(flat) <= 160 else flat[:157] + "..."
