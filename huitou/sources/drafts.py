"""Drafts of mappings: which column of a file probably means what, and which of its words; a person confirms every guess."""

import json
from dataclasses import dataclass

from huitou.errors import FileRefused, Say
from huitou.sources import chat_table
from huitou.sources.generic import FOLLOWING, TARGETS
from huitou.sources.layout import Field, heading
from huitou.sources.model import Head

ALIASES: dict[str, dict[str, tuple[str, ...]]] = {
    "messages": {
        "buyer": ("买家ID", "顾客", "顾客昵称", "客户", "客户昵称", "客户ID", "用户昵称", "用户ID", "会员名", "访客",
                  "customer", "customer_id", "customer_name", "buyer", "buyer_id", "buyer_nick", "user", "user_id", "uid",
                  "visitor_id"),
        "time": ("消息发送时间", "聊天时间", "会话时间", "日期时间", "sent_at", "send_time", "timestamp", "time", "datetime",
                 "ts", "created_at", "create_time", "msg_time", "date"),
        "text": ("消息", "文本", "聊天记录", "发送内容", "text", "content", "message", "msg", "body", "utterance"),
        "role": ("发送者角色", "发送者类型", "身份", "说话人角色", "role", "sender_role", "sender_type", "direction", "from_type",
                 "发送方", "发送者", "发送人", "发言人", "说话人", "sender", "speaker", "from", "author"),
        "speaker": ("发送方昵称", "发送者", "发送者昵称", "发言者", "说话人", "sender", "sender_name", "sender_nick", "speaker",
                    "from", "author"),
        "account": ("客服账号", "客服帐号", "客服ID", "客服姓名", "接待人", "子账号", "坐席", "agent", "agent_id", "agent_name",
                    "staff", "servicer", "waiter", "seller_nick", "seller", "assignee", "operator"),
        "session": ("会话id", "会话号", "咨询ID", "session_id", "session", "conversation_id", "dialogue_id", "dialog_id",
                    "chat_id", "ticket_id"),
        "item": ("商品链接", "商品", "商品sku", "宝贝ID", "宝贝链接", "item_id", "item_url", "product_id", "product_url", "sku",
                 "url"),
        "auto": ("自动", "auto", "is_auto", "auto_reply", "is_robot", "robot", "is_bot", "bot"),
    },
    "orders": {
        "order_id": ("订单号", "主订单编号", "Name", "Order #", "order_id"),
        "created": ("下单时间", "订单提交时间", "订单成交时间", "拼单成功时间", "Created at", "order_purchase_timestamp"),
        "paid": ("支付时间", "付款确认时间", "支付完成时间", "付款时间", "Paid at", "order_approved_at"),
        "kept_fen": ("用户实付金额(元)", "应付金额", "结算金额", "订单应付金额", "实付金额", "Total"),
        "total_fen": ("商品总价(元)", "订单金额", "Subtotal"),
        "freight_fen": ("邮费(元)", "运费金额", "运费", "Shipping"),
        "refund_fen": ("Refunded Amount",),
        "shipped": ("Fulfilled at", "order_delivered_carrier_date"),
        "received": ("订单完成时间", "order_delivered_customer_date"),
        "status": ("订单状态", "Financial Status", "order_status"),
        "items": ("商品数量(件)", "订购数量", "商品数量"),
        "title": ("商品", "商品名称", "选购商品", "Lineitem name"),
        "item_id": ("商品ID", "product_id"),
        "courier": ("快递公司",),
        "buyer": ("下单帐号", "下单账号", "Email", "customer_unique_id", "customer_id"),
        "name": ("收货人", "客户姓名", "收件人", "Shipping Name"),
        "phone": ("手机", "联系电话", "收件人手机号"),
        "address": ("省", "客户地址"),
    },
    "order_lines": {
        "order_id": ("订单号", "order_id", "InvoiceNo", "Invoice"),
        "line_id": ("子订单号", "order_line_id", "order_item_id", "行号", "line_no"),
        "title": ("商品名称", "Description", "product_name", "Lineitem name"),
        "price_fen": ("商品单价", "单价", "price", "UnitPrice", "unit_price", "Lineitem price"),
        "quantity": ("数量", "商品数量", "购买件数", "Quantity", "qty", "Lineitem quantity"),
        "sku": ("规格", "sku", "Lineitem sku"),
        "item_id": ("商品编号", "product_id", "StockCode", "item_id"),
        "created": ("下单时间", "InvoiceDate", "order_date"),
    },
    "refunds": {
        "refund_id": ("售后编号", "售后单号", "退款单号", "refund_id", "return_id"),
        "order_id": ("订单号", "order_id"),
        "applied": ("申请时间", "售后申请时间", "applied_at", "refund_created_at"),
        "amount_fen": ("退商品金额(元)", "退款金额", "amount", "refund_amount"),
        "status": ("售后状态", "refund_status", "status"),
        "finished": ("售后完结时间", "完成时间", "finished_at"),
        "reason": ("售后原因", "退款原因", "refund_reason", "reason"),
        "kind": ("售后类型",),
        "duty": ("纠纷责任方",),
    },
    "reviews": {
        "text": ("评价", "评论", "review", "reviews", "review_comment_message", "review_text", "reviewbody", "comment"),
        "day": ("评论时间", "评论日期", "review_creation_date", "review_date", "date", "created_at"),
        "rating": ("星级", "review_score", "rating", "star", "stars", "score"),
        "nick": ("买家", "用户", "customer", "user", "user_id", "author"),
        "sku": ("商品规格",),
        "reply_text": ("回复", "review_reply"),
    },
    "traffic": {
        "day": ("date", "day"),
        "visitors": ("访客", "UV", "visitors", "sessions", "unique_visitors"),
        "page_views": ("PV", "page_views", "pageviews"),
        "device": ("device", "设备"),
    },
}  # fmt: skip
"""Headings of other platforms, for drafts only."""

