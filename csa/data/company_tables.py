"""Canonical tables about customers: who they are, what they pay, do, say and get."""

from csa.data.columns import Column, Table

_C = Column
_ACCOUNT = _C(name="account_id", kind="id", required=True, meaning="Account the row is about")
_CURRENCY = _C(
    name="currency",
    kind="text",
    meaning="ISO 4217 code of the money in this row; the workspace's currency where missing",
)
_OBSERVED = _C(
    name="observed_from",
    kind="date",
    meaning="Day from which a leaving account would have been recorded; missing = always",
)

ACCOUNTS = Table(
    name="accounts",
    row="a customer organisation or person",
    key=("account_id",),
    appears="signed_up_on",
    open=True,
    order=(("trial_started_on", "trial_ended_on"), ("trial_started_on", "converted_on")),
    columns=(
        _C(name="account_id", kind="id", required=True, meaning="Identifier of the account"),
        _C(name="name", kind="text", meaning="Name for readers"),
        _C(name="segment", kind="text", meaning="Segment, the default way to split a report"),
        _C(name="industry", kind="text", meaning="Industry"),
        _C(name="region", kind="text", meaning="Region or country"),
        _C(name="plan", kind="text", meaning="Plan at signup"),
        _C(name="owner", kind="text", meaning="Customer success manager"),
        _C(name="channel", kind="text", meaning="Acquisition channel"),
        _C(name="signed_up_on", kind="date", required=True, meaning="Day of signup"),
        _C(
            name="trial_started_on",
            kind="date",
            known_by="trial_started_on",
            meaning="First day of the trial",
        ),
        _C(
            name="trial_ended_on",
            kind="date",
            known_by="trial_ended_on",
            meaning="First day after the trial",
        ),
        _C(
            name="converted_on",
            kind="date",
            known_by="converted_on",
            meaning="First paid day after a trial",
        ),
        _C(
            name="acquisition_cost",
            kind="money",
            low=0,
            meaning="Marketing and sales spent on winning the account",
        ),
        _OBSERVED,
    ),
)

SUBSCRIPTIONS = Table(
    name="subscriptions",
    row="a period of an account with one price and one number of seats",
    key=("subscription_id",),
    appears="start_on",
    references={"account_id": "accounts"},
    order=(("start_on", "end_on"), ("start_on", "renews_on"), ("start_on", "discount_ends_on")),
    columns=(
        _C(name="subscription_id", kind="id", required=True, meaning="Identifier of the period"),
        _ACCOUNT,
        _C(name="start_on", kind="date", required=True, meaning="First paid day"),
        _C(
            name="end_on",
            kind="date",
            known_by="end_on",
            meaning="First day no longer paid; missing while running",
        ),
        _C(
            name="cancelled_on",
            kind="date",
            known_by="cancelled_on",
            meaning="Day on which the customer cancelled, which may be long before end_on",
        ),
        _C(name="renews_on", kind="date", planned=True, meaning="Day of the next renewal"),
        _C(
            name="mrr",
            kind="money",
            required=True,
            low=0,
            unit="per month",
            meaning="Recurring revenue of the period, after discount",
        ),
        _C(
            name="list_mrr", kind="money", low=0, unit="per month", meaning="The same at list price"
        ),
        _C(
            name="discount_ends_on",
            kind="date",
            planned=True,
            meaning="First day without the discount",
        ),
        _CURRENCY,
        _C(name="seats", kind="integer", low=0, unit="seats", meaning="Seats paid for"),
        _C(name="plan", kind="text", meaning="Plan"),
        _C(
            name="billing_months",
            kind="integer",
            low=1,
            high=120,
            unit="months",
            meaning="Months between invoices",
        ),
        _C(
            name="end_reason",
            kind="text",
            known_by="end_on",
            meaning="Why the period ended: voluntary, involuntary, upgrade, downgrade, ...",
        ),
        _OBSERVED,
    ),
)

TRANSACTIONS = Table(
    name="transactions",
    row="a purchase or refund, where there is no contract",
    key=("transaction_id",),
    appears="occurred_at",
    references={"account_id": "accounts"},
    columns=(
        _C(name="transaction_id", kind="id", meaning="Identifier of the purchase or refund"),
        _ACCOUNT,
        _C(name="occurred_at", kind="time", required=True, meaning="When it happened"),
        _C(name="amount", kind="money", required=True, meaning="Amount; refunds are negative"),
        _CURRENCY,
    ),
)

USAGE_EVENTS = Table(
    name="usage_events",
    row="a use of the product",
    appears="occurred_at",
    references={"account_id": "accounts", "feature": "features"},
    columns=(
        _ACCOUNT,
        _C(name="user_id", kind="id", meaning="Person who used it"),
        _C(name="occurred_at", kind="time", required=True, meaning="When it happened"),
        _C(name="feature", kind="text", meaning="Feature used"),
        _C(name="quantity", kind="number", low=0, unit="uses", meaning="How often or how much"),
        _C(name="seconds", kind="number", low=0, unit="seconds", meaning="How long"),
        _C(name="session_id", kind="id", meaning="Session the use belongs to"),
        _C(name="device", kind="text", meaning="Device or channel"),
    ),
)

FEATURES = Table(
    name="features",
    row="a feature of the product",
    key=("feature",),
    appears="launched_on",
    columns=(
        _C(name="feature", kind="text", required=True, meaning="Name as in usage_events"),
        _C(name="area", kind="text", meaning="Area of the product"),
        _C(name="launched_on", kind="date", meaning="First day it could be used"),
    ),
)

