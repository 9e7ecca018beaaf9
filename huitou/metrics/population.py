"""What metric functions are handed: a fact table of one period with its maturity, and the columns to group and filter by."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

import ibis

from huitou.errors import HuitouError, Say, UnknownName
from huitou.lake.settings import Settings
from huitou.metrics.measures import Expr, Fact
from huitou.metrics.needs import Stock
from huitou.rules import RulePack
from huitou.tables import TABLES

T = TypeVar("T")
Period = tuple[date, date]
"""First and last day, both included."""

NONE = "-"
"""The name of a group that has none: a silent order's agent, an unknown product, region or courier."""

DIMENSIONS: dict[str, str] = {
    "agent": "agent_key", "product": "product_key", "product_group": "product_key", "day": "day", "week": "day",
    "month": "day", "hour": "second", "customer": "returning", "region": "region", "courier": "courier", "device": "device",
    "reason": "primary",
}  # fmt: skip
"""Dimension → the column a fact table must have for it. `customer` is new or returning; weeks are ISO weeks."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which groups, days and values are asked for. `where` holds names as they are shown in ``Cell.by``."""

    by: tuple[str, ...] = ()
    period: Period | None = None
    where: dict[str, str] = field(default_factory=dict)

    @property
    def dims(self) -> set[str]:
        """Every dimension that is grouped or filtered by."""
        return {*self.by, *self.where}

    def without(self, dim: str) -> "Scope":
        """The same scope, neither grouped nor filtered by `dim`."""
        return Scope(tuple(d for d in self.by if d != dim), self.period, {k: v for k, v in self.where.items() if k != dim})


@dataclass(frozen=True, slots=True)
class World:
    """Everything a population is made of: the snapshot's stock, the shop's settings, the rule pack, the scope."""

    stock: Stock
    settings: Settings
    pack: RulePack
    scope: Scope

    def of_shop(self) -> "World":
        """The same without the dimension and the filter "agent"."""
        return World(self.stock, self.settings, self.pack, self.scope.without("agent"))

    def table(self, name: str) -> Fact:
        """A table of the snapshot; a dated one only in the months of the period."""
        months = months_of(self.scope.period) if self.scope.period and TABLES[name].month_of else None
        return self.stock.snapshot.table(name, months=months)


