"""The tables of what texts say, under the words (and models) of one version. Built, never imported."""

from huitou.tables.canonical import AGENT, CUSTOMER, CUSTOMER_OR_NONE, ORDER, PRODUCT_OR_NONE, SHOP
from huitou.tables.model import Column as C
from huitou.tables.model import Table

VERSION = C("version", "code", "词表版本", "version of the taxonomies and models that read it")
START = C("start", "int", "从", "first character of the place in the text as stored")
END = C("end", "int", "到", "the character after the place's last one")

message_tags = Table(
    "message_tags", "消息标签", "What single messages say: a row for each leaf of a taxonomy that one shows, and where", (
        SHOP, CUSTOMER, AGENT,
        C("sent_at", "time", "发送时间", "when the message was sent"),
        C("day", "date", "日期", "day in the shop's zone"),
        C("kind", "code", "类别", "who wrote it: customer, agent, auto, robot"),
        C("message_key", "key", "消息", "row_key of the message"),
        C("taxonomy", "code", "词表", "loss, unpaid, intents, steps, faults, complaints, or one of the shop's own"),
        C("code", "code", "编码", "the leaf"),
        START, END,
        C("strength", "int", "强度", "1 may mean it, 2 says so, 3 says so in so many words"),
        C("asked", "bool", "在问", "said in a question"),
        C("negated", "bool", "否定", "said with a negation"),
        VERSION,
    ), key=("message_key", "taxonomy", "code", "start"), month_of="day", cluster=("customer_key", "sent_at"), fact=True,
)  # fmt: skip

inquiry_reasons = Table(
    "inquiry_reasons", "询单诊断", "Inquiries as they were read: why each was lost, by which messages, and how it was handled", (
        SHOP, CUSTOMER, AGENT,
        C("day", "date", "日期", "day of the inquiry"),
        C("asked_at", "time", "开始", "first message"),
        PRODUCT_OR_NONE,
        C("outcome", "code", "结果", "lost (no order), ordered (not paid), paid; empty where no order was ever imported",
          nullable=True),
        C("primary", "code", "主要原因", "code of the taxonomy loss; empty where nothing was lost", nullable=True),
        C("secondary", "codes", "次要原因", "further codes of loss"),
        C("evidence", "codes", "证据消息", "row_keys of the messages that show the primary reason"),
        C("steps", "codes", "步骤", "pre-sale steps that a person performed, codes of steps"),
        C("faults", "codes", "问题", "faults of the service, codes of faults"),
        C("customer_type", "code", "客户类型", "active, passive; empty where unclear", nullable=True),
        C("satisfaction", "code", "满意度估计", "low, neutral or high, by what the customer wrote: an estimate, no rating",
          nullable=True),
        C("certainty", "float", "把握", "share that the reader gives to the primary reason among all", unit="share"),
        VERSION,
    ), key=("customer_key", "agent_key", "day"), month_of="day", cluster=("customer_key", "asked_at"), fact=True,
)  # fmt: skip

unpaid_reasons = Table(
    "unpaid_reasons", "未付款诊断", "Orders that were not paid: why, by the chat around them, and what was bought instead", (
        SHOP, ORDER, CUSTOMER,
        C("created_at", "time", "下单时间", "when the order was placed"),
        C("day", "date", "下单日期", "day placed"),
        C("agent_key", "key", "客服", "whom the customer told", nullable=True, privacy="staff"),
        C("reason", "code", "原因", "code of the taxonomy unpaid; unknown where nothing was said"),
        C("message_key", "key", "证据消息", "row_key of the message that says it", nullable=True),
        C("after", "bool", "下单之后说的", "said after the order (false: in the chat before it, or nothing was said)"),
        C("replaced_by", "key", "另有付款订单", "a paid order of the same customer inside the payment window: no sale was lost",
          nullable=True, privacy="shop"),
        VERSION,
    ), key=("order_key",), month_of="day", cluster=("customer_key", "created_at"), fact=True,
)  # fmt: skip

commitments = Table(
    "commitments", "承诺", "What agents promised, and by when: facts that come later can break it", (
        SHOP, CUSTOMER, AGENT,
        C("day", "date", "日期", "day of the promise in the shop's zone"),
        C("sent_at", "time", "承诺时间", "when it was promised"),
        C("message_key", "key", "消息", "row_key of the message"),
        C("kind", "code", "承诺什么", "code of the taxonomy commitments: dispatch, arrival, price_protection, gift …"),
        C("due_at", "time", "兑现期限", "until when it must be kept; empty where no time was named", nullable=True),
        START, END, VERSION,
    ), key=("message_key", "kind", "start"), month_of="day", cluster=("customer_key", "sent_at"), fact=True,
)  # fmt: skip

_REVIEW = (
    SHOP,
    C("review_key", "key", "评价", "row_key of the review"),
    CUSTOMER_OR_NONE, PRODUCT_OR_NONE,
    C("order_key", "key", "订单", "the order, where exported", nullable=True, privacy="shop"),
    C("day", "date", "评价日期", "day in the shop's zone"),
    C("rating", "code", "评价等级", "good, mid, bad; empty where the export carries none", nullable=True),
)  # fmt: skip

review_readings = Table(
    "review_readings", "评价判读", "Reviews as they were read, text and later addition together", (
        *_REVIEW,
        C("usable", "code", "可用", "usable, or what kind of text it is: empty_text, default_positive, punctuation_only, "
          "too_short_generic, template_duplicate, service_only"),
        C("polarity", "code", "褒贬", "positive, negative: of the whole, rating included"),
        C("p_negative", "float", "差评概率", "probability that the whole is negative", unit="share"),
        C("has_complaint", "bool", "有不满", "any clause complains; not one that blames in passing in a long good review"),
        C("conflict", "bool", "评分与文字不合", "the stars say one thing and the text another"),
        VERSION,
    ), key=("review_key",), month_of="day", cluster=("product_key", "day"), fact=True,
)  # fmt: skip

review_clauses = Table(
    "review_clauses", "评价分句", "Clauses of usable reviews: what each is about, and what it says of it", (
        *_REVIEW,
        C("part", "code", "出处", "text, append (the later addition)"),
        C("aspect", "code", "方面", "code of the taxonomy aspects"),
        C("polarity", "code", "褒贬", "negative, positive, suggestion, neutral"),
        START, END, VERSION,
    ), key=("review_key", "part", "start", "aspect"), month_of="day", cluster=("product_key", "day"), fact=True,
)  # fmt: skip

ALL = (message_tags, inquiry_reasons, unpaid_reasons, commitments, review_readings, review_clauses)
