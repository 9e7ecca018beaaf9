"""Facts a second time, slowly: loops over lists, written from the definitions and not from the expressions."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from huitou.facts import Roster
from huitou.rules import RulePack
from tests.facts_shop import Line, Order, day_of, micros

DAY_S = 86400
WEEK_S = 7 * DAY_S
Row = dict[str, Any]


def chats(lines: Sequence[Line]) -> dict[tuple[int, int], list[Line]]:
    """Messages of customer and persons, per customer and account, in order."""
    found = defaultdict(list)
    for line in sorted(lines, key=lambda x: (x.at, x.row)):
        if line.kind in ("customer", "agent"):
            found[line.customer, line.agent].append(line)
    return found


def rounds(lines: Sequence[Line], pack: RulePack, roster: Roster) -> list[Row]:
    out: list[Row] = []
    for (customer, agent), talk in chats(lines).items():
        asked: Row | None = None
        before: Line | None = None
        account_began = False
        for line in talk:
            pause = line.at - before.at if before else 0
            border = before is None or pause >= pack.session_gap_s
            other_day = before is not None and before.day != line.day
            cut = (
                pause >= WEEK_S
                or (pack.answer_same_day and other_day)
                or (pack.round_splits_at_gap and before is not None and border)
            )
            if asked and cut:
                asked = None
            if border:
                account_began = line.kind == "agent"
            if line.kind == "agent":
                if asked:
                    asked |= {"answered_at": line.us, "wait_s": float(line.at) - asked["at"], "answer_key": line.row_key}
                    asked["same_day"] = line.day == asked["day"]
                asked = None
            elif asked:
                asked["questions"] += 1
            else:
                asked = {
                    "shop_key": 7, "customer_key": customer, "agent_key": agent, "day": line.day, "second": line.at % DAY_S,
                    "asked_at": line.us, "answered_at": None, "wait_s": None, "same_day": False, "opens": border or account_began,
                    "questions": 1, "asked_key": line.row_key, "answer_key": None, "at": line.at,
                }  # fmt: skip
                account_began = False
                out.append(asked)
            before = line
    hidden = set(roster.colleagues) | set(roster.blocked)
    kept = [r for r in out if r["customer_key"] not in hidden and (r["answered_at"] or r["agent_key"] not in roster.robots)]
    for r in kept:
        r.pop("at")
    return sorted(kept, key=lambda r: (r["customer_key"], r["agent_key"], r["asked_key"]))


def sessions(lines: Sequence[Line], pack: RulePack) -> list[list[Line]]:
    out: list[list[Line]] = []
    for talk in chats(lines).values():
        for i, line in enumerate(talk):
            if i == 0 or line.at - talk[i - 1].at >= pack.session_gap_s:
                out.append([])
            out[-1].append(line)
    return out


def session_rows(lines: Sequence[Line], pack: RulePack) -> list[Row]:
    rows = [
        {
            "shop_key": 7, "customer_key": s[0].customer, "agent_key": s[0].agent, "day": s[0].day, "started_at": s[0].us,
            "ended_at": s[-1].us, "customer_messages": sum(x.kind == "customer" for x in s),
            "agent_messages": sum(x.kind == "agent" for x in s), "first_key": s[0].row_key,
        }
        for s in sessions(lines, pack)
    ]  # fmt: skip
    return sorted(rows, key=lambda r: r["first_key"])


def receptions(lines: Sequence[Line], pack: RulePack, roster: Roster) -> list[Row]:
    asked = rounds(lines, pack, roster)
    talk = sessions(lines, pack)
    days: dict[tuple[int, int, Any], list[Line]] = defaultdict(list)
    for line in sorted(lines, key=lambda x: (x.at, x.row)):
        days[line.customer, line.agent, line.day].append(line)
    outs = {}
    for key, day in days.items():
        human = [x.at for x in day if x.kind in ("customer", "agent")]
        moved = [x.at for x in day if x.kind == "transfer"]
        if human and moved and max(moved) >= human[0]:
            outs[key] = max(moved)
    rows = [_reception(key, day, asked, talk, outs, pack, roster) for key, day in days.items()]
    return sorted(rows, key=lambda r: (r["customer_key"], r["agent_key"], r["day"]))


def _reception(
    key: Any, day: list[Line], asked: list[Row], talk: list[list[Line]], outs: dict[Any, int], pack: RulePack, roster: Roster
) -> Row:
    customer, agent, date = key
    human = [x for x in day if x.kind in ("customer", "agent")]
    said = [x for x in day if x.kind not in ("system", "transfer")] or day
    by = {kind: [x for x in day if x.kind == kind] for kind in ("customer", "agent", "auto", "robot", "transfer")}
    mine = [r for r in asked if (r["customer_key"], r["agent_key"], r["day"]) == key]
    order = {x.row_key: x.row for x in day}
    mine.sort(key=lambda r: (r["asked_at"], order[r["asked_key"]]))
    handed = [at for (c, a, d), at in outs.items() if c == customer and a != agent and d == date]
    moved_in = [x for x in by["transfer"] if not human or x.at < human[0].at]
    came_on = human and any(0 <= human[0].at - at <= pack.session_gap_s for at in handed)
    products = [x.product for x in by["customer"] if x.product is not None]
    return {
        "shop_key": 7, "customer_key": customer, "agent_key": agent, "day": date, "second": said[0].at % DAY_S,
        "first_at": said[0].us, "last_at": said[-1].us,
        "sessions": sum(any(x.customer == customer and x.agent == agent and x.day == date for x in s) for s in talk),
        "customer_messages": len(by["customer"]), "agent_messages": len(by["agent"]),
        "auto_messages": len(by["auto"] + by["robot"]), "agent_chars": sum(x.chars for x in by["agent"]),
        "customer_first": bool(human) and human[0].kind == "customer",
        "customer_last": bool(human) and human[-1].kind == "customer",
        "answered": any(x.kind == "customer" and y.kind == "agent" for x, y in pairwise(human)),
        "rounds": len(mine), "first_wait_s": mine[0]["wait_s"] if mine else None,
        "slow_rounds": sum((r["wait_s"] or 0) > pack.slow_reply_s for r in mine),
        "transferred_in": bool(moved_in or came_on), "transferred_out": key in outs,
        "product_key": products[0] if products else None,
        "filtered": _filtered(key, by, outs.get(key), roster),
        "first_key": human[0].row_key if human else min(x.row_key for x in day),
    }  # fmt: skip


def _filtered(key: Any, by: dict[str, list[Line]], out_at: int | None, roster: Roster) -> str | None:
    if key[0] in roster.colleagues:
        return "colleague"
    if key[0] in roster.blocked:
        return "blocked"
    if not by["customer"]:
        return "empty"
    if out_at is not None and not by["agent"] and by["customer"][-1].at <= out_at:
        return "forwarded"
    if key[1] in roster.robots and not by["agent"] and (by["auto"] or by["robot"]):
        return "robot"
    return None


def order_service(lines: Sequence[Line], orders: Sequence[Order], pack: RulePack) -> list[Row]:
    talk = [s for s in sessions(lines, pack) if any(x.kind == "agent" for x in s)]
    rows: list[Row] = []
    for o in orders:
        if o.customer is None:
            continue
        own = [s for s in talk if s[0].customer == o.customer]
        parts = {"order": _credit(own, o.created, pack), "pay": _credit(own, o.paid, pack)}
        if not any(parts.values()) and o.paid is not None:
            later = [s for s in own if o.paid < s[0].at <= o.paid + pack.after_sale_days * DAY_S]
            parts["follow"] = min(later, key=lambda s: (s[0].at, s[0].agent, s[-1].at), default=None)
        rows += [_part(o, name, s) for name, s in parts.items() if s]
        had = {s[0].agent for s in parts.values() if s}
        window, ended = pack.attribution_window_s, o.created if o.paid is None else o.paid
        near = [s for s in own if s[-1].at >= o.created - window and s[0].at <= ended + window and s[0].agent not in had]
        for agent in {s[0].agent for s in near}:
            rows.append(_part(o, "assist", max((s for s in near if s[0].agent == agent), key=lambda s: (s[-1].at, s[0].at))))
    return sorted(rows, key=lambda r: (r["order_key"], r["agent_key"], r["part"]))


def _credit(own: list[list[Line]], at: int | None, pack: RulePack) -> list[Line] | None:
    """Inside a chat, else after one that ended inside the window; of several the one that ends last, then the smaller agent."""
    if at is None:
        return None
    inside = [s for s in own if s[0].at <= at <= s[-1].at]
    before = [s for s in own if s[-1].at < at <= s[-1].at + pack.attribution_window_s]
    return min(inside or before, key=lambda s: (-s[-1].at, s[0].agent, -s[0].at), default=None)


def _part(o: Order, part: str, s: list[Line]) -> Row:
    return {
        "shop_key": 7, "order_key": o.key, "customer_key": o.customer, "agent_key": s[0].agent, "day": day_of(o.created),
        "part": part, "chat_from": s[0].us, "chat_to": s[-1].us,
    }  # fmt: skip


def ownership(lines: Sequence[Line], orders: Sequence[Order], pack: RulePack) -> list[Row]:
    """Of each order: who has which part, whose sale it is, which of the cases."""
    service = order_service(lines, orders, pack)
    out = []
    for o in orders:
        who = {r["part"]: r["agent_key"] for r in service if r["order_key"] == o.key}
        order, pay, follow = who.get("order"), who.get("pay"), who.get("follow")
        case = None
        if o.paid is not None and o.customer is not None:
            credited = (
                "own_both" if order == pay else "cross" if order and pay else "own_order" if order else "silent_order_own_pay"
            )
            case = credited if order or pay else "silent_followed" if follow else "silent"
        first = any(p.paid is not None and p.customer == o.customer and p.paid < o.created for p in orders)
        out.append({
            "order_key": o.key, "order_agent": order, "pay_agent": pay, "follow_agent": follow, "ownership": case,
            "agent_key": (order or pay) if pack.sales_agent == "order" else (pay or order),
            "assists": sum(r["order_key"] == o.key and r["part"] == "assist" for r in service),
            "served": None if o.customer is None else bool(order or pay),
            "returning": None if o.customer is None else first, "net_fen": (0 if o.paid is None else o.gross) - o.refund,
        })  # fmt: skip
    return sorted(out, key=lambda r: r["order_key"])


def inquiries(lines: Sequence[Line], orders: Sequence[Order], pack: RulePack, roster: Roster) -> list[Row]:
    """Of each inquiry: the outcome; what it copies from its reception is left to `receptions`."""
    service = {(r["order_key"], r["agent_key"]) for r in order_service(lines, orders, pack) if r["part"] == "order"}
    out = []
    for r in receptions(lines, pack, roster):
        if r["filtered"] or r["agent_key"] in roster.not_selling:
            continue
        own = sorted((o for o in orders if o.customer == r["customer_key"]), key=lambda o: (o.created, o.key))
        final = r["last_at"] + pack.inquiry_window_s * 1_000_000
        inside = [o for o in own if r["first_at"] <= micros(o.created) <= final]
        since = r["first_at"] - pack.after_sale_days * DAY_S * 1_000_000
        if not inside and any(since <= micros(o.created) < r["first_at"] for o in own):
            continue
        o = inside[0] if inside else None
        paid = o is not None and o.paid is not None
        out.append({
            **{k: r[k] for k in ("customer_key", "agent_key", "day", "first_wait_s", "product_key", "transferred_in")},
            "asked_at": r["first_at"], "final_at": final, "ordered": o is not None, "order_key": o.key if o else None,
            "ordered_at": micros(o.created) if o else None, "paid": paid, "paid_at": micros(o.paid) if paid else None,  # type: ignore
            "gross_fen": o.gross if paid else 0, "net_fen": ((o.gross if paid else 0) - o.refund) if o else 0,  # type: ignore
            "returning": any(p.paid is not None and micros(p.paid) < r["first_at"] for p in own),
            "credited": o is not None and (o.key, r["agent_key"]) in service,
            "stage": "none" if paid else "order" if o else "inquiry",
        })  # fmt: skip
    return out
