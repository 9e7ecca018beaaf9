"""One day's pre-sale inquiries: assigned at random among those on duty, bought or lost at planted rates."""

from dataclasses import replace
from datetime import date

from huitou.demo.after import asks_again
from huitou.demo.chance import Dice
from huitou.demo.inquiry import (
    Ending,
    finish_bought,
    reason_for,
    write_inquiry,
    write_payment,
    write_robot_chat,
    write_transfer_out,
)
from huitou.demo.orders import Order
from huitou.demo.people import Buyer
from huitou.demo.shop import INQUIRIES_A_DAY, Shop
from huitou.demo.talk import Cast, Habits, Talk, night
from huitou.demo.world import (
    CHANGES,
    DAY,
    DAY_FACTOR,
    DOUBT_FACTOR,
    DOUBTED,
    EVENING_FACTOR,
    OPENS,
    ROBOT,
    STRONG,
    Product,
    seconds,
    stamp,
)

HESITATES, BACK_FOLLOWED, BACK_ALONE = 0.15, 0.36, 0.10  # who says «I'll look again», and who of them buys after all
TRANSFERRED, TWO_AGENTS, ROBOT_STUCK = 0.03, 0.05, 0.008


def inquiries(shop: Shop, dice: Dice, day: date) -> None:
    """All inquiries that begin on the day."""
    for _ in range(shop.how_many("inquiries", day, INQUIRIES_A_DAY)):
        at = shop.arrival(dice, day)
        if not night(at) and dice.chance(ROBOT_STUCK):
            _robot(shop, dice, at)
        else:
            _inquiry(shop, dice, at, day)


def chance_to_convert(habits: Habits, product: Product, at: int) -> float:
    """The planted probability that this inquiry ends in an order."""
    doubt = DOUBT_FACTOR if product is DOUBTED else product.lift
    hour = 0.6 if night(at) else EVENING_FACTOR if at % DAY >= CHANGES else DAY_FACTOR
    return habits.agent.convert * doubt * hour


def _inquiry(shop: Shop, dice: Dice, at: int, day: date) -> None:
    habits, product = shop.assign(dice, at), shop.product(dice, at)
    agent = habits.agent
    p = chance_to_convert(habits, product, at)
    hesitates = not night(at) and dice.chance(HESITATES)
    can_follow = hesitates and at % DAY < 21 * 3600 and habits.follow.draw(dice, agent.follows)
    weak = p / STRONG
    back = {True: BACK_FOLLOWED * weak, False: BACK_ALONE * weak}
    usual = 0.0 if night(at) else HESITATES * (agent.follows * back[True] + (1 - agent.follows) * back[False])
    chance = back[can_follow] if hesitates else (p - usual) / (1 - (0 if night(at) else HESITATES))
    bought = habits.convert.draw(dice, chance, also=shop.doubted if product is DOUBTED else None)
    fate = shop.desk.fate(dice) if bought else "paid"
    who, returning = _who(shop, dice, day, bought=bought, fate=fate)
    reason = None if bought else _reason(shop, dice, habits, product, day, (hesitates, can_follow))
    source = None
    cast = shop.cast(dice, habits, who, product)
    if not night(at) and dice.chance(TRANSFERRED):
        source = shop.assign(dice, at, besides=agent.name)
        _transfer_out(shop, replace(cast, habits=source), at - 45, agent.name)
    morning = not night(at) and at % DAY < CHANGES - 7200
    twice = bought and morning and not hesitates and not source and dice.chance(2 * TWO_AGENTS)
    ending = Ending(bought, hesitates or twice, can_follow, reason, source.agent.name if source else None, fate, dice.chance(0.7))
    talk = write_inquiry(cast, at, ending)
    orders: list[Order] = []
    if bought and not twice:
        orders = _order(shop, dice, talk, ending)
    shop.say(talk)
    if twice:
        orders = _second_agent(shop, dice, talk, fate)
    for order in orders:
        order.first_buy = not returning
        shop.take(dice, order, order.agent)
    _remember(shop, talk, ending, orders, hesitated=hesitates, twice=twice)


def _who(shop: Shop, dice: Dice, day: date, *, bought: bool, fate: str) -> tuple[Buyer, bool]:
    """The customer and whether one of old: buyers may be due to return, losers may be browsing customers."""
    known = shop.browser(dice, day) if not bought else shop.buyer_of_old(dice, day, 0.13, fate)
    return known or shop.newcomer(), known is not None


def _reason(shop: Shop, dice: Dice, habits: Habits, product: Product, day: date, hesitation: tuple[bool, bool]) -> str:
    hesitates, followed = hesitation
    if hesitates:
        return "customer.looking" if followed else "service.no_follow_up"
    return reason_for(dice, habits.agent.name, product is DOUBTED, (shop.plan.sale[0] - day).days)


