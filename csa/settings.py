"""csa.yml as validated, frozen objects; the defaults live here and nowhere else."""

import os
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationError,
    model_validator,
)

from csa import definitions as defined
from csa import settings_rules as rules
from csa.errors import ConfigError
from csa.settings_faults import describe
from csa.settings_yaml import Loader

FILE = "csa.yml"
Name = Annotated[str, AfterValidator(rules.name)]
Zone = Annotated[str, AfterValidator(rules.zone)]
Currency = Annotated[str, AfterValidator(rules.currency)]
DatedRates = tuple[tuple[str, tuple[tuple[date, Decimal], ...]], ...]
_One = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=8), Tag("one")]
_Dated = Annotated[
    dict[date, Annotated[Decimal, Field(gt=0, max_digits=15, decimal_places=8)]],
    Field(min_length=1),
    BeforeValidator(rules.days_as_text),
    Tag("dated"),
]
Rate = Annotated[
    _One | _Dated, Discriminator(lambda given: "dated" if isinstance(given, Mapping) else "one")
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """Where tables come from: a folder of files, a DuckDB file or a database by URL.

    `path` is relative to csa.yml; with `path_env` it is relative to the folder named by that
    environment variable. URLs may hold passwords and are therefore only ever read from an
    environment variable.
    """

    path: str | None = None
    path_env: str | None = None
    database: str | None = None
    url_env: str | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> "Source":
        given = [self.path is not None or self.path_env is not None, self.database, self.url_env]
        if sum(map(bool, given)) != 1:
            raise ValueError("give one of path (with or without path_env), database, url_env")
        return self


class ColumnMapping(_Part):
    """How one canonical column is made: from a source column, or as a constant `value`."""

    from_: str | None = Field(default=None, alias="from")
    format: Annotated[str, AfterValidator(rules.date_format)] | None = None
    timezone: Zone | None = None
    decimal: Literal[".", ","] | None = None
    value: str | bool | int | float | date | None = None

    @property
    def constant(self) -> bool:
        """Whether the column is a constant; `value: null` makes it missing on purpose."""
        return "value" in self.model_fields_set

    @model_validator(mode="after")
    def _one_origin(self) -> "ColumnMapping":
        if self.constant and self.model_fields_set != {"value"}:
            raise ValueError("a constant has only value; drop the other keys or value")
        return self


class TableMapping(_Part):
    """How one canonical table is made from a file, a database table or a query."""

    source: str | None = None
    file: str | None = None
    table: str | None = None
    query: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Literal["utf-8", "utf-16", "latin-1"] | None = None
    columns: dict[str, Annotated[ColumnMapping, BeforeValidator(rules.column)]] = {}
    where: str | None = None
    observed_from: Annotated[date | str | None, BeforeValidator(rules.observed_from)] = None
    ignore: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> "TableMapping":
        if sum(x is not None for x in (self.file, self.table, self.query)) > 1:
            raise ValueError("give one of file, table, query")
        return self


class Data(_Part):
    """Sources and mappings.

    `last_day` is the newest day that the data cover completely, for extracts that ended in the
    past; without it the newest day in the tables counts. `not_churn` names reasons of an end under
    which a customer is out of sight and not lost, such as merged or migrated.
    """

    grace_days: int = Field(default=30, ge=0, le=366)
    not_churn: tuple[str, ...] = ()
    last_day: date | None = None
    sources: dict[Name, Source] = Field(min_length=1)
    tables: dict[str, Annotated[TableMapping, BeforeValidator(rules.empty)]] = {}


class OwnCheck(_Part):
    """A check of one's own: SQL that returns offending keys in its first column.

    It runs over the canonical tables as known on `as_of`; with a `source`, over the files (named
    by their stems) or tables of that source as they are.
    """

    name: str
    table: str
    sql: str
    fix: str
    source: str | None = None
    severity: Literal["error", "warning"] = "error"


class Target(_Part):
    """What a metric should reach. Shares are 0 to 1; `warn` is still tolerable."""

    value: float
    better: Literal["higher", "lower"]
    warn: float | None = None
    due_on: date | None = None
    owner: str | None = None

    @model_validator(mode="after")
    def _warn_on_the_worse_side(self) -> "Target":
        sign = 1 if self.better == "lower" else -1
        if self.warn is not None and sign * (self.warn - self.value) < 0:
            raise ValueError(
                f"warn {self.warn:g} is stricter than value {self.value:g} "
                f"although {self.better} is better; swap them or correct better"
            )
        return self


class Report(_Part):
    """A named list of chapters for an audience and a cadence."""

    title: str
    chapters: Annotated[tuple[Name, ...], Field(min_length=1)]
    every: Literal["day", "week", "month", "quarter", "year"]
    at: Annotated[str, AfterValidator(rules.clock)] = "07:00"
    formats: Annotated[tuple[Literal["html", "pdf"], ...], Field(min_length=1)] = ("html", "pdf")
    parameters: dict[str, dict[str, str | bool | int | float | list[str]]] = {}
    recipients: tuple[Annotated[str, AfterValidator(rules.address)], ...] = ()

    @model_validator(mode="after")
    def _parameters_have_a_chapter(self) -> "Report":
        for chapter in self.parameters:
            if chapter not in self.chapters:
                hint = rules.did_you_mean(chapter, self.chapters)
                raise ValueError(f'parameters for "{chapter}", which is not in chapters{hint}')
        return self


def _choice(switch: str) -> Any:
    return AfterValidator(rules.one_of(defined.CHOICES[switch]))


class Definitions(_Part):
    """Where vendors disagree: a preset, and single switches set apart from it.

    What can be chosen, and what each choice means, stands in `csa.definitions`.
    """

    preset: Annotated[str, AfterValidator(rules.one_of(defined.PRESETS))] = "csa"
    nrr: Annotated[str, _choice("nrr")] | None = None
    grr: Annotated[str, _choice("grr")] | None = None
    quick_ratio: Annotated[str, _choice("quick_ratio")] | None = None
    churn_at: Annotated[str, _choice("churn_at")] | None = None
    discounts: Annotated[str, _choice("discounts")] | None = None
    horizon_months: int = Field(default=defined.HORIZON_MONTHS, ge=1, le=120)

    @property
    def chosen(self) -> defined.Definitions:
        """Every switch set: by itself, else by the preset."""
        switches = {s: made for s in defined.CHOICES if (made := getattr(self, s)) is not None}
        return defined.chosen(self.preset, switches, horizon_months=self.horizon_months)


class Settings(_Part):
    """The whole of csa.yml; `root` is its folder.

    `rates` give for one unit of another currency its worth in `currency`: a number, or several by
    the day from which each holds (`{2025-01-01: 0.95, 2026-01-01: 0.91}`).
    """

    version: Literal[1] = 1
    name: str
    currency: Currency
    timezone: Zone
    locale: Annotated[str, AfterValidator(rules.locale)] = "en"
    week_start: Literal["monday", "sunday"] = "monday"
    fiscal_year_start: int = Field(default=1, ge=1, le=12)
    rates: dict[Currency, Rate] = {}
    data: Data
    definitions: Definitions = Definitions()
    checks: tuple[OwnCheck, ...] = ()
    targets: dict[str, Target] = {}
    reports: dict[Name, Report] = {}

    _root: Path = PrivateAttr(default_factory=Path.cwd)

    @property
    def root(self) -> Path:
        """Folder of csa.yml; all its paths are relative to it."""
        return self._root

    @property
    def dated_rates(self) -> DatedRates:
        """Currencies with rates by day, but for the workspace's own; days ascending."""
        return tuple(
            (code, tuple(sorted(rate.items())))
            for code, rate in sorted(self.rates.items())
            if isinstance(rate, dict) and code != self.currency
        )


def load(path: Path | None = None) -> Settings:
    """Read and validate csa.yml.

    Parameters
    ----------
    path : Path, optional
        The file or its folder. Default: the environment variable CSA_WORKSPACE, else the nearest
        csa.yml from the working directory upwards.

    Returns
    -------
    Settings
        Frozen; nothing outside csa.yml has been looked at yet.

    Raises
    ------
    ConfigError
        If there is no csa.yml, or with all its faults at once, each with its path in the file.
    """
    file = _find(path)
    try:
        raw = yaml.load(file.read_text(encoding="utf-8-sig"), Loader)  # noqa: S506 (a SafeLoader)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{FILE}: not a text file in UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{FILE}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{FILE}: {rules.yaml_fault(error)}") from error
    return from_mapping(raw, root=file.parent)


def from_mapping(raw: object, *, root: Path) -> Settings:
    """Validate settings that are already in memory.

    Parameters
    ----------
    raw : object
        What csa.yml says, as a mapping.
    root : Path
        Folder to which its paths are relative.

    Returns
    -------
    Settings
        Frozen.

    Raises
    ------
    ConfigError
        With all faults at once, each with its path in the file.
    """
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{FILE}: holds no settings; `csa init FOLDER` proposes them")
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(*(f"{FILE}: {line}" for line in describe(error, Settings))) from error
    settings._root = root.resolve()
    return settings


def _find(path: Path | None) -> Path:
    wanted = path or (Path(w) if (w := os.environ.get("CSA_WORKSPACE")) else None)
    if wanted is not None:
        file = wanted / FILE if wanted.is_dir() else wanted
        if not file.is_file():
            said = "" if path else " (said by CSA_WORKSPACE)"
            raise ConfigError(f"{FILE}: not found at {wanted}{said}; `csa init FOLDER` writes one")
        return file
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise ConfigError(
        f"{FILE}: not found here or in a folder above; `csa init FOLDER` proposes one for the "
        "files in FOLDER, or set CSA_WORKSPACE to the folder that holds it"
    )
