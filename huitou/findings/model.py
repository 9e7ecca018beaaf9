"""What a finding is."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from huitou.errors import Say
from huitou.metrics.model import Cell
from huitou.rules.model import Trust

GoalOrigin = Literal["platform", "company", "industry", "history", "peers"]


OWN_DATA = Say("本店数据", "the shop's own data")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a metric should reach and who says so."""

    metric: str
    value: float
    origin: GoalOrigin
    zh: str  # "同行" / "平台要求" …, as printed beside the number
    en: str
    source: Say
    trust: Trust | None = None  # None: computed from the shop's own data (history, peers)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount at stake in fen for the period, with its 95 % interval, and how it was computed."""

    value_fen: int
    low_fen: int
    high_fen: int
    currency: str
    zh: str  # one sentence: how it was computed and what it is not
    en: str


@dataclass(frozen=True, slots=True)
class Line:
    """One chat line or review shown as evidence; text is masked. `mark` are [start, end) spans of the words that show it."""

    row_key: int
    who: Literal["customer", "agent", "robot", "review"]
    at: str  # local "2026-05-19 20:43", or a date for reviews
    text: str
    mark: tuple[tuple[int, int], ...] = ()
    fault: bool = False  # the marked words are a reply that could be better, not a customer's proof


@dataclass(frozen=True, slots=True)
class Evidence:
    """A piece of a conversation, or one review: whose, which product, and its lines in order."""

    customer_code: str  # e.g. "7K3F": short code of the token, names nobody
    zh: str  # caption
    en: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause or visible sign: the share of the loss it explains (None = not measured) and the numbers behind it."""

    code: str
    zh: str
    en: str
    share: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do, who does it."""

    zh: str
    en: str
    owner: Literal["supervisor", "operations", "product", "logistics", "owner"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a finding's own table (an agent, a product, a region): value with interval against the rest."""

    name: str
    value: float
    low: float
    high: float
    n: int
    flagged: bool
    sign_zh: str = ""
    sign_en: str = ""
    remedy_zh: str = ""
    remedy_en: str = ""
    raw: float | None = None  # unadjusted value where `value` is adjusted


@dataclass(frozen=True, slots=True)
class Finding:
    """A gap between a number and its goal that the interval does not explain away. Sorted by money, then customers."""

    code: str  # "inquiry_conversion.gap", "agents.below_peers", "product.lost", …
    metric: str
    scope: dict[str, str]
    period: tuple[date, date]  # [first day, last day]
    value: float
    low: float
    high: float
    n: int
    unit: str
    goal: Goal
    customers: int  # customers at stake
    money: Money | None
    title_zh: str
    title_en: str
    why_zh: str
    why_en: str
    causes: tuple[Cause, ...]
    evidence: tuple[Evidence, ...]
    counter_zh: str  # a counter-example or what speaks against it; "" = none found
    counter_en: str
    remedies: tuple[Remedy, ...]
    rows: tuple[Row, ...] = ()
    part_of: str | None = None  # code of the finding whose money already contains this one's
    parts: tuple[Cause, ...] = ()  # findings that are part of this one: share of its gap, customers


@dataclass(frozen=True, slots=True)
class Example:
    """One chat, order or review behind a cell of a table: whose, when, with whom, about what, and the words that show it."""

    customer_code: str
    day: date
    agent: str
    product: str
    text: str  # masked
    row_key: int | None  # of the message or review


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of a table of reasons: how many, which part of all with its interval, where it stands out, who can do what.

    `cells`: one count for each column of the table; `stands_out`: 0 where the column has no more of it than the others,
    1 … 6 where clearly more. `weeks`: counts week by week. `agents`: name and count, most first.
    """

    code: str
    zh: str
    en: str
    who: str  # who can act, as taxonomies name it; "unknown" where nobody knows
    n: int
    share: float
    low: float
    high: float
    cells: tuple[int, ...]
    stands_out: tuple[int, ...]
    weeks: tuple[int, ...]
    agents: tuple[tuple[str, int], ...]
    remedy: Remedy | None
    evidence: tuple[Evidence, ...]
    lost: bool = True  # false: nothing was lost (an order that another one replaced)


@dataclass(frozen=True, slots=True)
class Table:
    """Reasons × products of one kind of loss: inquiries without an order, orders without payment, complaints of reviews.

    `n`: units that the shares are of. `totals`: units of each column. `examples`: for each cell the plainest ones.
    """

    kind: Literal["loss", "unpaid", "reviews"]
    n: int
    columns: tuple[str, ...]
    totals: tuple[int, ...]
    reasons: tuple[Reason, ...]
    examples: dict[str, tuple[Example, ...]]  # code → examples


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings of one period, what was looked at and is fine, and what cannot be told."""

    shop: str
    platform: str
    period: tuple[date, date]
    rules: str
    findings: tuple[Finding, ...]
    fine: tuple[str, ...]  # metric ids looked at whose interval reaches the goal
    unknown_zh: tuple[str, ...]
    unknown_en: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    cells: tuple[Cell, ...] = ()  # every metric of the whole shop
