"""A complaint of reviews that rises: an aspect of a product, SKU, courier or region, named more than in the weeks before."""

from datetime import timedelta

import polars as pl

from huitou.findings.case import Case
from huitou.findings.model import OWN_DATA, Finding, Goal, Remedy
from huitou.findings.remedies import remedy
from huitou.findings.reviews import WHOLE, quotes
from huitou.findings.stats import share
from huitou.findings.trends import rising, weekly
from huitou.findings.wording import count, day_en, day_zh, pct, span

GROUPS = ("all", "product", "sku", "courier", "region")


def issue(case: Case) -> Finding | None:
    """The aspect that rose most clearly in the period's last whole week."""
    if not case.has("review_clauses"):
        return None
    reviews, clauses = grouped(case), case.complaints.filter(pl.col("aspect") != WHOLE)
    last = case.period[1] + timedelta(days=1)
    week = last - timedelta(days=last.weekday() + 7)
    counts = [
        weekly(clauses.with_columns(polarity=pl.lit("negative")), reviews, None if group == "all" else group)
        for group in GROUPS
        if group == "all" or reviews[group].null_count() < reviews.height
    ]
    found = rising(pl.concat(counts), week) if counts else pl.DataFrame()
    if found.is_empty():
        case.fine.append("review_issue_share")
        return None
    row = found.row(0, named=True)
    leaf, e, end = case.leaf("aspects", row["aspect"]), share(row["complaints"], row["reviews"]), week + timedelta(days=6)
    where = "" if row["group"] == "all" else row["group"]
    inside = reviews.filter(pl.col("day").is_between(week, end))
    inside = inside if not where else inside.filter(pl.any_horizontal(pl.col(g) == where for g in GROUPS[1:]))
    told = clauses.filter(aspect=leaf.code).join(inside.select("review_key"), on="review_key", how="semi")
    goal = Goal("review_issue_share", row["share_before"], "history", "之前几周", "the weeks before", OWN_DATA)
    zh, en = (f"{where}的评价里" if where else "评价里"), (f"reviews of {where}" if where else "reviews")
    fix = remedy(leaf)
    return Finding(
        code="reviews.rising", metric="review_issue_share", scope={"group": where} if where else {}, period=(week, end),
        value=e.value, low=e.low, high=e.high, n=e.n, unit="share", goal=goal, customers=row["complaints"], money=None,
        title_zh=f"{day_zh(week)}这一周，{zh}说{leaf.zh}不好的升到 {pct(e.value)}",
        title_en=f"In the week of {day_en(week)} {pct(e.value)} of {en} complain of {leaf.en}",
        why_zh=f"{count(e.n)} 条里 {row['complaints']} 条（{span(e)}），之前几周 {pct(row['share_before'])}。"
        "各方面、各商品和快递一起检验，误报控制在 5% 以内。",
        why_en=f"{row['complaints']} of {count(e.n)} ({span(e)} %); {pct(row['share_before'])} in the weeks before. "
        "All aspects and groups were tested together with at most 5 % false alarms.",
        causes=(), evidence=tuple(quotes(case, told, most=2, zh=leaf.zh, en=leaf.en)), counter_zh="", counter_en="",
        remedies=(fix,) if fix.zh else (Remedy("读这一周的这些评价，先看是不是同一批货。",
                                               "Read these reviews of the week; see whether it is one batch.", "product"),),
    )  # fmt: skip


def grouped(case: Case) -> pl.DataFrame:
    """The period's reviews with day, product name, SKU, and courier and region of their order, where known."""
    r = case.during("reviews").select("order_key", "sku", "day", review_key="row_key")
    frame = case.frame(r).join(case.reviewed, on="review_key", how="left")
    frame = frame.with_columns(
        product=pl.col("product_key").replace_strict(case.products, default=None, return_dtype=pl.String),
        sku=pl.when(pl.col("sku").str.strip_chars() != "").then("sku"),
    )
    if not case.has("order_facts"):
        return frame.with_columns(courier=pl.lit(None, pl.String), region=pl.lit(None, pl.String))
    orders = case.snapshot.table("order_facts").select("order_key", "courier", "region")
    return frame.join(case.frame(orders.semi_join(r, "order_key")), on="order_key", how="left")
