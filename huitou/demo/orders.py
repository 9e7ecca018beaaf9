"""Orders of the demo shop: what is bought, whether and when it is paid, sent, received, refunded."""

from dataclasses import dataclass, field, replace

from huitou.demo.chance import Dice, Steady
from huitou.demo.people import Buyer
from huitou.demo.world import (
    COURIERS,
    COURIERS_SOUTH,
    DAY,
    DOUBTED,
    OTHERS,
    SLOW_COURIER,
    SLOW_FACTOR,
    SLOW_REGION,
    Plan,
    Product,
    date_of,
)

REPLACED, PAYS, LATE_PAYERS = 0.07, 0.769, 0.085
CAUSES = {
    "unknown": 34, "hesitating": 16, "balance": 12, "payment_trouble": 8, "waiting_price_change": 7, "quality_doubt": 8,
    "bargain": 7, "cheaper_elsewhere": 8, "freight": 4,
}  # fmt: skip
_RETURNS = (
    ("7天无理由退换货", 40), ("不喜欢/效果不好", 16), ("大小/尺寸与商品描述不符", 12), ("颜色/图案/款式与商品描述不符", 10),
    ("做工粗糙/有瑕疵", 12), ("质量问题", 8), ("少件/漏发", 3), ("卖家发错货", 3), ("包装/商品破损/污渍", 3),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One position of an order; `price` fen a piece."""

    product: Product
    colour: str
    quantity: int
    price: int


@dataclass(frozen=True, slots=True)
class Refund:
    """One application: `amount` fen, `done` whether the money went back before the export."""

    id: str
    applied_at: int
    finished_at: int | None
    amount: int
    reason: str
    note: str
    full: bool
    returned: bool
    done: bool
    closed: bool = False


@dataclass(slots=True)
class Order:
    """One order as it stands on the day of the export."""

    id: str
    buyer: Buyer
    created: int
    items: tuple[Item, ...]
    discount: int
    freight: int
    courier: str
    paid_at: int | None = None
    shipped_at: int | None = None
    received_at: int | None = None
    waybill: str = ""
    cause: str | None = None
    replaces: str | None = None
    agent: str | None = None
    first_buy: bool = True
    refunds: list[Refund] = field(default_factory=list)

    @property
    def goods(self) -> int:
        """Goods after discount, fen."""
        return sum(i.price * i.quantity for i in self.items) - self.discount

    @property
    def total(self) -> int:
        """Goods and freight as placed, fen."""
        return self.goods + self.freight

    @property
    def refunded(self) -> int:
        """Money gone back before the export, fen."""
        return sum(r.amount for r in self.refunds if r.done)

    @property
    def slow_route(self) -> bool:
        """Sent by the slow courier into the slow region."""
        return self.buyer.province == SLOW_REGION and self.courier == SLOW_COURIER

    def status(self, exported_at: int) -> str:
        """The platform's word for the order at the export."""
        if self.paid_at is None:
            return "等待买家付款" if exported_at - self.created < DAY else "交易关闭"
        if any(r.full and r.done for r in self.refunds):
            return "交易关闭"
        if self.shipped_at is None:
            return "买家已付款，等待卖家发货"
        return "交易成功" if self.received_at else "卖家已发货，等待买家确认"


class Desk:
    """Places orders and lives them to the day of the export."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.count = self.refund_count = 0
        self.late, self.pays, self.replaced = Steady(), Steady(), Steady()

    def fate(self, dice: Dice) -> str:
        """What becomes of an order about to be placed: paid, wrong_item (bought again), or why it stays unpaid."""
        if self.replaced.draw(dice, REPLACED):
            return "wrong_item"
        return "paid" if self.pays.draw(dice, PAYS) else dice.weighted(CAUSES.items())

    def place(self, dice: Dice, buyer: Buyer, at: int, items: tuple[Item, ...], *, fate: str) -> list[Order]:
        """One order at second `at`, or two where the first was a mistake; dates up to the export are filled in."""
        order = self._new(dice, buyer, at, items)
        if fate == "paid":
            self._pay(dice, order)
            return [order]
        order.cause = fate
        if fate != "wrong_item":
            return [order]
        again = self._new(dice, buyer, at + 60 + int(dice.lag(150, 600)), order.items)
        again.replaces = order.id
        again.courier = order.courier
        if dice.chance(0.93):
            self._pay(dice, again)
        else:
            again.cause = "unknown"
        return [order, again]

    def refund(self, order: Order, at: int, amount: int, reason: str, note: str = "") -> None:
        """A partial refund by agreement, finished within two days."""
        self._apply(Dice(self.plan.seed, "refund", order.id), order, at, (amount, reason, note), returned=False)

    def _new(self, dice: Dice, buyer: Buyer, at: int, items: tuple[Item, ...]) -> Order:
        self.count += 1
        number = (self.count * 61_803_398_875 + 27_182_818_284 + self.plan.seed) % 10**12
        goods = sum(i.price * i.quantity for i in items)
        discount = 2000 if len(items) > 1 else 1000 if goods >= 20_000 and dice.chance(0.5) else 0
        far = {"新疆维吾尔自治区": 1500}.get(buyer.province, 0)
        courier = dice.weighted(COURIERS_SOUTH if buyer.province == SLOW_REGION else COURIERS)
        return Order(f"33{number:012d}{buyer.number % 90_000 + 10_000}", buyer, at, items, discount, far, courier)

    def basket(self, dice: Dice, at: int, product: Product, colour: str, extra: float = 0.06) -> tuple[Item, ...]:
        """The product, now and then two of it, and with probability `extra` a second, cheaper one."""
        day = date_of(at)
        first = Item(product, colour, 2 if dice.chance(0.025) else 1, self.plan.price(product, day))
        if not dice.chance(extra):
            return (first,)
        other = dice.pick([p for p in OTHERS if p is not product and p.price < 30_000])
        return first, Item(other, dice.pick(other.colours), 1, self.plan.price(other, day))

    def _pay(self, dice: Dice, order: Order) -> None:
        if self.late.draw(dice, LATE_PAYERS):
            tomorrow = (order.created // DAY + 1) * DAY
            paid = tomorrow + 9 * 3600 + int(dice.random() * 12 * 3600)
        else:
            paid = order.created + 3 + min(int(dice.lag(132, 829)), 3 * 3600)
        if paid < self.plan.exported_at:
            order.paid_at = paid
            self._send(dice, order)
        else:
            order.cause = "unknown"

    def _send(self, dice: Dice, order: Order) -> None:
        paid = order.paid_at or 0
        end = self.plan.exported_at
        if dice.chance(0.03):
            self._apply(dice, order, paid + int(dice.lag(3600, 9000)), (order.total, "不想要了", ""), returned=False)
            return
        leaves = paid // DAY * DAY + 17 * 3600 + int(dice.random() * 3 * 3600)
        if paid % DAY > 16 * 3600:
            leaves += DAY
        if dice.chance(0.04):
            leaves += DAY * (1 + int(dice.random() * 2))
        if leaves >= end:
            return
        order.shipped_at = leaves
        order.waybill = f"{'SAXB'[[c for c, _ in COURIERS].index(order.courier)]}T{dice.randrange(10**12, 10**13)}"
        far = {"新疆维吾尔自治区": 3.0, "黑龙江省": 1.0}.get(order.buyer.province, 0.0)
        usual = (leaves - paid) / DAY + dice.lag(2.4, 3.5) + far + min(dice.lag(1.3, 3.6), 8.0)
        received = paid + int(DAY * usual * (SLOW_FACTOR if order.slow_route else 1.0))
        if received < end:
            order.received_at = received
        self._maybe_return(dice, order, received)

    def _maybe_return(self, dice: Dice, order: Order, received: int) -> None:
        doubted = any(i.product is DOUBTED for i in order.items)
        if order.slow_route and dice.chance(0.05):
            self._apply(dice, order, received - DAY * 2, (order.total, "快递/物流一直未送到", ""), returned=True)
        elif dice.chance(0.13 if doubted else 0.065):
            real = doubted and dice.chance(0.45)
            reason = dice.pick(("假冒品牌", "材质/面料与商品描述不符")) if real else dice.weighted(_RETURNS)
            note = "不像真皮" if real else ""
            if reason == "7天无理由退换货" and dice.chance(0.15):
                note = dice.pick(("拉链坏了", "味道太大", "有划痕", "颜色不对", "太小了"))
            at = received + int(DAY * dice.uniform(0.1, 4))
            self._apply(dice, order, at, (order.total, reason, note), returned=True)
        elif dice.chance(0.012):
            at = received + int(DAY * dice.uniform(0.2, 3))
            self._apply(dice, order, at, (2000, "做工粗糙/有瑕疵", "线头"), returned=False)

    def _apply(self, dice: Dice, order: Order, at: int, what: tuple[int, str, str], *, returned: bool) -> None:
        amount, reason, note = what
        end = self.plan.exported_at
        if at >= end:
            return
        self.refund_count += 1
        takes = DAY * dice.uniform(2.5, 6) if returned else 3600 * dice.lag(5, 30)
        refused = dice.chance(0.03)
        finished = at + int(takes)
        number = (self.refund_count * 38_196_601 + 14_142_135) % 10**9
        over = finished < end
        refund = Refund(
            f"11{number:09d}{order.buyer.number % 90_000 + 10_000}", at, finished if over else None, amount, reason, note,
            amount == order.total, returned, done=over and not refused, closed=over and refused,
        )  # fmt: skip
        order.refunds.append(replace(refund, amount=min(refund.amount, order.total - order.refunded)))
        if refund.full and refund.done and order.received_at and not returned:
            order.received_at = None
