"""One chat while it is being written: who says what, when, in whose way of speaking."""

from dataclasses import dataclass, field

from huitou.demo.chance import Dice, Steady
from huitou.demo.people import Buyer, clear_address
from huitou.demo.phrases import phrases
from huitou.demo.world import ACCESSORIES, DAY, OTHERS, Agent, Plan, Product, date_of

_TYPOS = (
    ("怎么", "咋么"), ("什么", "神马"), ("包邮", "包油"), ("没有", "木有"), ("喜欢", "稀饭"), ("这样", "酱紫"), ("的吗", "滴吗"),
    ("多少", "多小"), ("好的", "好滴"), ("再看看", "在看看"), ("发货", "法货"), ("质量", "质亮"), ("可以", "阔以"),
)  # fmt: skip
_TAILS = {
    "plain": ("", "", "~"),
    "terse": ("",),
    "chatty": ("呀", "哈哈", "~", "哈", ""),
    "elder": ("。", "。", "", "，麻烦了"),
    "sharp": ("", "!", "。"),
}
_QUESTION_TAILS = {
    "plain": ("?", "？", "", "呢"),
    "terse": ("", "？"),
    "chatty": ("呀", "呢", "~", " 谢谢", "？"),
    "elder": ("？", "？谢谢", "，麻烦你了"),
    "sharp": ("？", "??", ""),
}
_ASKING = ("吗", "多少", "多久", "多大", "多重", "多长", "几", "怎", "什么", "啥", "哪", "有没", "能不能", "是不是", "谁", "咋")
_CLOSED_BY = "。，？?~！!呢吗吧啊呀哈嘛哦呗了么喔囉欸呐嗯)）"


@dataclass(frozen=True, slots=True)
class Line:
    """One message: `who` is c customer, a agent, r auto or robot line of the agent's account, s system."""

    at: int
    who: str
    text: str


