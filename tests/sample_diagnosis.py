"""An invented shop's report, written by hand: every kind of finding, chart, status and text that a report can meet."""

from datetime import UTC, date, datetime
from math import sqrt

from huitou.errors import Say
from huitou.findings.model import Cause, Diagnosis, Evidence, Finding, Goal, Line, Money, Remedy, Row
from huitou.metrics.model import Cell
from huitou.reports.model import LoadNote, MetricNote, Report
from huitou.rules.model import Rule, RulePack
from tests.sample_tables import tables

PERIOD = (date(2026, 5, 4), date(2026, 5, 31))


def wilson(k: float, n: float) -> tuple[float, float, float]:
    """Share with its 95 % Wilson interval."""
    p, z2 = k / n, 1.96**2
    mid, half = (p + z2 / (2 * n)) / (1 + z2 / n), 1.96 * sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return p, mid - half, mid + half


def share(metric: str, k: int, n: int, by: dict[str, str] | None = None, status: str = "final", open_: int = 0) -> Cell:
    """A cell of unit share."""
    p, low, high = wilson(k, n)
    return Cell(metric, "share", by or {}, p, k, n, n, low, high, status, "tmall-2025", open_)


PEERS = Goal("inquiry_conversion", 0.45, "industry", "同行", "peers", Say("箱包类目 45%", "bags: 45%"))
ASKS = Say("天猫店铺体验分 2025-06", "Tmall experience score, June 2025")
RULE = Goal("human_response_rate_3min", 0.90, "platform", "平台要求", "platform asks", ASKS)
MARCH = Goal("payment_conversion", 0.842, "history", "本店 3 月", "own March", Say("本店 2026 年 3 月", "own March 2026"))
REST = Goal("inquiry_conversion", 0.345, "history", "其余 8 位", "the other 8", Say("本店同期", "own, same period"))
OTHERS = Goal("product_inquiry_payment_rate", 0.321, "history", "其余商品", "other products", Say("本店同期", "own, same period"))

AGENTS = [
    ("星野", 742, 0.369, 283 / 742, False, "", "", "", ""),
    ("小满", 715, 0.358, 264 / 715, False, "", "", "", ""),
    ("阿澈", 768, 0.354, 269 / 768, False, "", "", "", ""),
    ("南枝", 689, 0.351, 235 / 689, False, "", "", "", ""),
    ("可可", 701, 0.342, 231 / 701, False, "", "", "", ""),
    ("知夏", 654, 0.334, 219 / 654, False, "", "", "", ""),
    ("阿远", 672, 0.330, 203 / 672, False, "", "", "", ""),
    ("青柠", 598, 0.321, 186 / 598, False, "", "", "", ""),
    (
        "小舟",
        412,
        0.226,
        84 / 412,
        True,
        "入职 23 天，商品问题答不全",
        "23 days in the job, product questions half answered",
        "结对：星野",
        "Pair with Xingye",
    ),
    (
        "木子",
        563,
        0.219,
        118 / 563,
        True,
        "打字慢，28% 的回复超过 60 秒",
        "Types slowly: 28% of replies take over 60 s",
        "快捷短语 40 条",
        "40 quick replies",
    ),
    (
        "小禾",
        538,
        0.188,
        103 / 538,
        True,
        "答得快，83% 的会话没有推动下单",
        "Quick, but 83% of chats never ask for the order",
        "结对：小满",
        "Pair with Xiaoman",
    ),
    (
        "念念",
        588,
        0.174,
        97 / 588,
        True,
        "61% 的回复是同一句快捷短语",
        "61% of replies are one and the same phrase",
        "主管面谈",
        "Talk with the supervisor",
    ),
]
CHAT = Evidence(
    "7K3F",
    "要的是凭证，得到的是保证",
    "Asked for proof, was given a promise",
    (
        Line(1, "customer", "2026-05-19 20:43", "怎么看出来是真皮？我之前在别家买过一个说是头层，用半年就裂了", ((0, 9),)),
        Line(2, "agent", "2026-05-19 20:44", "亲 我们是品牌 质量放心", ((0, 12),), fault=True),
        Line(3, "customer", "2026-05-19 20:45", "有检测报告或者鉴定证书吗", ((0, 12),)),
        Line(4, "agent", "2026-05-19 20:47", "亲 都是正品哦", ((0, 7),), fault=True),
        Line(5, "customer", "2026-05-19 20:49", "那我再看看吧"),
    ),
)
REVIEWS = Evidence(
    "9QXA",
    "五星里的不满意",
    "Complaints inside five-star reviews",
    (
        Line(11, "review", "2026-05-12", "包很好看，就是味道有点大，晾了三天还有", ((5, 19),)),
        Line(12, "review", "2026-05-20", "做工可以，但是拉链头毛糙，划手", ((5, 15),)),
    ),
)


