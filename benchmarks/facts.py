"""How fast the fact tables are built, beside hand-written DuckDB SQL, Polars and pandas.

Run: python -m benchmarks.facts --messages 10_000_000 [--pandas-messages 2_000_000] [--folder FOLDER] [--only huitou sql]

Generates an invented shop straight into a lake, then runs each contender in a process of its own on the lake's Parquet files.
«huitou»: `huitou.facts.build` with everything: lock, rule pack, six tables stored and committed. «sql»: the same six tables by
hand-written DuckDB SQL (facts.sql), written as Parquet by month. «polars», «pandas»: only rounds with their waits and
sessions, that is the smaller part of the work, written as Parquet. pandas gets a fraction; its time is scaled up in proportion.
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import generate

TABLES = ("rounds", "sessions", "receptions", "order_service", "order_facts", "inquiries")
GAP_US = 600_000_000
MEMORY_LIMIT = "5GiB"
USED = ("customer_key", "agent_key", "sent_at", "day", "kind", "load", "row", "row_key")


def fill(folder: Path, n: int) -> tuple[int, int]:
    """A workspace with about `n` messages and a third as many orders as chats. Returns how many of each were stored."""
    from huitou.lake import Workspace

    workspace = Workspace.create(folder, shop="青麓男包旗舰店")
    counts = [0, 0]
    with workspace.lake.write("benchmark") as writer:
        for number, talks in enumerate(generate.messages(n), start=1):
            for i, (name, rows) in enumerate((("messages", talks), ("orders", generate.orders(talks, load=number)))):
                file = folder / f"{name}-{number}.txt"
                file.write_text(file.name)
                load = writer.begin(file, source="benchmark", main=name)
                for part in rows.drop("row_key", "load").iter_slices(250_000):
                    load.add(name, part)
                load.read(len(rows))
                counts[i] += load.commit().stored
    return counts[0], counts[1]


def parquet(folder: Path, table: str) -> list[str]:
    """The lake's files of a canonical table: one load per month, nothing replaced."""
    return [str(p) for p in sorted((folder / "lake/tables" / table).glob("month=*/*.parquet"))]


def run_huitou(folder: Path, share: float) -> dict[str, int]:
    from huitou.facts import build
    from huitou.lake import Workspace

    return build(Workspace.open(folder)).rows


def run_sql(folder: Path, share: float) -> dict[str, int]:
    import duckdb

    db = duckdb.connect(
        config={"memory_limit": MEMORY_LIMIT, "preserve_insertion_order": False, "temp_directory": str(folder / "sql-spill")}
    )
    db.execute("SET TimeZone = 'UTC'").fetchall()
    for table, times in (("messages", ("sent_at",)), ("orders", ("created_at", "paid_at", "shipped_at", "received_at"))):
        micros = ", ".join(f"epoch_us({t}) AS {t}" for t in times)
        db.execute(f"CREATE VIEW {table} AS SELECT * REPLACE ({micros}) FROM read_parquet({parquet(folder, table)})").fetchall()
    for statement in db.extract_statements(Path(__file__).with_name("facts.sql").read_text("utf-8")):
        db.execute(statement).fetchall()
    rows = {}
    for table in TABLES:
        target = folder / "sql" / table
        target.mkdir(parents=True, exist_ok=True)
        db.execute(
            f"COPY (SELECT *, strftime(day, '%Y-%m') AS month FROM {table}) TO '{target}' (FORMAT parquet, COMPRESSION zstd,"
            " PARTITION_BY (month), OVERWRITE_OR_IGNORE)"
        ).fetchall()
        rows[table] = db.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    return rows


def run_polars(folder: Path, share: float) -> dict[str, int]:
    import polars as pl

    pair = ["customer_key", "agent_key"]
    c, n = pl.col("kind") == "customer", pl.col
    talk = (
        pl.scan_parquet(parquet(folder, "messages")).select(*USED).filter(n("kind").is_in(["customer", "agent"]))
        .with_columns(sent_at=n("sent_at").dt.epoch("us"), c=c).drop("kind").collect()
        .sort(*pair, "sent_at", "load", "row")
        .with_columns(
            before=n("c").shift().over(pair), at_before=n("sent_at").shift().over(pair), day_before=n("day").shift().over(pair)
        )
        .with_columns(
            starts=n("c") & (n("before").is_null() | ~n("before") | (n("day_before") != n("day"))),
            opens=n("at_before").is_null() | (n("sent_at") - n("at_before") >= GAP_US),
        )
        .with_columns(round_no=n("starts").cum_sum().over(pair), session_no=n("opens").cum_sum().over(pair))
    )  # fmt: skip
    rounds = talk.filter(n("round_no") > 0).group_by(*pair, "round_no").agg(
        asked_at=n("sent_at").min(), day=n("day").min(), questions=n("c").sum(),
        answered_at=n("sent_at").filter(~n("c")).min(), answered_day=n("day").filter(~n("c")).min(),
        asked_key=n("row_key").first(),
    ).with_columns(wait_s=pl.when(n("answered_day") == n("day")).then((n("answered_at") - n("asked_at")) / 1e6))  # fmt: skip
    sessions = talk.group_by(*pair, "session_no").agg(
        started_at=n("sent_at").min(), ended_at=n("sent_at").max(), agent_messages=(~n("c")).sum()
    )
    return _written(folder / "polars", rounds=rounds, sessions=sessions)


