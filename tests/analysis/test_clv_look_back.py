"""How far back a value can be held against what came: never further than half of what was seen."""

from datetime import date

import ibis
import pandas as pd
import pytest

from csa.analysis.clv.look_back import months_to_look_back

AS_OF = date(2026, 10, 31)
NOW = 2026 * 12 + 9


def months(first, observed_from=None, last=NOW):
    """Make months of one account, from `first` months ago on."""
    frame = pd.DataFrame({"month": range(NOW - first, last + 1)})
    frame["observed_from"] = pd.Series(observed_from, index=frame.index, dtype="datetime64[ns]")
    return ibis.memtable(frame.astype({"month": "int64"}))


@pytest.mark.parametrize(
    ("first", "longest", "expected"),
    [
        (59, 24, 24),  # five years: as far as wanted
        (23, 24, 12),  # two years: half of them
        (24, 24, 12),  # the odd month goes to what is learnt from
        (1, 24, 1),
        (0, 24, 1),  # never less than a month, which the prediction itself then refuses
        (59, 3, 3),
    ],
)
def test_at_most_half_of_the_history(first, longest, expected):
    assert months_to_look_back(months(first), as_of=AS_OF, longest=longest) == expected


def test_history_begins_when_leavers_were_recorded():
    """Five years of months, but leavers are known of the last twelve only."""
    seen = months(59, observed_from=pd.Timestamp("2025-11-15"))
    assert months_to_look_back(seen, as_of=AS_OF, longest=24) == 6
    later = months(5, observed_from=pd.Timestamp("2020-01-01"))
    assert months_to_look_back(later, as_of=AS_OF, longest=24) == 3


def test_the_longest_observed_account_counts():
    one = months(59, observed_from=pd.Timestamp("2025-11-15")).to_pandas()
    two = months(29, observed_from=pd.Timestamp("2024-11-01")).to_pandas()
    both = ibis.memtable(pd.concat([one, two], ignore_index=True))
    assert months_to_look_back(both, as_of=AS_OF, longest=24) == 12


def test_nobody_leaves_it_as_wanted():
    assert months_to_look_back(months(5).limit(0), as_of=AS_OF, longest=24) == 24