def money(value: float, low: float, high: float) -> Money:
    """Yuan → fen, with one sentence for all."""
    zh, en = "少下单的客户 × 付款率 × 客单价；这不是实验。", "Customers not won × payment rate × order value; not an experiment."
    return Money(round(value * 100), round(low * 100), round(high * 100), "CNY", zh, en)


def findings() -> tuple[Finding, ...]:
    """Five findings in the order of their money."""
    c, lo, hi = wilson(2292, 7640)
    d, dlo, dhi = wilson(125, 884)
    p, plo, phi = wilson(1788, 2292)
    weak, wlo, whi = wilson(402, 2101)
    gap = Finding(
        "inquiry_conversion.gap",
        "inquiry_conversion",
        {},
        PERIOD,
        c,
        lo,
        hi,
        7640,
        "share",
        PEERS,
        1146,
        money(239_600, 221_000, 258_200),
        "每 100 位来问的客户，70 位没有下单",
        "70 of 100 inquiring customers place no order",
        "3 月是 33.5%，最近一周 29.5%。同期来问云朗公文包的客户每周从 96 人增到 221 人，解释了降幅的 41%（28–55）。",
        "March was 33.5%, the last week 29.5%. Inquiries about the Cloud"
        " briefcase rose from 96 to 221 a week, which explains 41% of the fall (28–55).",
        (
            Cause("unknown.silent", "突然无回复", "stops replying", 0.2165, 1158),
            Cause("service.no_follow_up", "未跟进", "no follow-up", 0.163, 872),
            Cause("product.authenticity", "真伪疑虑", "doubts it is genuine", 0.114, 612),
            Cause("price.too_high", "超出心理价位", "above the price in mind", 0.093, 498),
            Cause("service.load", "20–23 点接待过载", "too few agents from 20 to 23", None, 1204),
        ),
        (),
        "",
        "",
        (
            Remedy(
                "说「再看看」的，次日跟进一次；留一成作对照。",
                "Follow up next day with those who said they would look around; hold out one in ten.",
                "operations",
            ),
            Remedy("20–23 点加 2 人，先排周末。", "Add 2 agents from 20 to 23, weekends first.", "supervisor"),
        ),
        parts=(
            Cause("agents.below_peers", "4 位客服低于其余 8 位，原因各不相同",
                  "4 agents convert clearly less than the other 8, each for a reason of their own", 0.266, 305),
            Cause("product.lost", "云朗公文包：要的是凭证，得到的是保证",
                  "Cloud briefcase: customers ask for proof and get a promise", 0.138, 158),
        ),
    )  # fmt: skip
    agents = Finding(
        "agents.below_peers",
        "inquiry_conversion",
        {"agent": "4"},
        PERIOD,
        weak,
        wlo,
        whi,
        2101,
        "share",
        REST,
        305,
        money(63_800, 56_000, 71_600),
        "4 位客服低于其余 8 位，原因各不相同",
        "4 agents convert clearly less than the other 8, each for a reason of their own",
        "扣除商品、时段、新老客和转入的影响后，8 位客服的差别在误差以内，不排名次；另外 4 位低于他们。",
        "After product, hour, new or returning customer and transfers,"
        " 8 agents cannot be told apart and are not ranked; 4 are below them.",
        (),
        (),
        "",
        "",
        (
            Remedy(
                "四位客服各用各的办法：快捷短语、结对答疑、面谈、结对推动下单。",
                "One remedy each: quick replies, two pairings, a talk.",
                "supervisor",
            ),
        ),
        tuple(Row(n, v, *_around(v, k), k, f, sz, se, rz, re, raw) for n, k, v, raw, f, sz, se, rz, re in AGENTS),
        "inquiry_conversion.gap",
    )
    names = [
        ("云朗公文包", 884, 125),
        ("驿程旅行袋", 968, 284),
        ("行川双肩包", 1612, 548),
        ("简册长钱夹", 842, 289),
        ("山径斜挎包", 1498, 524),
    ]
    doubt = Finding(
        "product.lost",
        "product_inquiry_payment_rate",
        {"product": "云朗公文包"},
        PERIOD,
        d,
        dlo,
        dhi,
        884,
        "share",
        OTHERS,
        158,
        money(49_200, 42_000, 55_400),
        "云朗公文包：要的是凭证，得到的是保证",
        "Cloud briefcase: customers ask for proof and get a promise",
        "884 位客户询单，125 位下单；其余商品 32.1%。352 位因真伪疑虑离开。207 位要过检测报告，16 位收到。",
        "884 customers asked, 125 ordered; other products 32.1%. 352 left"
        " in doubt. 207 asked for the test report, 16 were sent it.",
        (Cause("product.authenticity", "真伪疑虑", "doubts it is genuine", 0.464, 352),),
        (CHAT,),
        "收到报告的 16 位里 7 位下单，人数太少，还不能说明报告管用。",
        "7 of the 16 who got the report ordered: too few to say that it works.",
        (
            Remedy(
                "给云朗公文包补检测报告图；要报告的客户当场发，验货不满意运费由店铺出。",
                "Put the test report on the page; send it at once; free return after seeing.",
                "product",
            ),
        ),
        tuple(Row(n, *wilson(o, k), k, n == "云朗公文包") for n, k, o in names),
        "inquiry_conversion.gap",
    )
    unpaid = Finding(
        "payment.unpaid",
        "payment_conversion",
        {},
        PERIOD,
        p,
        plo,
        phi,
        2292,
        "share",
        MARCH,
        142,
        money(38_100, 28_000, 48_900),
        "下单之后，22% 没有付款",
        "22% of those who order do not pay",
        "3 月是 84.2%。九成付款的客户在 47 分钟内付款，之后没有人提醒。",
        "March was 84.2%. Nine in ten paying customers pay within 47 minutes; nobody reminds the others.",
        (),
        (),
        "",
        "",
        (
            Remedy(
                "下单 47 分钟未付再提醒，老客户晚 1 小时；留一成不提醒作对照。",
                "Remind after 47 minutes, returning customers an hour later; hold out one in ten.",
                "operations",
            ),
        ),
    )
    h, hlo, hhi = wilson(188, 1604)
    reviews = Finding(
        "reviews.hidden",
        "hidden_complaints",
        {},
        PERIOD,
        h,
        hlo,
        hhi,
        1604,
        "share",
        Goal("hidden_complaints", 0.06, "history", "本店去年", "own last year", "本店 2025 年"),
        188,
        None,
        "五星评价里 11.7% 带着不满意，多数说味道",
        "11.7% of five-star reviews carry a complaint, mostly about smell",
        "1,604 条好评里 188 条在「但是、就是」之后说了问题。",
        "188 of 1,604 good reviews name a problem after «but».",
        (),
        (REVIEWS,),
        "",
        "",
        (
            Remedy(
                "发货前通风 48 小时，详情页写明新皮的味道多久散去。",
                "Air the bags for 48 hours; say on the page how long new leather smells.",
                "product",
            ),
        ),
        tuple(
            Row(n, *wilson(k, 1604), 1604, n == "气味")
            for n, k in (("气味", 81), ("做工细节", 44), ("包装", 22), ("物流快慢", 19), ("尺码/规格", 12))
        ),
    )
    return gap, agents, doubt, unpaid, reviews


