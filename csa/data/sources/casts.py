"""From a source's values to canonical types; what cannot be cast becomes missing.

DuckDB parses text itself (`try_cast`, `try_strptime`). Other engines have no cast that survives a
bad value, so text is matched against a pattern first and only then cast; both ways accept the
same texts. Local times are naive: a time with an offset, or of a column with another zone, is
moved into the workspace's zone, everything else is taken to be in it already.
"""

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from csa.data.columns import IBIS_TYPES, Kind
from csa.data.sources import formats
from csa.data.sources.portable_dates import parse_portable
from csa.settings import ColumnMapping
from csa.settings_rules import EPOCHS

# Words for missing. A pattern, because DuckDB makes a join of a long IN list.
MISSING = r"^\s*(|na|n/a|nan|nat|null|none|nil|-|\\n)\s*$"
_TRUE = r"^\s*(true|t|yes|y|1|on)\s*$"
_FALSE = r"^\s*(false|f|no|n|0|off)\s*$"
_DECIMAL = r"^\s*[+-]?([0-9]{1,14}(\.[0-9]*)?|\.[0-9]+)\s*$"
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?\s*$"
_INTEGER = r"^\s*[+-]?[0-9]{1,18}(\.0*)?\s*$"
_ISO = r"^\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(\s*$|[ T]([01]?[0-9]|2[0-3]):)"
_OFFSET = r"[0-9]:[0-9][0-9](:[0-9.]+)? ?(Z|UTC|[+-][0-9][0-9](:?[0-9][0-9])?)\s*$"
_SECONDS = (r"([ T][0-9]{1,2}:[0-9]{2})([Z+-])", r"\1:00\2")  # DuckDB wants them before an offset
_SPARK_GROUPS = "$1:00$2"
_YEAR = "[0-9]{4}"
_UTC = dt.Timestamp(timezone="UTC")
_LARGEST = 1e14  # money is decimal(18,4)


# Functions of the engines that Ibis has no name for.
_builtin = ibis.udf.scalar.builtin
_instant = _builtin(
    lambda zone, local: ..., name="timezone", signature=(("string", "timestamp"), _UTC)
)
_local = _builtin(
    lambda zone, moment: ..., name="timezone", signature=(("string", _UTC), "timestamp")
)
_moment = _builtin(lambda seconds: ..., name="to_timestamp", signature=(("float64",), _UTC))
_instant_spark = _builtin(
    lambda local, zone: ..., name="to_utc_timestamp", signature=(("timestamp", "string"), _UTC)
)
_local_spark = _builtin(
    lambda moment, zone: ..., name="from_utc_timestamp", signature=((_UTC, "string"), "timestamp")
)
_moment_spark = _builtin(
    lambda seconds: ..., name="timestamp_seconds", signature=(("float64",), _UTC)
)
_strptime = _builtin(
    lambda text, forms: ...,
    name="try_strptime",
    signature=(("string", "array<string>"), "timestamp"),
)
_strptime_zone = _builtin(
    lambda text, form: ..., name="try_strptime", signature=(("string", "string"), _UTC)
)
_trim = _builtin(lambda text: ..., name="trim", signature=(("string",), "string"))


def present(raw: ir.Column, kind: Kind) -> ir.Column:
    """Return a source's value, missing where it is a word for missing.

    Parameters
    ----------
    raw : ir.Column
        Column of the source.
    kind : str
        Canonical kind; "NA" may be a text (North America), but is no number.

    Returns
    -------
    ir.Column
        Of the source's type.
    """
    kept = raw
    if raw.type().is_floating():
        kept = ibis.ifelse(raw.isnan() | raw.isinf(), ibis.null(raw.type()), raw)
    elif raw.type().is_string():
        text = _trim(raw)
        missing = (text == "") if kind in {"id", "text"} else raw.lower().re_search(MISSING)
        kept = ibis.ifelse(missing, ibis.null("string"), text)
    return kept


