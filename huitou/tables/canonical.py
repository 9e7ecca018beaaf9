"""The canonical tables: what happened, as sources fill it, whatever platform it came from."""

from huitou.tables.model import Column as C
from huitou.tables.model import Table

SHOP = C("shop_key", "key", "店铺", "the shop")
CUSTOMER = C("customer_key", "key", "客户", "the customer: a keyed token of platform, shop and buyer id", privacy="token")
CUSTOMER_OR_NONE = C(
    "customer_key", "key", "客户", "the customer; empty where the export carries no buyer id", nullable=True, privacy="token"
)
AGENT = C("agent_key", "key", "客服", "the service account that received the customer", privacy="staff")
PRODUCT_OR_NONE = C("product_key", "key", "商品", "the product, where known", nullable=True)
ORDER = C("order_key", "key", "订单", "the order", privacy="shop")

shops = Table(
    "shops", "店铺", "Shops", (
        SHOP,
        C("platform", "code", "平台", "tmall, taobao, jd, pdd, douyin, shopify…"),
        C("name", "text", "店名", "the shop's name"),
        C("timezone", "code", "时区", "IANA name; days and hours of all other tables are in it"),
        C("currency", "code", "币种", "ISO 4217"),
    ), key=("shop_key",), month_of=None, versions=True,
)  # fmt: skip

agents = Table(
    "agents", "客服", "Service accounts", (
        SHOP, AGENT,
        C("account", "code", "子账号", "the account as the platform writes it, without the shop's name", privacy="staff"),
        C("robot", "bool", "机器人", "the account is a robot or the platform's assistant"),
    ), key=("agent_key",), month_of=None, versions=True,
)  # fmt: skip

products = Table(
    "products", "商品", "Products", (
        SHOP,
        C("product_key", "key", "商品", "the product"),
        C("product_id", "code", "商品编号", "the platform's id, where exported", nullable=True, privacy="shop"),
        C("title", "text", "标题", "title as listed", nullable=True),
    ), key=("product_key",), month_of=None, versions=True,
)  # fmt: skip

messages = Table(
    "messages", "聊天消息", "Chat messages", (
        SHOP, CUSTOMER, AGENT,
        C("sent_at", "time", "发送时间", "when it was sent"),
        C("day", "date", "日期", "day in the shop's zone"),
        C("second", "int", "当日秒", "seconds since that day's midnight, wall clock", unit="s"),
        C("kind", "code", "类别", "customer, agent (a person), auto (auto-reply), robot, system, transfer"),
        C("text", "text", "内容", "text with personal data masked", privacy="masked"),
        C("text_hash", "key", "内容指纹", "63-bit hash of the text, to count repeated phrases"),
        C("chars", "int", "字数", "characters of the text"),
        PRODUCT_OR_NONE,
        C("speaker_key", "key", "发言账号", "the account that wrote it; empty for the customer and for the platform's own lines",
          nullable=True, privacy="staff"),
    ), key=("row_key",), month_of="day", cluster=("customer_key", "agent_key", "sent_at", "row"), repeats="count",
    concluded=("agent_key", "kind"),
)  # fmt: skip

orders = Table(
    "orders", "订单", "Orders", (
        SHOP, ORDER,
        C("order_id", "code", "订单编号", "as the platform writes it", privacy="shop"),
        CUSTOMER_OR_NONE,
        C("created_at", "time", "下单时间", "when the order was placed"),
        C("day", "date", "下单日期", "day in the shop's zone"),
        C("second", "int", "当日秒", "seconds since that day's midnight", unit="s"),
        C("paid_at", "time", "付款时间", "when it was paid; empty = not paid", nullable=True),
        C("paid_day", "date", "付款日期", "day of payment in the shop's zone", nullable=True),
        C("shipped_at", "time", "发货时间", "when it left", nullable=True),
        C("received_at", "time", "确认收货时间", "when the customer confirmed receipt", nullable=True),
        C("status", "code", "状态", "unpaid, paid, shipped, done, closed; empty where the export carries none", nullable=True,
          states=("unpaid", "paid", "shipped", "done", "closed")),
        C("close_reason", "text", "关闭原因", "as exported, masked", nullable=True, privacy="masked"),
        C("prepaid", "bool", "先款", "paid before shipping (false: cash on delivery)"),
        C("placed_fen", "money", "下单金额", "goods and freight as placed", unit="fen"),
        C("gross_fen", "money", "付款金额", "paid by the buyer before any refund; 0 while unpaid", unit="fen"),
        C("refund_fen", "money", "退款金额", "refunded so far", unit="fen"),
        C("freight_fen", "money", "运费", "freight in placed_fen", unit="fen", nullable=True),
        C("items", "int", "件数", "pieces in the order", nullable=True),
        PRODUCT_OR_NONE,
        C("region", "text", "省份", "province of the receiver; nothing finer", nullable=True),
        C("courier", "text", "快递公司", "courier", nullable=True),
        C("currency", "code", "币种", "ISO 4217"),
    ), key=("order_key",), month_of="day", cluster=("customer_key", "created_at", "row"), versions=True,
    grows=("status", "refund_fen"),
)  # fmt: skip

