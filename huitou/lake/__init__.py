"""Where tables live: Delta tables by month, the load ledger, the vault of raw identities, and the two engines.

Comes in: canonical rows as Polars frames (from sources) and fact expressions (from facts). Goes out: pinned snapshots
whose tables are Ibis expressions. `duckdb.py` and `spark.py` are the only files of the product that know an engine.

The door, used by everything above::

    ws = Workspace.create(path, shop="青麓男包旗舰店") / Workspace.open(path)
    with ws.lake.write("import orders.csv") as writer:            # one writer; LakeBusy names the other
        load = writer.begin(file, source="tmall.orders", main="orders")
        load.known_as                                             # LoadReport of an earlier load of the same bytes, or None
        load.add("orders", frame)                                 # canonical columns (+ "row"); times as int64 µs
        load.read(n_rows); load.set_aside(problems); load.note(counts)
        report = load.commit()                                    # all tables at once, or nothing; LoadReport
    with ws.read() as snapshot:                                   # pinned: later loads do not show; facts of settings.rules
        snapshot.has("messages"); snapshot.months("messages")
        t = snapshot.table("orders", months=None)                 # Ibis; newest version of each order; times int64 µs
        snapshot.frame(expr) -> pl.DataFrame
    with ws.lake.write("build") as writer:
        changed = writer.changed("tmall-2025", fingerprint)       # canonical table → months changed since the last build
        build = writer.build("tmall-2025", fingerprint)
        build.snapshot.table("messages")                          # the canonical tables to build from
        build.stage("rounds", expr, months)                       # computed at once, written meanwhile; months None = all
        build.table("rounds")                                     # staged months + those that were not replaced
        build.commit()
    ws.lake.loads(); ws.lake.problems(); ws.lake.check()
"""

from huitou.lake.workspace import Workspace

__all__ = ["Workspace"]