def _around(value: float, n: int) -> tuple[float, float]:
    _, low, high = wilson(value * n, n)
    return low, high


WEEKS = [
    ("2026-W10", 1884, 637),
    ("2026-W11", 1902, 630),
    ("2026-W12", 1931, 657),
    ("2026-W13", 1898, 634),
    ("2026-W14", 1944, 640),
    ("2026-W15", 1967, 641),
    ("2026-W16", 1989, 638),
    ("2026-W17", 2012, 632),
    ("2026-W18", 2026, 628),
    ("2026-W19", 2041, 629),
    ("2026-W20", 2078, 621),
    ("2026-W21", 2063, 612),
    ("2026-W22", 1458, 430),
]
NAMES = {
    "inquiry_conversion": (
        "询单转化率",
        "Inquiry conversion",
        "询单客户中在窗口内下单的占比",
        "Inquiring customers who placed an order inside the window",
        "[003] 1.3.3",
    ),
    "payment_conversion": ("付款转化率", "Payment conversion", "下单客户中付款的占比", "Ordering customers who paid", "[004]"),
    "human_response_rate_3min": (
        "3 分钟人工响应率",
        "3-minute human response",
        "三分钟内由人回复的轮次占比",
        "Rounds a person answered within 3 minutes",
        "[004]",
    ),
    "repurchase_rate": (
        "复购率",
        "Repurchase",
        "两天或更多天买过的客户占比",
        "Customers who bought on two or more days",
        "[003] 6.3.4",
    ),
    "product_inquiry_payment_rate": (
        "分商品询单下单率",
        "Conversion by product",
        "每款商品询单后下单的占比",
        "Inquiries per product that ended in an order",
        "[000]",
    ),
    "hidden_complaints": (
        "隐性差评",
        "Hidden complaints",
        "好评里带不满意的占比",
        "Good reviews that carry a complaint",
        "[000]",
    ),
    "first_response_time": (
        "首次响应时间",
        "First response time",
        "从首问到首次人工回复的中位数",
        "From the first question to a person's first reply",
        "[003] 5.5",
    ),
    "average_order_value": ("客单价", "Average order value", "销售额除以订单数", "Sales divided by orders", "[003] 5.3.2"),
    "received_customers": (
        "接待人数",
        "Received customers",
        "扣除过滤后的咨询客户",
        "Consulting customers less the filtered ones",
        "[004]",
    ),
    "mid_review_rate": ("中评率", "Middling reviews", "中评占全部评价", "Middling reviews of all reviews", "[000]"),
    "silent_conversion": (
        "静默转化率",
        "Silent conversion",
        "没有咨询直接购买的访客占比",
        "Visitors who bought without asking",
        "[003] 1.3.3",
    ),
    "service_satisfaction": (
        "客服满意度",
        "Service satisfaction",
        "满意的会话占评过分的会话",
        "Satisfied chats of rated chats",
        "[004]",
    ),
}