order_lines = Table(
    "order_lines", "子订单", "Order lines", (
        SHOP,
        C("line_key", "key", "子订单", "the line", privacy="shop"),
        ORDER,
        C("line_id", "code", "子订单编号", "as exported, or order id and position", privacy="shop"),
        PRODUCT_OR_NONE,
        C("sku", "text", "规格", "variant", nullable=True),
        C("quantity", "int", "数量", "pieces"),
        C("price_fen", "money", "单价", "price of one piece", unit="fen"),
        C("paid_fen", "money", "实付", "paid for the line", unit="fen", nullable=True),
        C("refund_fen", "money", "退款", "refunded on the line; empty where it was and the export names no amount", unit="fen",
          nullable=True),
        C("refunded", "bool", "已退款", "a refund of this line succeeded"),
        C("created_at", "time", "下单时间", "when the order was placed; empty where not exported", nullable=True),
        C("day", "date", "下单日期", "day in the shop's zone; 1970-01-01 where not exported"),
    ), key=("line_key",), month_of="day", cluster=("order_key",), versions=True, grows=("refunded", "refund_fen", "paid_fen"),
)  # fmt: skip

refunds = Table(
    "refunds", "退款", "Refunds", (
        SHOP,
        C("refund_key", "key", "退款单", "the refund", privacy="shop"),
        ORDER,
        C("refund_id", "code", "退款编号", "as exported", privacy="shop"),
        PRODUCT_OR_NONE,
        C("applied_at", "time", "申请时间", "when the buyer applied"),
        C("day", "date", "申请日期", "day in the shop's zone"),
        C("finished_at", "time", "完结时间", "when it ended", nullable=True),
        C("amount_fen", "money", "退款金额", "amount applied for or refunded", unit="fen"),
        C("succeeded", "bool", "已退款", "the money went back"),
        C("returned", "bool", "需退货", "goods go back"),
        C("reason", "text", "退款原因", "as the buyer chose it", nullable=True),
        C("note", "text", "退款说明", "as the buyer wrote it, masked", nullable=True, privacy="masked"),
        C("duty", "text", "责任方", "responsible party as exported", nullable=True),
        C("full", "bool", "全部退款", "whole amount", nullable=True),
    ), key=("refund_key",), month_of="day", cluster=("order_key",), versions=True, grows=("succeeded",),
)  # fmt: skip

reviews = Table(
    "reviews", "评价", "Reviews", (
        SHOP, CUSTOMER_OR_NONE,
        C("author_key", "key", "评价者指纹", "keyed print of a masked nick: tells equal reviews apart, never joins to a customer",
          nullable=True, privacy="token"),
        C("order_key", "key", "订单", "the order, where exported", nullable=True, privacy="shop"),
        PRODUCT_OR_NONE,
        C("sku", "text", "规格", "variant", nullable=True),
        C("day", "date", "评价日期", "day in the shop's zone"),
        C("rating", "code", "评价等级", "good, mid, bad; empty where the export carries none", nullable=True),
        C("score", "int", "星级", "1 to 5, where exported", nullable=True, unit="stars"),
        C("text", "text", "评价内容", "masked", privacy="masked"),
        C("append_text", "text", "追评", "later addition, masked", nullable=True, privacy="masked"),
        C("reply_text", "text", "商家回复", "the shop's public reply, masked", nullable=True, privacy="masked"),
        C("default_text", "bool", "默认评价", "the platform wrote it, the customer said nothing"),
    ), key=("customer_key", "author_key", "order_key", "product_key", "sku", "day", "text"), month_of="day",
    cluster=("product_key", "day"), versions=True,
)  # fmt: skip

traffic = Table(
    "traffic", "流量", "Daily traffic", (
        SHOP,
        C("day", "date", "日期", "day in the shop's zone"),
        PRODUCT_OR_NONE,
        C("device", "code", "终端", "all, pc, wireless"),
        C("visitors", "int", "访客数", "distinct visitors (UV)"),
        C("page_views", "int", "浏览量", "page views (PV)", nullable=True),
        C("visits", "int", "访问次数", "visits (UPV)", nullable=True),
        C("new_visitors", "int", "新访客数", "first-time visitors", nullable=True),
        C("old_visitors", "int", "老访客数", "returning visitors", nullable=True),
        C("item_visitors", "int", "商品访客数", "visitors of product pages", nullable=True),
        C("score_item", "float", "描述相符评分", "DSR: as described", nullable=True, unit="stars"),
        C("score_service", "float", "服务态度评分", "DSR: service", nullable=True, unit="stars"),
        C("score_logistics", "float", "物流服务评分", "DSR: logistics", nullable=True, unit="stars"),
    ), key=("shop_key", "day", "product_key", "device"), month_of="day", versions=True, grows=("visitors", "page_views"),
)  # fmt: skip

