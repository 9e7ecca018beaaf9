"""The tables of reasons of the invented shop."""

from datetime import date
from math import sqrt

from huitou.findings.model import Evidence, Example, Line, Reason, Remedy, Table

PRODUCTS = ("云朗公文包", "行川双肩包")


def wilson(k: float, n: float) -> tuple[float, float, float]:
    """Share with its 95 % Wilson interval."""
    p, z2 = k / n, 1.96**2
    mid, half = (p + z2 / (2 * n)) / (1 + z2 / n), 1.96 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return p, mid - half, mid + half


def reason(names: tuple[str, str, str, str], n: int, cells: tuple[int, ...], stands_out: tuple[int, ...], *proof: Line) -> Reason:
    """A row of a table of 5,348; code, zh, en and who can act in `names`."""
    fix = Remedy("商品页放检测报告。", "Put the test report on the page.", "product") if names[3] == "product" else None
    evidence = (Evidence("7K3F", names[1], names[2], proof),) if proof else ()
    p, low, high = wilson(n, 5348)
    agents = (("小禾", 71), ("念念", 68)) if proof else ()
    return Reason(*names, n, p, low, high, cells, stands_out, (3, 5, 8, 13), agents, fix, evidence)


def tables() -> tuple[Table, ...]:
    """One table of each kind."""
    asked = Line(11, "customer", "2026-05-19 20:43", "没有检测报告我不放心", ((0, 10),))
    silent = reason(("unknown.silent", "突然无回复", "suddenly silent", "unknown"), 1158, (98, 246, 814), (0, 0, 0))
    doubt = reason(("product.authenticity", "真伪疑虑", "doubts it is genuine", "product"), 612, (352, 61, 199), (6, 0, 0), asked)
    few = reason(("price.gift", "赠品不满意", "gift missing or unwanted", "price"), 30, (3, 0, 27), (0, 0, 1))
    said = Example("7K3F", date(2026, 5, 19), "小禾", "云朗公文包", "没有检测报告我不放心", 11)
    loss = Table("loss", 5348, PRODUCTS, (759, 1064, 3525), (silent, doubt, few), {"product.authenticity": (said,)})
    balance = reason(("balance", "余额不足", "balance too low", "customer"), 48, (9, 4, 35), (0, 0, 0))
    unpaid = Table("unpaid", 5348, PRODUCTS, (759, 1064, 3525), (balance,), {})
    smelt = Line(12, "review", "2026-05-20", "质量不错，就是味道有点大", ((5, 12),))
    smell = reason(("smell", "气味", "smell", "product"), 38, (9, 7, 22), (0, 0, 0), smelt)
    nosed = Example("7K3F", date(2026, 5, 20), "", "行川双肩包", "就是味道有点大", 12)
    return loss, unpaid, Table("reviews", 5348, PRODUCTS, (759, 1064, 3525), (smell,), {"smell": (nosed,)})
