"""Small workspaces for tests of data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csa.settings import Settings, from_mapping


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[..., Settings]:
    """Make settings over files: `workspace({"accounts.csv": text}, accounts={mapping})`."""

    def make(
        files: dict[str, str | bytes] | None = None,
        *,
        top: dict[str, Any] | None = None,
        **tables: Any,
    ) -> Settings:
        for name, content in (files or {}).items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (tmp_path / "data").mkdir(exist_ok=True)
        raw = {
            "name": "Test",
            "currency": "EUR",
            "timezone": "Europe/Berlin",
            "data": {"sources": {"files": {"path": "data"}}, "tables": tables},
        }
        top = dict(top or {})
        raw["data"] |= top.pop("data", {})
        return from_mapping(raw | top, root=tmp_path)

    return make
