"""The distributed engine: the same snapshots and expressions on Spark, over the same file lists."""

import os
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any
from uuid import uuid4

import ibis
import ibis.expr.types as ir
import polars as pl

from huitou.lake.delta import Catalog
from huitou.tables import TABLES, Table

_SPARK_TYPE = {
    "key": "BIGINT", "int": "BIGINT", "money": "BIGINT", "time": "BIGINT", "date": "DATE", "bool": "BOOLEAN", "float": "DOUBLE",
    "code": "STRING", "codes": "STRING", "text": "STRING",
}  # fmt: skip
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # a month such as 2026-05 is a text, whatever it looks like
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}


def compile_for_spark(expr: ir.Expr) -> str:
    """The expression as Spark SQL. Raises what Ibis raises for an operation that Spark does not have."""
    return str(ibis.to_sql(expr, dialect="pyspark"))


def local_session(cores: str = "*") -> Any:
    """A Spark session on this machine, without web pages. Needs the extra ``spark`` and Java 17."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  (an optional package)

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # text is read by Python workers, which need the same packages
    builder = SparkSession.builder.master(f"local[{cores}]").appName("huitou").config("spark.ui.enabled", "false")
    builder = builder.config("spark.sql.shuffle.partitions", "8").config("spark.driver.host", "127.0.0.1")
    return builder.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()


class SparkSnapshot:
    """A pinned state of the lake on Spark: the door of `huitou.lake.duckdb.Snapshot`. A context manager.

    `session` is a SparkSession (a shop's own cluster, or `local_session`); its workers must see the lake's folder.
    """

    def __init__(self, catalog: Catalog, session: Any) -> None:
        for key, value in _SETTINGS.items():
            session.conf.set(key, value)
        self._catalog = catalog
        self._session = session
        self._backend = ibis.pyspark.connect(session)

    @property
    def version(self) -> int:
        """Number of the newest finished commit that it shows; 0 for an empty lake."""
        return self._catalog.version

    @property
    def rules(self) -> str | None:
        """The rule pack whose facts it shows."""
        return self._catalog.rules

    def has(self, name: str) -> bool:
        """The table exists and holds rows."""
        return self._catalog.rows(name) > 0

    def months(self, name: str) -> list[str]:
        """Months that hold rows of the table, sorted."""
        return self._catalog.months(name)

    def table(self, name: str, months: Iterable[str] | None = None) -> ir.Table:
        """A canonical or fact table as the embedded engine shows it."""
        wanted = None if months is None else sorted(set(months))
        paths = self._catalog.paths(name, wanted)
        rows = self._rows(TABLES[name], paths)
        gone = self._catalog.superseded_paths(name, wanted)
        if paths and gone:
            rows = rows.join(self._session.read.parquet(*gone).select("row_key"), "row_key", "left_anti")
        view = f"{name}_{uuid4().hex[:8]}"
        rows.select(*(c.name for c in TABLES[name].stored), "month").createOrReplaceTempView(view)
        return self._backend.table(view)

    def _rows(self, table: Table, paths: list[str]) -> Any:
        if not paths:
            empty = [f"CAST(NULL AS {_SPARK_TYPE[c.type]}) AS `{c.name}`" for c in table.stored]
            return self._session.range(0).selectExpr(*empty, "CAST(NULL AS STRING) AS month")
        columns = [f"unix_micros(`{c.name}`) AS `{c.name}`" if c.type == "time" else f"`{c.name}`" for c in table.stored]
        folder = str(self._catalog.root / self._catalog.folder(table.name))
        return self._session.read.option("basePath", folder).parquet(*paths).selectExpr(*columns, "month")

    def named(self, expr: ir.Table) -> ir.Table:
        """The same rows under a name of their own, as in the embedded engine."""
        name = f"named_{uuid4().hex[:8]}"
        self._session.sql(self._backend.compile(expr)).createOrReplaceTempView(name)
        return self._backend.table(name)

    def frame(self, expr: ir.Expr) -> pl.DataFrame:
        """Run an expression over this snapshot's tables."""
        if isinstance(expr, ir.Scalar):
            expr = expr.as_table()
        # not by way of pandas, as Ibis does it: there a key in a column with empty cells becomes a float and loses digits
        return pl.DataFrame(pl.from_arrow(self._session.sql(self._backend.compile(expr)).toArrow()))

    def __enter__(self) -> "SparkSnapshot":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None
