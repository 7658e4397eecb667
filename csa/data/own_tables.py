"""Canonical tables about our own side: money, people, goals, projects, and the kit's ledger."""

from csa.data.columns import Column, Table

_C = Column
_METRIC = _C(name="metric_id", kind="id", required=True, meaning="Metric of the catalogue")
_EDITION = _C(
    name="edition", kind="id", required=True, meaning="Report and period, as monthly/2026-10"
)
_REVISION = _C(
    name="revision", kind="integer", required=True, low=1, meaning="Number of the revision"
)

CASH_FLOWS = Table(
    name="cash_flows",
    row="money of an initiative",
    appears="occurs_on",
    appears_when=("basis", "actual"),
    order=(("low", "amount"), ("amount", "high")),
    columns=(
        _C(name="initiative", kind="id", required=True, meaning="Initiative the money belongs to"),
        _C(
            name="kind",
            kind="text",
            required=True,
            choices=("cost", "benefit"),
            meaning="Direction",
        ),
        _C(name="category", kind="text", required=True, meaning="What it is for"),
        _C(
            name="occurs_on",
            kind="date",
            required=True,
            planned=True,
            meaning="Day it is paid or gained",
        ),
        _C(name="amount", kind="money", required=True, low=0, meaning="Amount, never negative"),
        _C(name="low", kind="money", meaning="Cautious amount"),
        _C(name="high", kind="money", meaning="Hopeful amount"),
        _C(name="basis", kind="text", choices=("plan", "actual"), meaning="Planned or happened"),
    ),
)

STAFF = Table(
    name="staff",
    row="a person of our own: manager, analyst, customer success",
    key=("person_id",),
    columns=(
        _C(name="person_id", kind="id", required=True, meaning="Identifier of the person"),
        _C(name="role", kind="text", meaning="Role"),
        _C(name="team", kind="text", meaning="Team"),
        _C(
            name="capacity_hours",
            kind="number",
            low=0,
            unit="hours per week",
            meaning="Working time for accounts",
        ),
    ),
)

TRAINING = Table(
    name="training",
    row="a course assigned to a person",
    key=("person_id", "course"),
    appears="assigned_on",
    references={"person_id": "staff"},
    order=(("assigned_on", "completed_on"),),
    columns=(
        _C(name="person_id", kind="id", required=True, meaning="Person"),
        _C(name="course", kind="text", required=True, meaning="Course"),
        _C(name="assigned_on", kind="date", meaning="Day it was assigned"),
        _C(name="completed_on", kind="date", known_by="completed_on", meaning="Day of completion"),
        _C(
            name="certified", kind="flag", known_by="completed_on", meaning="Passed the examination"
        ),
    ),
)

MEASUREMENTS = Table(
    name="measurements",
    row="a value of a metric that no table here can give",
    key=("metric_id", "measured_on", "segment", "source"),
    appears="measured_on",
    order=(("low", "value"), ("value", "high")),
    columns=(
        _METRIC,
        _C(name="measured_on", kind="date", required=True, meaning="Day the value stands for"),
        _C(name="value", kind="number", required=True, meaning="Value; shares are 0 to 1"),
        _C(name="n", kind="integer", low=0, meaning="Cases behind the value"),
        _C(name="low", kind="number", meaning="Lower end of its interval"),
        _C(name="high", kind="number", meaning="Upper end of its interval"),
        _C(name="segment", kind="text", meaning="Segment; missing = all"),
        _C(name="source", kind="text", required=True, meaning="Where the value comes from"),
    ),
)

BENCHMARKS = Table(
    name="benchmarks",
    row="a comparison value from outside",
    key=("metric_id", "name", "valid_from"),
    appears="valid_from",
    columns=(
        _METRIC,
        _C(name="name", kind="text", required=True, meaning="Whom it describes"),
        _C(name="value", kind="number", required=True, meaning="Value; shares are 0 to 1"),
        _C(name="valid_from", kind="date", required=True, meaning="First day it applies to"),
        _C(name="source", kind="text", required=True, meaning="Publication"),
    ),
)