def _order(shop: Shop, dice: Dice, talk: Talk, ending: Ending) -> list[Order]:
    """Place the order of a bought inquiry; when unpaid, the reminder and the buyer's word go into the same chat."""
    cast, at = talk.cast, talk.order_at
    if at is None:
        at = talk.now + int(dice.lag(240, 3600))
        if ending.hesitates or dice.chance(0.12):
            evening = seconds(shop.plan.first) + (at - seconds(shop.plan.first)) // DAY * DAY + DAY
            at = at + int(dice.lag(7200, 20_000)) if dice.chance(0.5) else evening + int(dice.uniform(9, 21) * 3600)
    midnight = seconds(shop.plan.last) + DAY - 1
    at = talk.order_at or max(min(at, midnight), talk.now + 5)
    items = shop.desk.basket(dice, at, cast.product, cast.colour, 0.12 + 0.85 * cast.habits.agent.crosses)
    orders = shop.desk.place(dice, cast.buyer, at, items, fate=ending.fate)
    for order in orders:
        order.agent = cast.habits.agent.name
    unpaid = next((o for o in orders if o.paid_at is None and o.cause), None)
    if unpaid:
        soon = unpaid.created < talk.now + 5 * 3600 and unpaid.created % DAY < 23 * 3600 and not night(unpaid.created)
        if soon and unpaid.created > talk.now:
            talk.pause(unpaid.created - talk.now)
        shop.remember_unpaid(unpaid, write_payment(talk, unpaid.cause or "unknown") if soon else None)
    for order in orders:
        if order.replaces and order.paid_at is None:
            shop.remember_unpaid(order, None)
    return orders


def _second_agent(shop: Shop, dice: Dice, first: Talk, fate: str) -> list[Order]:
    """The customer left in the morning, comes back in the evening to another agent, and orders there."""
    at = seconds(shop.plan.first) + (first.now - seconds(shop.plan.first)) // DAY * DAY + CHANGES + int(dice.random() * 5 * 3600)
    habits = shop.assign(dice, at, besides=first.cast.habits.agent.name)
    cast = Cast(shop.plan, dice, habits, first.cast.buyer, first.cast.product, first.cast.colour)
    talk, ending = Talk(cast, at), Ending(True, False, False, None, None, fate)
    asks_again(talk)
    finish_bought(talk, ending)
    habits.convert.count(chance_to_convert(habits, cast.product, at), True)
    orders = _order(shop, dice, talk, ending)
    shop.say(talk)
    _remember(shop, talk, ending, orders, hesitated=False, twice=True)
    return orders


def _transfer_out(shop: Shop, cast: Cast, at: int, to: str) -> None:
    talk = write_transfer_out(cast, at, to)
    shop.say(talk)
    shop.totals["transfers"] += 1
    source = cast.habits.agent.name
    shop.folder.truth("transfers", {"nick": cast.buyer.nick, "from": source, "to": to, "at": stamp(talk.lines[0].at)})


def _robot(shop: Shop, dice: Dice, at: int) -> None:
    """Somebody who only gets the robot account."""
    talk = write_robot_chat(shop.cast(dice, shop.habits[ROBOT], shop.newcomer(), shop.product(dice, at)), at)
    shop.say(talk)
    _remember(shop, talk, Ending(False, False, False, "service.robot_stuck"), [], hesitated=False, twice=False)


def _remember(shop: Shop, talk: Talk, ending: Ending, orders: list[Order], *, hesitated: bool, twice: bool) -> None:
    cast, first = talk.cast, talk.lines[0].at
    paid = next((o for o in orders if o.paid_at), None)
    flags = {
        "hesitated": hesitated, "followed_up": ending.followed, "two_agents": twice, "transferred_from": ending.transferred_from,
        "night": first % DAY < OPENS, "past_midnight": talk.lines[-1].at // DAY > first // DAY,
    }  # fmt: skip
    shop.folder.truth("inquiries", {
        "nick": cast.buyer.nick, "account": cast.habits.agent.name, "start": stamp(first), "end": stamp(talk.lines[-1].at),
        "product_id": cast.product.id, "ordered": ending.bought, "order_ids": [o.id for o in orders], "paid": paid is not None,
        "reason": ending.reason, "evidence": [] if ending.bought else [stamp(t) for t in talk.shows], "closing": talk.closed,
        **{k: v for k, v in flags.items() if v},
    })  # fmt: skip
    name = cast.habits.agent.name
    product = "doubted" if cast.product is DOUBTED else "others"
    for key in (f"agent {name}", f"product {product}", "all"):
        shop.totals[f"{key} n"] += 1
        shop.totals[f"{key} k"] += ending.bought
    shop.totals[f"closing {name}"] += talk.closed
    shop.totals["ordered_and_paid"] += ending.bought and paid is not None
    if hesitated:
        group = "followed" if ending.followed else "alone"
        shop.totals[f"hesitated {group} n"] += 1
        shop.totals[f"hesitated {group} k"] += ending.bought
