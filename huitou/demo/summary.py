"""The head of ``truth.json``: what was planted and what came of it, as totals."""

from typing import Any

from huitou.demo.orders import LATE_PAYERS, PAYS, REPLACED
from huitou.demo.reviews import HIDDEN
from huitou.demo.shop import RETURNING, RETURNING_AGAIN, RETURNING_SLOW, Shop
from huitou.demo.world import (
    AGENTS,
    BLOCKED,
    COLLEAGUES,
    DOUBTED,
    PRODUCTS,
    ROBOT,
    SHOP,
    SLOW_COURIER,
    SLOW_FACTOR,
    SLOW_REGION,
    WEAK,
    Agent,
)


def summary(shop: Shop) -> dict[str, Any]:
    """Totals by name; shares are 0…1, money and times as in the files."""
    t, plan = shop.totals, shop.plan
    return {
        "shop": SHOP, "seed": plan.seed, "scale": plan.scale, "first": str(plan.first), "last": str(plan.last),
        "exported_at": plan.exported_at, "counts": shop.folder.counts,
        "conversion": _rate(t, "all"),
        "paid_of_ordered": t["ordered_and_paid"] / max(t["all k"], 1),
        "agents": {a.name: _agent(t, a) for a in AGENTS},
        "robot_account": ROBOT,
        "doubted": {"product_id": DOUBTED.id, "model": DOUBTED.model, **_rate(t, "product doubted"),
                    "others": _rate(t, "product others")},
        "products": {p.id: {"model": p.model, "title": p.title, "price_fen": p.price} for p in PRODUCTS},
        "slow_route": {"region": SLOW_REGION, "courier": SLOW_COURIER, "factor": SLOW_FACTOR},
        "campaign": {"first": str(plan.sale[0]), "last": str(plan.sale[1]), "off": 0.15},
        "planted": {"replaced": REPLACED, "pays": PAYS, "late_payers": LATE_PAYERS, "hidden": HIDDEN, "returning_90": RETURNING,
                    "returning_90_slow": RETURNING_SLOW, "returning_again": RETURNING_AGAIN},
        "hesitated": {"followed": _rate(t, "hesitated followed"), "alone": _rate(t, "hesitated alone")},
        "reviews": {k: int(t[k]) for k in ("good", "mid", "bad")},
        "noise": {k: int(t[f"{k}_chats"]) for k in ("colleague", "spam", "empty", "reminder")},
        "colleagues": list(COLLEAGUES), "blocked": list(BLOCKED), "visitors": int(t["visitors"]),
        "huitou_toml": f'[shop]\nname = "{SHOP}"\nplatform = "tmall"\nindustry = "bags"\n\n[agents]\n"{ROBOT}" = "robot"\n\n'
                       f"[chats]\ncolleagues = {_toml(COLLEAGUES)}\nblocked = {_toml(BLOCKED)}\n",
    }  # fmt: skip


def _agent(totals: dict[str, float], agent: Agent) -> dict[str, Any]:
    rate = _rate(totals, f"agent {agent.name}")
    return {
        **rate, "closing": round(totals[f"closing {agent.name}"] / max(rate["n"], 1), 4), "shift": agent.shift,
        "weak": agent.name in WEAK, "over_60": agent.over_60, "canned": agent.canned, "partial": agent.partial,
        "hired_days": agent.hired_days,
    }  # fmt: skip


def _rate(totals: dict[str, float], key: str) -> dict[str, float]:
    n, k = int(totals[f"{key} n"]), int(totals[f"{key} k"])
    return {"n": n, "ordered": k, "share": round(k / n, 4) if n else 0.0}


def _toml(names: tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{n}"' for n in names) + "]"