_STATUS = {
    "done": ("完成", "已完成", "交易完成", "已签收", "已收货", "done", "completed", "delivered", "fulfilled"),
    "unpaid": ("等待付款", "待付款", "未付款", "unpaid", "pending", "created"),
    "paid": ("待发货", "等待发货", "已付款", "已支付", "paid", "approved", "processing", "invoiced"),
    "shipped": ("已发货", "待收货", "等待收货", "shipped"),
    "closed": ("已取消", "取消", "已关闭", "关闭", "cancelled", "canceled", "voided", "closed", "unavailable"),
}
WORDS: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    ("messages", "role"): {
        role: (*words, *chat_table.DIRECTIONS.get(role, ())) for role, words in chat_table.ROLES.items()
    },
    ("orders", "status"): _STATUS,
    ("order_lines", "refund_status"): {"退款成功": ("已退款", "succeeded", "refunded")},
    ("refunds", "status"): {"succeeded": ("退款成功", "已退款", "完成", "已完成", "refunded", "success", "completed")},
    ("reviews", "rating"): {"good": ("好评", "好", "正面", "positive", "good"), "mid": ("中评", "中", "neutral", "mid"),
                            "bad": ("差评", "差", "负面", "negative", "bad")},
    ("traffic", "device"): {"all": ("所有终端", "全部", "all"), "pc": ("pc端", "pc", "desktop"),
                            "wireless": ("无线端", "无线", "手淘", "移动端", "mobile", "wireless")},
}  # fmt: skip
"""Fields whose words have to be one of a few: what each of the product's words may be called."""

_MANY = 12  # distinct words in a head's rows beyond which a column holds names and no choice


@dataclass(frozen=True, slots=True)
class Draft:
    """A commented mapping as TOML, the table it is for, how many columns were recognised, and the needed fields that no
    heading was found for, with the usual heading of each."""

    text: str
    table: str
    found: int
    missing: dict[str, str]


