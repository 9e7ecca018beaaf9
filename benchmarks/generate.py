"""Canonical rows of an invented shop, in any number, straight from random numbers: for benchmarks only.

Comes in: how many messages, over how many months, a seed. Goes out: Polars frames with the declared columns. Nothing here
is meant to look like a real shop beyond its shape: twelve messages to a chat, a third as many orders as chats, times in
whole seconds (so that ties happen), auto-replies after the first question, some transfers and system lines.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl

ZONE_S = 8 * 3600
"""The invented shop stands in a zone eight hours ahead of UTC."""
SHOP_KEY = 1_000_001
AGENTS = 40
KINDS = pl.Enum(["customer", "agent", "auto", "robot", "system", "transfer"])
MESSAGES_PER_CHAT = 12
CHATS_PER_ORDER = 3


def month_starts(months: int, first: date = date(2026, 1, 1)) -> list[date]:
    """The first days of `months` months, and the day after the last of them."""
    return [date(first.year + (first.month - 1 + i) // 12, (first.month - 1 + i) % 12 + 1, 1) for i in range(months + 1)]


def messages(n: int, *, months: int = 6, seed: int = 1) -> Iterator[pl.DataFrame]:
    """About `n` messages in one frame per month, with ``row_key``, ``load`` and ``row`` as the lake would add them."""
    starts = month_starts(months)
    for i, (begin, end) in enumerate(pairwise(starts)):
        rng = np.random.default_rng([seed, i])
        yield _month_of_messages(rng, n // months, begin, (end - begin).days, load=i + 1)


def _month_of_messages(rng: np.random.Generator, n: int, begin: date, days: int, *, load: int) -> pl.DataFrame:
    chats = max(1, n // MESSAGES_PER_CHAT)
    sizes = 1 + rng.poisson(MESSAGES_PER_CHAT - 1, chats)
    chat = np.repeat(np.arange(chats), sizes)
    place = np.arange(len(chat)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    opened = rng.integers(0, days - 1, chats) * 86400 + rng.integers(8 * 3600, 24 * 3600, chats)
    pause = np.where(place == 0, 0, rng.lognormal(3.2, 1.1, len(chat))).astype(np.int64)
    run = np.cumsum(pause)
    local = opened[chat] + run - run[np.cumsum(sizes) - sizes][chat]
    kind = rng.choice(6, len(chat), p=[0.47, 0.465, 0.03, 0.02, 0.01, 0.005])
    kind[place == 0] = 0
    kind[(place == 1) & (rng.random(len(chat)) < 0.6)] = 2
    hashes = rng.integers(0, 2**40, len(chat))
    return _frame(
        begin, local, load,
        customer_key=_customers(rng, chats)[chat], agent_key=(9_000 + rng.integers(0, AGENTS, chats))[chat], kind=kind,
        text_hash=hashes, chars=rng.integers(1, 60, len(chat)),
        product_key=np.where(rng.random(len(chat)) < 0.08, 500 + hashes % 300, -1),
    )  # fmt: skip


def _customers(rng: np.random.Generator, chats: int) -> np.ndarray:
    """Keys over the whole 63 bits; about a third of the customers come more than once a month."""
    return np.random.default_rng(7).integers(1, 2**62, 4 * chats)[rng.integers(0, int(chats * 1.2), chats)]


def _frame(begin: date, local: np.ndarray, load: int, **columns: np.ndarray) -> pl.DataFrame:
    midnight = int((datetime(begin.year, begin.month, begin.day) - datetime(1970, 1, 1)).total_seconds())
    rng = np.random.default_rng([load, 99])
    frame = pl.DataFrame({"local": local, **columns}).with_columns(
        shop_key=pl.lit(SHOP_KEY, pl.Int64),
        sent_at=(pl.col("local") + midnight - ZONE_S) * 1_000_000,
        day=pl.lit(begin) + pl.duration(days=pl.col("local") // 86400),
        second=pl.col("local") % 86400,
        kind=pl.col("kind").cast(pl.UInt32).replace_strict(dict(enumerate(KINDS.categories)), return_dtype=pl.String),
        text=pl.lit("亲，这款有货的 ") + pl.col("text_hash").cast(pl.String),
        product_key=pl.when(pl.col("product_key") >= 0).then("product_key"),
        row_key=pl.Series(rng.integers(1, 2**62, len(local))),
        load=pl.lit(load, pl.Int64),
        row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
    )
    return frame.drop("local").sort("customer_key", "agent_key", "sent_at", "row")


def orders(talks: pl.DataFrame, *, seed: int = 1, load: int = 1) -> pl.DataFrame:
    """A third as many orders as chats: most by customers of `talks` near the end of their chat, the rest silent."""
    chats = talks.group_by("customer_key", "agent_key", "day").agg(pl.col("sent_at").max(), pl.col("second").max())
    rng = np.random.default_rng([seed, load, 3])
    picked = chats.sort("customer_key", "agent_key", "day").sample(fraction=1 / CHATS_PER_ORDER, seed=seed + load)
    n = len(picked)
    silent, paid = rng.random(n) < 0.3, rng.random(n) < 0.78
    items = rng.integers(1, 4, n)
    return picked.sort("customer_key").select(
        shop_key=pl.lit(SHOP_KEY, pl.Int64),
        order_key=pl.Series(rng.integers(1, 2**62, n)),
        order_id=pl.int_range(n).cast(pl.String) + pl.lit(f"-{load}"),
        customer_key=pl.Series(np.where(silent, rng.integers(1, 2**62, n), picked.sort("customer_key")["customer_key"])),
        created_at=pl.col("sent_at") + pl.Series(rng.integers(-60, 3600, n) * 1_000_000),
        gross=pl.Series(rng.integers(2_000, 90_000, n)), paid=pl.Series(paid), items=pl.Series(items),
        lag=pl.Series(rng.integers(5, 5_000, n) * 1_000_000), refund=pl.Series(rng.random(n) < 0.12),
        product_key=pl.Series(500 + rng.integers(0, 300, n)),
    ).pipe(_order_columns, load)  # fmt: skip


def _order_columns(frame: pl.DataFrame, load: int) -> pl.DataFrame:
    local = pl.col("created_at") + ZONE_S * 1_000_000
    paid_at = pl.when("paid").then(pl.col("created_at") + pl.col("lag"))
    return frame.select(
        "shop_key", "order_key", "order_id", "customer_key", "created_at",
        day=pl.from_epoch(local, "us").dt.date(), second=local // 1_000_000 % 86400, paid_at=paid_at,
        paid_day=pl.from_epoch(paid_at + ZONE_S * 1_000_000, "us").dt.date(),
        shipped_at=paid_at + 86_400_000_000, received_at=paid_at + 4 * 86_400_000_000,
        status=pl.when("paid").then(pl.lit("done")).otherwise(pl.lit("closed")), close_reason=pl.lit(None, pl.String),
        prepaid=pl.lit(True), placed_fen="gross", gross_fen=pl.when("paid").then("gross").otherwise(0),
        refund_fen=pl.when(pl.col("paid") & pl.col("refund")).then("gross").otherwise(0), freight_fen=pl.lit(None, pl.Int64),
        items="items", product_key="product_key",
        region=pl.lit("浙江省"), courier=pl.lit(None, pl.String), currency=pl.lit("CNY"),
        row_key=pl.col("order_key"), load=pl.lit(load, pl.Int64), row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
    ).sort("customer_key", "created_at")  # fmt: skip


def last_day(months: int) -> date:
    """The last day that `messages` can fill."""
    return month_starts(months)[-1] - timedelta(days=1)
