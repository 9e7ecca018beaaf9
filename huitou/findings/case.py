"""The case under diagnosis: one shop, one period, what was imported, what is asked of it, and the frames findings share."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import ibis
import ibis.expr.types as ir
import polars as pl
from polars import selectors

from huitou.errors import Say
from huitou.facts.chat_people import with_people
from huitou.findings.model import Goal
from huitou.findings.stats import Estimate, mean
from huitou.findings.wording import short_names
from huitou.lake.duckdb import Snapshot
from huitou.lake.settings import Settings
from huitou.metrics import METRICS, compute, default_period
from huitou.metrics.model import Cell
from huitou.metrics.needs import Stock
from huitou.rules.goals import load_goals
from huitou.rules.model import RulePack
from huitou.rules.taxonomy import Leaf, Words, load_taxonomies

CHAT = ("customer_key", "agent_key", "day")
"""The key of a reception or an inquiry: who, with whom, on which day."""

BASE_DAYS = 28
"""Length of the stretches that are compared for a change over time."""

CHANGING = ("inquiry_conversion", "same_day_payment_rate", "bad_review_rate", "order_refund_rate")
"""Metrics compared over time."""

SAYS = 2
"""Strength of a tag from which on a message says a thing; below, it may mean it."""

SILENT = "unknown.silent"
"""The reason of a lost inquiry in which the customer fell silent: it is not known, and nobody's fault."""

READ = ("primary", "secondary", "evidence", "steps", "faults", "certainty")
LISTS = ("secondary", "evidence", "steps", "faults")
OF_CHAT = ("last_at", "customer_last", "customer_messages", "agent_messages", "ordered")

LEAST = 30
"""Fewer units than this are not judged."""


