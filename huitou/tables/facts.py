"""The fact tables: what the canonical rows mean under one rule pack. Built, never imported."""

from huitou.tables.canonical import AGENT, CUSTOMER, CUSTOMER_OR_NONE, ORDER, PRODUCT_OR_NONE, SHOP
from huitou.tables.model import Column as C
from huitou.tables.model import Table

rounds = Table(
    "rounds", "问答轮次", "Rounds: a burst of customer questions and the first valid human reply", (
        SHOP, CUSTOMER, AGENT,
        C("day", "date", "日期", "day of the question"),
        C("second", "int", "当日秒", "seconds since midnight at the question", unit="s"),
        C("asked_at", "time", "提问时间", "first question of the burst"),
        C("answered_at", "time", "回复时间", "first valid human reply of the receiving account; empty = none", nullable=True),
        C("wait_s", "float", "等待时长", "from first question to reply; empty while unanswered", unit="s", nullable=True),
        C("same_day", "bool", "当日回复", "answered on the day it was asked"),
        C("opens", "bool", "首轮", "the first round of a session"),
        C("questions", "int", "提问条数", "customer messages in the burst up to the reply"),
        C("asked_key", "key", "提问消息", "row_key of the first question"),
        C("answer_key", "key", "回复消息", "row_key of the reply", nullable=True),
    ), key=("customer_key", "agent_key", "asked_key"), month_of="day", cluster=("customer_key", "asked_at"), fact=True,
)  # fmt: skip

sessions = Table(
    "sessions", "会话", "Sessions: talk of a customer and an account without a pause of the rule pack's gap", (
        SHOP, CUSTOMER, AGENT,
        C("day", "date", "日期", "day of its first message"),
        C("started_at", "time", "开始", "first message by the customer or a person"),
        C("ended_at", "time", "结束", "last message by the customer or a person"),
        C("customer_messages", "int", "客户消息数", "by the customer"),
        C("agent_messages", "int", "客服消息数", "by a person; only sessions with one earn credit for an order"),
        C("first_key", "key", "首条消息", "row_key of the first message"),
    ), key=("first_key",), month_of="day", cluster=("customer_key", "started_at"), fact=True,
)  # fmt: skip

chat_matches = Table(
    "chat_matches", "会话对应", "Log sessions of masked buyers, each with the session of the platform's list that it must be", (
        SHOP,
        C("talk_key", "key", "聊天代号", "the customer_key under which the log's messages stand", privacy="token"),
        C("session_key", "key", "会话", "the session of the platform's list", privacy="token"),
        CUSTOMER_OR_NONE,
        C("day", "date", "日期", "day of the log's first message"),
        C("exact", "bool", "同一时刻", "both begin at the same second"),
        C("same_agent", "bool", "同一客服", "both name the same account"),
    ), key=("talk_key",), month_of="day", cluster=("talk_key",), fact=True,
)  # fmt: skip

receptions = Table(
    "receptions", "接待", "Receptions: shop × agent × customer × day", (
        SHOP, CUSTOMER, AGENT,
        C("day", "date", "日期", "day of the reception"),
        C("second", "int", "当日秒", "seconds since midnight at its first message", unit="s"),
        C("first_at", "time", "开始", "first message"),
        C("last_at", "time", "结束", "last message"),
        C("sessions", "int", "会话段数", "chats in it, split at the rule pack's gap"),
        C("customer_messages", "int", "客户消息数", "by the customer"),
        C("agent_messages", "int", "客服消息数", "by a person"),
        C("auto_messages", "int", "自动回复数", "auto-replies and robot lines"),
        C("agent_chars", "int", "客服字数", "characters by a person"),
        C("customer_first", "bool", "买家发起", "the customer wrote first"),
        C("customer_last", "bool", "买家收尾", "the customer's message is the last one"),
        C("answered", "bool", "已回复", "a person replied after a customer's message"),
        C("rounds", "int", "轮次", "rounds asked"),
        C("first_wait_s", "float", "首次响应", "wait of the first round; empty while unanswered", unit="s", nullable=True),
        C("slow_rounds", "int", "慢响应轮次", "rounds that waited longer than the rule pack's limit"),
        C("transferred_in", "bool", "转入", "came from another account"),
        C("transferred_out", "bool", "转出", "went to another account"),
        PRODUCT_OR_NONE,
        C("filtered", "code", "过滤原因", "colleague, blocked, empty, forwarded, robot; empty = received", nullable=True),
        C("first_key", "key", "首条消息", "row_key of the first message"),
    ), key=("customer_key", "agent_key", "day"), month_of="day", cluster=("customer_key", "first_at"), fact=True,
)  # fmt: skip

