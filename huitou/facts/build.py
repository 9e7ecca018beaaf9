"""Builds the fact tables of a workspace under its rule pack: only the months that imports touched, and what hangs on them."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from functools import partial

from huitou.errors import Say
from huitou.facts.chat_people import chat_matches, with_people
from huitou.facts.inquiries import inquiries
from huitou.facts.orders import first_payments, order_facts, order_service
from huitou.facts.receptions import asides, daily_talk, receptions
from huitou.facts.roster import Roster, Stored, read_roster
from huitou.facts.rounds import rounds
from huitou.facts.sessions import sessions
from huitou.facts.shape import Rows
from huitou.facts.turns import margin_days, turns
from huitou.lake import Workspace
from huitou.lake.build import Build
from huitou.rules import RulePack
from huitou.rules.packs import load_pack

FACTS_VERSION = 2
"""Raised whenever the meaning of a fact changes: the next build then makes all months anew."""
TALK = ("rounds", "sessions", "chat_matches", "receptions", "inquiries")
"""Facts of the months of messages; the others are of the months of orders."""
STEPS = ("chat_matches", "rounds", "sessions", "receptions", "order_service", "order_facts", "inquiries")

SHARES = 4
SHARE_ROWS = 1_000_000
"""Messages are sorted in up to so many parts, each of so many at least: a part is one thread's, and two run at a time."""

Progress = Callable[[str, int, int], None]
"""Called with the table that is being built, its number and how many there are."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: the rule pack, the months of which any fact was made anew, rows made per table, seconds taken."""

    rules: str
    months: tuple[str, ...]
    rows: dict[str, int]
    seconds: float


def build(ws: Workspace, *, progress: Progress | None = None) -> BuildReport:
    """Bring the facts up to date with everything imported, all tables at once or not at all; what texts say is left out.

    Messages of a month decide facts up to the margin of `margin_days` around it; orders decide the inquiries before them and
    whose customer is an old one after them. A change of rules, roles, colleagues or blocked people makes everything anew.
    Raises UnknownName or SettingsError for the rule pack, LakeBusy, DiskFull.
    """
    began = time.perf_counter()
    pack = load_pack(ws.settings.rules, ws.path)
    with ws.lake.write(Say("计算事实表", "huitou build")) as writer:
        snapshot = writer.snapshot(pack.id)
        roster = read_roster(ws, snapshot)
        mark = fingerprint(pack, roster, snapshot)
        changed = writer.changed(pack.id, mark, part=0)
        if not changed:
            return BuildReport(pack.id, (), {}, time.perf_counter() - began)
        made = Making(writer.build(pack.id, mark), pack, roster, progress)
        made.all_of(changed)
        rows = made.build.commit()
    return BuildReport(pack.id, tuple(sorted(made.months)), rows, time.perf_counter() - began)


