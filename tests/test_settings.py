"""csa.yml: what is read, what is refused, and in which words."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from csa import settings
from csa.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
GOOD = """
version: 1
name: Acme Cloud
currency: EUR
timezone: Europe/Berlin
data:
  sources:
    files: {path: data}
    warehouse: {url_env: CSA_DATABASE_URL}
    company: {database: company.duckdb}
    shared: {path_env: CSA_DATA, path: ravenstack}
  tables:
    accounts:
      source: files
      file: customers.csv
      columns:
        account_id: customer_id
        signed_up_on: {from: signup, format: "%d-%m-%Y"}
        segment: {value: all}
        owner: {value: null}
      where: "is_test = false"
      observed_from: 2022-01-01
    subscriptions: {observed_from: always}
    surveys:
checks:
  - {name: flag, table: accounts, severity: warning, sql: "select 1", fix: "look"}
targets: {logo_churn_rate: {value: 0.02, warn: 0.03, better: lower}}
rates: {USD: 0.92}
definitions: {preset: chartmogul, grr: cohort}
reports:
  monthly:
    title: Monthly
    chapters: [churn, data_quality]
    every: month
    at: 17:30
    parameters: {churn: {by: segment}}
    recipients: [cs-leads@example.com]
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a csa.yml and go to its folder."""
    monkeypatch.delenv("CSA_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        (tmp_path / "csa.yml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def faults(written, text):
    with pytest.raises(ConfigError) as caught:
        settings.load(written(text))
    return list(caught.value.faults)


def test_rates_may_be_stated_by_day(written):
    text = GOOD.replace("USD: 0.92", "USD: {2026-01-01: 0.91, 2025-01-01: 0.95}, GBP: 1.17")
    read = settings.load(written(text))
    steps = ((date(2025, 1, 1), Decimal("0.95")), (date(2026, 1, 1), Decimal("0.91")))
    assert read.dated_rates == (("USD", steps),)
    assert read.rates["GBP"] == Decimal("1.17")


def test_load_reads_everything(written):
    read = settings.load(written(GOOD))
    assert read.root == written(GOOD).resolve()
    accounts = read.data.tables["accounts"]
    assert accounts.columns["account_id"].from_ == "customer_id"
    assert accounts.columns["signed_up_on"].format == "%d-%m-%Y"
    assert accounts.columns["segment"].constant
    assert accounts.columns["owner"].constant
    assert accounts.columns["owner"].value is None
    assert not accounts.columns["account_id"].constant
    assert accounts.observed_from == date(2022, 1, 1)
    assert read.data.tables["subscriptions"].observed_from == "always"
    assert read.data.grace_days == 30
    assert read.rates == {"USD": Decimal("0.92")}
    assert (read.definitions.chosen.nrr, read.definitions.chosen.grr) == ("flow", "cohort")
    report = read.reports["monthly"]
    assert report.at == "17:30"  # not 1050 minutes, as YAML 1.1 has it
    assert report.formats == ("html", "pdf")
    assert read.targets["logo_churn_rate"].warn == 0.03


def test_the_project_s_own_settings_are_valid():
    own = settings.load(ROOT)
    assert own.currency == "EUR"
    assert own.timezone == "Europe/Berlin"
    chapters = ("revenue", "retention", "churn", "risk", "clv", "data_quality")
    assert own.reports["monthly"].chapters == chapters


def test_settings_are_frozen_and_keep_no_secret(written, monkeypatch):
    monkeypatch.setenv("CSA_DATABASE_URL", "postgresql://me:hunter2@example.com/db")
    read = settings.load(written(GOOD))
    with pytest.raises(ValueError, match="frozen"):
        read.name = "Other"
    assert "hunter2" not in repr(read) + read.model_dump_json()


def test_search_goes_upwards_and_the_variable_wins(written, tmp_path, monkeypatch):
    written(GOOD)
    below = tmp_path / "notebooks" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert settings.load().root == tmp_path.resolve()
    other = tmp_path / "other"
    other.mkdir()
    (other / "csa.yml").write_text(GOOD.replace("Acme", "Other"))
    monkeypatch.setenv("CSA_WORKSPACE", str(other))
    assert settings.load().name == "Other Cloud"
    monkeypatch.setenv("CSA_WORKSPACE", "")
    assert settings.load().name == "Acme Cloud"


def test_no_settings_point_to_csa_init(tmp_path, monkeypatch):
    monkeypatch.delenv("CSA_WORKSPACE", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="csa init FOLDER"):
        settings.load()
    monkeypatch.setenv("CSA_WORKSPACE", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match="said by CSA_WORKSPACE"):
        settings.load()
    with pytest.raises(ConfigError, match="not found at"):
        settings.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("currency: EUR", "currency: Euro", 'currency: "Euro" is not a currency code; write for'),
        (
            "Europe/Berlin",
            "Europe/Berln",
            'timezone: "Europe/Berln" is not a time zone; did you mean "Europe/Berlin"?',
        ),
        ("17:30", "25:00", 'reports.monthly.at: "25:00" is not HH:MM'),
        ("version: 1", "version: 2", "version: 2 is not one of 1"),
        ("name: Acme Cloud\n", "", "name: missing; add name: ..."),
        ("every: month", "evry: month", 'reports.monthly.evry: unknown key; did you mean "every"?'),
        (
            "every: month",
            "every: fortnight",
            'reports.monthly.every: "fortnight" is not one of day, week, month, quarter, year',
        ),
        (
            "{churn: {by: segment}}",
            "{chrn: {by: segment}}",
            'reports.monthly: parameters for "chrn", which is not in chapters; '
            'did you mean "churn"?',
        ),
        ("[churn, data_quality]", "[]", "reports.monthly.chapters: is empty; it needs at least"),
        ("cs-leads@", "cs leads@", "recipients[1]: "),
        ("warn: 0.03", "warn: 0.01", "targets.logo_churn_rate: warn 0.01 is stricter than value"),
        ("{path: data}", "{path: data, database: x}", "data.sources.files: give one of path"),
        ("{path: data}", "{}", "data.sources.files: give one of path"),
        ("{path: data}", "{url: x}", "data.sources.files.url: unknown key"),
        ('"%d-%m-%Y"', '"dd-mm"', 'signed_up_on.format: "dd-mm" is not a date format'),
        ('"%d-%m-%Y"', '"%Q"', "%Q is unknown"),
        (", better: lower", "", "targets.logo_churn_rate.better: missing"),
        ("0.92", "-1", "rates.USD: -1: input should be greater than 0"),
        ("0.92", "{}", "rates.USD: is empty; it needs at least one entry"),
        ("0.92", "{2025-01-01: 0}", "rates.USD.2025-01-01: 0: input should be greater than 0"),
        ("0.92", "{spring: 1}", 'rates.USD.spring: "spring" is not a day as 2026-10-31'),
        (
            "chartmogul",
            "chart mogul",
            'definitions.preset: "chart mogul" is not known; did you mean "chartmogul"?',
        ),
        ("grr: cohort", "grr: x", 'definitions.grr: "x" is not known; known are cohort, flow'),
        ("grr: cohort", "ngr: flow", 'definitions.ngr: unknown key; did you mean "nrr"?'),
        ("grr: cohort", "horizon_months: 0", "definitions.horizon_months: 0: input should be"),
        ("file: customers.csv", "file: a\n      query: b", "accounts: give one of file, table,"),
        ("{value: all}", "[a]", "columns.segment: [a] is neither a column of the source nor"),
        ("{value: all}", "{value: a, from: b}", "columns.segment: a constant has only value"),
        ("2022-01-01", "5", "observed_from: 5 is neither always nor a day"),
        ("fix: ", "fx: ", "checks[1].fix: missing"),
        ("  monthly:\n", "  my report:\n", '"my report" is not a name'),
        ("files: {path: data}", "", None),
    ],
)
def test_faults_name_the_place_and_the_way_out(written, old, new, fault):
    assert old in GOOD
    text = GOOD.replace(old, new)
    if fault is None:
        assert settings.load(written(text)).data.sources
        return
    lines = faults(written, text)
    assert all(line.startswith("csa.yml: ") for line in lines)
    assert any(fault in line for line in lines), lines


def test_all_faults_come_at_once(written):
    lines = faults(
        written, GOOD.replace("EUR", "Euro").replace("Europe/Berlin", "Mars").replace("17:30", "7")
    )
    assert [line.split(": ")[1] for line in lines] == [
        "currency",
        "timezone",
        "reports.monthly.at",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "holds no settings"),
        ("- a\n- b\n", "holds no settings"),
        ("name: a\nname: b\n", 'line 2: key "name" is there twice'),
        ("name: [a\n", "line 2: "),
        ("name: a: b\n", "line 1: mapping values are not allowed here"),
    ],
)
def test_what_is_no_settings_file_is_one_fault(written, text, fault):
    (line,) = faults(written, text)
    assert line.startswith("csa.yml: ")
    assert fault in line


def test_bytes_that_are_no_text(written, tmp_path):
    written("")
    (tmp_path / "csa.yml").write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(ConfigError, match="not a text file in UTF-8"):
        settings.load(tmp_path)


def test_yaml_words_mean_what_they_show(written):
    text = GOOD.replace("Acme Cloud", "no").replace("{by: segment}", "{by: on, n: 010}")
    read = settings.load(written(text))
    assert read.name == "no"
    assert read.reports["monthly"].parameters["churn"] == {"by": "on", "n": "010"}


def test_better_higher_reverses_the_warning_level(written):
    text = GOOD.replace(
        "value: 0.02, warn: 0.03, better: lower", "value: 9, warn: 8, better: higher"
    )
    assert settings.load(written(text)).targets["logo_churn_rate"].warn == 8
    lines = faults(written, text.replace("warn: 8", "warn: 10"))
    assert "although higher is better" in lines[0]