def run_pandas(folder: Path, share: float) -> dict[str, int]:
    import pandas as pd
    import pyarrow.parquet as pq

    pair = ["customer_key", "agent_key"]
    frames = [pq.read_table(f, columns=list(USED)).to_pandas() for f in parquet(folder, "messages")]
    talk = pd.concat([f.iloc[: int(len(f) * share)] for f in frames], ignore_index=True)
    talk = talk[talk["kind"].isin(["customer", "agent"])]
    talk = talk.assign(c=talk["kind"] == "customer").sort_values([*pair, "sent_at", "load", "row"])
    groups = talk.groupby(pair, sort=False)
    before, at_before, day_before = groups["c"].shift(), groups["sent_at"].shift(), groups["day"].shift()
    talk["starts"] = talk["c"] & (before.isna() | (before == False) | (day_before != talk["day"]))  # noqa: E712
    talk["opens"] = at_before.isna() | (talk["sent_at"] - at_before >= pd.Timedelta(microseconds=GAP_US))
    groups = talk.groupby(pair, sort=False)
    talk["round_no"], talk["session_no"] = groups["starts"].cumsum(), groups["opens"].cumsum()
    asked = talk[talk["round_no"] > 0]
    rounds = asked.groupby([*pair, "round_no"], sort=False).agg(
        asked_at=("sent_at", "min"), day=("day", "min"), questions=("c", "sum"), asked_key=("row_key", "first")
    )
    replies = (
        asked[~asked["c"]]
        .groupby([*pair, "round_no"], sort=False)
        .agg(answered_at=("sent_at", "min"), answered_day=("day", "min"))
    )
    rounds = rounds.join(replies).reset_index()
    wait = (rounds["answered_at"] - rounds["asked_at"]).dt.total_seconds()
    rounds["wait_s"] = wait.where(rounds["answered_day"] == rounds["day"])
    sessions = talk.assign(a=~talk["c"]).groupby([*pair, "session_no"], sort=False).agg(
        started_at=("sent_at", "min"), ended_at=("sent_at", "max"), agent_messages=("a", "sum")
    )  # fmt: skip
    return _written(folder / "pandas", rounds=rounds, sessions=sessions.reset_index())


def _written(folder: Path, **tables: object) -> dict[str, int]:
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        file = folder / f"{name}.parquet"
        if hasattr(table, "write_parquet"):
            table.write_parquet(file)
        else:
            table.to_parquet(file, compression="zstd")  # type: ignore[attr-defined]
    return {name: len(table) for name, table in tables.items()}  # type: ignore[arg-type]


RUNS: dict[str, Callable[[Path, float], dict[str, int]]] = {
    "huitou": run_huitou, "sql": run_sql, "polars": run_polars, "pandas": run_pandas,
}  # fmt: skip


NEEDS = {
    "huitou": ("huitou.facts", "ibis.backends.duckdb", "pandas"),
    "sql": ("duckdb",),
    "polars": ("polars",),
    "pandas": ("pandas", "pyarrow.parquet"),
}


def timed(name: str, folder: Path, share: float) -> None:
    """Run one contender in this process and print its figures as one line of JSON. Imports are not counted, for any of them."""
    for module in NEEDS[name]:
        importlib.import_module(module)
    began, cpu = time.perf_counter(), time.process_time()
    rows = RUNS[name](folder, share)
    figures = {"seconds": time.perf_counter() - began, "cpu_s": time.process_time() - cpu, "rows": rows}
    figures["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures))


def measured(name: str, folder: Path, share: float) -> dict[str, float]:
    """Run one contender in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.facts", "--run", name, "--folder", str(folder), "--share", str(share)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def compare(folder: Path, n: int, pandas_n: int, only: list[str]) -> None:
    """Print the table of all contenders."""
    messages, orders = fill(folder, n)
    print(f"{messages:,} messages, {orders:,} orders, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the start")
    print(f"{'':8} {'seconds':>8} {'CPU s':>7} {'messages/s':>12} {'ratio':>6} {'peak MiB':>9}  rows")
    base = None
    for name in only:
        share = min(1.0, pandas_n / messages) if name == "pandas" else 1.0
        found = measured(name, folder, share)
        seconds = found["seconds"] / share
        base = base or seconds
        scaled = "" if share == 1 else f" (run on {share:.0%}, time scaled)"
        print(
            f"{name:8} {seconds:8.2f} {found['cpu_s'] / share:7.2f} {messages / seconds:12,.0f} {seconds / base:6.2f}"
            f" {found['peak_mib']:9,.0f}  {found['rows']}{scaled}", flush=True,
        )  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=lambda s: int(s.replace("_", "")), default=10_000_000)
    parser.add_argument("--pandas-messages", type=lambda s: int(s.replace("_", "")), default=2_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--run", choices=RUNS, help=argparse.SUPPRESS)
    parser.add_argument("--share", type=float, default=1.0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        timed(args.run, args.folder, args.share)
        return
    with tempfile.TemporaryDirectory(prefix="huitou-facts-", dir=args.folder) as folder:
        compare(Path(folder), args.messages, args.pandas_messages, args.only)


if __name__ == "__main__":
    main()