@dataclass(slots=True)
class Habits:
    """An agent's planted rates, each kept by its own steady draw through the whole period."""

    agent: Agent
    convert: Steady = field(default_factory=Steady)
    close: Steady = field(default_factory=Steady)
    slow: Steady = field(default_factory=Steady)
    canned: Steady = field(default_factory=lambda: Steady(0.03))
    follow: Steady = field(default_factory=Steady)
    returns: Steady = field(default_factory=Steady)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who talks about what: everything that the lines of one chat depend on."""

    plan: Plan
    dice: Dice
    habits: Habits
    buyer: Buyer
    product: Product
    colour: str
    courier: str = "申迅快递"


class Talk:
    """The lines of one chat, with the clock running; `shows` collects the times of the lines that show the reason."""

    def __init__(self, cast: Cast, start: int) -> None:
        self.cast, self.now = cast, start
        self.lines: list[Line] = []
        self.shows: list[int] = []
        self.asked_at: int | None = None
        self.closed = False
        self.order_at: int | None = None
        self.persona = cast.dice.pick(tuple(_TAILS))
        self.slots = _slots(cast, start)

    def customer(self, text: str, *, shows: bool = False, gap: tuple[float, float] = (16, 55)) -> None:
        """The customer writes; `gap` is median and 90th percentile of the seconds since the last line."""
        dice = self.cast.dice
        if self.lines:
            self.now += 2 + min(int(dice.lag(*gap)), 900)
        self._add("c", self._voice(text.format_map(self.slots)))
        self.asked_at = self.asked_at or self.now
        if shows:
            self.shows.append(self.now)

    def agent(self, text: str, *, shows: bool = False, long_wait: bool = False, own: bool = False, told: bool = False) -> None:
        """The agent answers. `own`: as it stands, without tail; `told`: never replaced by the canned phrase."""
        said = text.format_map(self.slots)
        self.now = self._reply_at(long_wait)
        self.asked_at = None
        canned, steady = self.cast.habits.agent.canned, self.cast.habits.canned
        if not canned:
            said = said if own or shows else self._style(said)
        elif shows or told:
            steady.count(canned, False)
        elif steady.draw(self.cast.dice, canned):
            said = phrases("talk")["canned"]
        self._add("a", said)
        if shows:
            self.shows.append(self.now)

    def auto(self, text: str, *, shows: bool = False) -> None:
        """An automatic line of the agent's account, one or two seconds later; it answers nobody."""
        self.now += 1 + int(self.cast.dice.random() * 2)
        self._add("r", text)
        if shows:
            self.shows.append(self.now)

    def system(self, text: str) -> None:
        """A line that the platform puts in."""
        self._add("s", text)

    def closing(self, kind: str) -> None:
        """A closing line of the agent's own: push, urge or bye."""
        self.closed = True
        self.agent(self.cast.dice.pick(phrases("agents")[self.cast.habits.agent.name][kind]), own=True)

    def pause(self, seconds: float) -> None:
        """Time passes and nobody writes; a later line of the agent is proactive."""
        self.now += int(seconds)
        self.asked_at = None

    def _add(self, who: str, text: str) -> None:
        if self.lines and self.now < self.lines[-1].at:
            self.now = self.lines[-1].at
        self.lines.append(Line(self.now, who, text))

    def _reply_at(self, long_wait: bool) -> int:
        """When this reply comes: the agent's own speed, with a steady share over 60 s counted from the first open question."""
        dice, agent, slow = self.cast.dice, self.cast.habits.agent, self.cast.habits.slow
        typed = max(3, min(int(dice.lag(agent.median_s, agent.p90_s)), 57))
        if self.asked_at is None:
            return self.now + 3 + typed // 3
        if long_wait or self.now + 3 > self.asked_at + 60:
            slow.count(agent.over_60, True)
            return self.now + (150 + int(dice.lag(120, 500)) if long_wait else typed)
        if slow.draw(dice, agent.over_60):
            return max(self.asked_at + 62 + int(min(dice.lag(45, 170), 540)), self.now + 3)
        latest = self.asked_at + 58
        return max(self.now + typed if self.now + typed <= latest else latest - int(dice.random() * 30), self.now + 3)

    def _style(self, text: str) -> str:
        """An agent's habit: a form of address in front, a tail behind, where the sentence lets one."""
        dice, talk = self.cast.dice, phrases("agents")[self.cast.habits.agent.name]
        call, tail = dice.pick(talk["call"]), str(dice.pick(talk["tails"]))
        if call and dice.chance(0.3) and not text.startswith(("亲", "您", "抱歉", "不好意思", "好", "收到", "对不起", "嗯")):
            text = f"{call}，{text}"
        if text[-1] in _CLOSED_BY or not dice.chance(0.7):
            return text
        return text + (tail.removeprefix("的") if text[-1] == "的" else tail)

    def _voice(self, text: str) -> str:
        """A customer's habit: a tail, no punctuation, a slip of the keyboard now and then."""
        dice = self.cast.dice
        if "http" in text:
            return text
        if dice.chance(0.05):
            for right, wrong in _TYPOS:
                if right in text:
                    text = text.replace(right, wrong, 1)
                    break
        if self.persona == "elder" and " " in text:
            text = text.replace(" ", "，")
        if len(text) > 2 and text[-1] not in _CLOSED_BY and dice.chance(0.35):
            asks = text[-1] == "不" or any(word in text for word in _ASKING)
            text += dice.pick(_QUESTION_TAILS[self.persona] if asks else _TAILS[self.persona])
        return text


def _slots(cast: Cast, start: int) -> dict[str, str]:
    dice, product, plan = cast.dice, cast.product, cast.plan
    price = plan.price(product, date_of(start)) // 100
    ref = dice.pick(OTHERS if dice.chance(0.5) else ACCESSORIES)
    if ref is product:
        ref = OTHERS[0] if product is not OTHERS[0] else OTHERS[1]
    low = int(price * dice.uniform(0.72, 0.9))
    return {
        "model": product.model, "price": str(price), "low": str(low - low % 10 if low > 100 else low), "colour": cast.colour,
        "colours": "、".join(product.colours), "size": product.size, "weight": product.heft, "laptop": product.laptop or "13寸",
        "leather": product.leather, "left": str(3 + int(dice.random() * 60)), "city": cast.buyer.city.removesuffix("市"),
        "ref": ref.model, "refprice": str(plan.price(ref, date_of(start)) // 100), "courier": cast.courier,
        "sale": "520" if date_of(start) <= plan.sale[1] else "618", "address": clear_address(plan.seed, cast.buyer.number),
    }  # fmt: skip


def night(at: int) -> bool:
    """Whether a wall-clock second lies in the hours without people: midnight to 8:30."""
    return at % DAY < 8 * 3600 + 1800