platform_reports = Table(
    "platform_reports", "平台报表", "Rows of the platforms' own service reports: to reconcile with, never computed from", (
        SHOP,
        C("report_key", "key", "报表行", "the row: report, scope, days, account and hour; without a day its numbers too"),
        C("report", "code", "报表", "which report: sycm.inquiry, sycm.reception, chitu.agents, feige.agents…"),
        C("scope", "code", "范围", "day, agent, agent_day, hour, total, mean, shop_total, peers"),
        C("day", "date", "日期", "day in the shop's zone; 1970-01-01 for a row of no single day"),
        C("first_day", "date", "起始日", "first day that the row covers, where the file tells", nullable=True),
        C("last_day", "date", "截止日", "last day that the row covers, where the file tells", nullable=True),
        C("account", "code", "子账号", "the service account, without the shop's name", nullable=True, privacy="staff"),
        C("agent_key", "key", "客服", "that account", nullable=True, privacy="staff"),
        C("hour", "int", "小时", "hour of the day, 0 to 23", nullable=True),
    ), key=("report_key",), month_of="day", cluster=("report", "day"), versions=True,
)  # fmt: skip

platform_numbers = Table(
    "platform_numbers", "平台数值", "Numbers of the platforms' own service reports, one for each cell", (
        SHOP,
        C("report_key", "key", "报表行", "the row of platform_reports"),
        C("day", "date", "日期", "that row's day"),
        C("name", "text", "表头", "the heading as exported; under two header rows both, joined by a hyphen"),
        C("measure", "code", "指标", "the heading in one spelling for all reports: without unit, brackets and variants"),
        C("value", "float", "数值", "in the unit; a rate as a fraction"),
        C("unit", "code", "单位", "share, s, fen, count"),
    ), key=("report_key", "name"), month_of="day", cluster=("report_key",), versions=True,
)  # fmt: skip

chat_sessions = Table(
    "chat_sessions", "平台会话", "Chat sessions as the platform lists them, and the sessions of logs whose buyer is masked", (
        SHOP,
        C("session_key", "key", "会话", "the session", privacy="token"),
        C("origin", "code", "来自", "report: the platform's list of sessions; log: a chat log in which the buyer is masked"),
        CUSTOMER_OR_NONE,
        C("talk_key", "key", "聊天代号", "log only: the customer_key under which the session's messages are stored",
          nullable=True, privacy="token"),
        C("alias_key", "key", "掩码买家", "keyed print of what a mask leaves of the buyer's name: its first and last character",
          nullable=True, privacy="token"),
        C("agent_key", "key", "客服", "the service account that received the customer; empty where none did", nullable=True,
          privacy="staff"),
        C("started_at", "time", "开始", "when the customer came (log: the first message)"),
        C("day", "date", "日期", "day in the shop's zone"),
        PRODUCT_OR_NONE,
        C("kind", "text", "咨询类型", "as exported", nullable=True),
        C("first_response_s", "float", "首次响应", "from the start to the first reply, as the platform counts it", unit="s",
          nullable=True),
        C("mean_response_s", "float", "平均响应", "mean wait for a reply, as the platform counts it", unit="s", nullable=True),
        C("minutes", "float", "会话时长", "length of the session", unit="min", nullable=True),
        C("customer_messages", "int", "客户消息数", "by the customer, as the platform counts them", nullable=True),
        C("agent_messages", "int", "客服消息数", "by the service account, as the platform counts them", nullable=True),
        C("satisfaction", "int", "满意度", "5 very satisfied … 1 very dissatisfied; empty where the customer did not say",
          unit="stars", nullable=True),
        C("solved", "bool", "是否解决", "the customer's problem was solved; empty where not said", nullable=True),
        C("transferred_to", "key", "转接后客服", "the account that the session was handed to", nullable=True, privacy="staff"),
    ), key=("session_key",), month_of="day", cluster=("alias_key", "started_at"), versions=True,
)  # fmt: skip

complaints = Table(
    "complaints", "投诉赔付", "Complaints and what the shop or the platform paid for them", (
        SHOP,
        C("complaint_key", "key", "投诉单", "the complaint", privacy="shop"),
        C("complaint_id", "code", "投诉编号", "as exported", privacy="shop"),
        C("order_key", "key", "订单", "the order, where exported", nullable=True, privacy="shop"),
        CUSTOMER_OR_NONE,
        C("kind", "code", "类别", "compensation, complaint"),
        C("applied_at", "time", "申请时间", "when it was raised"),
        C("day", "date", "申请日期", "day in the shop's zone"),
        C("amount_fen", "money", "金额", "asked for or paid", unit="fen", nullable=True),
        C("reason", "text", "原因", "as exported, masked", nullable=True, privacy="masked"),
        C("status", "text", "状态", "as exported", nullable=True),
        C("settled", "bool", "已赔付", "the amount was paid"),
    ), key=("complaint_key",), month_of="day", cluster=("order_key",), versions=True, grows=("settled",),
)  # fmt: skip

ALL = (
    shops, agents, products, messages, orders, order_lines, refunds, reviews, traffic, platform_reports, platform_numbers,
    chat_sessions, complaints,
)  # fmt: skip
