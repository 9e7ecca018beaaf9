"""A simulated shop with planted truth, written as the platforms write their exports.

Comes in: a seed, a scale, a period. Goes out: a folder of export files (orders, sub-orders, refunds, chats, reviews,
traffic) and ``truth.json``, which says what was planted and where. Nothing in it is real.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from huitou.demo.chance import Dice
from huitou.demo.folder import Folder
from huitou.demo.notes import readme
from huitou.demo.served import inquiries
from huitou.demo.shop import Shop
from huitou.demo.summary import summary
from huitou.demo.world import BLOCKED, COLLEAGUES, ROBOT, SHOP, Plan

SEED, END = 20_260_531, date(2026, 5, 31)


@dataclass(frozen=True, slots=True)
class Truth:
    """What was planted: `summary` holds totals and rates, the file the facts one by one."""

    file: Path
    summary: dict[str, Any]


def write_demo(folder: Path, *, seed: int = SEED, scale: float = 1.0, months: int = 3, end: date = END) -> Truth:
    """Write the demo shop's exports for the `months` calendar months up to `end` into the folder.

    `scale` 1.0 is about 11,000 inquiries, 9,000 orders and 130,000 messages in three months; time grows with it,
    memory by a month of orders. The same arguments give the same bytes.
    """
    plan = Plan(seed, scale, _months_before(end, months), end)
    out = Folder(folder, plan)
    shop = Shop(plan, out)
    for day in plan.days:
        out.month(day)
        inquiries(shop, Dice(seed, "inquiries", day), day)
        dice = Dice(seed, "rest", day)
        shop.silent_orders(dice, day)
        shop.visits_today(dice, day)
        shop.noise(dice, day)
        shop.close_day(dice, day)
    shop.close_period()
    found = summary(shop)
    out.finish(found)
    (folder / "README.txt").write_text(readme(plan, out.files), encoding="utf-8", newline="\n")
    return Truth(folder / "truth.json", found)


def settings_for_demo() -> dict[str, Any]:
    """The settings of a workspace for the demo shop: ``Workspace.create(path, **settings_for_demo())``."""
    return {
        "shop": SHOP,
        "platform": "tmall",
        "timezone": "Asia/Shanghai",
        "currency": "CNY",
        "industry": "bags",
        "agent_roles": {ROBOT: "robot"},
        "colleagues": COLLEAGUES,
        "blocked": BLOCKED,
        "auto_reply_markers": ("^_^",),
    }


def _months_before(end: date, months: int) -> date:
    """The first day of a period of whole months that ends with `end`: 05-31 and 3 → 03-01."""
    after = end + timedelta(days=1)
    index = after.year * 12 + after.month - 1 - months
    return date(index // 12, index % 12 + 1, min(after.day, 28))


__all__ = ["SEED", "Truth", "settings_for_demo", "write_demo"]
