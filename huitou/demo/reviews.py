"""Reviews: mostly good, some of the good ones with a complaint after the turn of the sentence."""

from dataclasses import dataclass

from huitou.demo.chance import Dice, Steady
from huitou.demo.orders import Order
from huitou.demo.people import masked
from huitou.demo.phrases import phrases
from huitou.demo.world import DAY, DOUBTED, Plan, date_of, full_title

HIDDEN, WRITES, DEFAULTS = 0.09, 0.62, 0.33
_ASPECTS = {
    "smell": 20, "workmanship": 24, "packaging": 16, "logistics": 8, "dispatch": 8, "as_described": 10, "size": 9, "gift": 5,
}  # fmt: skip
_BAD = {"smell": 12, "workmanship": 22, "as_described": 14, "service": 14, "damaged": 8, "overall": 16}


@dataclass(frozen=True, slots=True)
class Review:
    """One review as the plug-in exports it; `aspect` is what it complains of, `hidden` a complaint in a good one."""

    at: int
    nick: str
    sku: str
    score: int
    text: str
    append: str
    reply: str
    aspect: str | None
    hidden: bool
    order_id: str


class Critics:
    """Writes reviews with planted rates."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.hidden, self.bad, self.replies = Steady(), Steady(), Steady(0.05)

    def review(self, dice: Dice, order: Order, drop: str | None) -> Review | None:
        """The review of a received order, if one is written.

        `drop`: the buyer complained of a price drop, and the difference was "paid" or "refused".
        """
        if order.received_at is None or not dice.chance(0.8 if drop == "refused" else WRITES):
            return None
        at = order.received_at + int(DAY * min(dice.lag(2.0, 9.0), 15))
        if at >= self.plan.exported_at:
            return None
        aspect, score = self._judge(dice, order, drop)
        hidden, text = False, ""
        if score >= 4:
            if drop == "refused" and dice.chance(0.3):
                aspect = "price_drop"
            hidden = self.hidden.draw(dice, HIDDEN)
            aspect = aspect or self._small_thing(dice, order) if hidden else None
            text = self._good(dice, order, aspect)
        else:
            text = self._fill(dice, order, dice.pick(phrases("reviews")["bad"][aspect or "overall"]), at)
        item = order.items[0]
        nick = "匿名用户" if dice.chance(0.12) else masked(order.buyer.nick)
        append = dice.pick(phrases("reviews")["appends"]) if dice.chance(0.05) else ""
        sku, reply = full_title(item.product, item.colour), self._reply(dice, score)
        return Review(at, nick, sku, score, text, append, reply, aspect, hidden, order.id)

    def _judge(self, dice: Dice, order: Order, drop: str | None) -> tuple[str | None, int]:
        """What is complained of and the stars."""
        p, aspect = 0.018, dice.weighted(_BAD.items())
        if order.slow_route:
            p, aspect = 0.13, "logistics" if dice.chance(0.9) else aspect
        elif drop:
            p, aspect = (0.35 if drop == "refused" else 0.04), "price_drop"
        elif any(i.product is DOUBTED for i in order.items):
            p, aspect = 0.05, "authenticity" if dice.chance(0.7) else aspect
        if not self.bad.draw(dice, p):
            return None, 4 if dice.chance(0.08) else 5
        return aspect, dice.weighted(((3, 50), (2, 18), (1, 32)))

    def _small_thing(self, dice: Dice, order: Order) -> str:
        if order.slow_route and dice.chance(0.8):
            return "logistics"
        if order.items[0].product is DOUBTED and dice.chance(0.5):
            return "authenticity"
        return dice.weighted(_ASPECTS.items())

    def _good(self, dice: Dice, order: Order, aspect: str | None) -> str:
        data = phrases("reviews")
        if aspect:
            but = dice.pick(data["buts"])
            return f"{dice.pick(data['praise'])}{but}{self._fill(dice, order, dice.pick(data['hidden'][aspect]), 0)}"
        kind = dice.random()
        if kind < DEFAULTS:
            return str(dice.pick(data["default"]))
        if kind < DEFAULTS + 0.12:
            return str(dice.pick(data["short"]))
        if kind < DEFAULTS + 0.15:
            return str(dice.pick(data["decoys"]))
        first, second = dice.sample(data["praise"], 2)
        return f"{first}，{second}" if dice.chance(0.6) else str(first)

    def _fill(self, dice: Dice, order: Order, text: str, at: int) -> str:
        days = max(1, ((order.received_at or at) - (order.shipped_at or order.created)) // DAY)
        return text.format_map({"courier": order.courier, "days": days, "paid": order.items[0].price // 100})

    def _reply(self, dice: Dice, score: int) -> str:
        data = phrases("reviews")
        if score <= 3:
            return str(dice.pick(data["replies_bad"])) if self.replies.draw(dice, 0.6) else ""
        return str(dice.pick(data["replies_good"])) if dice.chance(0.22) else ""


def review_day(review: Review) -> str:
    """The date as the plug-in writes it."""
    return str(date_of(review.at))
