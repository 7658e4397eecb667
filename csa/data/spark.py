"""Spark as a source: a session by URL, and an Ibis backend whose results keep their types."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.schema as sch
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends import BaseBackend

from csa.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCHEME = "pyspark"
# Unless the URL says otherwise: nothing listens, nothing is drawn over the progress of a report.
DEFAULTS = {
    "spark.app.name": "csa",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
PART_ROWS = 1_000_000  # brought back at a time; 10 million of account_months overflow 1 GB
_INSTANT = dt.Timestamp(timezone="UTC")


def open_spark(url: str) -> BaseBackend:
    """Open a Spark session, or join the one that runs.

    Parameters
    ----------
    url : str
        pyspark://?spark.master=local[2]&KEY=VALUE..., each key a property of Spark; `spark.remote`
        for Spark Connect. A path is the folder of the warehouse.

    Returns
    -------
    BaseBackend
        Ibis backend in UTC, as Ibis asks for.

    Raises
    ------
    ConfigError
        If pyspark is not installed.
    """
    try:
        from ibis.backends.pyspark import Backend  # noqa: PLC0415 (an optional extra)
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError:
        raise ConfigError("Spark is not installed; install csa[spark] and Java 17") from None
    joined = SparkSession.getActiveSession() is not None
    builder = SparkSession.builder
    for key, value in _properties(url).items():
        builder = builder.config(key, value)
    ibis.options.pyspark = Backend.Options()  # as Ibis does where it opens the backend itself
    backend: BaseBackend = _exact(Backend, joined=joined)()
    backend.do_connect(builder.getOrCreate())
    return backend


def _exact(base: type, *, joined: bool) -> type:
    """Ibis's backend without two of its losses.

    A TIMESTAMP of Spark is an instant, which Ibis takes for a local time; and results come through
    pandas, which makes floats of whole numbers where one is missing. A session that ran before,
    `joined`, is somebody else's and left running.
    """

    class Spark(base):  # type: ignore[misc]
        name = base.name  # type: ignore[attr-defined]

        def disconnect(self) -> None:
            if not joined:
                super().disconnect()

        def get_schema(self, table_name: str, **where: Any) -> sch.Schema:
            known = super().get_schema(table_name, **where)
            path = (where.get("catalog"), where.get("database"), table_name)
            full = ".".join(f"`{part}`" for part in path if part)
            return _with_instants(known, self._session.table(full).dtypes)

        def _get_schema_using_query(self, query: str) -> sch.Schema:
            known = super()._get_schema_using_query(query)
            return _with_instants(known, self.raw_sql(query).dtypes)

        def to_pyarrow(
            self,
            expr: ir.Expr,
            /,
            *,
            params: Mapping[ir.Scalar, Any] | None = None,
            limit: int | str | None = None,
            **_: Any,
        ) -> pa.Table:
            rows = expr.as_table()
            self._run_pre_execute_hooks(rows)
            found = self._session.sql(self.compile(rows, params=params, limit=limit)).toArrow()
            return expr.__pyarrow_result__(found.cast(rows.schema().to_pyarrow()))

        def to_parquet(self, expr: ir.Table, /, path: str | Path, **_: Any) -> None:
            from pyspark import StorageLevel  # noqa: PLC0415

            self._run_pre_execute_hooks(expr)
            schema = expr.schema().to_pyarrow()
            kept = self._session.sql(self.compile(expr)).persist(StorageLevel.DISK_ONLY)
            try:
                with pq.ParquetWriter(path, schema) as writer:
                    for part in _parts(kept):
                        writer.write_table(part.toArrow().cast(schema))
            finally:
                kept.unpersist()

    return Spark


def _parts(rows: "DataFrame") -> Iterator["DataFrame"]:
    """Rows in parts that the driver of Spark can hold."""
    from pyspark.sql import functions as f  # noqa: PLC0415 (an optional extra)

    count = -(-rows.count() // PART_ROWS)
    if count <= 1:
        yield rows
        return
    number = f.pmod(f.hash(*rows.columns), f.lit(count))
    for part in range(count):
        yield rows.where(number == part)


def _with_instants(schema: sch.Schema, kinds: Sequence[tuple[str, str]]) -> sch.Schema:
    instants = {name for name, kind in kinds if kind == "timestamp"}
    return sch.Schema({n: _INSTANT if n in instants else kind for n, kind in schema.items()})


def _properties(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    stated = dict(parse_qsl(parts.query))
    if folder := parts.path[1:]:
        stated.setdefault("spark.sql.warehouse.dir", str(Path(folder).absolute()))
    return DEFAULTS | stated
