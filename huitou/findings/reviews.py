"""Reviews: complaints inside good ones, products with more bad ones than the rest, and anger about a price that dropped."""

from datetime import date, timedelta
from math import ceil

import polars as pl
from scipy.special import pdtrc, pdtrik

from huitou.findings import evidence
from huitou.findings.case import LEAST, SAYS, Case
from huitou.findings.change import worse_than_before
from huitou.findings.conversion import estimate
from huitou.findings.model import OWN_DATA, Cause, Evidence, Finding, Goal, Remedy, Row
from huitou.findings.products import compare
from huitou.findings.remedies import remedy
from huitou.findings.stats import Estimate, share
from huitou.findings.wording import count, day_en, day_zh, list_en, list_zh, pct, span

WINDOW_DAYS = 7
LEAST_MENTIONS = 5
LEAST_CHARS = 8
WHOLE = "overall"
"""The aspect of a clause that names nothing in particular."""


def hidden(case: Case) -> Finding | None:
    """More good reviews carry a complaint than are rated mid or bad: what the rating does not show."""
    if not case.has("review_readings"):
        return None
    cell = case.cell("hidden_complaints")
    if cell is None or cell.n < LEAST:
        return None
    e, seen = estimate(cell), _visible(case)
    if seen is None:
        return None
    if e.low <= seen.value:
        case.fine.append("hidden_complaints")
        return None
    said = case.complaints.filter(rating="good")
    issues = _issues(case, said)
    goal = Goal("hidden_complaints", seen.value, "peers", "看得见的中差评", "visible mid and bad reviews", OWN_DATA)
    n = round(e.value * e.n)
    top = "、".join(c.zh.split("：")[0] for c in issues[:2])
    top_en = ", ".join(c.en.split(":")[0] for c in issues[:2])
    return Finding(
        code="reviews.hidden", metric="hidden_complaints", scope={}, period=case.period,
        value=e.value, low=e.low, high=e.high, n=e.n, unit="share", goal=goal, customers=n, money=None,
        title_zh=f"好评里 {pct(e.value)} 带着不满" + (f"，多在{top}" if top else ""),
        title_en=f"{pct(e.value)} of the good reviews carry a complaint" + (f", mostly {top_en}" if top_en else ""),
        why_zh=f"{count(e.n)} 条好评里 {count(n)} 条有一句不满（{span(e)}），中差评只占 {pct(seen.value)}。"
        "不满写在好评里，看评分看不见。",
        why_en=f"{count(n)} of {count(e.n)} good reviews complain of something ({span(e)} %); mid and bad "
        f"ones are {pct(seen.value)}. The rating does not show it.",
        causes=issues, evidence=_examples(case, said, issues, zh="好评里的{}", en="{}, in a good review"),
        counter_zh="", counter_en="", remedies=_fixes(case, issues),
    )  # fmt: skip


def _visible(case: Case) -> Estimate | None:
    r = case.during("reviews")
    rated = r.filter(r.rating.notnull())
    n, k = case.frame(rated.aggregate(n=rated.count(), k=(rated.rating != "good").ifelse(1, 0).sum())).row(0)
    return share(k, n) if n else None


def _issues(case: Case, said: pl.DataFrame) -> tuple[Cause, ...]:
    """What the reviews complain of, most frequent first; what names nothing in particular is left out."""
    n = max(said["review_key"].n_unique(), 1)
    named = said.filter(pl.col("aspect") != WHOLE).unique(["review_key", "aspect"])
    by = named["aspect"].value_counts(sort=True).sort("count", "aspect", descending=[True, False])
    leaves = [(case.leaf("aspects", code), k) for code, k in by.head(4).iter_rows() if k >= LEAST_MENTIONS]
    return tuple(Cause(f"review.{a.code}", f"{a.zh}：{count(k)} 条", f"{a.en}: {count(k)}", k / n, k) for a, k in leaves)


