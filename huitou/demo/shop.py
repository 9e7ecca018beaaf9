"""The demo shop from day to day: who comes, who serves, who buys, who writes again."""

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import date
from math import exp

from huitou.demo.after import complains_of_drop, visits_after, write_after, write_noise, write_price_drop, write_reminder
from huitou.demo.chance import Dice, Steady, spread
from huitou.demo.exports import Sold, traffic_row
from huitou.demo.folder import Folder
from huitou.demo.orders import Desk, Order, Refund
from huitou.demo.people import Buyer, buyer
from huitou.demo.reviews import Critics, Review
from huitou.demo.talk import Cast, Habits, Talk
from huitou.demo.world import (
    AGENTS,
    BLOCKED,
    CHANGES,
    COLLEAGUES,
    DAY,
    DOUBTED,
    OPENS,
    OTHERS,
    PRODUCTS,
    ROBOT,
    Agent,
    Plan,
    Product,
    date_of,
    seconds,
    stamp,
)  # fmt: skip

INQUIRIES_A_DAY, SILENT_A_DAY = 110.0, 57.5
RETURNING, RETURNING_SLOW, RETURNING_AGAIN = 0.19, 0.09, 0.30
_HOURS = (0.7, 0.4, 0.2, 0.1, 0.1, 0.2, 0.5, 1.2, 3.2, 5.4, 6.6, 6.0, 5.2, 5.2, 5.8, 5.9, 5.6, 4.9, 4.6, 5.6, 7.8, 8.6, 7.4, 4.3)
_SILENT_HOURS = (
    2.2, 1.0, 0.5, 0.3, 0.2, 0.4, 1.0, 2.0, 3.4, 4.4, 5.0, 4.8, 5.2, 5.0, 4.6, 4.6, 4.6, 4.4, 4.8, 5.8, 7.6, 9.0, 9.2, 6.0,
)  # fmt: skip
_ONLY_ASKS_DAYS = (26, 60)
"""Days after a purchase in which a customer may ask again, or order again and not pay."""
_WEEK = (1.0, 0.98, 0.97, 1.0, 1.02, 1.08, 1.1)
ROBOT_AGENT = Agent(ROBOT, "early", 0.0, 5, 10)


@dataclass(frozen=True, slots=True)
class Visit:
    """A chat to come: when, about what, on which order."""

    at: int
    topic: str
    order: Order
    refunds: bool = False


