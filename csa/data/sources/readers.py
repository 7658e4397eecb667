"""Files: which there are, how a CSV is written, and how DuckDB gets to see them.

The dialect of a CSV is settled here from its first bytes and told to DuckDB, which then guesses
nothing: every column arrives as text, and casting it is the business of `csa.data.sources.casts`.
"""

import codecs
import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import ibis.expr.types as ir
from ibis.backends import BaseBackend

from csa.data.engine import engine_errors, first_line
from csa.errors import InputError
from csa.settings_rules import did_you_mean

_HEAD_BYTES = 1 << 18
_TEXT = {".csv", ".tsv", ".txt"}
_PARQUET = {".parquet", ".pq"}
_MAGIC = {
    b"PAR1": "a Parquet file; name it .parquet",
    b"PK\x03\x04": "an Excel or zip file; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save the sheet as CSV",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\x1f\x8b": "compressed with gzip; name it .csv.gz",
    b"SQLite format 3": "an SQLite database",
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file, or several parts of one."""

    name: str  # as in csa.yml, below the folder of the source
    kind: Literal["csv", "parquet"]
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV is written."""

    delimiter: str
    encoding: str
    header: tuple[str, ...]


def stem(path: Path) -> str:
    """Return the name of a data file without its suffixes.

    Parameters
    ----------
    path : Path
        As in accounts.csv.gz.

    Returns
    -------
    str
        As in accounts.
    """
    name = path.name.removesuffix(".gz")
    return name.removesuffix(Path(name).suffix) if Path(name).suffix in _TEXT | _PARQUET else name


def kind_of(path: Path) -> Literal["csv", "parquet"] | None:
    """Return what a file is by its name.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str or None
        None where it is no data file.
    """
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    return "csv" if suffix in _TEXT else "parquet" if suffix in _PARQUET else None


def listing(folder: Path) -> dict[str, list[DataFile]]:
    """Return the data files of a folder by stem; a folder of Parquet parts counts as a file.

    Parameters
    ----------
    folder : Path
        Where to look; folders within are not searched.

    Returns
    -------
    dict
        Stem to files; several where there is, say, both a CSV and a Parquet file.
    """
    found: dict[str, list[DataFile]] = {}
    for path in sorted(folder.iterdir()):
        kind = kind_of(path)
        if path.is_file() and kind and not path.name.startswith((".", "_")):
            found.setdefault(stem(path), []).append(DataFile(path.name, kind, (path,)))
        elif path.is_dir() and (parts := tuple(sorted(path.glob("*.parquet")))):
            found.setdefault(path.name, []).append(DataFile(path.name, "parquet", parts))
    return found


def find(folder: Path, name: str) -> DataFile:
    """Return the file, parts or pattern called `name` below a folder.

    Parameters
    ----------
    folder : Path
        Folder of the source.
    name : str
        As in customers.csv, events/*.parquet or events.

    Returns
    -------
    DataFile
        All parts are of one kind.

    Raises
    ------
    InputError
        If there is no such file, or it is neither CSV nor Parquet.
    """
    path = folder / name
    if any(c in name for c in "*?["):
        paths = tuple(sorted(p for p in folder.glob(name) if p.is_file()))
    elif path.is_dir():
        paths = tuple(sorted(p for p in path.iterdir() if kind_of(p)))
    else:
        paths = (path,) if path.is_file() else ()
    if not paths:
        near = [str(p.relative_to(folder)) for p in path.parent.glob("*")]
        raise InputError(f'no file "{name}"{did_you_mean(name, near)}')
    kinds = {kind_of(p) for p in paths}
    kind = kinds.pop()
    if kinds or kind is None:
        raise InputError(f'"{name}" is neither CSV nor Parquet; save it as one of them')
    return DataFile(name, kind, paths)


def register(
    engine: BaseBackend,
    file: DataFile,
    view: str,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> ir.Table:
    """Make a file visible to DuckDB.

    Parameters
    ----------
    engine : BaseBackend
        DuckDB.
    file : DataFile
        What to read.
    view : str
        Name it gets there.
    delimiter, encoding : str, optional
        Of a CSV, where they are not to be found out.

    Returns
    -------
    ir.Table
        Columns as in the file; those of a CSV are text.

    Raises
    ------
    InputError
        If the file cannot be read, with its name.
    """
    try:
        if file.kind == "parquet":
            return _parquet(engine, file, view)
        return _csv(engine, file, view, _common_dialect(file, delimiter, encoding))
    except InputError as error:
        raise InputError(f"{file.name} {error}") from error
    except OSError as error:
        raise InputError(f"{file.name} cannot be read: {error.strerror}") from error
    except engine_errors() as error:
        raise InputError(f"{file.name} cannot be read: {first_line(error)}") from error


def _common_dialect(file: DataFile, delimiter: str | None, encoding: str | None) -> Dialect:
    dialects = {inspect(path, delimiter=delimiter, encoding=encoding) for path in file.paths}
    if len(dialects) > 1:
        raise InputError("has parts that differ in columns, delimiter or encoding; align them")
    return dialects.pop()


def _csv(engine: BaseBackend, file: DataFile, view: str, dialect: Dialect) -> ir.Table:
    return engine.read_csv(
        [str(p) for p in file.paths],
        table_name=view,
        columns=dict.fromkeys(dialect.header, "string"),
        auto_detect=False,
        header=True,
        delim=dialect.delimiter,
        quote='"',
        escape='"',
        encoding=dialect.encoding,
    )


def _parquet(engine: BaseBackend, file: DataFile, view: str) -> ir.Table:
    for path in file.paths:
        with path.open("rb") as stream:
            start = stream.read(4)
            size = stream.seek(0, io.SEEK_END)
            stream.seek(max(0, size - 4))
            end = stream.read(4)
        if not size:
            raise InputError("is empty (0 bytes); export it again")
        if start != b"PAR1":
            raise InputError("is not a Parquet file; export it again or correct its name")
        if end != b"PAR1":
            raise InputError("is a Parquet file that was cut off; copy or export it again")
    options = {"union_by_name": True} if len(file.paths) > 1 else {}
    return engine.read_parquet([str(p) for p in file.paths], table_name=view, **options)


def inspect(path: Path, *, delimiter: str | None = None, encoding: str | None = None) -> Dialect:
    """Find out how a CSV is written from its first bytes.

    Parameters
    ----------
    path : Path
        CSV, possibly compressed with gzip.
    delimiter, encoding : str, optional
        Where already known.

    Returns
    -------
    Dialect
        Delimiter, encoding and the names in its first line.

    Raises
    ------
    InputError
        If the file is empty or not a CSV.
    """
    text, encoding = _decoded(_head(path), encoding)
    if not text.strip():
        raise InputError("is empty; export it again, with a header line")
    looks = {"<": "HTML or XML", "{": "JSON", "[": "JSON"}.get(text.lstrip()[0])
    if looks:
        raise InputError(f"is not a CSV (it looks like {looks}); export it as CSV")
    try:
        delimiter = delimiter or _delimiter(text)
        header = next(csv.reader(io.StringIO(text), delimiter=delimiter))
    except (csv.Error, StopIteration) as error:
        raise InputError(f"is not a CSV: {error or 'it has no header line'}") from error
    return Dialect(delimiter, encoding, _names(header))


def _head(path: Path) -> bytes:
    opener = gzip.open if path.name.lower().endswith(".gz") else Path.open
    try:
        with opener(path, "rb") as stream:
            return bytes(stream.read(_HEAD_BYTES))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError("is not a whole gzip file (cut off?); copy it again") from error


def _decoded(head: bytes, encoding: str | None) -> tuple[str, str]:
    for magic, words in _MAGIC.items():
        if head.startswith(magic):
            raise InputError(f"is not a CSV but {words}")
    if encoding is None:
        utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        encoding = "utf-16" if utf16 else "utf-8"
    if encoding != "utf-16" and b"\0" in head:
        raise InputError("is not a CSV (it holds binary data); export it as CSV")
    try:
        decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)()
        text = decoder.decode(head, final=False)
    except UnicodeDecodeError as error:
        line = head[: error.start].count(b"\n") + 1
        raise InputError(
            f"is not {encoding.upper()} (line {line}); state its encoding in csa.yml, for example "
            "encoding: latin-1, or save it as UTF-8"
        ) from error
    controls = sum(c < " " and c not in "\t\r\n\f" for c in text)
    if controls > len(text) / 1000:
        raise InputError("is not a CSV (it holds binary data); export it as CSV")
    return text, encoding


def _delimiter(text: str) -> str:
    """Delimiter that splits the first lines into most columns, equally many in each."""

    def fit(delimiter: str) -> tuple[float, int]:
        rows = csv.reader(io.StringIO(text), delimiter=delimiter)
        widths = [len(row) for row, _ in zip(rows, range(20), strict=False) if row]
        if not widths or widths[0] == 1:
            return (0.0, 0)
        return (sum(w == widths[0] for w in widths) / len(widths), widths[0])

    return max(",;\t|", key=fit)


def _names(header: list[str]) -> tuple[str, ...]:
    """Column names: not empty, and unique also where case does not count."""
    names: list[str] = []
    taken: set[str] = set()
    for number, given in enumerate(header, 1):
        name = base = given.strip() or f"column_{number}"
        copy = 1
        while name.casefold() in taken:
            copy += 1
            name = f"{base}_{copy}"
        taken.add(name.casefold())
        names.append(name)
    return tuple(names)
