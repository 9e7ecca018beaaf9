"""Chats that are no inquiries: buyers with orders, unpaid orders reminded, colleagues, spam, empty windows."""

from huitou.demo.chance import Dice
from huitou.demo.inquiry import greets, link, opens, play, write_payment
from huitou.demo.orders import Order
from huitou.demo.people import clear_phone
from huitou.demo.phrases import phrases
from huitou.demo.talk import Cast, Talk
from huitou.demo.world import DAY, Plan, date_of, seconds

RETURN_TOPICS = {
    "快递/物流一直未送到": "slow_courier",
    "少件/漏发": "wrong_missing",
    "卖家发错货": "wrong_missing",
    "包装/商品破损/污渍": "wrong_missing",
    "做工粗糙/有瑕疵": "quality_issue",
    "质量问题": "quality_issue",
    "假冒品牌": "quality_issue",
}
DAYTIME = (8 * 3600 + 2400, 23 * 3600)


def daytime(dice: Dice, at: int) -> int:
    """The same instant, moved into the hours in which customers write about their orders."""
    day, second = divmod(at, DAY)
    return day * DAY + second if DAYTIME[0] < second < DAYTIME[1] else day * DAY + DAYTIME[0] + int(dice.random() * 13 * 3600)


def visits_after(dice: Dice, order: Order) -> list[tuple[int, str]]:
    """When and about what the buyer of a paid order writes: (second, topic) pairs."""
    found: list[tuple[int, str]] = []
    paid = order.paid_at or order.created
    if dice.chance(0.035) and 9 * 3600 < paid % DAY < 22 * 3600:
        found.append((paid + 60 + int(dice.lag(500, 1800)), dice.pick(("address_change", "address_change", "invoice"))))
    if order.shipped_at and dice.chance(0.30 if order.slow_route else 0.06):
        days = dice.uniform(5.5, 9) if order.slow_route else dice.uniform(1.2, 3)
        found.append((order.shipped_at + int(days * DAY), "slow_courier" if order.slow_route else "where_parcel"))
    for refund in order.refunds:
        if refund.returned and dice.chance(0.6):
            found.append((refund.applied_at - int(dice.lag(2000, 20_000)), RETURN_TOPICS.get(refund.reason, "return_no_reason")))
    if order.received_at and dice.chance(0.05):
        topic = dice.pick(("how_to", "thanks", "invoice", "quality_issue"))
        found.append((order.received_at + int(DAY * dice.uniform(0, 3)), topic))
    return [(daytime(dice, at), topic) for at, topic in found]


def write_after(cast: Cast, start: int, topic: str, order: Order) -> Talk:
    """A chat about an order the buyer already has."""
    talk, dice, data = Talk(cast, start), cast.dice, phrases("after")
    item = order.items[0]
    waited = max(1, (start - (order.shipped_at or order.created)) // DAY)
    now_price = cast.plan.price(item.product, date_of(start))
    firm, mailbox = dice.pick(("云帆", "启程", "恒远", "嘉木")), dice.pick(("fp", "cw", "caiwu", "invoice"))
    bought = date_of(order.created)
    talk.slots |= {
        "days": str(waited), "phone": clear_phone(cast.plan.seed, order.buyer.number), "colour": item.colour,
        "company": f"{cast.buyer.city.removesuffix('市')}{firm}科技有限公司", "courier": order.courier,
        "email": f"{mailbox}{dice.randrange(100, 9999)}@example.com", "waybill": f"ZT{dice.randrange(10**12, 10**13)}",
        "paid": str(item.price // 100), "now": str(now_price // 100), "date": f"{bought.month}月{bought.day}号",
        "gap": str((item.price - now_price) * item.quantity // 100),
    }  # fmt: skip
    if dice.chance(0.4):
        opens(talk)
        if dice.chance(0.5):
            talk.auto(dice.pick(phrases("talk")["auto"]))
        greets(talk)
    play(talk, dice.pick(data[topic]), closes=False)
    if topic != "price_drop" and dice.chance(cast.habits.agent.closes * 0.7):
        talk.closing("bye")
    return talk


def write_price_drop(cast: Cast, start: int, order: Order, *, refunds: bool) -> Talk:
    """A buyer of the days before the campaign asks for the difference."""
    talk, data = write_after(cast, start, "price_drop", order), phrases("after")
    talk.agent(cast.dice.pick(data["price_drop_yes" if refunds else "price_drop_no"]), own=True)
    talk.customer(cast.dice.pick(data["price_drop_yes_end" if refunds else "price_drop_no_end"]))
    return talk


def write_reminder(cast: Cast, start: int, order: Order) -> tuple[Talk, int | None]:
    """The agent writes first about an unpaid order that came without a chat."""
    talk = Talk(cast, start)
    talk.closing("urge")
    said = write_payment(talk, order.cause or "unknown")
    return talk, said


def write_noise(cast: Cast, start: int, kind: str) -> Talk:
    """A colleague, an advertiser, or a window that was opened and left."""
    talk, dice, data = Talk(cast, start), cast.dice, phrases("after")
    if kind == "empty":
        talk.system("当前用户来自 商品详情页")
        talk.auto(dice.pick(phrases("talk")["auto"]))
        return talk
    talk.customer(dice.pick(data["spam" if kind == "spam" else "colleague"]))
    if kind == "colleague":
        talk.agent(dice.pick(data["colleague_reply"]), own=True)
    elif dice.chance(0.5):
        talk.auto(dice.pick(phrases("talk")["auto"]))
    return talk


def complains_of_drop(dice: Dice, plan: Plan, order: Order) -> int | None:
    """When the buyer of a week before the campaign complains; None for all others."""
    start = seconds(plan.sale[0])
    if order.paid_at is None or order.refunds or not start - 7 * DAY <= order.created < start or not dice.chance(0.26):
        return None
    return daytime(dice, start + int(dice.uniform(0.3, 3.5) * DAY))


def asks_again(talk: Talk) -> None:
    """The same buyer is back later that day, with another agent."""
    dice = talk.cast.dice
    talk.customer(link(talk))
    talk.customer(dice.pick(("上午问过的 这款", "之前问过你同事", "又来了 早上看的那个", "上午咨询过 再问一句")), gap=(6, 15))
    greets(talk)