class Shop:
    """What must be remembered between days; all of it is bounded by a month of orders, not by the period."""

    def __init__(self, plan: Plan, folder: Folder) -> None:
        self.plan, self.folder = plan, folder
        self.habits = {a.name: Habits(a) for a in (*AGENTS, ROBOT_AGENT)}
        self.desk, self.critics = Desk(plan), Critics(plan)
        self.doubted = Steady()
        self.people = 0
        self.due: dict[date, list[int]] = defaultdict(list)
        self.past: deque[tuple[int, date]] = deque()
        self.orders: dict[date, list[Order]] = defaultdict(list)
        self.visits: dict[date, list[Visit]] = defaultdict(list)
        self.reviews: dict[date, list[Review]] = defaultdict(list)
        self.refunds: dict[date, list[tuple[Order, Refund]]] = defaultdict(list)
        self.sold: dict[date, Sold] = defaultdict(Sold)
        self.talks: dict[str, list[Talk]] = defaultdict(list)
        self.carry: dict[str, float] = defaultdict(float)
        self.totals: dict[str, float] = defaultdict(float)

    # ---- who comes and who serves

    def share_of_period(self, day: date) -> float:
        """0 on the first day, 1 on the last."""
        return (day - self.plan.first).days / max((self.plan.last - self.plan.first).days, 1)

    def how_many(self, kind: str, day: date, a_day: float) -> int:
        """Today's number of something that comes `a_day` times on an average day at scale 1."""
        start, stop = self.plan.sale
        busy = _WEEK[day.weekday()] * (1.25 if start <= day <= stop else 1.0) * (0.97 + 0.06 * self.share_of_period(day))
        whole, self.carry[kind] = spread(a_day * self.plan.scale * busy, self.carry[kind])
        return whole

    def arrival(self, dice: Dice, day: date, hours: tuple[float, ...] = _HOURS) -> int:
        """A wall-clock second of the day by the hours' weights; the last evening ends early, so that its chats end in time."""
        hour = dice.weighted(enumerate(hours))
        second = hour * 3600 + int(dice.random() * 3600)
        return seconds(day) + (min(second, 22 * 3600 + 1800) if day == self.plan.last else second)

    def on_duty(self, at: int, besides: str = "") -> list[Agent]:
        """Agents of the shift at an instant; each is off every sixth day."""
        day, second = date_of(at), at % DAY
        shift = "late" if second >= CHANGES else "early"
        found = []
        for n, agent in enumerate(a for a in AGENTS if a.shift == shift):
            hired = agent.hired_days is None or (self.plan.last - day).days < agent.hired_days
            if hired and (day.toordinal() + n) % 6 and agent.name != besides:
                found.append(agent)
        return found

    def assign(self, dice: Dice, at: int, besides: str = "") -> Habits:
        """A random agent on duty."""
        return self.habits[dice.weighted((a, a.load) for a in self.on_duty(at, besides)).name]

    def product(self, dice: Dice, at: int) -> Product:
        """What an inquiry is about: the doubted product more often in the evening and towards the end."""
        share = (0.065 + 0.10 * self.share_of_period(date_of(at))) * (1.3 if at % DAY >= CHANGES else 0.8)
        return DOUBTED if dice.chance(share) else dice.weighted((p, p.weight) for p in OTHERS)

    def newcomer(self) -> Buyer:
        """A buyer nobody has seen."""
        self.people += 1
        return buyer(self.plan.seed, self.people - 1)

    def comes_back(self, dice: Dice, day: date, p: float) -> Buyer | None:
        """A customer whose next purchase is due, with probability p."""
        waiting = self.due[day]
        return buyer(self.plan.seed, waiting.pop(int(dice.random() * len(waiting)))) if waiting and dice.chance(p) else None

    def browser(self, dice: Dice, day: date) -> Buyer | None:
        """A customer of some weeks ago who only asks, or does not pay, this time."""
        if not self.past or (day - self.past[0][1]).days < _ONLY_ASKS_DAYS[0]:
            return None
        return buyer(self.plan.seed, self.past.popleft()[0]) if dice.chance(0.07) else None

    def buyer_of_old(self, dice: Dice, day: date, p: float, fate: str) -> Buyer | None:
        """A customer who orders again: one who is due, with probability p, or one who does not pay this time."""
        if fate == "paid":
            return self.comes_back(dice, day, p)
        return self.browser(dice, day) if fate != "wrong_item" else None

    def cast(self, dice: Dice, habits: Habits, who: Buyer, product: Product) -> Cast:
        """The cast of one chat."""
        return Cast(self.plan, dice, habits, who, product, dice.pick(product.colours))

    def say(self, talk: Talk) -> None:
        """A finished chat, to be written with its account's others of the day."""
        self.talks[talk.cast.habits.agent.name].append(talk)

    # ---- what an order sets in motion

    def take(self, dice: Dice, order: Order, agent: str | None) -> None:
        """File an order and everything that will follow from it."""
        order.agent = agent
        self.orders[date_of(order.created)].append(order)
        self.sold[date_of(order.created)].place(order)
        if order.paid_at is None:
            return
        drop_at = complains_of_drop(dice, self.plan, order)
        drop = None
        if drop_at:
            drop = "paid" if dice.chance(0.55) else "refused"
            gap = sum((i.price - self.plan.price(i.product, self.plan.sale[0])) * i.quantity for i in order.items)
            if drop == "paid":
                self.desk.refund(order, drop_at + 1200, gap, "退差价", "降价补差")
            self.visits[date_of(drop_at)].append(Visit(drop_at, "price_drop", order, drop == "paid"))
        self.sold[date_of(order.paid_at)].pay(order)
        for refund in order.refunds:
            self.refunds[date_of(refund.applied_at)].append((order, refund))
            self.sold[date_of(refund.applied_at)].ask_back(refund)
        for at, topic in () if drop_at else visits_after(dice, order):
            self.visits[date_of(at)].append(Visit(at, topic, order))
        review = self.critics.review(dice, order, drop)
        if review:
            self.reviews[date_of(review.at)].append(review)
        self._plan_return(dice, order)

    def _plan_return(self, dice: Dice, order: Order) -> None:
        bought = date_of(order.paid_at or order.created)
        self.past.append((order.buyer.number, bought))
        while (bought - self.past[0][1]).days > _ONLY_ASKS_DAYS[1]:
            self.past.popleft()
        p = RETURNING_SLOW if order.slow_route else RETURNING if order.first_buy else RETURNING_AGAIN
        if dice.chance(p):
            whole = 1 - exp(-90 / 42)
            u = dice.random() * whole
            days = next(d for d in range(1, 91) if 1 - exp(-d / 42) >= u)
            self.due[date.fromordinal(bought.toordinal() + max(2, days))].append(order.buyer.number)

    def remember_unpaid(self, order: Order, said_at: int | None) -> None:
        """The planted cause of an unpaid order, and when it was said."""
        self.folder.truth("unpaid_orders", {
            "order_id": order.id, "nick": order.buyer.nick, "created": stamp(order.created), "cause": order.cause,
            "said_at": stamp(said_at) if said_at else None, "account": order.agent,
        })  # fmt: skip

    # ---- the rest of a day

    def silent_orders(self, dice: Dice, day: date) -> None:
        """Orders without any chat before them; some unpaid ones are reminded."""
        number = self.how_many("silent", day, SILENT_A_DAY)
        returning = min(1.0, 0.6 * len(self.due[day]) / max(number * 0.75, 1))
        for _ in range(number):
            at = self.arrival(dice, day, _SILENT_HOURS)
            product = dice.weighted((p, _unasked(p)) for p in PRODUCTS)
            fate = self.desk.fate(dice)
            back = self.buyer_of_old(dice, day, returning, fate)
            who = back or self.newcomer()
            basket = self.desk.basket(dice, at, product, dice.pick(product.colours), 0.03)
            orders = self.desk.place(dice, who, at, basket, fate=fate)
            if fate == "paid" and dice.chance(0.015):
                later = at + int(dice.lag(2400, 7000))
                orders += self.desk.place(dice, who, later, self.desk.basket(dice, later, dice.pick(OTHERS), "黑色"), fate="paid")
            for order in orders:
                order.first_buy = back is None
                self.take(dice, order, None)
                self.totals["silent_orders"] += 1
                if order.paid_at is None:
                    self._remind(dice, order)

    def _remind(self, dice: Dice, order: Order) -> None:
        at, said = order.created + int(dice.lag(2400, 6000)), None
        awake = OPENS < at % DAY < 23 * 3600 and date_of(at) == date_of(order.created)
        if order.cause != "wrong_item" and dice.chance(0.32) and awake:
            cast = self.cast(dice, self.assign(dice, at), order.buyer, order.items[0].product)
            talk, said = write_reminder(cast, at, order)
            order.agent = None
            self.say(talk)
            self.totals["reminder_chats"] += 1
        self.remember_unpaid(order, said)

    def visits_today(self, dice: Dice, day: date) -> None:
        """Chats of buyers about orders they have."""
        for visit in self.visits.pop(day, []):
            cast = self.cast(dice, self.assign(dice, visit.at), visit.order.buyer, visit.order.items[0].product)
            if visit.topic == "price_drop":
                talk = write_price_drop(cast, visit.at, visit.order, refunds=visit.refunds)
            else:
                talk = write_after(cast, visit.at, visit.topic, visit.order)
            self.say(talk)
            row = {
                "nick": visit.order.buyer.nick, "account": cast.habits.agent.name, "at": stamp(talk.lines[0].at),
                "topic": visit.topic, "order_id": visit.order.id,
            }  # fmt: skip
            if visit.topic == "price_drop":
                self.folder.truth("price_drop", {**row, "refunded": visit.refunds})
            else:
                self.folder.truth("after_sale", row)

    def noise(self, dice: Dice, day: date) -> None:
        """Colleagues, advertisers, and windows opened and left."""
        for kind, a_day in (("colleague", 1.2), ("spam", 4.0), ("empty", 2.5)):
            for _ in range(self.how_many(kind, day, a_day)):
                at = max(self.arrival(dice, day), seconds(day) + OPENS)
                who = self.newcomer()
                if kind != "empty":
                    nick = dice.pick(COLLEAGUES if kind == "colleague" else BLOCKED)
                    who = Buyer(who.number, nick, who.province, who.city, who.name, who.phone, who.address, who.clear)
                self.say(write_noise(self.cast(dice, self.assign(dice, at), who, dice.pick(OTHERS)), at, kind))
                self.totals[f"{kind}_chats"] += 1

    def close_day(self, dice: Dice, day: date) -> None:
        """Write everything of the day and forget it."""
        folder = self.folder
        for account in sorted(self.talks):
            talks = sorted(self.talks[account], key=lambda t: t.lines[0].at)
            turn = day.toordinal() % 48
            if turn % 4 == 0 and AGENTS[turn // 4].name == account and talks:
                folder.single_chat(account, talks.pop(0))
            folder.chats(account, talks)
        self.talks.clear()
        folder.orders(sorted(self.orders.pop(day, []), key=lambda o: (o.created, o.id)))
        folder.refunds(sorted(self.refunds.pop(day, []), key=lambda r: (r[1].applied_at, r[1].id)))
        reviews = sorted(self.reviews.pop(day, []), key=lambda r: (r.at, r.order_id))
        folder.reviews(reviews)
        for review in reviews:
            self._remember_review(review)
        sold, wobble = self.sold.pop(day, Sold()), dice.uniform(-1, 1)
        visitors = max(int(sold.buyers / (0.0245 + 0.002 * wobble)), 1)
        folder.traffic(day, traffic_row(day, sold, visitors, wobble))
        self.totals["visitors"] += visitors
        left = self.due.pop(day, [])
        self.due[date.fromordinal(day.toordinal() + 1)].extend(left)

    def _remember_review(self, review: Review) -> None:
        self.totals["good" if review.score >= 4 else "mid" if review.score == 3 else "bad"] += 1
        if review.aspect:
            self.folder.truth("hidden_complaints" if review.hidden else "bad_reviews", {
                "date": stamp(review.at)[:10], "nick": review.nick, "score": review.score, "sku": review.sku, "text": review.text,
                "aspect": review.aspect, "order_id": review.order_id, "replied": bool(review.reply),
            })  # fmt: skip

    def close_period(self) -> None:
        """Orders placed after the last midnight, while chats of the last evening ran, belong to the last file."""
        for day in sorted(d for d in self.orders if d > self.plan.last):
            self.folder.orders(o for o in self.orders[day] if o.created < self.plan.exported_at)


def _unasked(product: Product) -> float:
    """How often a product is bought without a question: the cheaper, the sooner."""
    return float((6 if product is DOUBTED else product.weight) * (20_000 / product.price) ** 0.6)
