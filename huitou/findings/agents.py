"""Agents who convert less than their peers when everyone is given the shop's own mix of inquiries."""

import ibis.expr.types as ir
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
    if not case.has("messages"):
        return ()
    out: list[Evidence] = []
    for agent, seen in found.items():
        if seen and len(out) < 3:
            one = _shows(case, agent, seen[0])
            out += [one] if one else []
    return tuple(out)


def _shows(case: Case, agent: int, seen: Seen) -> Evidence | None:
    t = case.mature()
    chats = t.filter(~t.ordered, t.agent_key == agent, t.customer_messages >= 2, t.agent_messages >= 1)
    replies = case.lines(chats, "agent")
    if replies.is_empty():
        return None
    if seen.code == "slow":
        chat, faults = _slowest(case, chats)
    elif seen.code == "canned":
        top = (
            replies["text_hash"]
            .value_counts(sort=True)
            .sort("count", "text_hash", descending=[True, False])["text_hash"]
            .head(signs.OWN_TEXTS)
        )
        chat, faults = _most(replies.filter(pl.col("text_hash").is_in(top.to_list())))
    else:
        chat, faults = _unclosed(case, chats, replies)
    if chat is None:
        return None
    shown = evidence.messages(case, [chat])
    marked = evidence.marks(case, shown.filter(kind="customer"), "loss", [])
    return evidence.chat(shown, marked, faults, zh=case.agents[agent], en=case.agents[agent])


def _slowest(case: Case, chats: ir.Table) -> tuple[evidence.Chat | None, frozenset[int]]:
    r = case.during("rounds")
    late = r.filter(r.wait_s > signs.SLOW_S, r.wait_s <= 600.0).semi_join(chats, CHAT)
    frame = case.frame(late.select(*CHAT, "wait_s", "answer_key")).sort("wait_s", "answer_key", descending=[True, False])
    if frame.is_empty():
        return None, frozenset()
    return frame.select(CHAT).row(0), frozenset([frame["answer_key"][0]])


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


def _unclosed(case: Case, chats: ir.Table, replies: pl.DataFrame) -> tuple[evidence.Chat | None, frozenset[int]]:
    """A chat in which the customer hesitated and the reply after it, the last, does not ask for the order."""
    asked = case.lines(chats)
    tags = case.tags("loss", *HESITATES).semi_join(chats, CHAT)
    said = case.frame(tags.filter(tags.kind == "customer").select("message_key").distinct())["message_key"]
    unsure = asked.filter(pl.col("row_key").is_in(said.implode()))
    last = replies.group_by(CHAT, maintain_order=True).last()
    steps = case.tags("steps", *signs.CLOSINGS).semi_join(chats, CHAT)
    closing = case.frame(steps.filter(steps.kind == "agent").select("message_key").distinct())["message_key"]
    open_ = last.filter(~pl.col("row_key").is_in(closing.implode()))
    pairs = open_.join(unsure.group_by(CHAT).agg(pl.col("sent_at").min().alias("unsure_at")), on=CHAT, how="left")
    spoken = asked.group_by(CHAT).agg(pl.len().alias("c"))
    after = (pl.col("sent_at") >= pl.col("unsure_at")).fill_null(False)
    best = (
        pairs.join(spoken, on=CHAT)
        .with_columns(after=after)
        .sort("after", "c", "sent_at", "row_key", descending=[True, True, False, False])
    )
    if best.is_empty():
        return None, frozenset()
    return best.select(CHAT).row(0), frozenset([best["row_key"][0]])