SURVEYS = Table(
    name="surveys",
    row="an invitation to a survey, answered or not",
    key=("response_id",),
    appears="sent_at",
    appears_else="answered_at",
    references={"account_id": "accounts", "campaign_id": "campaigns"},
    order=(("sent_at", "answered_at"),),
    columns=(
        _C(name="response_id", kind="id", required=True, meaning="Identifier of the invitation"),
        _ACCOUNT,
        _C(name="user_id", kind="id", meaning="Person asked"),
        _C(
            name="kind",
            kind="text",
            required=True,
            choices=("nps", "csat", "ces"),
            meaning="Question asked",
        ),
        _C(name="sent_at", kind="time", meaning="When the invitation went out"),
        _C(
            name="answered_at",
            kind="time",
            known_by="answered_at",
            meaning="When it was answered; missing without an answer",
        ),
        _C(
            name="score",
            kind="number",
            low=0,
            high=10,
            unit="points",
            known_by="answered_at",
            meaning="Answer: nps 0 to 10, csat 1 to 5, ces 1 to 7",
        ),
        _C(name="comment", kind="text", known_by="answered_at", meaning="Free text"),
        _C(name="campaign_id", kind="id", meaning="Campaign the invitation belongs to"),
    ),
)

TICKETS = Table(
    name="tickets",
    row="a support case",
    key=("ticket_id",),
    appears="opened_at",
    references={"account_id": "accounts"},
    order=(
        ("opened_at", "first_response_at"),
        ("opened_at", "resolved_at"),
        ("opened_at", "escalated_at"),
    ),
    columns=(
        _C(name="ticket_id", kind="id", required=True, meaning="Identifier of the case"),
        _ACCOUNT,
        _C(name="opened_at", kind="time", required=True, meaning="When it was opened"),
        _C(
            name="first_response_at",
            kind="time",
            known_by="first_response_at",
            meaning="First answer by a person",
        ),
        _C(name="resolved_at", kind="time", known_by="resolved_at", meaning="When it was solved"),
        _C(
            name="contacts",
            kind="integer",
            low=0,
            unit="contacts",
            known_by="resolved_at",
            meaning="Exchanges until the solution",
        ),
        _C(name="category", kind="text", meaning="What it was about"),
        _C(name="priority", kind="text", meaning="Priority"),
        _C(
            name="escalated_at",
            kind="time",
            known_by="escalated_at",
            meaning="When it was escalated",
        ),
    ),
)

INTERVENTIONS = Table(
    name="interventions",
    row="an action of customer success on an account",
    key=("intervention_id",),
    appears="started_at",
    references={"account_id": "accounts"},
    order=(("started_at", "ended_at"),),
    columns=(
        _C(name="intervention_id", kind="id", required=True, meaning="Identifier of the action"),
        _ACCOUNT,
        _C(name="kind", kind="text", choices=("proactive", "reactive"), meaning="Who moved first"),
        _C(name="trigger", kind="text", meaning="What led to it"),
        _C(name="owner", kind="text", meaning="Who did it"),
        _C(name="started_at", kind="time", required=True, meaning="When it began"),
        _C(name="ended_at", kind="time", known_by="ended_at", meaning="When it was closed"),
        _C(name="outcome", kind="text", known_by="ended_at", meaning="How it ended"),
        _C(name="cost", kind="money", low=0, meaning="What it cost"),
    ),
)

OPPORTUNITIES = Table(
    name="opportunities",
    row="a possible expansion or renewal",
    key=("opportunity_id",),
    appears="opened_on",
    references={"account_id": "accounts"},
    order=(("opened_on", "closed_on"),),
    columns=(
        _C(name="opportunity_id", kind="id", required=True, meaning="Identifier"),
        _ACCOUNT,
        _C(
            name="kind",
            kind="text",
            required=True,
            choices=("upsell", "cross_sell", "renewal"),
            meaning="What is sold",
        ),
        _C(name="opened_on", kind="date", required=True, meaning="Day it was opened"),
        _C(name="closed_on", kind="date", known_by="closed_on", meaning="Day it was won or lost"),
        _C(
            name="stage", kind="text", known_by="closed_on", meaning="Stage, at the end won or lost"
        ),
        _C(name="mrr", kind="money", unit="per month", meaning="Revenue at stake"),
    ),
)

CAMPAIGNS = Table(
    name="campaigns",
    row="a campaign",
    key=("campaign_id",),
    appears="started_on",
    order=(("started_on", "ended_on"),),
    columns=(
        _C(name="campaign_id", kind="id", required=True, meaning="Identifier of the campaign"),
        _C(name="name", kind="text", meaning="Name for readers"),
        _C(name="kind", kind="text", meaning="Kind of campaign"),
        _C(name="started_on", kind="date", required=True, meaning="First day"),
        _C(name="ended_on", kind="date", planned=True, meaning="First day after it"),
        _C(name="cost", kind="money", low=0, meaning="What it cost in all"),
    ),
)

CAMPAIGN_ACCOUNTS = Table(
    name="campaign_accounts",
    row="an account exposed to a campaign",
    key=("campaign_id", "account_id", "exposed_at"),
    appears="exposed_at",
    references={"campaign_id": "campaigns", "account_id": "accounts"},
    columns=(
        _C(name="campaign_id", kind="id", required=True, meaning="Campaign"),
        _ACCOUNT,
        _C(name="exposed_at", kind="time", required=True, meaning="When the account was exposed"),
    ),
)

COMPANY_TABLES: tuple[Table, ...] = (
    ACCOUNTS,
    SUBSCRIPTIONS,
    TRANSACTIONS,
    USAGE_EVENTS,
    FEATURES,
    SURVEYS,
    TICKETS,
    INTERVENTIONS,
    OPPORTUNITIES,
    CAMPAIGNS,
    CAMPAIGN_ACCOUNTS,
)
