"""What a metric may need from the imported files, and whether a snapshot has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from weakref import WeakKeyDictionary, proxy

import polars as pl

from huitou.tables import TABLES


class Reader(Protocol):
    """What metrics ask of a pinned snapshot of the lake."""

    @property
    def rules(self) -> str | None:
        """The rule pack whose facts it shows; None: not said."""
        ...

    def has(self, name: str) -> bool:
        """Whether the table holds any row."""
        ...

    def table(self, name: str, months: Sequence[str] | None = None) -> Any:
        """The table as an Ibis expression, newest versions only, times as int64 microseconds."""
        ...

    def named(self, expr: Any) -> Any:
        """The same rows under a name of their own: what many expressions read is put into the engine's words once."""
        ...

    def frame(self, expr: Any) -> pl.DataFrame:
        """The rows of an expression."""
        ...


WATCHED: dict[str, tuple[str, ...]] = {
    "orders": ("customer_key",),
    "order_facts": ("items", "refund_items"),
    "refunds": ("reason",),
    "reviews": ("rating", "reply_text"),
    "chat_sessions": ("satisfaction",),
    "traffic": ("page_views", "visits", "product_key", "item_visitors", "score_item"),
}
"""Columns that an export may lack and a metric may need."""


@dataclass(slots=True)
class Stock:
    """What a snapshot holds: asked once per table and remembered, since a snapshot does not change."""

    snapshot: Reader
    known: dict[str, dict[str, Any]] = field(default_factory=dict)

    def has(self, table: str) -> bool:
        """Whether the table holds any row."""
        return self.snapshot.has(table)

    def facts(self, table: str) -> dict[str, Any]:
        """Of each watched column the number of filled cells; min and max of the days (and of the orders' times and refunds)."""
        if table not in self.known:
            self.known[table] = self._ask(table) if self.snapshot.has(table) else {}
        return self.known[table]

    def any(self, table: str, column: str) -> bool:
        """Whether any row of the table carries the column."""
        return bool(self.facts(table).get(column))

    def _ask(self, table: str) -> dict[str, Any]:
        t, days = self.snapshot.table(table), [TABLES[table].month_of or ""]
        days += {"orders": ["created_at", "paid_at", "paid_day"], "order_facts": ["refund_fen"]}.get(table, [])
        asked = {name: t[name].count() for name in WATCHED.get(table, ())}
        asked |= {f"{name}_min": t[name].min() for name in days if name} | {f"{name}_max": t[name].max() for name in days if name}
        return self.snapshot.frame(t.aggregate(**asked)).row(0, named=True) if asked else {}

    @property
    def covered_until(self) -> int:
        """The latest order or payment known, µs UTC: what happened later cannot be told."""
        known = self.facts("orders")
        return max(known.get("created_at_max") or 0, known.get("paid_at_max") or 0)

    @property
    def order_days(self) -> tuple[date, date]:
        """First and last day on which an order was placed."""
        known = self.facts("orders")
        return known.get("day_min") or date.min, known.get("day_max") or date.max


_STOCKS: WeakKeyDictionary[Reader, Stock] = WeakKeyDictionary()


def stock_of(snapshot: Reader) -> Stock:
    """The stock of a snapshot, made once as long as the snapshot lives."""
    if snapshot not in _STOCKS:
        _STOCKS[snapshot] = Stock(proxy(snapshot))
    return _STOCKS[snapshot]


@dataclass(frozen=True, slots=True)
class Need:
    """One thing a metric may need, named in both languages, and the question that tells whether it is there."""

    zh: str
    there: Callable[[Stock], bool]
    built: bool = False  # asked of a built fact table, not of an imported one


def _never(_: Stock) -> bool:
    return False


NEEDS: dict[str, Need] = {
    "chats": Need("聊天记录", lambda s: s.has("messages")),
    "orders": Need("订单", lambda s: s.has("orders")),
    "buyer id": Need("订单里的买家账号", lambda s: s.any("orders", "customer_key")),
    "items": Need("订单里的件数", lambda s: s.any("order_facts", "items"), built=True),
    "refunds": Need("退款", lambda s: s.has("refunds") or bool(s.facts("order_facts").get("refund_fen_max")), built=True),
    "refund export": Need("退款明细", lambda s: s.has("refunds")),
    "refunded items": Need("退款件数", lambda s: s.any("order_facts", "refund_items"), built=True),
    "refund reasons": Need("退款原因", lambda s: s.any("refunds", "reason")),
    "reviews": Need("评价", lambda s: s.has("reviews")),
    "ratings": Need("评价里的好中差评", lambda s: s.any("reviews", "rating")),
    "review replies": Need("评价里的商家回复", lambda s: s.any("reviews", "reply_text")),
    "traffic": Need("流量", lambda s: s.has("traffic")),
    "page views": Need("流量里的浏览量", lambda s: s.any("traffic", "page_views")),
    "visits": Need("流量里的访问次数", lambda s: s.any("traffic", "visits")),
    "product traffic": Need("分商品的流量", lambda s: s.any("traffic", "product_key")),
    "item visitors": Need("商品访客数", lambda s: s.any("traffic", "item_visitors") or s.any("traffic", "product_key")),
    "shop scores": Need("店铺评分", lambda s: s.any("traffic", "score_item")),
    "call records": Need("电话服务记录", _never),
    "satisfaction ratings": Need("会话满意度评价", lambda s: s.any("chat_sessions", "satisfaction")),
    "complaints": Need("投诉记录", _never),
    "bad review records": Need("差评处理记录", _never),
    "score report": Need("平台体验分报表", _never),
    "customer file": Need("客户档案", _never),
    "build": Need("先运行 huitou build", lambda s: True),
    "orders of this period": Need("这段时间的订单", lambda s: True),
    "data of this period": Need("这段时间的数据", lambda s: True),
    "more rows": Need("更多记录，现在太少", lambda s: True),
}
"""Code (also the English phrase after «needs ») → what it is. A new source that carries one of them only fills the table."""


def needs_zh(status: str) -> str:
    """The Chinese sentence for a Cell's status "needs …"; other statuses come back as 已到期 or 还没到期."""
    if status.startswith("needs "):
        code = status.removeprefix("needs ")
        return f"需要{NEEDS[code].zh}" if code in NEEDS else f"需要 {code}"
    return "还没到期" if status == "not_yet" else "已到期"
