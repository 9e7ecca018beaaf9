"""Pre-sale chats: how they open, what is asked, and how they end, bought or lost for a planted reason."""

import re
from dataclasses import dataclass

from huitou.demo.chance import Dice
from huitou.demo.phrases import fitting, phrases
from huitou.demo.talk import Cast, Talk, night
from huitou.demo.world import DAY, DOUBTED

STEP = re.compile(r"([carpb])([!~*]*)(?: (.*))?")
"""One line of a script: who, marks, text (see the head of ``phrases/loss_goods.toml``)."""
_REASONS = {  # weight among inquiries lost without hesitation
    "unknown.silent": 27, "product.authenticity": 5, "product.quality": 3, "product.fit": 4, "product.function": 2.5,
    "product.stock": 2.5, "product.looks": 3, "price.too_high": 11, "price.bargain_refused": 8, "price.wait_for_sale": 7,
    "price.gift": 2.5, "price.shipping_fee": 2.5, "price.cheaper_elsewhere": 5, "price.coupon": 1.5, "service.slow": 2.5,
    "service.unanswered": 2.5, "service.attitude": 0.8, "service.off_point": 1.5, "service.no_guidance": 2,
    "customer.looking": 5, "customer.later": 5, "customer.no_intent": 1.5, "logistics.time": 3, "logistics.reach": 1,
    "system.order_failed": 0.8,
}  # fmt: skip
_LEAN: dict[str, dict[str, float]] = {  # what the weak agents' habits make more frequent
    "木子": {"service.slow": 14, "service.unanswered": 4},
    "小舟": {"service.off_point": 9, "service.no_guidance": 6, "product.fit": 1.6},
    "小禾": {"unknown.silent": 1.7, "service.no_guidance": 3},
    "念念": {"service.attitude": 9, "service.no_guidance": 10, "service.off_point": 6},
}
_TOPICS = {
    "material": 9, "size": 10, "laptop": 9, "weight": 4, "waterproof": 4, "colour": 8, "stock": 6, "strap": 5, "durability": 7,
    "smell": 3, "warranty": 4, "return": 5, "dispatch": 9, "arrival": 6, "courier": 4, "freight": 5, "gift": 5, "discount": 10,
    "invoice": 3, "suit": 5, "clean": 2, "compare": 4, "authenticity": 3,
}  # fmt: skip
_GOODS = {
    "material", "size", "laptop", "weight", "waterproof", "strap", "durability", "smell", "warranty", "compare", "clean", "suit",
}  # fmt: skip
_BAG_TOPICS = {"laptop", "weight", "waterproof", "strap"}


@dataclass(frozen=True, slots=True)
class Ending:
    """How an inquiry ends: bought or lost, with or without hesitation and a follow-up; `reason` only where lost."""

    bought: bool
    hesitates: bool
    followed: bool
    reason: str | None
    transferred_from: str | None = None
    fate: str = "paid"  # of the order: paid, or why it stays unpaid
    announces: bool = True  # the buyer says in the chat that the order is placed


def reason_for(dice: Dice, agent: str, doubted: bool, days_to_sale: int) -> str:
    """A loss reason by what the agent does, what the product is and how near the campaign is."""
    if doubted and dice.chance(0.55):
        return "product.authenticity"
    lean: dict[str, float] = _LEAN.get(agent, {})
    waits = {"price.wait_for_sale": 2.2 if 0 < days_to_sale <= 21 else 0.6}
    return dice.weighted((code, w * lean.get(code, 1) * waits.get(code, 1)) for code, w in _REASONS.items())


def write_inquiry(cast: Cast, start: int, ending: Ending) -> Talk:
    """The whole chat up to its end; order times are set by the caller from ``talk.now``."""
    talk = Talk(cast, start)
    closes = cast.habits.close.draw(cast.dice, cast.habits.agent.closes)
    _open(talk, ending)
    _questions(talk, short=ending.reason in ("customer.no_intent", "customer.looking"))
    if ending.bought and not ending.hesitates:
        _bought(talk, ending, closes)
    elif ending.hesitates:
        _hesitates(talk, ending, closes)
    else:
        _lost(talk, ending.reason or "unknown.silent", closes)
    return talk


def write_robot_chat(cast: Cast, start: int) -> Talk:
    """A customer who wants a person and gets the robot account only."""
    talk = Talk(cast, start)
    if cast.dice.chance(0.7):
        talk.customer(link(talk))
    play(talk, cast.dice.pick(phrases("loss_service")["service.robot_stuck"]), closes=False)
    return talk


def link(talk: Talk) -> str:
    """The product's address as a customer pastes it."""
    return f"https://detail.tmall.com/item.htm?id={talk.cast.product.id}"