def _examples(case: Case, said: pl.DataFrame, issues: tuple[Cause, ...], *, zh: str, en: str) -> tuple[Evidence, ...]:
    """The newest review of at least eight characters for each of the two most frequent issues."""
    out: list[Evidence] = []
    for issue in issues[:2]:
        leaf = case.leaf("aspects", issue.code.removeprefix("review."))
        told = said.filter(aspect=leaf.code).sort("day", "review_key", descending=[True, False])
        out += quotes(case, told, most=1, zh=zh.format(leaf.zh), en=en.format(leaf.en))
    return tuple(out)


def quotes(case: Case, said: pl.DataFrame, *, most: int, zh: str, en: str) -> list[Evidence]:
    """The first reviews of some complaining clauses, with these clauses marked; reviews of a word or two come last."""
    keys = said["review_key"].unique(maintain_order=True).head(8 * most).to_list()
    r = case.during("reviews")
    texts = case.frame(r.filter(r.row_key.isin(keys)).select("row_key", "customer_key", "day", "text", "append_text"))
    short = pl.col("text").str.len_chars() < LEAST_CHARS
    order = pl.DataFrame({"row_key": keys}, schema={"row_key": pl.Int64}).with_row_index("nth")
    out = []
    for row in texts.join(order, on="row_key").sort(short, "nth").head(most).iter_rows(named=True):
        own = said.filter(review_key=row["row_key"])
        part = "text" if own.filter(part="text").height else "append"
        shown = row | {"text": row["text"] if part == "text" else row["append_text"]}
        out.append(evidence.review(shown, own.filter(part=part).select("start", "end").rows(), zh=zh, en=en))
    return out


def _fixes(case: Case, issues: tuple[Cause, ...]) -> tuple[Remedy, ...]:
    leaves = [case.leaf("aspects", i.code.removeprefix("review.")) for i in issues[:3]]
    return tuple(remedy(leaf) for leaf in leaves if leaf.remedy.zh)


def bad_products(case: Case) -> Finding | None:
    """Products whose share of mid and bad reviews is clearly above the rest's."""
    if not case.has("review_clauses"):
        return None
    r = case.during("reviews")
    rated = case.frame(r.filter(r.rating.notnull()).select("rating", review_key="row_key")).join(case.reviewed, on="review_key")
    rated = rated.drop_nulls("product_key")
    by = rated.group_by("product_key").agg(n=pl.len().cast(pl.Int64), ordered=(pl.col("rating") == "good").sum().cast(pl.Int64))
    if by.is_empty() or by["n"].sum() < LEAST:
        return None
    rows, _ = compare(by, margin=0.02)
    low = sorted((k for k, r in rows.items() if r[2]), key=lambda k: rows[k][0].value - rows[k][1].value)
    if not low:
        case.fine.append("bad_review_rate")
        return None
    own, rest = (_turned(e) for e in rows[low[0]][:2])
    name = case.products.get(low[0], "?")
    bad = rated.filter(pl.col("rating") != "good", pl.col("product_key") == low[0])
    said = case.complaints.join(bad, on="review_key", how="semi")
    issues = _issues(case, said)
    goal = Goal("bad_review_rate", rest.value, "peers", "其余商品", "other products", OWN_DATA)
    return Finding(
        code="reviews.bad_product", metric="bad_review_rate", scope={"product": name}, period=case.period,
        value=own.value, low=own.low, high=own.high, n=own.n, unit="share", goal=goal,
        customers=round((own.value - rest.value) * own.n), money=None,
        title_zh=f"{name}中差评 {pct(own.value)}，其余商品 {pct(rest.value)}",
        title_en=f"{name}: {pct(own.value)} mid and bad reviews, other products {pct(rest.value)}",
        why_zh=f"{count(own.n)} 条评价（{span(own)}）。" + "".join(c.zh + "。" for c in issues[:2]),
        why_en=f"Of {count(own.n)} reviews ({span(own)} %). " + "".join(c.en + ". " for c in issues[:2]),
        causes=issues, evidence=_examples(case, said, issues, zh="中差评里的{}", en="{}, in a mid or bad review"),
        counter_zh="", counter_en="",
        remedies=_fixes(case, issues) or (Remedy("逐条读这些评价，先公开解释，再定怎么改。",
                                                 "Read these reviews, explain in public, then decide on changes.", "product"),),
        rows=tuple(Row(case.products.get(k, "?"), (t := _turned(rows[k][0])).value, t.low, t.high, t.n, True) for k in low),
    )  # fmt: skip