@dataclass(eq=False)
class Case:
    """What every kind of finding reads from; frames are computed once, on first use."""

    snapshot: Snapshot
    settings: Settings
    pack: RulePack
    period: tuple[date, date]
    words: Words = field(default_factory=load_taxonomies)
    fine: list[str] = field(default_factory=list)
    computed: dict[tuple[date, date], dict[str, Cell]] = field(default_factory=dict)
    rows: dict[tuple[str, date, date], ir.Table] = field(default_factory=dict)

    def leaf(self, taxonomy: str, code: str) -> Leaf:
        """A code's names, who can act and the remedy; one that the words do not know is called by its code."""
        known = self.words.taxonomies[taxonomy].leaves if taxonomy in self.words.taxonomies else {}
        return known.get(code) or Leaf(code, code, code, "service", Say("", ""), (), "keep", "keep")

    @cached_property
    def goals(self) -> dict[str, tuple[Goal, ...]]:
        """Stated goals by metric, the shop's own first."""
        stated = load_goals(self.settings.platform, self.settings.industry, self.settings.goals)
        return {
            m: tuple(Goal(t.metric, t.value, t.origin, t.zh, t.en, t.source, t.trust) for t in ts) for m, ts in stated.items()
        }

    def missed(self, metric: str, *, better: str = "higher") -> tuple[Cell, Goal] | None:
        """The metric and the first stated goal that its interval excludes on the wrong side; else it is noted as fine."""
        goals, cell = self.goals.get(metric, ()), self.cell(metric)
        if not goals or cell is None or cell.low is None or cell.high is None or cell.n < LEAST:
            return None
        for goal in goals:
            if cell.high < goal.value if better == "higher" else cell.low > goal.value:
                return cell, goal
        self.fine.append(metric)
        return None

    def has(self, *tables: str) -> bool:
        """Whether all these tables hold rows inside the period's months."""
        return all(self.snapshot.has(t) for t in tables)

    def during(self, table: str, stretch: tuple[date, date] | None = None) -> ir.Table:
        """Rows of a table whose day is inside the period, or inside another stretch of days."""
        first, last = stretch or self.period
        if (table, first, last) not in self.rows:
            t = self.snapshot.table(table, months=_months(first, last))
            if table in ("messages", "message_tags") and self.has("chat_matches"):
                t = with_people(t, self.snapshot.table("chat_matches"))
            self.rows[table, first, last] = self.snapshot.named(
                t.filter(t.day >= ibis.literal(first), t.day <= ibis.literal(last))
            )
        return self.rows[table, first, last]

    def frame(self, expr: ir.Table) -> pl.DataFrame:
        """Run an expression; only reduced results are asked for.

        Sums of floats differ in their last digits with the order of the threads: twelve digits are kept, so that the same
        data gives the same diagnosis.
        """
        return self.snapshot.frame(expr).with_columns(selectors.float().round_sig_figs(12))

    @cached_property
    def whole(self) -> tuple[Cell, ...]:
        """Every metric of the whole shop in the period."""
        return tuple(compute(self.snapshot, self.settings, self.pack, METRICS, period=self.period))

    def cell(self, metric: str, stretch: tuple[date, date] | None = None) -> Cell | None:
        """The shop's value, or None where it needs data that is not there or nothing is final yet; of a stretch: `CHANGING`."""
        asked = stretch or self.period
        if asked not in self.computed:
            again = asked != self.period
            found = compute(self.snapshot, self.settings, self.pack, CHANGING, period=asked) if again else self.whole
            self.computed[asked] = {c.metric: c for c in found if c.value is not None and c.n > 0}
        return self.computed[asked].get(metric)

    @cached_property
    def as_of(self) -> int:
        """The last order or payment that the data knows of, µs UTC: outcomes whose window ends later are open."""
        return Stock(self.snapshot).covered_until

    @cached_property
    def agents(self) -> dict[int, str]:
        """Accounts of persons by key; robots are left out."""
        if not self.has("agents"):
            return {}
        t = self.snapshot.table("agents")
        frame = self.frame(t.select("agent_key", "account", "robot"))
        roles = self.settings.agent_roles
        people = frame.filter(
            ~pl.col("robot") & ~pl.col("account").is_in([a for a, r in roles.items() if r in ("robot", "platform")])
        )
        return dict(people.select("agent_key", "account").iter_rows())

    @cached_property
    def products(self) -> dict[int, str]:
        """Short product names by key; the whole title where two titles would be cut to the same name."""
        if not self.has("products"):
            return {}
        t = self.snapshot.table("products")
        frame = self.frame(t.select("product_key", "title", "product_id")).sort("product_key")
        titles = dict(frame.select("product_key", pl.coalesce("title", "product_id", pl.lit("?"))).iter_rows())
        known = sorted(set(titles.values()))
        short = dict(zip(known, short_names(known), strict=True))
        taken = Counter(short.values())
        return {key: short[title] if taken[short[title]] == 1 else title for key, title in titles.items()}

    @cached_property
    def listings(self) -> dict[str, int]:
        """Product name → one key: exports that carry no product id bring the same listing under a key of its title."""
        return {name: key for key, name in sorted(self.products.items(), reverse=True)}

    @cached_property
    def stretches(self) -> tuple[tuple[date, date], tuple[date, date]] | None:
        """Four weeks of before and the period's last four weeks, at most 13 weeks apart; None where the data is too short."""
        whole, last = default_period(self.snapshot), self.period[1]
        if whole is None:
            return None
        now = (last - timedelta(days=BASE_DAYS - 1), last)
        start = max(whole[0], last - timedelta(days=90))
        then = (start, start + timedelta(days=BASE_DAYS - 1))
        return (then, now) if then[1] < now[0] else None

    def mature(self, stretch: tuple[date, date] | None = None) -> ir.Table:
        """Inquiries of the period (or another stretch) whose order window has ended."""
        t = self.during("inquiries", stretch)
        return t.filter(t.final_at <= self.as_of)

    @cached_property
    def cells(self) -> pl.DataFrame:
        """The period's mature inquirers by agent, counted; see `count`."""
        return self.count(self.mature(), "agent_key")

    def count(self, t: ir.Table, by: str) -> pl.DataFrame:
        """Inquirers by agent_key or product_key (`by`), counted by all that is levelled out between agents: n and ordered.

        A customer counts once per `by`, with the facts of the first inquiry, and ordered if any of them led to an order.
        Added in the frame: ``week`` and ``block`` (of four weeks) counted back from the period's end, ``band`` (of six hours).
        """
        one = ibis.window(group_by=["customer_key", by])
        first = ibis.window(group_by=["customer_key", by], order_by=["asked_at", "first_key"])
        t = t.mutate(any_order=t.ordered.ifelse(1, 0).max().over(one), turn=ibis.row_number().over(first))
        t = t.filter(t.turn == 0)
        keys = [t.agent_key, t.product_key, t.day, t.returning, t.transferred_in, (t.second // 3600).cast("int64").name("hour")]
        frame = self.frame(t.group_by(keys).aggregate(n=t.count(), ordered=t.any_order.sum()))
        frame = frame.sort("agent_key", "product_key", "day", "hour", "returning", "transferred_in", nulls_last=True)
        back = (pl.lit(self.period[1]) - pl.col("day")).dt.total_days()
        return frame.with_columns(week=-(back // 7), block=-(back // BASE_DAYS), band=pl.col("hour") // 6)

    def worth(self, t: ir.Table | None = None) -> Estimate | None:
        """What an ordering customer of these inquiries (all mature ones by default) pays on average, net of refunds, in fen.

        An order counts once however many inquiries led to it; one that was not paid counts as zero. None below ten customers.
        """
        t = self.mature() if t is None else t
        orders = t.filter(t.ordered).select("customer_key", "order_key", "net_fen").distinct()
        spent = orders.group_by("customer_key").aggregate(spent=orders.net_fen.sum().cast("float64"))
        sums = spent.aggregate(total=spent.spent.sum(), squares=(spent.spent * spent.spent).sum(), n=spent.count())
        total, squares, n = self.frame(sums).row(0)
        return mean(total, squares, n) if n >= 10 else None

    def lines(self, chats: ir.Table, kind: str = "customer") -> pl.DataFrame:
        """The messages of some chats (a table with the columns of `CHAT`) by one kind of sender, in order."""
        m = self.during("messages")
        m = m.filter(m.kind == kind)
        keep = m.semi_join(chats.select(*CHAT), CHAT).select(*CHAT, "sent_at", "row", "row_key", "text_hash", "text")
        return self.frame(keep).sort("sent_at", "row", "row_key")

    def of_keys(self, table: str, column: str, keys: Sequence[int]) -> ir.Table:
        """The period's rows with one of many keys, which are put in as one value: Ibis takes its time over a thousand."""
        wanted = ibis.literal(list(keys), "array<int64>").unnest().name(column).as_table()
        return self.during(table).semi_join(wanted, column)

    def tags(self, taxonomy: str, *codes: str, least: int = SAYS) -> ir.Table:
        """Tags of the period's messages: of one taxonomy (some codes of it), of at least this strength."""
        t = self.during("message_tags")
        t = t.filter(t.taxonomy == taxonomy, t.strength >= least)
        return t.filter(t.code.isin(codes)) if codes else t

    def readings(self) -> ir.Table:
        """The period's mature inquiries as they were read, with outcome and agent_messages."""
        read = self.during("inquiry_reasons").select(*CHAT, *READ)
        return self.mature().select(*CHAT, "product_key", "asked_at", *OF_CHAT).inner_join(read, list(CHAT))

    @cached_property
    def lost(self) -> pl.DataFrame:
        """The period's lost inquiries by chat, with product, who spoke last and why: `reason`, and the lists `secondary`,
        `evidence` (message keys), `faults`."""
        t = self.readings()
        frame = self.frame(t.filter(~t.ordered).drop("ordered")).rename({"primary": "reason"})
        lists = [pl.col(name).str.split(" ").list.drop_nulls().list.filter(pl.element() != "") for name in LISTS]
        frame = frame.with_columns(pl.col("reason").fill_null(SILENT), *lists)
        keys = pl.col("evidence").list.eval(pl.element().cast(pl.Int64))
        return frame.with_columns(keys).sort("asked_at", "customer_key", "agent_key")

    @cached_property
    def reviewed(self) -> pl.DataFrame:
        """review_key → product_key of the period's reviews: its own, else its order's, else the one that its SKU names."""
        r = self.during("reviews").select("product_key", "order_key", "sku", review_key="row_key")
        frame = self.frame(r)
        found = [pl.col("product_key")]
        if self.has("order_facts"):
            orders = self.snapshot.table("order_facts").select("order_key", ordered="product_key")
            frame = frame.join(self.frame(orders.semi_join(r, "order_key")), on="order_key", how="left")
            found.append(pl.col("ordered"))
        skus = frame["sku"].drop_nulls().unique()
        named = {sku: keys[0] for sku in skus if len(keys := [key for name, key in self.listings.items() if name in sku]) == 1}
        of = pl.DataFrame({"sku": list(named), "named": list(named.values())}, schema={"sku": pl.String, "named": pl.Int64})
        frame = frame.join(of, on="sku", how="left")
        return frame.select("review_key", product_key=pl.coalesce(*found, "named")).sort("review_key")

    @cached_property
    def complaints(self) -> pl.DataFrame:
        """The complaining clauses of the period's usable reviews: review, product, order, day, rating, part, aspect, place."""
        t = self.during("review_clauses")
        columns = ("review_key", "customer_key", "product_key", "order_key", "day", "rating", "part", "aspect", "start", "end")
        return self.frame(t.filter(t.polarity == "negative").select(*columns)).sort("day", "review_key", "part", "start")

    @cached_property
    def unpaid(self) -> pl.DataFrame:
        """The period's unpaid orders whose payment window has ended: order, customer, reason and where it was said."""
        columns = ("order_key", "customer_key", "agent_key", "created_at", "day", "reason", "message_key", "after", "replaced_by")
        if not self.has("unpaid_reasons"):
            return pl.DataFrame(schema=dict.fromkeys(columns, pl.Int64) | {"reason": pl.String, "after": pl.Boolean})
        t = self.during("unpaid_reasons")
        final = t.filter(t.created_at + self.pack.payment_window_s * 1_000_000 <= self.as_of)
        return self.frame(final.select(*columns)).sort("created_at", "order_key")


def _months(first: date, last: date) -> list[str]:
    """The months of a stretch of days, as the lake's partitions name them."""
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [f"{m // 12:04d}-{m % 12 + 1:02d}" for m in months]
