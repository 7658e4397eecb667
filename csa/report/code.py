"""The code behind an edition: where chapters and templates are, and their version."""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from csa.errors import ConfigError
from csa.settings_rules import did_you_mean

PACKAGE = Path(__file__).resolve().parent.parent


def shipped(name: str) -> Path:
    """Find a folder that comes with csa.

    Parameters
    ----------
    name : str
        "notebooks" or "templates".

    Returns
    -------
    Path
        Inside the installed package, or beside it in a working copy.
    """
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def chapter(name: str, *, root: Path) -> Path:
    """Find a chapter's notebook.

    Parameters
    ----------
    name : str
        Name of the chapter.
    root : Path
        Folder of csa.yml; its `notebooks/` go before those that come with csa.

    Returns
    -------
    Path
        The notebook.

    Raises
    ------
    ConfigError
        If there is none, with the names that there are.
    """
    folders = [root / "notebooks", shipped("notebooks")]
    for folder in folders:
        if (folder / f"{name}.ipynb").is_file():
            return folder / f"{name}.ipynb"
    there = sorted({path.stem for folder in folders for path in folder.glob("*.ipynb")})
    hint = did_you_mean(name, there)
    raise ConfigError(f'no notebook for chapter "{name}"{hint}; there are {", ".join(there)}')


def version(notebooks: Iterable[Path] = ()) -> str:
    """Name the code: release and digest of package, templates and notebooks.

    Parameters
    ----------
    notebooks : iterable of Path
        The chapters of the edition.

    Returns
    -------
    str
        For example `0.1.0+3f2a9c1d0b4e`; the same in every folder and on every machine.
    """
    digest = hashlib.sha256(_package_digest())
    for path in notebooks:
        digest.update(path.name.encode() + path.read_bytes())
    return f"{metadata.version('csa')}+{digest.hexdigest()[:12]}"


@cache
def _package_digest() -> bytes:
    digest = hashlib.sha256()
    templates = shipped("templates")
    python = ((PACKAGE, path) for path in PACKAGE.rglob("*.py"))
    other = ((templates, path) for path in templates.rglob("*") if path.is_file())
    for base, path in sorted([*python, *other]):
        digest.update(path.relative_to(base).as_posix().encode() + path.read_bytes())
    return digest.digest()
