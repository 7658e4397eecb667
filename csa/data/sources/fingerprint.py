"""Digests of input: the same data give the same digest, other data another."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from csa.data.sources.readers import DataFile

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


def of_files(files: Iterable[DataFile]) -> list[str]:
    """Digest files: small ones by content, large ones by size, age and both ends.

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
        f"{file.name}:{path.name}:{_digest(path)}" for file in files for path in file.paths
    )


def _digest(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as stream:
        if size <= WHOLE:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        found = hashlib.sha256(f"{size}:{path.stat().st_mtime_ns}".encode())
        found.update(stream.read(_ENDS))
        stream.seek(size - _ENDS)
        found.update(stream.read())
    return found.hexdigest()
