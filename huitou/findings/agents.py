"""Agents who convert less than their peers when everyone is given the shop's own mix of inquiries."""

from functools import cached_property

import polars as pl

from huitou.findings import evidence, signs
from huitou.findings.case import CHAT, LEAST, Case
from huitou.findings.conversion import CODE as GAP
from huitou.findings.model import OWN_DATA, Cause, Evidence, Finding, Goal, Remedy, Row
from huitou.findings.money import at_stake, tail_en, tail_zh
from huitou.findings.signs import Seen
from huitou.findings.stats import Standardised, main_group, standardise
from huitou.findings.wording import count, list_en, list_zh, pct

MIX = ("product", "band", "returning", "transferred_in", "block")
COMMON_PRODUCTS = 30
SHOWN = 3
"""Agents whose sign is shown with a chat."""
HESITATES = ("service.no_follow_up", "customer.looking")


def fair(cells: pl.DataFrame) -> Standardised:
    """Agents' conversion with product, six-hour band, new or returning, transferred in and four-week block levelled out."""
    by = cells.group_by("product_key").agg(pl.col("n").sum()).sort("n", "product_key", descending=[True, False])
    common = by["product_key"].head(COMMON_PRODUCTS).to_list()
    levelled = cells.with_columns(product=pl.when(pl.col("product_key").is_in(common)).then("product_key"), k=pl.col("ordered"))
    return standardise(levelled, "agent_key", MIX, spread_over="week")


def below_peers(case: Case) -> Finding | None:
    """Agents clearly below those who cannot be told apart, with each one's visible sign and remedy."""
    if not case.has("inquiries", "orders"):
        return None
    cells = case.cells.filter(pl.col("agent_key").is_in(list(case.agents)))
    if cells["agent_key"].n_unique() < 3:
        return None
    s = fair(cells)
    group, low = main_group(s)
    if not low:
        return None
    low.sort(key=lambda i: s.adjusted[i])
    found = signs.seen(case, [s.units[i] for i in low], [s.units[i] for i in group])
    e, peers = s.pooled(low), s.pooled(group)
    short, worth = s.shortage(low, group), case.worth()
    money = at_stake(short, worth, case.settings.currency) if worth else None
    goal = Goal("inquiry_conversion", peers.value, "peers", f"其余 {len(group)} 位", f"the other {len(group)}", OWN_DATA)
    differ, names = _differ(found), [f"{case.agents[s.units[i]]} {pct(s.adjusted[i])}" for i in low]
    return Finding(
        code="agents.below_peers", metric="inquiry_conversion", scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=e.n, unit="share", goal=goal, customers=round(short.value), money=money,
        title_zh=f"{len(low)} 位客服的转化低于其余 {len(group)} 位" + ("，原因各不相同" if differ else ""),
        title_en=f"{len(low)} agents convert clearly less than the other {len(group)}"
        + (", for different reasons" if differ else ""),
        why_zh=f"扣除商品、时段、新老客、转入和月份的影响后，{len(group)} 位的差别在误差以内，不排名次，合计 {pct(peers.value)}；"
        f"{list_zh(names, 8)}。合 {count(short.value)} 位客户" + tail_zh(money),
        why_en=f"With product, hour, new or returning, transfers and month levelled out, {len(group)} cannot be told apart "
        f"({pct(peers.value)} together); {list_en(names, 8)}. That is {count(short.value)} customers"
        + tail_en(money),
        causes=_causes(case, s, low, found), evidence=_proof(case, found), rows=_rows(case, s, low, found),
        counter_zh=(counter := _counter(case, cells, [s.units[i] for i in low]))[0], counter_en=counter[1],
        remedies=_remedies(case, found), part_of=GAP,
    )  # fmt: skip


def _differ(found: dict[int, list[Seen]]) -> bool:
    first = [s[0].code for s in found.values() if s]
    return len(first) > 1 and len(set(first)) == len(first)


def sentence(seen: list[Seen], language: str) -> str:
    """The first sign, and the second where it is as plain as the first."""
    shown = seen[:1] + [s for s in seen[1:2] if seen[0].code == "new" or s.far >= 0.7 * seen[0].far]
    if not shown:
        return "看不出哪里不同" if language == "zh" else "no visible sign"
    return "；".join(s.zh for s in shown) if language == "zh" else "; ".join(s.en for s in shown)


