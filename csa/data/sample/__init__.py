"""A seeded company with every table and known truth, written straight from the engine.

`write_sample` makes the same files, byte for byte, for the same number of accounts and seed, on any
number of threads: every random number is a hash of seed, account, stream and counter. The company
has five years of history up to 2026-10-31, records that begin on 2021-11-01 (customers from before
that day are known only because they stayed: delayed entry), trials, price lists, a price rise, a
recession, an outage, outreach with a known effect, campaigns, surveys with non-response and planted
anomalies. `truth.json` states what was drawn from and what is true: see `record.py`.

Sizes from one account to ten million. Up to a million accounts every session of use is written, at
most 60 per account and month; beyond that sessions are thinned in proportion, so that events stop
growing. The share written and the caps are in `truth.json` under `usage`.
"""

import hashlib
import json
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

from csa.data.sample import engine, record
from csa.data.sample.engine import Progress
from csa.errors import InputError

MOST_ACCOUNTS = 10_000_000
TABLES = (*engine.CHUNK_TABLES, *engine.OFFICE_TABLES)
TRUTH = "truth.json"
_FILES = frozenset({TRUTH, *(f"{name}.parquet" for name in TABLES)})


def write_sample(
    folder: Path, *, accounts: int = 2000, seed: int = 7, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Write the sample company, or leave it alone where it is there already.

    Parameters
    ----------
    folder : Path
        Where the tables go, one Parquet file each. It may hold an earlier sample, which is
        replaced at the end, and nothing else.
    accounts : int
        Number of accounts, 1 to 10 million.
    seed : int
        Seed of everything random.
    on_progress : callable, optional
        Called with the name of the stage and the share done, 0 to 1.

    Returns
    -------
    dict
        The content of `truth.json`.

    Raises
    ------
    InputError
        If `accounts` is out of range, or `folder` holds anything that is not a sample.
    """
    if not 1 <= accounts <= MOST_ACCOUNTS:
        raise InputError(f"accounts: {accounts} is not between 1 and {MOST_ACCOUNTS:,}")
    folder = folder.absolute()
    _refuse_foreign(folder)
    wanted = {"generator": generator(), "accounts": accounts, "seed": seed}
    present = _present(folder)
    if present is not None and {k: present.get(k) for k in wanted} == wanted:
        return present
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as aside:
        made = Path(aside) / "sample"
        truth = _make(made, wanted, on_progress or (lambda stage, share: None))
        _put_in_place(made, folder, Path(aside) / "replaced")
    return truth


def generator() -> str:
    """Digest of the code and queries that make the sample.

    Returns
    -------
    str
        Twelve hexadecimal digits; a sample made by other code is made anew.
    """
    digest = hashlib.sha256()
    here = resources.files("csa.data.sample")
    sources = [f for f in here.iterdir() if f.name.endswith(".py")]
    for source in sorted([*sources, *here.joinpath("sql").iterdir()], key=lambda f: f.name):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _refuse_foreign(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder.name}: is a file; name a folder for the sample company")
    names = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    foreign = sorted(names - _FILES if TRUTH in names else names)
    if foreign:
        raise InputError(
            f"{folder.name}: holds {', '.join(foreign[:3])}, which the sample company did not "
            "write; nothing was changed. Name an empty or new folder"
        )


def _present(folder: Path) -> dict[str, Any] | None:
    """Content of the truth of a whole sample, else None."""
    try:
        truth: dict[str, Any] = json.loads((folder / TRUTH).read_text("utf-8"))
        sizes = {name: (folder / f"{name}.parquet").stat().st_size for name in TABLES}
    except (OSError, ValueError):
        return None
    if sizes != {name: facts["bytes"] for name, facts in truth.get("tables", {}).items()}:
        return None
    return truth


def _make(folder: Path, wanted: dict[str, Any], progress: Progress) -> dict[str, Any]:
    parts = folder.parent / "parts"
    for needed in (folder, parts):
        needed.mkdir()
    accounts = wanted["accounts"]
    progress("parameters", 0.0)
    con = engine.connect(folder.parent / "spill", accounts=accounts, seed=wanted["seed"])
    try:
        for first in range(1, accounts + 1, engine.CHUNK):
            progress("customers", 0.02 + 0.8 * (first - 1) / accounts)
            past = min(first + engine.CHUNK, accounts + 1)
            engine.build_chunk(con, first, past, parts, final=accounts <= engine.CHUNK)
        for n, name in enumerate(engine.CHUNK_TABLES):
            progress(name, 0.82 + 0.12 * n / len(engine.CHUNK_TABLES))
            engine.join_parts(con, name, parts, folder)
        progress("our own side", 0.95)
        engine.write_office(con, folder)
        progress("truth", 0.97)
        rows = engine.row_counts(con, folder)
        tables = {
            name: {"rows": rows[name], "bytes": (folder / f"{name}.parquet").stat().st_size}
            for name in TABLES
        }
        truth = {**wanted, **record.stated(accounts), **record.counted(con), "tables": tables}
    finally:
        con.close()
    text = json.dumps(truth, indent=1, allow_nan=False)
    (folder / TRUTH).write_text(text + "\n", "utf-8")
    progress("done", 1.0)
    # read back, so that the answer is the same whether the sample was made or found
    answer: dict[str, Any] = json.loads(text)
    return answer


def _put_in_place(made: Path, folder: Path, replaced: Path) -> None:
    """Rename the new folder into place; an earlier sample is moved aside first."""
    if folder.exists():
        _refuse_foreign(folder)
        folder.rename(replaced)
    made.rename(folder)
