"""What a run is going to do, settled before anything runs: report, period, chapters, parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from csa import periods
from csa.errors import ConfigError, InputError
from csa.periods import Period
from csa.report import code
from csa.report.interface import Parameter, parameter_faults, parameters_of
from csa.report.notebooks import read_notebook
from csa.settings import FILE, Report, Settings
from csa.settings_rules import did_you_mean

EVERYBODY = "all"  # segment and audience of an edition that is no slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A chapter of a report with the interface of its notebook."""

    name: str
    notebook: Path
    known: Mapping[str, Parameter]
    given: Mapping[str, Any]  # from csa.yml

    def parameters(self, period: Period) -> dict[str, Any]:
        """Return what the notebook is run with: the run's own parameters where it takes them.

        Parameters
        ----------
        period : Period
            Period of the edition.

        Returns
        -------
        dict
            Values by name.
        """
        common = {
            "as_of": period.as_of.isoformat(),
            "start": period.start.isoformat(),
            "end": period.end.isoformat(),
            "segment": EVERYBODY,
            "audience": EVERYBODY,
        }
        return {**{k: v for k, v in common.items() if k in self.known}, **self.given}


def report_of(settings: Settings, name: str) -> Report:
    """Find a report in csa.yml.

    Parameters
    ----------
    settings : Settings
        The workspace.
    name : str
        Name of the report.

    Returns
    -------
    Report
        The report.

    Raises
    ------
    ConfigError
        If there is no such report, with those that there are.
    """
    if name in settings.reports:
        return settings.reports[name]
    if not settings.reports:
        raise ConfigError(f"{FILE}: reports: there is none; add one, see the README")
    there = ", ".join(settings.reports)
    hint = did_you_mean(name, tuple(settings.reports))
    raise ConfigError(f'{FILE}: reports: no report "{name}"{hint}; there are: {there}')


def chapters_of(settings: Settings, name: str) -> tuple[Chapter, ...]:
    """Find the chapters of a report and check what they are given.

    Parameters
    ----------
    settings : Settings
        The workspace.
    name : str
        Name of the report.

    Returns
    -------
    tuple of Chapter
        In the order of the report.

    Raises
    ------
    ConfigError
        With all faults of all chapters: no such notebook, unknown or mistyped parameters.
    """
    report = report_of(settings, name)
    faults: list[str] = []
    chapters = []
    for number, chapter in enumerate(report.chapters):
        given = report.parameters.get(chapter, {})
        try:
            notebook = code.chapter(chapter, root=settings.root)
        except ConfigError as error:
            faults += [f"{FILE}: reports.{name}.chapters.{number}: {f}" for f in error.faults]
            continue
        try:
            known = parameters_of(read_notebook(notebook), name=notebook.name)
        except ConfigError as error:
            faults += error.faults
            continue
        at = f"{FILE}: reports.{name}.parameters.{chapter}"
        faults += parameter_faults(known, given, at=at, notebook=notebook.name)
        chapters.append(Chapter(name=chapter, notebook=notebook, known=known, given=given))
    if faults:
        raise ConfigError(*faults)
    return tuple(chapters)


def report_faults(settings: Settings) -> list[str]:
    """List what is wrong with the reports of csa.yml, all at once.

    Parameters
    ----------
    settings : Settings
        The workspace.

    Returns
    -------
    list of str
        One line per fault; empty where every report could run.
    """
    faults: list[str] = []
    for name in settings.reports:
        try:
            chapters_of(settings, name)
        except ConfigError as error:
            faults += error.faults
    return list(dict.fromkeys(faults))


def period_of(
    settings: Settings, report: Report, name: str | None, *, last_day: date, today: date
) -> Period:
    """Settle the period of an edition.

    Parameters
    ----------
    settings : Settings
        The workspace, for fiscal year and week start.
    report : Report
        The report, for its cadence.
    name : str or None
        For example `2026-10`; None for the last one that data cover completely.
    last_day : date
        Newest day that the data cover.
    today : date
        Today, in the workspace's time zone.

    Returns
    -------
    Period
        The period.

    Raises
    ------
    InputError
        If the name is not a period of the report's cadence, or the period ends after the data.
    """
    newest = periods.last_complete(
        report.every,
        min(last_day, today),
        fiscal_year_start=settings.fiscal_year_start,
        week_start=settings.week_start,
    )
    if name is None:
        return newest
    period = periods.parse(
        name, fiscal_year_start=settings.fiscal_year_start, week_start=settings.week_start
    )
    if period.kind != report.every:
        raise InputError(
            f'period "{name}" is a {period.kind}, this report is made per {report.every};'
            f" write for example {newest.name}"
        )
    if period.as_of > today:
        raise InputError(
            f'period "{name}" ends on {period.as_of}, which has not come yet;'
            f" the newest complete one is {newest.name}"
        )
    if period.as_of > last_day:
        raise InputError(
            f'period "{name}" ends on {period.as_of}, the data end on {last_day}; deliver newer'
            f" data, make {newest.name}, or state data.last_day in {FILE} if nothing happened since"
        )
    return period


def environment_names(settings: Settings) -> Sequence[str]:
    """Name the environment variables that sources read.

    Parameters
    ----------
    settings : Settings
        The workspace.

    Returns
    -------
    sequence of str
        For `kernel_environment`.
    """
    sources = settings.data.sources.values()
    return [name for s in sources for name in (s.path_env, s.url_env) if name]
