"""What a gap is worth: customers short of the goal × what an ordering customer pays, with the errors of both."""

from huitou.findings.model import Money
from huitou.findings.stats import Estimate, product
from huitou.findings.wording import cny, count, wan


def at_stake(short: Estimate, worth: Estimate, currency: str, *, what_zh: str = "位客户", what_en: str = "customers") -> Money:
    """Money of `short` units (with interval) at `worth` fen each, net of refunds, for the period.

    Both errors are propagated by the delta method. An interval that would reach below zero is cut there: the gap itself
    was shown to be no accident before it is priced.
    """
    total = product(short, worth)
    return Money(
        value_fen=round(total.value),
        low_fen=max(round(total.low), 0),
        high_fen=round(total.high),
        currency=currency,
        zh=f"{count(short.value)} {what_zh} × 平均 {worth.value / 100:,.0f} 元（已减退款）。是差距的估值，不是一定能追回的钱。",
        en=f"{count(short.value)} {what_en} × {currency} {worth.value / 100:,.0f} each on average, net of refunds. "
        "It values the gap; it is not money sure to come back.",
    )


def said_zh(money: Money) -> str:
    """约值 4.9 万元（4.2–5.5 万）."""
    if abs(money.value_fen) < 100_000:
        return f"约值 {wan(money.value_fen)}"
    return f"约值 {wan(money.value_fen)}（{money.low_fen / 1e6:.1f}–{money.high_fen / 1e6:.1f} 万）"


def tail_zh(money: Money | None) -> str:
    """The end of a sentence: ，约值 4.9 万元（4.2–5.5 万）。"""
    return f"，{said_zh(money)}。" if money else "。"


def tail_en(money: Money | None) -> str:
    """The end of a sentence: , worth about CNY 49,000 (42,000–55,000)."""
    return f", {said_en(money)}." if money else "."


def said_en(money: Money) -> str:
    """worth about CNY 49,000 (42,000–55,000)."""
    ends = [cny(v, "").strip() for v in (money.low_fen, money.high_fen)]
    return f"worth about {cny(money.value_fen, money.currency)} ({ends[0]}–{ends[1]})"
