"""The declared features: what documentation and sentences are made from."""

import subprocess
import sys
from pathlib import Path

from csa.data.features import FEATURES, choose, documentation
from csa.data.features.rules import UNDATED
from csa.data.schema import TABLES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_docs_features_md_is_generated():
    assert (DOCS / "features.md").read_text("utf-8") == documentation()
    made = subprocess.run(
        [sys.executable, "-m", "csa.data.features"], capture_output=True, text=True, check=True
    )
    assert made.stdout == documentation()


def test_features_say_what_they_mean():
    assert len({f.name for f in FEATURES}) == len({f.meaning for f in FEATURES}) == len(FEATURES)
    for feature in FEATURES:
        assert feature.meaning[0].islower()
        assert not feature.meaning.endswith(".")
        assert feature.kind == "text" or feature.unit or feature.raises


def test_features_use_declared_columns_only():
    for feature in FEATURES:
        for column in feature.reads:
            assert TABLES[feature.table].column(column) is not None, (feature.name, column)


def test_only_attributes_that_nobody_dates_are_undated():
    assert tuple(f.name for f in FEATURES if f.undated) == UNDATED


def test_choose_puts_first_what_others_are_made_of():
    names = [f.name for f in choose(["adoption_90"])]
    assert names == ["features_used_90", "features_launched", "adoption_90"]
    chosen = choose()
    for n, feature in enumerate(chosen):
        assert {f.name for f in chosen[:n]} >= set(feature.of)