def cells() -> tuple[Cell, ...]:
    """The shop's numbers: final, open, needing a file, too few; and cuts by week and hour."""
    none = (None, None, None, 0, None, None)
    whole = [
        share("inquiry_conversion", 2292, 7640, status="not_yet", open_=880),
        share("payment_conversion", 1788, 2292),
        share("human_response_rate_3min", 37_855, 41_236),
        share("repurchase_rate", 561, 3300),
        share("hidden_complaints", 188, 1604),
        Cell("first_response_time", "s", {}, 14.0, None, None, 9120, 13.6, 14.5, "final", "tmall-2025"),
        Cell("average_order_value", "CNY", {}, 268.04, 479_256.0, 1788.0, 1788, 262.1, 274.0, "final", "tmall-2025"),
        Cell("received_customers", "count", {}, 11_440.0, None, None, 11_440, None, None, "final", "tmall-2025"),
        share("mid_review_rate", 1, 3),
        Cell("silent_conversion", "share", {}, *none, "needs traffic", "tmall-2025"),
        Cell("service_satisfaction", "share", {}, *none, "needs satisfaction ratings", "tmall-2025"),
    ]
    weeks = [
        share("inquiry_conversion", k, n, {"week": w}, *(("not_yet", 880) if w == "2026-W22" else ("final", 0)))
        for w, n, k in WEEKS
    ]
    pay = [
        Cell("time_to_pay_p90", "s", {"customer": c} if c else {}, v, None, None, n, v * 0.94, v * 1.07, "final", "tmall-2025")
        for c, v, n in (("", 2820.0, 1788), ("new", 2460.0, 1302), ("returning", 5100.0, 486))
    ]
    hours = [
        share("payment_conversion", round(n * (0.84 - 0.011 * max(h - 14, 0))), n, {"hour": f"{h:02}"})
        for h, n in zip(range(8, 24), range(90, 250, 10), strict=True)
    ]
    return (*whole, *weeks, *hours, *pay)


def pack() -> RulePack:
    """A rule pack with three sourced values."""
    rules = {
        "response_within_s": Rule(180, "s", "及时回复的时限", "a reply this fast is in time", "[004]", "A"),
        "unanswered_counts": Rule(True, None, "未回复计入平均", "an unanswered round enters the mean", "diantuoyi.com 4966", "B"),
        "response_cap_s": Rule(None, "s", "单轮封顶", "cap of one round", "g8108.cn", "C"),
    }
    return RulePack(
        "tmall-2025",
        "tmall",
        "天猫 2025 版",
        "Tmall, 2025 rules",
        date(2025, 6, 1),
        28_800,
        82_800,
        180,
        None,
        True,
        False,
        False,
        600,
        120,
        259_200,
        172_800,
        259_200,
        21,
        "order",
        rules,
    )


def sample(shop: str = "青麓男包旗舰店") -> Report:
    """The whole report."""
    diagnosis = Diagnosis(
        shop,
        "tmall",
        PERIOD,
        "tmall-2025",
        findings(),
        ("human_response_rate_3min",),
        ("「突然无回复」的 1,158 位不知道原因。", "流量文件缺 5月17日，静默转化率当天空着。"),
        ("Why 1,158 customers stopped replying is not known.", "Traffic lacks 17 May; silent conversion is blank that day."),
        tables(),
    )
    loads = (
        LoadNote(
            "ExportOrderList202605.csv",
            "天猫订单报表",
            "Tmall orders",
            9_412,
            9_380,
            24,
            8,
            date(2026, 3, 2),
            date(2026, 5, 31),
            {"时间读不出": 8},
        ),
        LoadNote(
            "千牛聊天记录.txt", "千牛聊天记录", "Qianniu chats", 214_880, 214_880, 0, 0, date(2026, 3, 2), date(2026, 5, 31)
        ),
    )
    notes = {m: MetricNote(m, *words) for m, words in NAMES.items()}
    return Report(
        diagnosis,
        cells(),
        notes,
        loads,
        pack(),
        datetime(2026, 6, 1, 9, 0, tzinfo=UTC),
        {g.metric: g for g in (PEERS, RULE, MARCH)},
    )
