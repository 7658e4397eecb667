"""Real data and published figures, which are not part of the repository."""

import os
from pathlib import Path

import pytest


def stored(variable: str, *parts: str) -> Path:
    """Path of a file in the folder that a variable names, or a skip that says why."""
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"{variable} is not set: the folder with {'/'.join(parts)}")
    path = Path(folder).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} is not in the folder that {variable} names")
    return path
