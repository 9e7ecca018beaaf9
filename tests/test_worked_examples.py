"""The trade's worked examples, from export files to the printed number, through the command line.

Sources: the customer-service course [003] (5.1.3, 5.3.2, 5.3.4, 5.4.3), a CRM vendor's shop diagnosis [000], and the
published examples of Tmall's three-minute rule (dingjiuxi.cn 14066).
"""

import re
from pathlib import Path

import pytest

from tests.exports import order, write_chats, write_orders, write_reviews
from tests.front import huitou, number, numbers, shop

SHOP = "测试旗舰店"


def chat(who: str, day: str, at: str = "09:00:00") -> list[tuple[str, str, str]]:
    """A minimal served chat: a question and an answer within ten seconds."""
    return [("", f"{day} {at}", "在吗，这款还有吗"), (who, f"{day} {at[:-2]}08", "在的亲，有货，可以直接拍")]


@pytest.mark.slow
def test_service_share_of_sales(tmp_path: Path) -> None:
    """[003] 5.1.3: silent 2,250, after service 1,500, total 3,750 → 40 %."""
    silent = [order(i, f"静默{i}", "2026-05-04 10:00:00", 225) for i in range(10)]
    served = [order(100 + i, f"咨询{i}", "2026-05-04 10:00:00", 150) for i in range(10)]
    chats = {f"咨询{i}": chat("小满", "2026-05-04") for i in range(10)}
    ws = shop(tmp_path, write_orders(tmp_path / "o.csv", silent + served), write_chats(tmp_path / "c.txt", SHOP, chats))
    cell = number(ws, "service_sales_share")
    assert (cell["value"], cell["numerator"], cell["denominator"]) == (0.4, 1500, 3750)


@pytest.mark.slow
def test_agent_bar_is_fifteen_per_cent_above_the_shop(tmp_path: Path) -> None:
    """[003] 5.3.2: shop 40 → the agent's bar is 46. Served orders at 46, silent ones so that the shop's mean is 40."""
    served = [order(i, f"咨询{i}", "2026-05-04 10:00:00", 46) for i in range(10)]
    silent = [order(100 + i, f"静默{i}", "2026-05-04 10:00:00", 34) for i in range(10)]
    chats = {f"咨询{i}": chat("小满", "2026-05-04") for i in range(10)}
    ws = shop(tmp_path, write_orders(tmp_path / "o.csv", served + silent), write_chats(tmp_path / "c.txt", SHOP, chats))
    assert number(ws, "average_order_value")["value"] == 40
    assert number(ws, "agent_aov_uplift", "--by", "agent")["value"] == pytest.approx(0.15)


AOV = {
    "甲": (58, 63, 65, 70, 71, 75), "乙": (58, 60, 63, 67, 70, 77), "丙": (65, 66, 64, 67, 67, 68),
    "丁": (65, 75, 55, 56, 60, 75), "戊": (70, 74, 72, 70, 74, 73),
}  # fmt: skip