GOALS = Table(
    name="goals",
    row="a business goal and a metric that serves it",
    key=("goal_id", "metric_id"),
    columns=(
        _C(name="goal_id", kind="id", required=True, meaning="Identifier of the goal"),
        _C(name="name", kind="text", required=True, meaning="Goal in words"),
        _C(name="owner", kind="text", meaning="Who answers for it"),
        _C(name="due_on", kind="date", planned=True, meaning="Day it is due"),
        _C(name="metric_id", kind="id", meaning="Metric that serves it"),
    ),
)

BASELINES = Table(
    name="baselines",
    row="a frozen value to compare with",
    key=("metric_id", "name"),
    appears="frozen_on",
    columns=(
        _METRIC,
        _C(name="name", kind="text", required=True, meaning="Name of the baseline"),
        _C(name="value", kind="number", required=True, meaning="Value; shares are 0 to 1"),
        _C(name="n", kind="integer", low=0, meaning="Cases behind the value"),
        _C(name="frozen_on", kind="date", required=True, meaning="Day it was frozen"),
    ),
)

MILESTONES = Table(
    name="milestones",
    row="a planned step of a project",
    key=("milestone_id",),
    columns=(
        _C(name="milestone_id", kind="id", required=True, meaning="Identifier of the step"),
        _C(name="project", kind="text", required=True, meaning="Project"),
        _C(name="due_on", kind="date", planned=True, meaning="Day it is due"),
        _C(name="done_on", kind="date", known_by="done_on", meaning="Day it was done"),
        _C(name="budget", kind="money", low=0, meaning="Money planned"),
        _C(name="spent", kind="money", low=0, meaning="Money spent"),
    ),
)

DECISIONS = Table(
    name="decisions",
    row="a decision taken on a report",
    key=("decision_id",),
    appears="raised_at",
    order=(("raised_at", "decided_at"),),
    columns=(
        _C(name="decision_id", kind="id", required=True, meaning="Identifier of the decision"),
        _C(name="raised_at", kind="time", required=True, meaning="When the question was raised"),
        _C(name="decided_at", kind="time", known_by="decided_at", meaning="When it was decided"),
        _C(name="report", kind="text", meaning="Report it was taken on"),
        _C(name="outcome", kind="text", known_by="decided_at", meaning="What was decided"),
    ),
)

REPORT_RUNS = Table(
    name="report_runs",
    row="a revision of an edition",
    key=("edition", "revision"),
    appears="started_at",
    order=(("started_at", "finished_at"),),
    ledger=True,
    columns=(
        _EDITION,
        _REVISION,
        _C(name="started_at", kind="time", required=True, meaning="Start of the run"),
        _C(name="finished_at", kind="time", known_by="finished_at", meaning="End of the run"),
        _C(name="stages", kind="text", meaning="Seconds per stage, as JSON"),
        _C(name="status", kind="text", required=True, meaning="ok, chapter failed, failed"),
        _C(name="fingerprint", kind="text", meaning="Of data, parameters and code"),
    ),
)

REPORT_DELIVERIES = Table(
    name="report_deliveries",
    row="an edition on its way to one recipient",
    key=("edition", "revision", "recipient", "channel"),
    appears="sent_at",
    ledger=True,
    columns=(
        _EDITION,
        _REVISION,
        _C(name="recipient", kind="text", required=True, meaning="Address"),
        _C(name="channel", kind="text", required=True, meaning="Way of delivery, as email"),
        _C(name="state", kind="text", required=True, meaning="sent, failed or waiting"),
        _C(name="attempts", kind="integer", low=0, meaning="Tries so far"),
        _C(name="sent_at", kind="time", meaning="When it was handed over"),
    ),
)

REPORT_OPENS = Table(
    name="report_opens",
    row="a reader who opened an edition",
    appears="opened_at",
    ledger=True,
    columns=(
        _EDITION,
        _C(name="person", kind="id", required=True, meaning="Reader"),
        _C(name="opened_at", kind="time", required=True, meaning="When it was opened"),
        _C(
            name="actioned_at",
            kind="time",
            known_by="actioned_at",
            meaning="When the reader acted on it",
        ),
    ),
)