inquiries = Table(
    "inquiries", "询单", "Inquiries: pre-sale receptions and what became of them", (
        SHOP, CUSTOMER, AGENT,
        C("day", "date", "日期", "day of the inquiry"),
        C("second", "int", "当日秒", "seconds since midnight at its first message", unit="s"),
        C("asked_at", "time", "开始", "first message"),
        C("last_at", "time", "结束", "last message"),
        C("final_at", "time", "到期", "end of the order window; before it the outcome is not final"),
        PRODUCT_OR_NONE,
        C("returning", "bool", "老客户", "had paid an order before"),
        C("ordered", "bool", "已下单", "placed an order inside the window, with whomever"),
        C("order_key", "key", "订单", "that order (the first)", nullable=True, privacy="shop"),
        C("ordered_at", "time", "下单时间", "when", nullable=True),
        C("paid", "bool", "已付款", "and paid it"),
        C("paid_at", "time", "付款时间", "when", nullable=True),
        C("gross_fen", "money", "付款金额", "paid on that order", unit="fen"),
        C("net_fen", "money", "净额", "less refunds", unit="fen"),
        C("credited", "bool", "落实", "the order is credited to this agent"),
        C("stage", "code", "流失环节", "inquiry (no order), order (not paid), none (paid)"),
        C("first_wait_s", "float", "首次响应", "wait of the first round", unit="s", nullable=True),
        C("customer_messages", "int", "客户消息数", "by the customer"),
        C("agent_messages", "int", "客服消息数", "by a person"),
        C("customer_last", "bool", "买家收尾", "the customer's message is the last one"),
        C("transferred_in", "bool", "转入", "came from another account"),
        C("first_key", "key", "首条消息", "row_key of the first message"),
    ), key=("customer_key", "agent_key", "day"), month_of="day", cluster=("customer_key", "asked_at"), fact=True,
)  # fmt: skip

order_facts = Table(
    "order_facts", "订单事实", "Orders with payment, service and refunds", (
        SHOP, ORDER, CUSTOMER_OR_NONE,
        C("created_at", "time", "下单时间", "when placed"),
        C("day", "date", "下单日期", "day placed"),
        C("second", "int", "当日秒", "seconds since midnight when placed", unit="s"),
        C("paid", "bool", "已付款", "was paid"),
        C("paid_at", "time", "付款时间", "when paid", nullable=True),
        C("pay_lag_s", "float", "付款时长", "from order to payment", unit="s", nullable=True),
        C("paid_same_day", "bool", "当日付款", "paid on the day it was placed"),
        C("prepaid", "bool", "先款", "paid before shipping (false: cash on delivery)"),
        C("status", "code", "状态", "unpaid, paid, shipped, done, closed", nullable=True),
        C("items", "int", "件数", "pieces", nullable=True),
        C("refund_items", "int", "退款件数", "pieces refunded", nullable=True),
        C("placed_fen", "money", "下单金额", "as placed", unit="fen"),
        C("gross_fen", "money", "付款金额", "paid before refunds", unit="fen"),
        C("refund_fen", "money", "退款金额", "refunded", unit="fen"),
        C("net_fen", "money", "净额", "gross less refunded", unit="fen"),
        C("refunded", "bool", "有退款", "any refund succeeded"),
        C("quality_refund", "bool", "品质退款", "a refund for a quality reason; empty without a refund export", nullable=True),
        PRODUCT_OR_NONE,
        C("region", "text", "省份", "province of the receiver", nullable=True),
        C("courier", "text", "快递公司", "courier", nullable=True),
        C("delivery_s", "float", "收货时长", "from payment to confirmed receipt", unit="s", nullable=True),
        C("returning", "bool", "老客户", "had paid an order before; empty without a buyer id", nullable=True),
        C("served", "bool", "咨询成交", "credited to an agent; empty without chats or a buyer id", nullable=True),
        C("ownership", "code", "归属", "own_both own_order cross silent_order_own_pay silent_followed silent", nullable=True),
        C("order_agent", "key", "落实下单", "agent credited with the order", nullable=True, privacy="staff"),
        C("pay_agent", "key", "落实付款", "agent credited with the payment", nullable=True, privacy="staff"),
        C("follow_agent", "key", "跟进", "agent who followed a fully silent order up", nullable=True, privacy="staff"),
        C("agent_key", "key", "业绩客服", "agent whose sale it is by the rule pack", nullable=True, privacy="staff"),
        C("assists", "int", "协助人数", "agents who talked to the buyer and got no credit"),
        C("currency", "code", "币种", "ISO 4217"),
    ), key=("order_key",), month_of="day", cluster=("customer_key", "created_at"), fact=True,
)  # fmt: skip

order_service = Table(
    "order_service", "订单服务", "Who served which order, and in which part", (
        SHOP, ORDER, CUSTOMER, AGENT,
        C("day", "date", "下单日期", "day the order was placed"),
        C("part", "code", "环节", "order (落实下单), pay (落实付款), follow (跟进), assist (协助)"),
        C("chat_from", "time", "会话开始", "first message of the chat that decided it"),
        C("chat_to", "time", "会话结束", "last message of that chat"),
    ), key=("order_key", "agent_key", "part"), month_of="day", cluster=("order_key",), fact=True,
)  # fmt: skip

ALL = (rounds, sessions, chat_matches, receptions, inquiries, order_facts, order_service)
