"""Sources: folders of files, DuckDB files and databases, opened and listed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ibis.backends import BaseBackend

from csa.data.engine import engine_errors, first_line, open_file, open_url, shown_url
from csa.data.sources import readers
from csa.data.sources.readers import DataFile
from csa.errors import ConfigError
from csa.settings import FILE, Source


@dataclass(frozen=True, slots=True)
class OpenSource:
    """An opened source: a folder with its files, or a database with its tables."""

    words: str
    folder: Path | None = None
    files: Mapping[str, list[DataFile]] = field(default_factory=dict)
    backend: BaseBackend | None = None
    tables: tuple[str, ...] = ()


def open_source(name: str, source: Source, root: Path) -> OpenSource:
    """Open a source and list what it holds.

    Parameters
    ----------
    name : str
        As in csa.yml.
    source : Source
        Where it is.
    root : Path
        Folder of the workspace.

    Returns
    -------
    OpenSource
        Files or tables.

    Raises
    ------
    ConfigError
        If it is not there or cannot be reached; without anything secret.
    """
    place = f"{FILE}: data.sources.{name}"
    if source.url_env is not None:
        return _open_url(source.url_env, f"{place}.url_env")
    if source.database is not None:
        return _open_database(source.database, place, root)
    folder, words = _folder(source, place, root)
    if not folder.is_dir():
        raise ConfigError(f"{place}.path: no folder {words}; correct the path or make it")
    return OpenSource(words, folder=folder, files=readers.listing(folder))


def _open_url(variable: str, place: str) -> OpenSource:
    url = _variable(variable, place, "the URL of the database")
    try:
        backend = open_url(url)
        tables = tuple(backend.list_tables())
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None
    return OpenSource(shown_url(url).partition("://")[0], backend=backend, tables=tables)


def _open_database(name: str, place: str, root: Path) -> OpenSource:
    path = root / name
    if not path.is_file():
        raise ConfigError(f'{place}.database: no file "{name}"; correct the path')
    try:
        backend = open_file(path, root)
    except engine_errors(OSError) as error:
        fault = first_line(error).replace(str(path), name)
        raise ConfigError(f'{place}.database: "{name}" cannot be opened: {fault}') from error
    return OpenSource(Path(name).name, backend=backend, tables=tuple(backend.list_tables()))


def _folder(source: Source, place: str, root: Path) -> tuple[Path, str]:
    path = source.path or "."
    if source.path_env is None:
        return root / path, f'"{path}"'
    base = _variable(source.path_env, f"{place}.path_env", "the folder of the data")
    return root / base / path, f'"{path}" below ${source.path_env}'


def _variable(name: str, place: str, what: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise ConfigError(f"{place}: environment variable {name} is not set; set it to {what}")
    return value