class Casts:
    """Casts into the canonical types of one workspace on one engine.

    Parameters
    ----------
    zone : str
        The workspace's time zone.
    engine : str
        Ibis's name of the backend.
    trimmed : bool
        Whether text loses the blanks around it, as that from a CSV should.
    """

    def __init__(self, zone: str, *, engine: str, trimmed: bool = True) -> None:
        self._zone = zone
        self._duck = engine == "duckdb"
        self._spark = engine == "pyspark"
        self._trimmed = trimmed

    def cast(self, raw: ir.Column, kind: Kind, mapping: ColumnMapping) -> ir.Value:
        """Return the canonical value of a source's column.

        Parameters
        ----------
        raw : ir.Column
            Column of the source, as it is.
        kind : str
            Canonical kind.
        mapping : ColumnMapping
            Format, zone and decimal sign; a missing format of a text means ISO 8601.

        Returns
        -------
        ir.Value
            Missing where the value does not fit the kind.

        Notes
        -----
        Words for missing fit no kind but text, so they need no look; and text is named as few
        times as can be, because an engine evaluates it each time.
        """
        if kind in {"id", "text"}:
            return self.text(raw)
        value = raw if raw.type().is_string() else present(raw, kind)
        if kind in {"date", "time"}:
            return self._time(value, mapping, kind).cast(IBIS_TYPES[kind])
        if value.type().is_string() and kind != "flag":
            value = _plain(value, mapping.decimal)
        return getattr(self, f"_{kind}")(value)

    def text(self, value: ir.Value) -> ir.Value:
        """Return a value as text.

        Parameters
        ----------
        value : ir.Value
            Of any type; text from a CSV is trimmed.

        Returns
        -------
        ir.Value
            Missing where it is empty.
        """
        if value.type().is_string():
            return (_trim(value) if self._trimmed else value).nullif("")
        if value.type().is_floating() or value.type().is_decimal():  # 17850.0, as pandas has it
            whole = self._whole(value.cast("float64")).cast("string")
            return ibis.coalesce(whole, value.cast("string"))
        return value.cast("string")

    # numbers -------------------------------------------------------------------------------

    def _try(self, value: ir.Value, to: str) -> ir.Value:
        return value.try_cast(to) if self._duck else value.cast(to)

    def _guarded(self, text: ir.StringValue, pattern: str, to: str) -> ir.Value:
        return self._try(ibis.ifelse(text.re_search(pattern), text, ibis.null("string")), to)

    def _number(self, value: ir.Value) -> ir.Value:
        if value.type().is_string():
            value = self._guarded(value, _NUMBER, "float64")
        return value.cast("float64")

    def _money(self, value: ir.Value) -> ir.Value:
        exact = IBIS_TYPES["money"]
        if value.type().is_string():
            plain = self._guarded(value, _DECIMAL, exact)
            return ibis.coalesce(plain, self._bounded(self._number(value), exact))
        if value.type().is_integer() or value.type().is_floating():
            return self._bounded(value, exact)
        return self._try(value, exact)

    def _bounded(self, number: ir.Value, to: str) -> ir.Value:
        return self._try(ibis.ifelse(number.abs() < _LARGEST, number, ibis.null(number.type())), to)

    def _integer(self, value: ir.Value) -> ir.Value:
        if value.type().is_integer():
            return value.cast("int64")
        if value.type().is_string():
            whole = ibis.ifelse(value.re_search(_INTEGER), value, ibis.null("string"))
            whole = self._try(whole.re_replace(r"\.0*\s*$", ""), "int64")
            return ibis.coalesce(whole, self._whole(self._number(value)))
        return self._whole(value.cast("float64"))

    def _whole(self, number: ir.FloatingValue) -> ir.Value:
        near = ibis.ifelse(number.abs() < _LARGEST, number, ibis.null("float64"))
        return self._try(ibis.ifelse(near == near.floor(), near, ibis.null("float64")), "int64")

    def _flag(self, value: ir.Value) -> ir.Value:
        if value.type().is_boolean():
            return value
        word = value.cast("string").lower()
        return ibis.cases((word.re_search(_TRUE), True), (word.re_search(_FALSE), False))

    # times ---------------------------------------------------------------------------------

    def _time(self, value: ir.Value, mapping: ColumnMapping, to: Kind) -> ir.Value:
        kind, form = value.type(), mapping.format
        if form in EPOCHS:
            number = self._number(value) / (1000 if form == "epoch_ms" else 1)
            near = ibis.ifelse(number.abs() < _LARGEST / 1000, number, ibis.null("float64"))
            return self._local((_moment_spark if self._spark else _moment)(near))
        if kind.is_date():
            return value.cast("timestamp")
        if kind.is_timestamp() and kind.timezone:
            return self._local(value)
        if kind.is_timestamp():
            return self._shift(value, mapping.timezone)
        text = value.cast("string")
        moment = self._parsed(text, form, mapping.timezone)
        if to == "date" and mapping.timezone not in {None, self._zone}:
            # a day without a time of day is the same day everywhere
            moment = ibis.ifelse(text.contains(":"), moment, self._parsed(text, form, None))
        return moment

    def _shift(self, naive: ir.Value, zone: str | None) -> ir.Value:
        if zone in {None, self._zone}:
            return naive
        moment = _instant_spark(naive, zone) if self._spark else _instant(zone, naive)
        return self._local(moment)

    def _local(self, moment: ir.Value) -> ir.Value:
        if self._spark:
            return _local_spark(moment, self._zone)
        return _local(self._zone, moment)

    def _parsed(self, text: ir.StringValue, form: str | None, zone: str | None) -> ir.Value:
        if not self._duck:
            return self._portable(text, form, zone)
        if form in {None, formats.ISO}:
            moment = self._local(text.re_replace(*_SECONDS).try_cast(_UTC))
            naive = self._shift(text.try_cast("timestamp"), zone)
            # without the pattern DuckDB reads 24-01-05 as a day in the year 24
            parsed = ibis.ifelse(text.re_search(_OFFSET), moment, naive)
            return ibis.ifelse(text.re_search(_ISO), parsed, ibis.null("timestamp"))
        if "%z" in form:
            return self._local(_strptime_zone(_trim(text), form))
        forms = formats.spellings(form) if form in formats.DAYS else [form]
        moment = _strptime(_trim(text), ibis.array(forms))
        if "%Y" in form:
            moment = ibis.ifelse(text.re_search(_YEAR), moment, ibis.null("timestamp"))
        return self._shift(moment, zone)

    def _portable(self, text: ir.StringValue, form: str | None, zone: str | None) -> ir.Value:
        text = text.strip()
        if form not in {None, formats.ISO}:
            return self._shift(parse_portable(text, form), zone)
        offset = text.re_search(_OFFSET)
        moment = ibis.ifelse(offset, text, ibis.null("string"))
        good = parse_portable(moment, formats.ISO).notnull()
        moment = ibis.ifelse(good, moment, ibis.null("string"))
        pattern, groups = _SECONDS
        moment = moment.re_replace(pattern, groups if not self._spark else _SPARK_GROUPS).cast(_UTC)
        naive = ibis.ifelse(offset, ibis.null("string"), text)
        return ibis.coalesce(
            self._local(moment), self._shift(parse_portable(naive, formats.ISO), zone)
        )


