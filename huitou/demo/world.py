"""The demo shop: goods, agents, couriers and every rate that is planted, in one place.

All invented. Times are seconds since 1970-01-01 on the shop's own wall clock; money is fen.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

SHOP = "青麓男包旗舰店"
ROBOT = "服务助手"
DAY = 86_400
EPOCH = date(1970, 1, 1)
OPENS, CHANGES = 8 * 3600 + 1800, 16 * 3600 + 1800  # early shift from 8:30, late shift from 16:30 to midnight


@dataclass(frozen=True, slots=True)
class Product:
    """One listing; `weight` is its share among the products nobody doubts, `lift` its factor on conversion."""

    id: str
    model: str
    title: str
    price: int
    colours: tuple[str, ...]
    leather: str
    size: str
    heft: str
    laptop: str | None
    weight: float
    lift: float = 1.0
    kind: Literal["bag", "small", "belt"] = "bag"


@dataclass(frozen=True, slots=True)
class Agent:
    """One pre-sale agent with planted habits.

    `convert` is the share of inquiries on undoubted goods that end in an order; `median_s`, `p90_s` the reply time;
    `over_60` the share of replies over 60 s; `closes` the share of chats with a closing line; `follows` the share of
    hesitating customers written to again; `canned` the share of replies that are one phrase; `partial` the share of
    product answers that stay incomplete; `hired_days` how long before the end the agent began (None: before the start).
    """

    name: str
    shift: Literal["early", "late"]
    convert: float
    median_s: float
    p90_s: float
    over_60: float = 0.045
    closes: float = 0.76
    follows: float = 0.45
    crosses: float = 0.15
    canned: float = 0.0
    partial: float = 0.0
    load: float = 1.0
    hired_days: int | None = None


_Look = tuple[str, str, str, str, str | None]


def _bag(id: str, name: str, yuan: int, look: _Look, weight: float, lift: float = 1.0) -> Product:
    model, _, title = name.partition(" ")
    colours, leather, size, heft, laptop = look
    kind: Literal["bag", "small", "belt"] = "bag"
    if "腰带" in model:
        kind = "belt"
    elif "钱夹" in model or "手拿" in model:
        kind = "small"
    title = f"青麓{model}{title}"
    return Product(id, model, title, yuan * 100, tuple(colours.split()), leather, size, heft, laptop, weight, lift, kind)


DOUBTED = _bag(
    "728104560311", "云朗公文包 男士头层牛皮商务手提包大容量真皮电脑包", 398,
    ("黑色 深咖 墨绿", "头层牛皮", "39×29×8厘米", "1.2公斤", "15.6寸"), 0,
)  # fmt: skip
OTHERS = (
    _bag("728104560327", "行川双肩包 男士商务双肩背包通勤旅行电脑包", 259,
         ("黑色 深灰 藏青", "防泼水尼龙配牛皮", "44×30×14厘米", "0.9公斤", "15.6寸"), 21, 1.03),
    _bag("728104560344", "山径斜挎包 男士单肩斜挎包休闲竖款小挎包", 189,
         ("黑色 卡其", "头层牛皮", "26×21×7厘米", "0.5公斤", None), 17, 1.04),
    _bag("728104560358", "驿程旅行袋 大容量手提旅行包短途出差行李袋", 329,
         ("黑色 棕色", "疯马牛皮", "50×27×25厘米", "1.6公斤", "14寸"), 11, 0.94),
    _bag("728104560362", "简册长钱夹 男士真皮长款钱包多卡位拉链手包", 169,
         ("黑色 深咖", "头层牛皮", "20×10×2.5厘米", "0.2公斤", None), 9, 1.04),
    _bag("728104560379", "远岫手提包 男士商务手提单肩两用包横款", 459,
         ("黑色 棕色", "头层荔枝纹牛皮", "38×28×9厘米", "1.3公斤", "14寸"), 7, 0.95),
    _bag("728104560383", "方舟电脑包 手提单肩笔记本公文包防震多隔层", 229,
         ("深灰 黑色", "防泼水牛津布", "40×30×6厘米", "0.8公斤", "16寸"), 8),
    _bag("728104560390", "轻羽胸包 男士轻便胸包防盗单肩斜背小包", 149,
         ("黑色 军绿 浅灰", "尼龙", "18×32×8厘米", "0.3公斤", None), 7, 1.04),
    _bag("728104560405", "折桂短钱夹 男士真皮短款钱包驾驶证皮夹", 129,
         ("黑色 咖色", "头层牛皮", "11.5×9.5×2厘米", "0.1公斤", None), 6, 1.03),
    _bag("728104560411", "归帆登机双肩 可扩容登机背包大容量出差双肩包", 399,
         ("黑色 深蓝", "防泼水尼龙", "48×32×18厘米", "1.4公斤", "17寸"), 4, 0.95),
    _bag("728104560426", "观澜手拿包 男士真皮手抓包软皮信封包", 219,
         ("黑色 墨绿", "头层软牛皮", "27×18×4厘米", "0.4公斤", None), 3),
    _bag("728104560433", "松烟单肩包 男士复古单肩包邮差包", 279,
         ("深咖 黑色", "疯马牛皮", "33×25×10厘米", "0.9公斤", "13寸"), 4),
    _bag("728104560447", "临川公文包 高级真皮公文包商务礼盒装", 899,
         ("黑色 深咖", "头层植鞣牛皮", "40×30×9厘米", "1.5公斤", "15.6寸"), 1.5, 0.9),
    _bag("728104560452", "疏影腰带礼盒 男士真皮腰带自动扣礼盒套装", 199,
         ("黑色 棕色", "头层牛皮", "115到125厘米", "0.3公斤", None), 1.5),
)  # fmt: skip
PRODUCTS = (DOUBTED, *OTHERS)
ACCESSORIES = tuple(p for p in OTHERS if p.price < 20_000)

STRONG, DOUBT_FACTOR, EVENING_FACTOR, DAY_FACTOR = 0.387, 0.445, 0.985, 1.01
AGENTS = (
    Agent("星野", "early", STRONG, 11, 38, crosses=0.41),
    Agent("小满", "late", STRONG, 12, 41, closes=0.97),
    Agent("阿澈", "early", STRONG, 10, 35),
    Agent("南枝", "late", STRONG, 13, 46),
    Agent("可可", "early", STRONG, 12, 44),
    Agent("知夏", "late", STRONG, 15, 50, over_60=0.06),
    Agent("阿远", "early", STRONG, 13, 47),
    Agent("青柠", "late", STRONG, 15, 52, over_60=0.06),
    Agent("小舟", "early", 0.240, 24, 90, over_60=0.12, closes=0.5, follows=0.12, crosses=0.04, partial=0.55,
          load=1.8, hired_days=23),
    Agent("木子", "late", 0.240, 24, 58, over_60=0.28, closes=0.55, follows=0.12, crosses=0.06),
    Agent("小禾", "late", 0.206, 12, 40, closes=0.20, follows=0.03, crosses=0.03),
    Agent("念念", "early", 0.193, 8, 24, over_60=0.01, closes=0.3, follows=0.03, crosses=0.0, canned=0.61),
)  # fmt: skip
WEAK = ("小舟", "木子", "小禾", "念念")

COURIERS = (("申迅快递", 38), ("安途速递", 24), ("百达快运", 25), ("顺捷速运", 10))
COURIERS_SOUTH = (("申迅快递", 25), ("安途速递", 38), ("百达快运", 27), ("顺捷速运", 10))  # what is used into the slow region
SLOW_REGION, SLOW_COURIER, SLOW_FACTOR = "广东省", "安途速递", 2.2

COLLEAGUES = ("青麓仓库小陈", "青麓运营阿May")
BLOCKED = (
    "信誉快升88", "直通车代运营小林", "皮料批发王总", "日结兼职666",
    "快递揽收小刘", "主图拍摄工作室", "代账开票阿英", "网店贷款专员",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for: period, volume, seed; and the dates that follow from it."""

    seed: int
    scale: float
    first: date
    last: date

    @property
    def days(self) -> list[date]:
        """Every day of the period."""
        return [self.first + timedelta(days=i) for i in range((self.last - self.first).days + 1)]

    @property
    def sale(self) -> tuple[date, date]:
        """First and last day of the campaign that drops prices."""
        start = self.last - timedelta(days=15)
        return start, start + timedelta(days=4)

    @property
    def exported_at(self) -> int:
        """When the shop pressed export: 09:30 on the day after the last."""
        return seconds(self.last) + DAY + 9 * 3600 + 1800

    def price(self, product: Product, day: date) -> int:
        """The price of a product on a day in fen; the campaign takes 15 % off, rounded down to whole yuan."""
        start, stop = self.sale
        return product.price * 85 // 10_000 * 100 if start <= day <= stop else product.price


def seconds(day: date) -> int:
    """Midnight of a day as seconds since 1970-01-01, wall clock."""
    return (day - EPOCH).days * DAY


def stamp(at: int) -> str:
    """``2026-05-03 09:12:11`` of a wall-clock second."""
    day, second = divmod(at, DAY)
    return f"{EPOCH + timedelta(days=day)} {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def date_of(at: int) -> date:
    """The day of a wall-clock second."""
    return EPOCH + timedelta(days=at // DAY)


def full_title(product: Product, colour: str) -> str:
    """The variant text shared by order lines and reviews."""
    return f"颜色分类:{product.model}-{colour}"


def yuan(fen: int) -> str:
    """``259.00``."""
    return f"{fen // 100}.{fen % 100:02d}"