def _turned(e: Estimate) -> Estimate:
    return Estimate(1 - e.value, 1 - e.high, 1 - e.low, e.n)


def price_drop(case: Case) -> Finding | None:
    """A week in which customers complain of a price that dropped after they bought, far above the other weeks."""
    told = _mentions(case)
    if told.height < LEAST_MENTIONS:
        return None
    days = (case.period[1] - case.period[0]).days + 1
    peak, start = _fullest(told, case.period)
    rest, others = told.height - peak, days - WINDOW_DAYS
    if others < WINDOW_DAYS:
        return None
    usual = rest / others * WINDOW_DAYS
    chance = float(pdtrc(peak - 1, max(told.height / days * WINDOW_DAYS, 0.5))) * days
    if peak < LEAST_MENTIONS or chance > 0.05:
        return None
    end = start + timedelta(days=WINDOW_DAYS - 1)
    inside = told.filter(pl.col("day").is_between(start, end))
    named, fell = _named(case, inside), _fell(case, start, end)
    low, high = (float(ceil(pdtrik(p, peak))) for p in (0.025, 0.975))  # Poisson quantiles
    goal = Goal("price_drop_complaints", usual, "history", "其余各周平均", "mean of the other weeks", OWN_DATA)
    return Finding(
        code="price.dropped", metric="price_drop_complaints", scope={}, period=(start, end),
        value=float(peak), low=low, high=high, n=told.height, unit="count", goal=goal, customers=peak, money=None,
        title_zh=f"{day_zh(start)}–{day_zh(end)}，{peak} 位客户说刚买就降价",
        title_en=f"{day_en(start)}–{day_en(end)}: {peak} customers complain that the price dropped after they bought",
        why_zh=f"其余各周平均 {usual:.1f} 位。" + (f"说到的商品：{list_zh(named)}。" if named else "") + fell[0],
        why_en=f"The other weeks have {usual:.1f} on average." + (f" Products: {list_en(named)}." if named else "") + fell[1],
        causes=_where(inside), evidence=_angry(case, inside), counter_zh="", counter_en="",
        remedies=(Remedy("活动前 7 天内的订单主动退差价或发券；活动页和快捷短语写明价保规则。",
                         "Refund the difference or send a coupon for orders of the 7 days before a campaign; "
                         "state the price promise on the page.",
                         "operations"),),
    )  # fmt: skip


def _fell(case: Case, start: date, end: date) -> tuple[str, str]:
    """How many products really sold cheaper in the window than in the four weeks before."""
    if not case.has("order_lines"):
        return "", ""
    parts = []
    for stretch in ((start - timedelta(days=28), start - timedelta(days=1)), (start, end)):
        t = case.during("order_lines", stretch)
        t = t.filter(t.product_key.notnull(), t.price_fen > 0)
        parts.append(
            case.frame(t.group_by("product_key").aggregate(n=t.count(), price=t.price_fen.mean())).filter(pl.col("n") >= 5)
        )
    both = parts[0].join(parts[1], on="product_key", suffix="_now").with_columns(change=pl.col("price_now") / pl.col("price") - 1)
    lower = both.filter(pl.col("change") <= -0.05)
    if lower.is_empty():
        return "订单里看不出这几天降价。", " The orders show no lower price in these days."
    cut, n = -float(lower["change"].median() or 0.0), lower.height  # type: ignore[arg-type]
    return (
        f"这几天 {n} 款的成交价比前四周低，中位 {pct(cut)}。",
        f" {n} products sold cheaper than in the four weeks before, by {pct(cut)} (median).",
    )