def fingerprint(pack: RulePack, roster: Roster, snapshot: Stored) -> str:
    """Changes whenever facts of months that no import touched would come out differently."""
    values = {f.name: getattr(pack, f.name) for f in fields(pack) if f.name not in ("rules", "zh", "en", "valid_from")}
    known = {name: snapshot.has(name) for name in ("messages", "orders", "refunds", "order_lines")}
    text = json.dumps([FACTS_VERSION, values, asdict(roster), known], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Making:
    """The facts of one build under way: which months of which table, from which rows. `made`: table → months staged."""

    def __init__(self, build: Build, pack: RulePack, roster: Roster, progress: Progress | None) -> None:
        self.build = build
        self.pack = pack
        self.roster = roster
        self.made: dict[str, set[str]] = {}
        self._progress = progress or (lambda table, step, steps: None)
        self._messages = build.snapshot.has("messages")

    def all_of(self, changed: dict[str, set[str]]) -> None:
        """Stage every table for the months that hang on the changed ones."""
        talk = self._months_near(changed.get("messages", set()) | self._people(changed))
        if talk:
            self._talk(talk)
        deals = self._order_months(changed, talk)
        if deals:
            self._deals(deals)
        asked = self._inquiry_months(talk, deals)
        if asked:
            self._inquiries(asked)
        self.build.let_go()

    def _people(self, changed: dict[str, set[str]]) -> set[str]:
        """Match sessions of logs and lists anew where any came; returns the months whose messages may have another customer."""
        snapshot = self.build.snapshot
        if not changed.get("chat_sessions"):
            return set()
        months = changed["chat_sessions"]
        self._stage("chat_matches", chat_matches(snapshot.table("chat_sessions")), set(snapshot.months("chat_sessions")))
        return months & set(snapshot.months("messages"))

    @property
    def months(self) -> set[str]:
        """Months of which any fact was staged."""
        return set[str]().union(*self.made.values())

    def people(self, rows: Rows) -> Rows:
        """Messages, or what was made of them, under the people known from session lists."""
        return with_people(rows, self.build.table("chat_matches") if self.build.snapshot.has("chat_sessions") else None)

    def _said(self, months: list[str]) -> Rows:
        return self.people(self.build.snapshot.table("messages", months))

    def _stage(self, name: str, rows: Rows, months: set[str]) -> None:
        self._progress(name, STEPS.index(name) + 1, len(STEPS))
        snapshot = self.build.snapshot
        known = {*snapshot.months(name), *snapshot.months("messages" if name in TALK else "orders")}
        self.build.stage(name, rows, None if known <= months else sorted(months), hold=True)
        self.made[name] = months

    def _months_near(self, months: set[str]) -> set[str]:
        """The months, and those with messages inside the margin around them."""
        margin = timedelta(days=margin_days(self.pack))
        near = {m for month in months for m in _months_of(_first(month) - margin, _last(month) + margin)}
        return months | (near & set(self.build.snapshot.months("messages")))

    def _talk(self, months: set[str]) -> None:
        margin = timedelta(days=margin_days(self.pack))
        around = sorted(self._months_near(months))
        messages = self._said(around)
        edge = [m for m in around if m not in months]
        if edge:
            near = [messages.day.between(_first(m) - margin, _last(m) + margin) for m in sorted(months)]
            messages = messages.filter(_any(near))
        shares = self.build.shares(messages, "customer_key", self._cuts(around))
        turned = turns(shares.first, self.pack, streamed=True)
        with self.build.computed(asides(self._said(sorted(months))), turned, shares) as (beside, kept):
            some, each = kept.first, partial(self.build.united, shares=kept)
            self._stage("rounds", each(rounds(some, self.roster, streamed=True)), months)
            self._stage("sessions", each(sessions(some, streamed=True)), months)
            asked = self.build.table("rounds", months)
            received = receptions(each(daily_talk(some, streamed=True)), beside, asked, pack=self.pack, roster=self.roster)
            self._stage("receptions", received, months)

    def _cuts(self, months: list[str]) -> list[int]:
        """Where to cut the months' messages by customer into as many shares as are sorted: keys are hashes and spread evenly."""
        n, low, high = self.build.snapshot.spread("messages", "customer_key", months)
        parts = min(SHARES, n // SHARE_ROWS + 1)
        return [low + (high - low) * i // parts for i in range(1, parts)]

    def _order_months(self, changed: dict[str, set[str]], talk: set[str]) -> set[str]:
        """Months of orders that come out differently: the first one touched and all after (a payment makes an old customer)."""
        snapshot = self.build.snapshot
        if not snapshot.has("orders"):
            return set()
        touched = set(changed.get("orders", ()))
        orders = snapshot.table("orders")
        for name in ("refunds", "order_lines"):
            if changed.get(name):
                of = orders.semi_join(snapshot.table(name, sorted(changed[name])), "order_key")
                touched |= set(snapshot.frame(of.select("month").distinct())["month"])
        if talk:
            before = timedelta(days=self._days(self.pack.attribution_window_s))
            after = timedelta(days=max(before.days, self.pack.after_sale_days + 1))
            ended = orders.paid_day.coalesce(orders.day)
            near = [(orders.day <= _last(m) + before) & (ended >= _first(m) - after) for m in sorted(talk)]
            touched |= set(snapshot.frame(orders.filter(_any(near)).select("month").distinct())["month"])
        return {m for m in {*snapshot.months("orders"), *touched} if touched and m >= min(touched)}

    def _deals(self, months: set[str]) -> None:
        snapshot, pack = self.build.snapshot, self.pack
        orders = snapshot.table("orders", sorted(months))
        service = None
        if self._messages:
            since = _first(min(months)) - timedelta(days=self._days(pack.attribution_window_s) + margin_days(pack))
            service = order_service(orders, self._since("sessions", since), pack=pack)
            self._stage("order_service", service, months)
            service = self.build.table("order_service", months)
        facts = order_facts(
            orders, first_payments(snapshot.table("orders")), pack=pack, service=service,
            refunds=snapshot.table("refunds") if snapshot.has("refunds") else None,
            lines=snapshot.table("order_lines") if snapshot.has("order_lines") else None,
        )  # fmt: skip
        self._stage("order_facts", facts, months)

    def _inquiry_months(self, talk: set[str], deals: set[str]) -> set[str]:
        if not self._messages:
            return set()
        since = set(talk)
        if deals:
            since.add(_month(_first(min(deals)) - timedelta(days=self._days(self.pack.inquiry_window_s))))
        return {m for m in {*self.build.snapshot.months("messages"), *talk} if since and m >= min(since)}

    def _inquiries(self, months: set[str]) -> None:
        snapshot, pack = self.build.snapshot, self.pack
        came = self.build.table("receptions", sorted(months))
        if not snapshot.has("orders"):
            facts = inquiries(came, None, None, None, pack=pack, roster=self.roster)
        else:
            since = _first(min(months)) - timedelta(days=pack.after_sale_days + 1)
            orders, service = self._since("order_facts", since), self._since("order_service", since)
            paid = first_payments(snapshot.table("orders"))
            facts = inquiries(came, orders, paid, service, pack=pack, roster=self.roster)
        self._stage("inquiries", facts, months)

    def _since(self, name: str, day: date) -> Rows:
        known = self.build.snapshot.months("messages" if name in TALK else "orders")
        return self.build.table(name, [m for m in known if m >= _month(day)])

    @staticmethod
    def _days(window_s: int) -> int:
        return window_s // 86_400 + 2


def _any(conditions: list[Rows]) -> Rows:
    first, *others = conditions
    for other in others:
        first = first | other
    return first


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _last(month: str) -> date:
    return (_first(month) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _months_of(begin: date, end: date) -> set[str]:
    return {_month(begin + timedelta(days=n)) for n in range((end - begin).days + 1)}