def opens(talk: Talk) -> None:
    """The customer's first words, now and then by the time of day."""
    dice, hour = talk.cast.dice, talk.now % DAY // 3600
    timely = "早" if hour < 10 else "中午好" if hour in (12, 13) else "晚上好" if hour > 18 else "你好"
    talk.customer(timely if dice.chance(0.08) else dice.pick(phrases("talk")["openers"]))


def greets(talk: Talk) -> None:
    """The agent's greeting, one that fits the hour."""
    hour, said = talk.now % DAY // 3600, phrases("agents")[talk.cast.habits.agent.name]["greet"]
    wrong = "早" if hour > 10 else "晚上"
    fits = [t for t in said if wrong not in t and (hour > 17 or "晚" not in t)]
    talk.agent(talk.cast.dice.pick(fits or said), own=True)


def _open(talk: Talk, ending: Ending) -> None:
    data, dice, asleep = phrases("talk"), talk.cast.dice, night(talk.now)
    if dice.chance(0.25):
        talk.system("当前用户来自 商品详情页")
    linked = dice.chance(0.6)
    if linked and dice.chance(0.6):
        talk.customer(link(talk))
        if dice.chance(0.5):
            talk.customer(dice.pick(data["opener_links"]), gap=(5, 14))
    else:
        opens(talk)
        if linked:
            talk.customer(link(talk), gap=(7, 20))
    if asleep or dice.chance(0.55):
        talk.auto(dice.pick(data["auto_night" if asleep else "auto"]))
    if asleep:
        talk.customer(dice.pick(data["topics"][dice.pick(("discount", "size", "dispatch"))]["ask"]), gap=(8, 20))
        _morning(talk)
    if ending.transferred_from:
        to = talk.cast.habits.agent.name
        talk.system(f"由 {ending.transferred_from} 转交给 {to}")
        talk.agent(dice.pick(data["transfer_in"]).format(to=to), own=True)
    elif dice.chance(0.85):
        greets(talk)
    if not linked:
        talk.customer(dice.pick(data["after_greet"]))
        if dice.chance(0.72):
            talk.customer(link(talk), gap=(6, 18))
    elif dice.chance(0.3):
        talk.customer(dice.pick(data["after_greet"]))


def _morning(talk: Talk) -> None:
    """The night's question waits for the early shift."""
    dice = talk.cast.dice
    talk.system("由 服务助手 转交给 " + talk.cast.habits.agent.name + "，原因：【离线留言自动分配】")
    talk.now = talk.now // DAY * DAY + 8 * 3600 + 1800 + int(dice.random() * 900)
    talk.asked_at = None
    talk.agent(dice.pick(phrases("talk")["night_reply"]), own=True)


def _questions(talk: Talk, short: bool = False) -> None:
    """One to four questions with their answers, each in the customer's and the agent's own way."""
    dice, cast, kind = talk.cast.dice, talk.cast, talk.cast.product.kind
    pool = {t: w for t, w in _TOPICS.items() if kind == "bag" or t not in _BAG_TOPICS}
    if not cast.product.laptop:
        pool.pop("laptop", None)
    if cast.product is DOUBTED:
        pool["authenticity"], pool["material"] = 22, 16
    agent, talks = cast.habits.agent, phrases("agents")[cast.habits.agent.name]
    for _ in range(1 if short else dice.weighted(((1, 25), (2, 40), (3, 25), (4, 10)))):
        topic = dice.weighted(pool.items())
        del pool[topic]
        gap = (7, 22) if talk.asked_at else (16, 55)
        talk.customer(dice.pick(fitting(kind, "talk", "topics", topic, "ask")), gap=gap)
        if dice.chance(0.08):
            talk.customer(dice.pick(("?", "在吗", "急", "？？", "嗯")), gap=(9, 25))
        if topic in _GOODS and dice.chance(agent.partial):
            talk.agent(dice.pick(phrases("talk")["partial"]), own=True)
        else:
            talk.agent(dice.pick(fitting(kind, "talk", "topics", topic, "answer")))
            if topic == "compare" and not agent.partial and not agent.canned:
                talk.agent(dice.pick(talks["recommend"]))
        if dice.chance(0.45):
            talk.customer(dice.pick(phrases("talk")["thanks"]), gap=(8, 25))
    if dice.chance(agent.crosses):
        talk.agent(dice.pick(talks["cross"]))