def _mentions(case: Case) -> pl.DataFrame:
    """One row a customer (or review without one): first day, where it stands, how often and plainly it is said, product."""
    parts = []
    if case.has("message_tags"):
        t = case.tags("intents", "price_protection")
        said = t.filter(t.kind == "customer").group_by("customer_key", "agent_key", "day", row_key=t.message_key)
        bought = case.during("messages").select("row_key", "product_key")
        told = said.aggregate(weight=t.strength.sum()).inner_join(bought, "row_key")
        parts.append(case.frame(told).with_columns(place=pl.lit("messages")))
    if case.has("review_clauses"):
        told = case.complaints.filter(aspect="price_drop").with_columns(weight=pl.lit(SAYS, pl.Int64), place=pl.lit("reviews"))
        parts.append(told.select("customer_key", "day", "product_key", "weight", "place", row_key="review_key"))
    if not any(part.height for part in parts):
        return pl.DataFrame()
    both = pl.concat(parts, how="diagonal_relaxed").sort("day", "row_key")
    return both.with_columns(who=pl.coalesce("customer_key", "row_key")).unique("who", keep="first", maintain_order=True)


def _fullest(told: pl.DataFrame, period: tuple[date, date]) -> tuple[int, date]:
    """The seven days with most mentions, the earliest of equals."""
    days = told["day"].to_list()
    starts = sorted({max(d, period[0]) for d in days})
    counts = [(sum(s <= d < s + timedelta(days=WINDOW_DAYS) for d in days), s) for s in starts]
    return max(counts, key=lambda c: (c[0], -c[1].toordinal()))


def _named(case: Case, inside: pl.DataFrame) -> list[str]:
    by = inside["product_key"].drop_nulls().value_counts(sort=True).sort("count", "product_key", descending=[True, False])
    return [case.products[k] for k in by["product_key"].head(3) if k in case.products]


def _where(inside: pl.DataFrame) -> tuple[Cause, ...]:
    n = inside.height
    chats = inside.filter(pl.col("place") == "messages").height
    both = (("chats", chats, "聊天里", "in chats"), ("reviews", n - chats, "评价里", "in reviews"))
    return tuple(
        Cause(f"price_drop.{code}", f"{zh} {count(k)} 位", f"{en}: {count(k)}", k / n, k) for code, k, zh, en in both if k
    )


def _angry(case: Case, inside: pl.DataFrame) -> tuple[Evidence, ...]:
    """The chat and the review of the window that say it most plainly, the first of equals."""
    inside = inside.sort("weight", "day", "row_key", descending=[True, False, False])
    chats = inside.filter(place="messages")["row_key"]
    said = {"price_protection": (chats[0], "刚买就降价", "price dropped")} if len(chats) else {}
    out = list(evidence.around(case, "intents", said).values())
    keys = inside.filter(place="reviews")["row_key"].head(1).to_list()
    if keys:
        told = case.complaints.filter(pl.col("aspect") == "price_drop", pl.col("review_key") == keys[0])
        out += quotes(case, told, most=1, zh="评价", en="review")
    return tuple(out)


def rating_drop(case: Case) -> Finding | None:
    """The share of bad reviews is above that of the first weeks."""
    if case.stretches is None or not case.has("reviews"):
        return None
    return worse_than_before(
        case, "bad_review_rate", better="lower", code="reviews.bad_rise", names=("差评率", "Bad review rate"),
        remedy=Remedy("读最近的差评，先看同一件事说了几次。",
                      "Read the latest bad reviews; see which one thing repeats.", "product"),
    )  # fmt: skip