def refusal(source: dt.DataType, kind: Kind, mapping: ColumnMapping) -> str | None:
    """Say why a column of this type cannot become this kind, or None.

    Parameters
    ----------
    source : dt.DataType
        Ibis type in the source.
    kind : str
        Canonical kind.
    mapping : ColumnMapping
        How it is mapped.

    Returns
    -------
    str or None
        As in "holds boolean, not dates".
    """
    if source.is_string() or source.is_null():
        return None
    words = {"date": "dates", "time": "times", "money": "amounts", "integer": "whole numbers"}
    refused = f"holds {source}, not {words.get(kind, kind + 's')}"
    if kind in {"date", "time"}:
        if source.is_integer() and mapping.format is None:
            return refused + "; state its format, for example epoch, epoch_ms or %Y%m%d"
        fine = source.is_temporal() or source.is_integer() or mapping.format in EPOCHS
        return None if fine and not source.is_time() else refused
    if kind in {"money", "number", "integer"}:
        return None if source.is_numeric() and not source.is_boolean() else refused
    if kind == "flag":
        return None if source.is_boolean() or source.is_integer() else refused
    return refused if source.is_nested() or source.is_binary() else None


def _plain(text: ir.StringValue, decimal: str | None) -> ir.StringValue:
    """Strip thousands separators and currency signs."""
    if decimal is None:
        return text
    text = text.re_replace("[\\s\u00a0\u202f'$€£¥]", "")
    if decimal == ",":
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "")