def months_of(period: Period) -> list[str]:
    """The calendar months ("2026-05") that a period touches."""
    (first, last), months = period, []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        months.append(f"{year:04}-{month:02}")
        year, month = (year + month // 12, month % 12 + 1)
    return months


def _rounds(w: World) -> Fact:
    return w.table("rounds")


def _receptions(w: World) -> Fact:
    return w.table("receptions")


def _order_days_only(t: Fact, w: World) -> Fact:
    """Without orders of its day nobody can say what an inquiry became."""
    first, _ = w.stock.order_days
    return t.filter(t.day >= ibis.date(first))


def _inquiries(w: World) -> Fact:
    """Inquiries with `open` (order window not over) and `pay_open` (nor the payment window after it)."""
    t, until = _order_days_only(w.table("inquiries"), w), w.stock.covered_until
    return t.mutate(open=t.final_at > until, pay_open=t.final_at + w.pack.payment_window_s * 1_000_000 > until)


def _consultations(w: World) -> Fact:
    """Every reception with `ordered`: whether the customer's inquiry of that agent and day led to an order; `open` likewise."""
    t, outcome = _order_days_only(w.table("receptions"), w), w.table("inquiries")
    outcome = outcome.select("customer_key", "agent_key", "day", "ordered", "final_at")
    t = t.left_join(outcome, ["customer_key", "agent_key", "day"], rname="{name}_inquiry")
    until = w.stock.covered_until
    window = w.pack.inquiry_window_s * 1_000_000
    return t.mutate(ordered=t.ordered.fill_null(False), open=t.final_at.fill_null(t.last_at + window) > until)


def _order_facts(w: World) -> Fact:
    """Orders with `open` (payment window not over) and `returned` (goods went back).

    Amounts in another currency than the shop's are emptied: money of two currencies is never added.
    """
    t, until = w.table("order_facts"), w.stock.covered_until
    own = t.currency == w.settings.currency
    t = t.mutate(
        open=t.created_at + w.pack.payment_window_s * 1_000_000 > until,
        **{name: own.ifelse(t[name], ibis.null("int64")) for name in ("placed_fen", "gross_fen", "refund_fen", "net_fen")},
    )
    if not w.stock.has("refunds"):
        return t.mutate(returned=ibis.null("boolean"))
    back = w.stock.snapshot.table("refunds")
    back = back.filter(back.succeeded & back.returned).select(back_key=back.order_key).distinct()
    t = t.left_join(back, t.order_key == back.back_key)
    return t.mutate(returned=t.back_key.notnull()).drop("back_key")


def _reviews(w: World) -> Fact:
    return w.table("reviews")


def _review_readings(w: World) -> Fact:
    """Reviews as they were read."""
    return w.table("review_readings")


def _inquiry_reasons(w: World) -> Fact:
    """Inquiries as they were read, with `open` (order window not over) and `agent_messages`."""
    t, of = _order_days_only(w.table("inquiry_reasons"), w), w.table("inquiries")
    of = of.select("customer_key", "agent_key", "day", "final_at", "agent_messages", "returning", "second")
    t = t.inner_join(of, ["customer_key", "agent_key", "day"])
    return t.mutate(open=t.final_at > w.stock.covered_until)


def _chat_sessions(w: World) -> Fact:
    """Sessions as the platform lists them; those of masked logs carry nothing that it says of a session."""
    t = w.table("chat_sessions")
    return t.filter(t.origin == "report")


def _per_product(w: World) -> bool:
    return bool(w.scope.dims & {"product", "product_group"})


def _traffic(w: World) -> Fact:
    """Daily traffic: rows of the whole shop, or of products where products are asked for; all devices as one by default."""
    t = w.table("traffic")
    if "device" not in w.scope.dims:
        t = t.filter(t.device == "all")
    return t.filter(t.product_key.notnull() if _per_product(w) else t.product_key.isnull())


def _visit_days(w: World) -> Fact:
    """Per day (and product): visitors, visitors of the item's page, ordering customers and silent paying customers."""
    t, (first, last) = _traffic(w), w.stock.order_days
    t = t.filter(t.day.between(ibis.date(first), ibis.date(last)))
    keys = ["day", "product_key"] if _per_product(w) else ["day"]
    page = t.visitors if _per_product(w) else t.item_visitors
    t = t.mutate(page_visitors=page).select("shop_key", "day", "product_key", "visitors", "page_visitors")
    orders = w.table("order_facts")
    silent = (orders.paid & ~orders.served).fill_null(False)
    sold = orders.group_by(keys).aggregate(
        customers=orders.customer_key.nunique(), silent=orders.customer_key.nunique(where=silent)
    )
    t = t.left_join(sold, keys, rname="{name}_sold")
    return t.mutate(customers=t.customers.fill_null(0), silent=t.silent.fill_null(0))


@dataclass(frozen=True, slots=True)
class Population:
    """A fact table as metrics see it: what it is made of, which built table must hold rows, what it can be grouped by."""

    make: Callable[[World], Fact]
    built: str | None
    dims: tuple[str, ...]


def _dims_of(table: str) -> tuple[str, ...]:
    columns = TABLES[table].by_name
    return tuple(dim for dim, column in DIMENSIONS.items() if column in columns)


POPULATIONS: dict[str, Population] = {
    "rounds": Population(_rounds, "receptions", _dims_of("rounds")),
    "receptions": Population(_receptions, "receptions", _dims_of("receptions")),
    "inquiries": Population(_inquiries, "receptions", _dims_of("inquiries")),
    "consultations": Population(_consultations, "receptions", _dims_of("receptions")),
    "order_facts": Population(_order_facts, "order_facts", _dims_of("order_facts")),
    "chat_sessions": Population(_chat_sessions, None, _dims_of("chat_sessions")),
    "reviews": Population(_reviews, None, _dims_of("reviews")),
    "review_readings": Population(_review_readings, "review_readings", _dims_of("review_readings")),
    "inquiry_reasons": Population(_inquiry_reasons, "inquiry_reasons", (*_dims_of("inquiry_reasons"), "customer", "hour")),
    "traffic": Population(_traffic, None, _dims_of("traffic")),
    "visit_days": Population(_visit_days, "order_facts", ("product", "product_group", "day", "week", "month")),
}
"""What a metric may be `of`."""


def check(dims: tuple[str, ...], metric: str, scope: Scope) -> None:
    """Raises UnknownName for a dimension that does not apply to the metric."""
    for dim in (*scope.by, *scope.where):
        if dim not in dims:
            raise UnknownName(Say(f"维度（{metric}）", f"dimension of {metric}"), dim, dims)


def population(of: str, w: World) -> Fact:
    """The rows of the scope's period and filters, with a column ``d_<dim>`` for each dimension asked for.

    Key columns of agents and products are kept beside them as they are.
    """
    t = POPULATIONS[of].make(w)
    if w.scope.period:
        first, last = w.scope.period
        t = t.filter(t.day.between(ibis.date(first), ibis.date(last)))
    t = _titled(t, w) if _per_product(w) else t
    t = t.mutate(**{f"d_{dim}": _dimension(t, dim, w) for dim in sorted(w.scope.dims)}) if w.scope.dims else t
    for dim, value in w.scope.where.items():
        t = t.filter(_matches(t[f"d_{dim}"], dim, value, w))
    return t


def _titled(t: Fact, w: World) -> Fact:
    """Adds the product's title and the platform's id, as `title` and `product_id`."""
    if not w.stock.has("products"):
        return t.mutate(title=t.product_key.cast("string"), product_id=ibis.null("string"))
    products = w.stock.snapshot.table("products").select("product_key", "title", "product_id")
    return t.left_join(products, "product_key", rname="{name}_listed")


def _dimension(t: Fact, dim: str, w: World) -> Expr:
    column = t[DIMENSIONS[dim]]
    if dim == "product":
        return ibis.coalesce(t.title, t.product_id, column.cast("string"), ibis.literal(NONE))
    if dim == "product_group":
        return _group(t, w.settings.product_groups)
    if dim == "week":
        return column.truncate("W").cast("date")
    if dim == "month":
        return column.truncate("M").cast("date")
    if dim == "hour":
        return column // 3600
    if dim == "customer":
        return ibis.cases((column, "returning"), (~column, "new"), else_=NONE)
    return column if dim in ("day", "agent") else column.fill_null(NONE)


def _group(t: Fact, groups: dict[str, tuple[str, ...]]) -> Expr:
    """The first group one of whose words the title contains, or one of whose entries is the product's id."""
    title, product_id = t.title.fill_null(""), t.product_id.fill_null("")
    cases = [(title.contains(word) | (product_id == word), name) for name, words in groups.items() for word in words if word]
    return ibis.cases(*cases, else_=NONE) if cases else ibis.literal(NONE)


def _matches(column: Expr, dim: str, value: str, w: World) -> Expr:
    if dim == "agent":
        keys = agent_keys(w.stock, value)
        return column.isnull() if value == NONE else column.isin(keys) if keys else ibis.literal(False)
    if dim == "hour":
        return column == _parsed(dim, value, int)
    if dim in ("day", "week", "month"):
        return column == ibis.date(_parsed(dim, value, lambda v: first_day(dim, v)))
    return column == value


_TIMES_ZH = {"hour": "小时", "day": "日期", "week": "周", "month": "月份"}


def _parsed(dim: str, value: str, read: Callable[[str], T]) -> T:
    try:
        return read(value)
    except ValueError:
        example = {"hour": "09", "day": "2026-05-19", "week": "2026-W21", "month": "2026-05"}[dim]
        says = Say(f"{value!r} 不是{_TIMES_ZH[dim]}。", f"{value!r} is no {dim}.")
        raise HuitouError(says, Say(f"写成 {example} 这样。", f"Write it like {example}.")) from None


def first_day(dim: str, value: str) -> date:
    """The first day of a day, week or month as named in ``Cell.by``. Raises ValueError for another form."""
    if dim == "month" and re.fullmatch(r"\d{4}-\d{2}", value):
        return date.fromisoformat(f"{value}-01")
    if dim == "week" and re.fullmatch(r"\d{4}-W\d{2}", value):
        return date.fromisocalendar(int(value[:4]), int(value[6:]), 1)
    if dim != "day":
        raise ValueError(value)
    return date.fromisoformat(value)


def short_code(key: int) -> str:
    """Four characters that tell keys apart on a page and name nobody: the key's low 20 bits in Crockford's base 32."""
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[key >> shift & 31] for shift in (15, 10, 5, 0))


def shown(dim: str, value: object, accounts: dict[int, str]) -> str:
    """A group's value as it stands in ``Cell.by``."""
    if value is None:
        return NONE
    if dim == "agent" and isinstance(value, int):
        return accounts.get(value, short_code(value))
    if dim == "hour":
        return f"{value:02}"
    if isinstance(value, date):
        year, week, _ = value.isocalendar()
        return f"{year}-W{week:02}" if dim == "week" else f"{value:%Y-%m}" if dim == "month" else value.isoformat()
    return str(value)


def accounts(stock: Stock) -> dict[int, str]:
    """Agent key → account name, of every agent known."""
    if not stock.has("agents"):
        return {}
    agents = stock.snapshot.frame(stock.snapshot.table("agents").select("agent_key", "account"))
    return dict(agents.iter_rows())


def agent_keys(stock: Stock, account: str) -> list[int]:
    """The keys of an account name."""
    return [key for key, name in accounts(stock).items() if name == account]