def _bought(talk: Talk, ending: Ending, closes: bool) -> None:
    data, dice = phrases("ending"), talk.cast.dice
    if closes and dice.chance(0.7):
        talk.closing("push")
    if dice.chance(0.3):
        talk.customer(dice.pick(data["decide"]))
    if ending.announces:
        paid = ending.fate == "paid"
        talk.customer(dice.pick(data["ordered_paid" if paid else "ordered_only"]), gap=(60, 300))
        talk.order_at = talk.now - 3 - int(dice.random() * 20)
        talk.agent(dice.pick(data["confirm" if paid else "confirm_only"]))
        if paid and dice.chance(0.4):
            talk.customer(dice.pick(data["confirmed"]), gap=(10, 30))
    if closes and (dice.chance(0.75) or not talk.closed):
        talk.closing("bye")


def finish_bought(talk: Talk, ending: Ending) -> None:
    """A short chat that ends in an order: one question more, then bought."""
    closes = talk.cast.habits.close.draw(talk.cast.dice, talk.cast.habits.agent.closes)
    _questions(talk, short=True)
    _bought(talk, ending, closes)


def _hesitates(talk: Talk, ending: Ending, closes: bool) -> None:
    data, dice = phrases("ending"), talk.cast.dice
    if closes and not ending.followed and ending.bought:
        talk.closing("push")
    talk.customer(dice.pick(data["hesitate"]), shows=True)
    if dice.chance(0.7) or ending.followed:
        talk.agent(dice.pick(data["bare"]), own=True)
    if ending.followed:
        talk.pause(1800 + dice.lag(4000, 9000))
        talk.agent(dice.pick(data["follow_up"]), own=True)
        if ending.bought:
            talk.customer(dice.pick(data["follow_ok" if ending.fate == "paid" else "ordered_only"]), gap=(200, 700))
            talk.order_at = talk.now - 3
            talk.agent(dice.pick(data["confirm" if ending.fate == "paid" else "confirm_only"]))
            if closes:
                talk.closing("bye")
        elif dice.chance(0.45):
            talk.customer(dice.pick(data["follow_no"]), gap=(200, 700))
            if closes:
                talk.closing("bye")


def _lost(talk: Talk, reason: str, closes: bool) -> None:
    book = "loss_goods" if reason.split(".")[0] in ("product", "price") else "loss_service"
    if closes and reason in ("price.wait_for_sale", "price.too_high", "customer.looking") and talk.cast.dice.chance(0.5):
        talk.closing("push")
    play(talk, talk.cast.dice.pick(fitting(talk.cast.product.kind, book, reason)), closes=closes)
    stays_open = reason in ("service.unanswered", "service.no_follow_up", "service.attitude", "unknown.silent")
    if closes and not talk.closed and not stays_open:
        talk.closing("bye")
    elif closes and not talk.closed and reason == "unknown.silent":
        talk.closing(talk.cast.dice.pick(("push", "bye")))
    if reason == "unknown.silent":
        talk.shows.append(next(line.at for line in reversed(talk.lines) if line.who == "a"))


def play(talk: Talk, script: str, *, closes: bool) -> None:
    """Speak a script line by line; closing lines only where this chat closes."""
    for row in script.strip().splitlines():
        found = STEP.fullmatch(row)
        if found is None:
            raise ValueError(f"not a line of a script: {row!r}")
        who, marks, text = found[1], found[2], found[3] or ""
        shows = "!" in marks
        if who == "c":
            talk.customer(text, shows=shows)
        elif who == "r":
            talk.auto(text, shows=shows)
        elif who == "a":
            talk.agent(text, shows=shows, long_wait="~" in marks, own="*" in marks, told=True)
        elif closes:
            talk.closing("push" if who == "p" else "bye")


def write_transfer_out(cast: Cast, start: int, to: str) -> Talk:
    """The first account's side of a chat that is passed on at once."""
    talk = Talk(cast, start)
    talk.customer(cast.dice.pick(phrases("talk")["openers"]))
    talk.agent(cast.dice.pick(phrases("talk")["transfer_out"]).format(to=to), own=True)
    talk.system(f"由 {cast.habits.agent.name} 转交给 {to}")
    return talk


def write_payment(talk: Talk, cause: str) -> int | None:
    """After an order stays unpaid: the reminder, and what the buyer says. Returns when the cause was said, if it was."""
    dice, data = talk.cast.dice, phrases("ending")
    says = cause != "unknown" and dice.chance(0.75)
    if cause != "wrong_item":
        reminds = dice.chance(0.3 if talk.cast.habits.agent.closes < 0.6 else 0.65)
        if not reminds and not dice.chance(0.5):
            return None
        talk.pause(dice.lag(1500, 4000) if reminds else dice.lag(60, 300))
        if reminds:
            talk.closing("urge")
    if not says:
        return None
    talk.customer(dice.pick(data["unpaid"][cause]), gap=(60, 400))
    said = talk.now
    talk.agent(dice.pick(data["bare"]), own=True)
    return said