def draft_mapping(head: Head) -> Draft:
    """A mapping for a file, its columns guessed by their headings. Raises FileRefused for what has no columns."""
    if not any(sum(map(bool, row)) > 1 for row in head.rows):
        says = Say("分不出列", "it cannot be split into columns")
        fix = Say(
            "列之间要用逗号、制表符、分号或竖线隔开，第一行写表头；可以在 Excel 里另存为 CSV 再试。",
            "Separate its columns by commas, tabs, semicolons or bars under a row of headings; Excel can save it as CSV.",
        )
        raise FileRefused(head.path, says, fix)
    guesses = {table: _guess(table, head) for table in TARGETS}
    table = max(guesses, key=lambda t: len(guesses[t][1]))
    at, found = guesses[table]
    target = TARGETS[table]
    missing = {f.name: f.headings[0] for f in target.layout.fields if target.needs(f) and f.name not in found}
    for names in target.one_of:
        if not set(names) & set(found):
            official = {f.name: f.headings[0] for f in target.layout.fields}
            missing |= {" / ".join(names): "」或「".join(official[name] for name in names)}
    lines = [
        "# 左边是回头的字段，右边是文件里的表头。请逐条核对，删掉不对的；# 开头的行不起作用。",
        "# Left the field, right the file's heading. Check each line, delete what is wrong; lines with # do nothing.",
        f'table = "{table}"  # {", ".join(TARGETS)}',
        "",
        "[columns]",
        *_columns(table, found),
    ]
    rest = [cell for cell in head.rows[at] if cell and cell not in found.values()]
    lines += ["", "# 还没有用到的表头 headings not used yet:", *(f"#   {cell}" for cell in rest), ""] if rest else [""]
    for name, heading_ in found.items():
        if (table, name) in WORDS:
            lines += _values(table, name, _distinct(head, at, heading_))
    return Draft("\n".join(lines), table, len(found), missing)


def _columns(table: str, found: dict[str, str]) -> list[str]:
    """A line for each field, commented where no heading was found."""
    target, lines = TARGETS[table], []
    for field in target.layout.fields:
        if not field.headings or field.name in FOLLOWING:
            continue
        said = "  # 必填 needed" if target.needs(field) else ""
        either = next((names for names in target.one_of if field.name in names), ())
        said = said or (f"  # {' / '.join(either)} 至少一项 one of them is needed" if either else "")
        if field.name in found:
            lines.append(f"{field.name} = {_quoted(found[field.name])}{said}")
        else:
            lines.append(f'# {field.name} = ""  # {field.headings[0]}{said.replace("  # ", " · ")}')
    return lines


def _values(table: str, name: str, words: list[str]) -> list[str]:
    """The section that says what the file's words mean, known words translated and others left open."""
    meanings = WORDS[table, name]
    of_word = {word: meaning for meaning, known in meanings.items() for word in (meaning, *known)}
    lines = [f"# {name} 的取值是什么意思，可用 what the words of {name} mean, one of: {', '.join(meanings)}", f"[values.{name}]"]
    for word in words:
        meaning = of_word.get(word.lower())
        lines.append(f'{"" if meaning else "# "}{_quoted(word)} = "{meaning or ""}"')
    return [*lines, ""]


def _guess(table: str, head: Head) -> tuple[int, dict[str, str]]:
    """Index of the header row and the heading found for each field."""
    best: tuple[int, dict[str, str]] = (0, {})
    for at, row in enumerate(head.rows):
        present = {heading(cell): cell for cell in row if cell}
        found: dict[str, str] = {}
        for field in TARGETS[table].layout.fields:
            names = (*field.headings, *ALIASES[table].get(field.name, ()))
            for hit in dict.fromkeys(present[heading(n)] for n in names if heading(n) in present):
                if hit not in found.values() and _fits(table, field, _distinct(head, at, hit)):
                    found[field.name] = hit
                    break
        if len(found) > len(best[1]):
            best = (at, found)
    return best


def _fits(table: str, field: Field, words: list[str]) -> bool:
    """Whether a heading that may stand for roles as well as for names holds roles."""
    if (table, field.name) != ("messages", "role"):
        return True
    known = {word for words_ in WORDS[table, "role"].values() for word in words_}
    return not words or sum(word.lower() in known for word in words) * 2 >= len(words)


def _distinct(head: Head, at: int, heading_: str) -> list[str]:
    """The words below a heading in the file's head; none where they are too many for a choice."""
    column = head.rows[at].index(heading_)
    words = list(dict.fromkeys(row[column] for row in head.rows[at + 1 :] if len(row) > column and row[column]))
    return words if len(words) <= _MANY else []


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