def _rows(case: Case, s: Standardised, low: list[int], found: dict[int, list[Seen]]) -> tuple[Row, ...]:
    """Those below first, by distance; all others by name, since they have no rank."""
    rest = sorted((i for i in range(len(s.units)) if i not in low and s.n[i] >= LEAST), key=lambda i: case.agents[s.units[i]])
    rows = []
    for i in (*low, *rest):
        e, agent = s.estimate(i), s.units[i]
        seen = found.get(agent, [])
        signs_ = (sentence(seen, "zh"), sentence(seen, "en"), *_what(seen)) if i in low else ("", "", "", "")
        rows.append(Row(case.agents[agent], e.value, e.low, e.high, e.n, i in low, *signs_, raw=float(s.raw[i])))
    return tuple(rows)


def _what(seen: list[Seen]) -> tuple[str, str]:
    if seen:
        return seen[0].remedy_zh, seen[0].remedy_en
    return "主管和本人一起听 10 段没成交的会话", "listen to ten lost chats together with the supervisor"


def _causes(case: Case, s: Standardised, low: list[int], found: dict[int, list[Seen]]) -> tuple[Cause, ...]:
    """Each agent's sign with the part of the shortage that is theirs."""
    whole = s.shortage(low, main := [i for i in range(len(s.units)) if i not in low]).value
    out = []
    for i in low:
        agent = s.units[i]
        seen = found.get(agent, [])
        code = f"agent.{seen[0].code}" if seen else "agent.unknown"
        name, part = case.agents[agent], s.shortage([i], main).value
        out.append(Cause(code, f"{name}：{sentence(seen, 'zh')}", f"{name}: {sentence(seen, 'en')}", part / whole, int(s.n[i])))
    return tuple(out)


def _remedies(case: Case, found: dict[int, list[Seen]]) -> tuple[Remedy, ...]:
    return tuple(
        Remedy(f"{case.agents[a]}：{_what(seen)[0]}。", f"{case.agents[a]}: {_what(seen)[1]}.", "supervisor")
        for a, seen in found.items()
    )


def _counter(case: Case, cells: pl.DataFrame, low: list[int]) -> tuple[str, str]:
    """The largest product on which one of those below does not convert less than the others."""
    flagged = pl.col("agent_key").is_in(low)
    sums = (pl.col("n").sum(), pl.col("ordered").sum())
    others = cells.filter(~flagged).group_by("product_key").agg(*sums).filter(pl.col("n") >= LEAST)
    own = cells.filter(flagged, pl.col("product_key").is_not_null()).group_by("agent_key", "product_key").agg(*sums)
    rate, usual = pl.col("ordered") / pl.col("n"), pl.col("ordered_right") / pl.col("n_right")
    against = own.join(others, on="product_key").filter(pl.col("n") >= LEAST, rate >= usual).with_columns(rate=rate, usual=usual)
    if against.is_empty():
        return "", ""
    r = against.sort("n", "agent_key", "product_key", descending=[True, False, False]).row(0, named=True)
    name, product = case.agents[r["agent_key"]], case.products.get(r["product_key"], "?")
    return (
        f"反例：{name}接待{product}时转化 {pct(r['rate'])}（{r['n']} 位），不低于其余客服的 {pct(r['usual'])}。",
        f"Counter-example: {name} converts {pct(r['rate'])} of {r['n']} inquiries about {product}; the others {pct(r['usual'])}.",
    )


def _proof(case: Case, found: dict[int, list[Seen]]) -> tuple[Evidence, ...]:
    """For up to three agents one lost chat that shows the sign."""
    left = [(agent, seen[0].code) for agent, seen in found.items() if seen and case.has("messages")]
    out: list[Evidence] = []
    while left and len(out) < SHOWN:
        n = SHOWN - len(out)
        out, left = out + _show(case, dict(left[:n])), left[n:]
    return tuple(out)


def _show(case: Case, signs_: dict[int, str]) -> list[Evidence]:
    """Of each agent (agent_key → sign) a lost chat that shows the sign, where there is one."""
    lost = _Lost(case, list(signs_))
    places = {agent: lost.place(agent, sign) for agent, sign in signs_.items()}
    shown = evidence.messages(case, [chat for chat, _ in places.values() if chat])
    marked = evidence.marks(case, shown.filter(kind="customer"), "loss", []) if shown.height else {}
    pieces = [
        evidence.chat(evidence.of(shown, chat), marked, faults, zh=case.agents[agent], en=case.agents[agent])
        for agent, (chat, faults) in places.items()
        if chat
    ]
    return [piece for piece in pieces if piece]