DATA_CHECKS = Table(
    name="data_checks",
    row="a check of the data quality gate in one run",
    appears="checked_at",
    ledger=True,
    columns=(
        _C(name="edition", kind="id", meaning="Report and period; missing for csa check"),
        _C(name="checked_at", kind="time", required=True, meaning="When it ran"),
        _C(name="table", kind="text", required=True, meaning="Table checked"),
        _C(name="column", kind="text", meaning="Column checked"),
        _C(name="check", kind="text", required=True, meaning="Kind of check, or its own name"),
        _C(
            name="severity",
            kind="text",
            required=True,
            choices=("error", "warning"),
            meaning="What a failure means",
        ),
        _C(name="failing", kind="integer", required=True, low=0, meaning="Rows at fault"),
        _C(name="rows", kind="integer", low=0, meaning="Rows looked at"),
        _C(name="message", kind="text", meaning="The fault in words"),
    ),
)

PREDICTIONS = Table(
    name="predictions",
    row="a prediction for an account",
    key=("model", "account_id", "made_on", "horizon_days"),
    appears="made_on",
    references={"account_id": "accounts"},
    ledger=True,
    columns=(
        _C(name="model", kind="text", required=True, meaning="Model and version"),
        _C(name="account_id", kind="id", required=True, meaning="Account"),
        _C(name="made_on", kind="date", required=True, meaning="Last day known to the model"),
        _C(
            name="horizon_days",
            kind="integer",
            required=True,
            low=1,
            unit="days",
            meaning="How far it looks ahead",
        ),
        _C(name="value", kind="number", required=True, meaning="Predicted value"),
        _C(name="low", kind="number", meaning="Lower end of its interval"),
        _C(name="high", kind="number", meaning="Upper end of its interval"),
        _C(name="flagged", kind="flag", meaning="Stood on the list of accounts to act on"),
        _C(
            name="outcome_on",
            kind="date",
            known_by="outcome_on",
            meaning="Day on which the horizon had elapsed",
        ),
        _C(name="outcome", kind="number", known_by="outcome_on", meaning="What happened"),
    ),
)

ALERTS = Table(
    name="alerts",
    row="an alert, from opening to resolution",
    key=("alert_id",),
    appears="opened_at",
    order=(("opened_at", "acknowledged_at"), ("opened_at", "resolved_at")),
    ledger=True,
    columns=(
        _C(name="alert_id", kind="id", required=True, meaning="Identifier of the alert"),
        _C(name="rule", kind="text", required=True, meaning="Rule that opened it"),
        _C(name="metric_id", kind="id", meaning="Metric concerned"),
        _C(name="segment", kind="text", meaning="Segment concerned; missing = all"),
        _C(name="opened_at", kind="time", required=True, meaning="When it opened"),
        _C(
            name="acknowledged_at",
            kind="time",
            known_by="acknowledged_at",
            meaning="When somebody took it up",
        ),
        _C(
            name="acknowledged_by",
            kind="text",
            known_by="acknowledged_at",
            meaning="Who took it up",
        ),
        _C(name="resolved_at", kind="time", known_by="resolved_at", meaning="When it was resolved"),
        _C(name="resolved_by", kind="text", known_by="resolved_at", meaning="Who resolved it"),
    ),
)

OWN_TABLES: tuple[Table, ...] = (
    CASH_FLOWS,
    STAFF,
    TRAINING,
    MEASUREMENTS,
    BENCHMARKS,
    GOALS,
    BASELINES,
    MILESTONES,
    DECISIONS,
)

LEDGER_TABLES: tuple[Table, ...] = (
    REPORT_RUNS,
    REPORT_DELIVERIES,
    REPORT_OPENS,
    DATA_CHECKS,
    PREDICTIONS,
    ALERTS,
)