@pytest.mark.slow  # six months of chats; short numbers by agent stand in test_metrics_service.py
def test_aov_by_agent_july_to_december(tmp_path: Path) -> None:
    """[003] 5.3.4: shop 57; means 67, 65.83, 66.17, 64.33, 72.17; bar 65.55: only 丁 is below."""
    orders, chats = [], {}
    for who, values in AOV.items():
        for i, value in enumerate(values):
            buyer, day = f"{who}{i}", f"2025-{7 + i:02}-10"
            orders.append(order(len(orders), buyer, f"{day} 10:00:00", value))
            chats[buyer] = chat(who, day)
    total = sum(sum(v) for v in AOV.values())
    silent = 30  # as many silent orders as served ones, at the amount that makes the shop's mean 57
    rest = round((57 * (30 + silent) - total) * 100)
    parts = [rest // silent + (i < rest % silent) for i in range(silent)]
    orders += [order(500 + i, f"静默{i}", "2025-09-10 10:00:00", p / 100) for i, p in enumerate(parts)]
    ws = shop(tmp_path, write_orders(tmp_path / "o.csv", orders), write_chats(tmp_path / "c.txt", SHOP, chats))
    assert number(ws, "average_order_value")["value"] == 57
    means = {c["by"]["agent"]: c["value"] for c in numbers(ws, "average_order_value", "--by", "agent") if c["by"]["agent"] in AOV}
    assert {k: round(v, 2) for k, v in means.items()} == {"甲": 67, "乙": 65.83, "丙": 66.17, "丁": 64.33, "戊": 72.17}
    uplift = {c["by"]["agent"]: c["value"] for c in numbers(ws, "agent_aov_uplift", "--by", "agent")}
    assert [who for who, share in uplift.items() if share < 0.15] == ["丁"]


@pytest.mark.slow
def test_refunds_of_january(tmp_path: Path) -> None:
    """[003] 5.4.3: sold 2,033, refunded 468; served 1,179, served refunded 43 → 23 %, 9 %, 4 %."""
    day = "2026-01-10 10:00:00"
    served = [order(i, f"咨询{i}", day, 50, refund=50 if i < 43 else 0) for i in range(1179)]
    silent = [order(5000 + i, f"静默{i}", day, 50, refund=50 if i < 425 else 0) for i in range(854)]
    chats = {f"咨询{i}": chat("小满", "2026-01-10") for i in range(1179)}
    ws = shop(tmp_path, write_orders(tmp_path / "o.csv", served + silent), write_chats(tmp_path / "c.txt", SHOP, chats))
    cells = {c["metric"]: c for c in numbers(ws, "shop_refund_rate", "agent_refund_share", "agent_refund_rate")}
    counts = {m: (c["numerator"], c["denominator"]) for m, c in cells.items()}
    assert counts == {"shop_refund_rate": (468, 2033), "agent_refund_share": (43, 468), "agent_refund_rate": (43, 1179)}
    assert [round(100 * c["value"]) for c in cells.values()] == [23, 9, 4]


def test_reviews_of_three_weeks(tmp_path: Path) -> None:
    """[000]: 422 reviews from 23 May to 13 June, 410 good, 10 mid, 2 bad → 97 % good."""
    ratings = ["好评"] * 410 + ["中评"] * 10 + ["差评"] * 2
    days = [f"2026-05-{23 + i % 9:02}" if i % 22 < 9 else f"2026-06-{1 + i % 13:02}" for i in range(422)]
    reviews = write_reviews(
        tmp_path / "r.csv", [(f"包收到了，编号{i}", r, d) for i, (r, d) in enumerate(zip(ratings, days, strict=True))]
    )
    cell = number(shop(tmp_path, reviews), "good_review_rate", "--from", "2026-05-23", "--to", "2026-06-13")
    assert (cell["numerator"], cell["n"], round(cell["value"], 2)) == (410, 422, 0.97)


ASKED_TWICE = [
    ("", "2026-05-04 10:10:15", "在吗"),
    ("", "2026-05-04 10:15:20", "有人吗"),
    ("小满", "2026-05-04 10:18:10", "在的亲"),
]
ASKED_AGAIN = [("", "2026-05-04 10:18:30", "多少钱"), ("小满", "2026-05-04 10:19:00", "199 元")]
NEVER = [("", "2026-05-04 10:10:15", "在吗")]


@pytest.mark.parametrize("rules", ["tmall-2025", "tmall-classic"])
def test_three_minute_examples(tmp_path: Path, rules: str) -> None:
    """Consecutive questions count from the first; a question never answered that day counts as not answered."""
    examples = {"2026-05-04": ASKED_TWICE, "2026-05-05": ASKED_TWICE + ASKED_AGAIN, "2026-05-06": NEVER}
    chats = {f"买家{day}": [(who, day + at[10:], text) for who, at, text in lines] for day, lines in examples.items()}
    ws = shop(tmp_path, write_chats(tmp_path / "c.txt", f"{SHOP}:小满", chats), rules=rules)
    cells = numbers(ws, "human_response_rate_3min", "--by", "day")
    answered = [(c["by"]["day"], c["numerator"], c["denominator"], c["rules"]) for c in cells]
    assert answered == [("2026-05-04", 0, 1, rules), ("2026-05-05", 1, 2, rules), ("2026-05-06", 0, 1, rules)]


@pytest.mark.slow
def test_a_shop_below_its_trade_is_flagged(tmp_path: Path) -> None:
    """[000]: inquiry conversion 30 % against 45 %, same-day payment 66.12 %: both stand out."""
    chats = {f"买家{i}": chat(f"客服{i % 4}", f"2026-05-{1 + i % 20:02}") for i in range(1000)}
    bought = [i for i in range(1000) if i % 10 < 3]
    orders = [order(i, f"买家{i}", f"2026-05-{1 + i % 20:02} 10:00:00", 200) for i in bought]
    unpaid = round(10_000 * (1 - 0.6612))  # of 10,000 orders in all, 66.12 % are paid the same day
    orders += [
        order(20_000 + i, f"静默{i}", "2026-05-25 10:00:00", 200, paid="" if i < unpaid else "2026-05-25 10:01:00")
        for i in range(10_000 - len(bought))
    ]
    ws = shop(tmp_path, write_orders(tmp_path / "o.csv", orders), write_chats(tmp_path / "c.txt", SHOP, chats))
    settings = ws / "huitou.toml"
    text = settings.read_text("utf-8")
    settings.write_text(re.sub(r"(?m)^#? *industry = .*$", 'industry = "bags"', text), "utf-8")
    assert number(ws, "inquiry_conversion")["value"] == 0.3
    assert number(ws, "same_day_payment_rate")["value"] == 0.6612
    said = huitou("-w", ws, "--lang", "en", "diagnose").stdout
    assert "Inquiry conversion" in said and "30.0%" in said and "45" in said
    assert "66.1%" in said
