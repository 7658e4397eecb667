"""The sample company's parameters: everything that is known about it beforehand.

The SQL of `sql/` and the truth of `truth.py` both read these numbers and nothing
else, so that what is stated is what was drawn. Shares are whole percents, rates are per block of
30 days of tenure unless said otherwise, money is EUR.
"""

from dataclasses import dataclass
from datetime import date

FIRST_DAY = date(2021, 11, 1)  # records begin: day 0
LAST_DAY = date(2026, 10, 31)
LAST = (LAST_DAY - FIRST_DAY).days
BLOCK = 30  # days; hazards are constant within a block of tenure
YEAR = 365  # days after which a yearly contract renews
OLDEST_DAYS = 1095  # accounts won before the records began are at most three years old on day 0
EARLY_PERCENT = 15  # share of contract customers won before the records began
PRICE_DAY = date(2024, 3, 1)  # list prices rise for everybody
PRICE_RISE = 0.08
PRICE_RATIO = 1.4  # hazard ratio, customers of before PRICE_DAY, three months from PRICE_DAY
RECESSION = (date(2023, 2, 1), date(2023, 8, 1))  # [start, end)
RECESSION_RATIO = 1.3  # hazard ratio while it lasts
RECESSION_DOWN = 1.5  # ratio of the rate of contractions
RECESSION_SIGNUPS = 0.7
SEASON = (1.25, 1.1, 1.0, 0.95, 0.95, 0.95, 0.9, 0.9, 0.95, 0.95, 0.95, 1.15)  # hazard, Jan..Dec
PROGRAMME_DAY = date(2024, 1, 1)  # proactive outreach begins
REVIEW_FIRST, REVIEW_EVERY = 3, 6  # blocks: reviews at tenure day 90, 270, 450, ...
OUTREACH_RATIO = 0.65  # hazard ratio from a review with outreach to the next review
OUTREACH_USAGE = 1.10  # usage ratio during the same time
GO_LIVE = date(2025, 3, 1)  # support tooling
GO_LIVE_RESPONSE = 0.7  # ratio of the hours to a first response
OFFER_RATIO = 2.0  # rate of expansions, accounts exposed to an offer, three months
WEBINAR_USAGE = 1.15  # usage ratio, accounts exposed to a webinar, two months
RETURN_PERCENT = 12  # churned customers who come back, 45 to 299 days later
LAPSE_PERCENT = 4  # monthly payers with one failed payment: a gap of 5 to 20 days, not churn
REFUND_PERCENT = 3
CAUSES = ("voluntary", "involuntary", "downgrade")
ONBOARDING = ("guided", "self-serve", "none")
ONBOARDING_RATIO = (0.7, 1.0, 1.7)  # hazard ratio
REVIEW_PERCENT = (10, 30, 55)  # outreach at a review, by onboarding: randomised within it
YEARLY_OFF, YEARLY_DUE = 0.4, 7.5  # hazard ratio of yearly contracts off and in a renewal block
BANDS = (3, 12)  # blocks at which the hazard changes
SESSION_CAP = 60  # sessions per account and month, before thinning
FULL_DETAIL = 1_000_000  # accounts up to which every session is written
EVENTS_PERCENT = (45, 30, 15, 10)  # events per session: 1, 2, 3, 4
USUAL_MONTH = 2200  # usage weight of an ordinary month: 22 business days of 100
# transactions: Pareto/NBD in weeks with whole-number shapes, spend Gamma-Gamma
PURCHASE = {"r": 2, "alpha": 16.0, "s": 2, "beta": 150.0, "p": 2, "q": 4}
PURCHASE_CAP = 400  # purchases per account


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment. `hazard` has a row per band of tenure and a column per cause."""

    seg: int
    name: str
    percent: int
    payg_percent: int
    trial_percent: int
    trial_days: int
    convert_percent: int
    yearly_percent: int
    shape: int  # gamma frailty with mean 1 and variance 1 / shape
    hazard: tuple[tuple[float, float, float], ...]
    onboarding: tuple[int, int, int]
    seats: tuple[int, int]
    plans: tuple[int, int, int, int]  # percent per plan
    up: float
    down: float
    addon: float
    addon_price: int
    sessions: int  # per month
    tickets: float  # per month
    loyalty: float  # mean of the NPS answer before rounding
    answer: float
    contacts: int
    spend: int  # gamma of the spend model
    acquisition: int
    accounts_per_owner: int
    adopt: tuple[int, int, int, int]  # percent ever using each new feature


SEGMENTS = (
    Segment(
        seg=1,
        name="SMB",
        percent=62,
        payg_percent=28,
        trial_percent=75,
        trial_days=14,
        convert_percent=50,
        yearly_percent=25,
        shape=2,
        hazard=((0.022, 0.008, 0.003), (0.017, 0.006, 0.003), (0.012, 0.005, 0.002)),
        onboarding=(15, 60, 25),
        seats=(3, 12),
        plans=(55, 35, 10, 0),
        up=0.022,
        down=0.012,
        addon=0.006,
        addon_price=29,
        sessions=3,
        tickets=0.12,
        loyalty=7.6,
        answer=0.28,
        contacts=1,
        spend=180,
        acquisition=350,
        accounts_per_owner=180,
        adopt=(45, 40, 35, 30),
    ),
    Segment(
        seg=2,
        name="Mid-market",
        percent=28,
        payg_percent=8,
        trial_percent=50,
        trial_days=30,
        convert_percent=60,
        yearly_percent=60,
        shape=3,
        hazard=((0.012, 0.002, 0.001), (0.010, 0.002, 0.001), (0.007, 0.002, 0.001)),
        onboarding=(45, 45, 10),
        seats=(12, 60),
        plans=(0, 50, 45, 5),
        up=0.030,
        down=0.012,
        addon=0.010,
        addon_price=149,
        sessions=6,
        tickets=0.35,
        loyalty=7.9,
        answer=0.36,
        contacts=2,
        spend=900,
        acquisition=2400,
        accounts_per_owner=80,
        adopt=(60, 55, 45, 40),
    ),
    Segment(
        seg=3,
        name="Enterprise",
        percent=10,
        payg_percent=0,
        trial_percent=20,
        trial_days=30,
        convert_percent=70,
        yearly_percent=100,
        shape=4,
        hazard=((0.005, 0.0005, 0.0), (0.005, 0.0005, 0.0), (0.004, 0.0005, 0.0)),
        onboarding=(80, 17, 3),
        seats=(60, 300),
        plans=(0, 0, 40, 60),
        up=0.035,
        down=0.012,
        addon=0.014,
        addon_price=690,
        sessions=11,
        tickets=0.9,
        loyalty=8.1,
        answer=0.45,
        contacts=3,
        spend=900,
        acquisition=14000,
        accounts_per_owner=25,
        adopt=(75, 70, 60, 50),
    ),
)

INDUSTRIES = (
    ("Manufacturing", 22),
    ("Retail", 18),
    ("Logistics", 14),
    ("Health", 12),
    ("Software", 14),
    ("Education", 8),
    ("Finance", 8),
    ("Hospitality", 4),
)
REGIONS = (
    ("DACH", 34),
    ("Benelux", 14),
    ("Nordics", 14),
    ("UK and Ireland", 16),
    ("Southern Europe", 12),
    ("North America", 10),
)
CHANNELS = (  # name, percent, added to the conversion of trials in percent points, cost ratio
    ("organic", 34, 0, 0.5),
    ("paid ads", 26, -10, 1.6),
    ("referral", 16, 10, 0.6),
    ("partner", 14, 5, 1.1),
    ("outbound", 10, -5, 1.9),
)
PLANS = (("Starter", 19), ("Team", 29), ("Business", 45), ("Enterprise", 65))  # per seat, month
DISCOUNTS = ((0, 70), (10, 20), (20, 10))  # percent off in the first year, percent of contracts
DEVICES = (("web", 76), ("mobile", 16), ("api", 8))
CATEGORIES = (("how-to", 34), ("bug", 24), ("integration", 16), ("billing", 16), ("access", 10))
PRIORITIES = (("low", 20), ("normal", 55), ("high", 18), ("urgent", 7))
RESPONSE_HOURS = (12.0, 6.0, 3.0, 1.5)  # medians by priority before GO_LIVE
FEATURES = (  # name, area, first day, percent of uses
    ("Dashboards", "Insight", date(2018, 10, 1), 26),
    ("Reports", "Insight", date(2018, 10, 1), 22),
    ("Planning", "Work", date(2018, 10, 1), 18),
    ("Data import", "Data", date(2018, 10, 1), 14),
    ("Comments", "Work", date(2019, 5, 6), 8),
    ("Integrations", "Data", date(2020, 3, 2), 7),
    ("Administration", "Control", date(2018, 10, 1), 5),
)
NEW_FEATURES = (  # name, area, first day; each takes 5 percent of an adopter's uses
    ("Automations", "Work", date(2022, 9, 5)),
    ("Mobile approvals", "Work", date(2024, 2, 15)),
    ("Forecasts", "Insight", date(2025, 3, 3)),
    ("Assistant", "Insight", date(2026, 2, 2)),
)


def day_number(day: date) -> int:
    """Day counted from the first day of the records, which is 0.

    Parameters
    ----------
    day : date
        Any day.

    Returns
    -------
    int
        Negative before the records began.
    """
    return (day - FIRST_DAY).days


def month_index(day: date) -> int:
    """Calendar month counted from the first month of the records, which is 0.

    Parameters
    ----------
    day : date
        Any day.

    Returns
    -------
    int
        Negative before the records began.
    """
    return (day.year - FIRST_DAY.year) * 12 + day.month - FIRST_DAY.month
