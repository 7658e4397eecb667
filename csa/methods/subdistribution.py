"""Who is at risk for the subdistribution of a cause, and with what weight.

A spell that another cause has ended can no longer end by the cause of interest. The incidence of
that cause counts it all the same: it stays at risk, with a weight that falls (or, with delayed
entry, rises) as the share of comparable spells that would still be under observation. Written out
that is a row per spell and age. But the weight of a spell gone at s is V(t) / V(s) at a later age
t, so that sums over all of them are V(t) times one running sum of what each adds over V(s).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from csa.errors import InputError
from csa.methods.cox.risk import FollowUp, RiskSets, follow_up, risk_sets
from csa.methods.lifetable import tabulate

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CompetingSpells:
    """Times and causes of the rows of a design; `cause` is -1 where a spell was still going on.

    `all_causes` holds times and counts, and its strata are the groups whose weights differ.
    """

    all_causes: FollowUp
    cause: IntArray

    def of(self, interest: int) -> FollowUp:
        """Follow-up for one cause, with all others for the ends of observation.

        Parameters
        ----------
        interest : int
            Place of the cause.

        Returns
        -------
        FollowUp
            That of a cause-specific Cox regression.
        """
        every = self.all_causes
        return FollowUp(
            exit=every.exit, event=self.cause == interest, entry=every.entry, count=every.count
        )


def competing_spells(
    exit_age: ArrayLike,
    cause: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    count: ArrayLike | None = None,
) -> CompetingSpells:
    """Check times and causes.

    Parameters
    ----------
    exit_age : array_like
        Age at which a row ends or was last seen; whole numbers are fastest.
    cause : array_like of int
        Place of the cause that ended it, from 0; -1 where it was still going on.
    entry : array_like, optional
        Age at which a row came under observation; 0 or less: at risk from the very beginning.
    groups : array_like of int, optional
        Codes from 0 of groups that come under observation, or are lost from it, differently.
        Weights are then those of the group; effects and risk sets are shared.
    count : array_like of int, optional
        Multiplicity of each row; the fit equals that of the rows written out.

    Returns
    -------
    CompetingSpells
        Arrays of equal length.

    Raises
    ------
    InputError
        If lengths differ, a time is missing, a row enters at or after its end, a cause is neither
        -1 nor a place, or a group or count is not as above.
    """
    place = np.asarray(cause)
    if place.dtype.kind not in "iu" or (n := int((place < -1).sum())):
        what = f"below -1 in {n} rows" if place.dtype.kind in "iu" else f"{place.dtype}"
        raise InputError(f"causes: places are {what}; number causes from 0, -1 where it goes on")
    every = follow_up(exit_age, place >= 0, entry=entry, strata=groups, count=count)
    return CompetingSpells(all_causes=every, cause=place.astype(np.int64, copy=False))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SubdistributionSets(RiskSets):
    """Risk sets with those that another cause has taken.

    The grid has a slot per age of an event of any cause, and as many again per group: the bins of
    the second kind are of spells that another cause ended at that slot. Nobody is at risk there;
    they are places for what such a spell still adds to later slots of the first kind.
    """

    weight: FloatArray  # groups x ages: V, in proportion to the chance to be under observation

    @property
    def ages(self) -> int:
        """Slots of the first kind."""
        return len(self.weight[0])

    def at_risk(
        self, leaving: FloatArray, entering: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """Turn histograms of leaving and entering into weighted sums over risk sets.

        Parameters
        ----------
        leaving : ndarray (..., 2 x slots)
            Sums by `exit_bin`.
        entering : ndarray (..., slots) or None
            Sums by `entry_slot`.

        Returns
        -------
        at risk, going : ndarray (..., slots)
            0 in slots of the second kind.
        """
        size, lead = self.ages, leaving.shape[:-1]
        pairs = leaving.reshape(*lead, self.slots, 2)
        whole, going = np.zeros((*lead, self.slots)), np.zeros((*lead, self.slots))
        going[..., :size] = pairs[..., :size, 1]
        taken = pairs[..., size:, 0].reshape(*lead, len(self.weight), size)
        change = pairs[..., :size, 0] + going[..., :size] + taken.sum(axis=-2)
        if entering is not None:
            change = change - entering[..., :size]
        stay = np.cumsum(taken / self._safe(), axis=-1)[..., :-1]  # taken before the slot
        whole[..., :size] = np.cumsum(change[..., ::-1], axis=-1)[..., ::-1]
        whole[..., 1:size] += (self.weight[:, 1:] * stay).sum(axis=-2)
        return whole, going

    def running(self, per_slot: FloatArray) -> FloatArray:
        """Sum over what a spell is at risk for, up to a slot and, where taken there, beyond.

        Parameters
        ----------
        per_slot : ndarray (..., slots)
            Numbers per slot; those of the second kind count nothing.

        Returns
        -------
        ndarray
            Running sums; in slots of the second kind with all later ones, weighted.
        """
        size, lead = self.ages, per_slot.shape[:-1]
        first = per_slot[..., :size]
        found = np.empty_like(per_slot)
        sums = np.cumsum(first, axis=-1)
        found[..., :size] = sums
        weighted = first[..., None, :] * self.weight
        later = np.cumsum(weighted[..., ::-1], axis=-1)[..., ::-1] - weighted
        total = sums[..., None, :] + later / self._safe()
        found[..., size:] = total.reshape(*lead, self.slots - size)
        return found

    def _safe(self) -> FloatArray:
        """Weights to divide by; where they are 0 nobody was there to be taken."""
        return np.asarray(np.where(self.weight > 0, self.weight, 1.0))


def subdistribution_sets(spells: CompetingSpells, interest: int) -> SubdistributionSets:
    """Place rows on the grid of event ages, and weigh those that another cause takes.

    Parameters
    ----------
    spells : CompetingSpells
        Checked times and causes.
    interest : int
        Place of the cause whose incidence is modelled.

    Returns
    -------
    SubdistributionSets
        As many look-ups as rows, whatever the weights.

    Raises
    ------
    InputError
        If all under observation leave at an age while others come only later.

    Notes
    -----
    The weight of a spell gone at s is G(t-) H(t-) / (G(s-) H(s-)), with G the product-limit
    estimate of not being lost from sight and H that of having come under observation [1]_. At an
    age events come before losses, and those before entries, so that S(t-) G(t-) H(t-) is in
    proportion to the number at risk, exactly: V = Y / S(t-) is all that is needed, with S the
    survival of all causes. R's `finegray` gives the same weights.

    References
    ----------
    .. [1] Geskus, R. B. (2011). Cause-specific cumulative incidence estimation and the Fine and
       Gray model under both left truncation and right censoring. Biometrics 67, 39-49.
    """
    every = spells.all_causes
    groups = np.zeros(every.rows, np.int64) if every.strata is None else every.strata
    base = risk_sets(
        FollowUp(exit=every.exit, event=every.event, entry=every.entry, count=every.count)
    )
    size, blocks = base.slots, int(groups.max(initial=0)) + 1
    own = spells.cause == interest
    # base.exit_bin is odd where any cause ended the row
    taken = every.event & ~own
    places = base.exit_bin + np.where(taken, 2 * size * (1 + groups) - 1, 0)
    died = np.bincount(base.exit_bin[own] >> 1, _counts(every, own), size)
    return SubdistributionSets(
        age=np.concatenate([base.age, np.full(blocks * size, np.nan)]),
        starts=base.starts,
        deaths=np.concatenate([died, np.zeros(blocks * size)]),
        exit_bin=places.astype(np.int32),
        entry_slot=base.entry_slot,
        weight=np.array([_weights(every, groups == g, base.age) for g in range(blocks)]),
    )


def _counts(every: FollowUp, rows: NDArray[Any]) -> FloatArray | None:
    return None if every.count is None else every.count[rows]


def _weights(every: FollowUp, rows: NDArray[np.bool_], ages: FloatArray) -> FloatArray:
    """Chance to be under observation at each age, up to a factor; 1 before the first."""
    table = tabulate(
        every.exit[rows],
        every.event[rows],
        entry=None if every.entry is None else every.entry[rows],
        count=_counts(every, rows),
    )
    share = table.events / np.maximum(table.at_risk, 1)
    survival = np.concatenate([[1.0], np.cumprod(1 - share)])
    before = survival[np.searchsorted(table.time, ages, side="left")]
    at_risk = table.at_risk_at(ages).astype(float)
    gone = np.flatnonzero(survival[1:] <= 0)
    if len(gone) and table.at_risk[gone[0] + 1 :].any():
        raise InputError(
            f"competing causes: all {table.at_risk[gone[0]]} under observation at age "
            f"{table.time[gone[0]]:g} leave then, and others come only later; leave out what was "
            "seen up to that age, and let the others enter there"
        )
    found = np.divide(at_risk, before, out=np.zeros_like(before), where=before > 0)
    if len(gone):  # nobody was lost from sight since all that were left went
        last = int(gone[0])
        found[before <= 0] = table.at_risk[last] / survival[last]
    found[0] = 1.0
    return np.asarray(found)