Place = tuple[evidence.Chat | None, frozenset[int]]
"""A chat and the keys of the replies in it that show the sign."""


class _Lost:
    """The lost chats of some agents, asked for once for all of them."""

    def __init__(self, case: Case, agents: list[int]) -> None:
        t = case.mature()
        self._case = case
        self._chats = t.filter(~t.ordered, t.agent_key.isin(agents), t.customer_messages >= 2, t.agent_messages >= 1)

    def place(self, agent: int, sign: str) -> Place:
        """Where an agent's sign is seen best."""
        replies = self._replies.filter(agent_key=agent)
        if replies.is_empty():
            return None, frozenset()
        if sign == "slow":
            late = self._late.filter(agent_key=agent).head(1)
            return (late.select(CHAT).row(0) if late.height else None), frozenset(late["answer_key"])
        if sign == "canned":
            counts = replies["text_hash"].value_counts(sort=True).sort("count", "text_hash", descending=[True, False])
            return _most(replies.filter(pl.col("text_hash").is_in(counts["text_hash"].head(signs.OWN_TEXTS).to_list())))
        return self._unclosed(agent, replies)

    @cached_property
    def _replies(self) -> pl.DataFrame:
        return self._case.lines(self._chats, "agent")

    @cached_property
    def _asked(self) -> pl.DataFrame:
        return self._case.lines(self._chats)

    @cached_property
    def _late(self) -> pl.DataFrame:
        r = self._case.during("rounds")
        late = r.filter(r.wait_s > signs.SLOW_S, r.wait_s <= 600.0).semi_join(self._chats, CHAT)
        return self._case.frame(late.select(*CHAT, "wait_s", "answer_key")).sort("wait_s", "answer_key", descending=[True, False])

    @cached_property
    def _unsure(self) -> pl.Series:
        return self._saying("customer", "loss", *HESITATES)

    @cached_property
    def _closing(self) -> pl.Series:
        return self._saying("agent", "steps", *signs.CLOSINGS)

    def _saying(self, kind: str, taxonomy: str, *codes: str) -> pl.Series:
        """Keys of the messages by one kind of sender that say one of the codes."""
        tags = self._case.tags(taxonomy, *codes).semi_join(self._chats, CHAT)
        return self._case.frame(tags.filter(tags.kind == kind).select("message_key").distinct())["message_key"]

    def _unclosed(self, agent: int, replies: pl.DataFrame) -> Place:
        """A chat in which the customer hesitated and the reply after it, the last, does not ask for the order."""
        asked = self._asked.filter(agent_key=agent)
        unsure = asked.filter(pl.col("row_key").is_in(self._unsure.implode()))
        last = replies.group_by(CHAT, maintain_order=True).last()
        open_ = last.filter(~pl.col("row_key").is_in(self._closing.implode()))
        pairs = open_.join(unsure.group_by(CHAT).agg(pl.col("sent_at").min().alias("unsure_at")), on=CHAT, how="left")
        spoken = asked.group_by(CHAT).agg(pl.len().alias("c"))
        after = (pl.col("sent_at") >= pl.col("unsure_at")).fill_null(False)
        order = ["after", "c", "sent_at", "row_key"]
        best = pairs.join(spoken, on=CHAT).with_columns(after=after).sort(order, descending=[True, True, False, False]).head(1)
        return (best.select(CHAT).row(0) if best.height else None), frozenset(best["row_key"])


def _most(marked: pl.DataFrame) -> tuple[evidence.Chat | None, frozenset[int]]:
    """The chat with most of the marked replies, the earliest of equals."""
    by = (
        marked.group_by(CHAT)
        .agg(pl.len().alias("c"), pl.col("sent_at").min())
        .sort("c", "sent_at", "customer_key", descending=[True, False, False])
    )
    chat = by.select(CHAT).row(0)
    same = marked.filter(customer_key=chat[0], agent_key=chat[1], day=chat[2])
    return chat, frozenset(same["row_key"].to_list())
