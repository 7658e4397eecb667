"""Digests of input: the same data give the same digest, other data another."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from csa.data import schema
from csa.data.sources.readers import DataFile
from csa.settings import Settings, TableMapping

WHOLE = 16 * 2**20  # bytes up to which a file is digested whole
_ENDS = 2**16


def digest(parts: object) -> str:
    """Digest what something was made from.

    Parameters
    ----------
    parts : object
        Lists, dictionaries and values of JSON.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def stated(settings: Settings, name: str) -> list[Any]:
    """Return what settings and code say about a table.

    Parameters
    ----------
    settings : Settings
        Of the workspace.
    name : str
        Canonical table.

    Returns
    -------
    list
        Values of JSON, to be digested.
    """
    return [
        schema.version(),
        name,
        settings.data.tables.get(name, TableMapping()).model_dump_json(),
        settings.timezone,
        settings.currency,
        sorted((c, str(r)) for c, r in settings.rates.items() if not isinstance(r, dict)),
        *([str(settings.dated_rates)] if settings.dated_rates else []),
    ]


def of_files(files: Iterable[DataFile]) -> list[str]:
    """Digest files, each by `of_file`.

    Parameters
    ----------
    files : iterable of DataFile
        In any order.

    Returns
    -------
    list of str
        One entry per part, without its folder.
    """
    return sorted(
        f"{file.name}:{path.name}:{of_file(path)}" for file in files for path in file.paths
    )


def of_file(path: Path) -> str:
    """Digest a file: a small one by content, a large one by size, age and both ends.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        Hexadecimal digits.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        if size <= WHOLE:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        found = hashlib.sha256(f"{size}:{path.stat().st_mtime_ns}".encode())
        found.update(stream.read(_ENDS))
        stream.seek(size - _ENDS)
        found.update(stream.read())
    return found.hexdigest()
