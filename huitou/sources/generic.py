"""Any table-shaped file, by a mapping that the user writes once: which column means what.

A mapping is a TOML file::

    table = "orders"
    [columns]
    order_id = "订单号"
    created = "下单时间"
    [values.status]
    "已完成" = "done"

`huitou import --map` drafts one from the file's own headings.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import polars as pl

from huitou.errors import Say, SettingsError, UnknownName
from huitou.sources import reviews, sycm_traffic, tmall_order_lines, tmall_orders, tmall_refunds
from huitou.sources.layout import Layout, heading
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import Shape, read_table

MAPPING = "mapping.toml"


@dataclass(frozen=True, slots=True)
class Target:
    """One table that a mapping can fill: the fields it may name and what is made of them."""

    layout: Layout
    shaping: Callable[[Context], Shape]


TARGETS = {
    "orders": Target(tmall_orders.LAYOUT, tmall_orders.shaping),
    "order_lines": Target(tmall_order_lines.LAYOUT, tmall_order_lines.shaping),
    "refunds": Target(tmall_refunds.LAYOUT, tmall_refunds.shaping),
    "reviews": Target(reviews.LAYOUT, reviews.shaping),
    "traffic": Target(sycm_traffic.LAYOUT, sycm_traffic.shaping),
}

ALIASES: dict[str, dict[str, tuple[str, ...]]] = {
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
        "buyer": ("下单帐号", "下单账号", "Email", "customer_unique_id"),
        "name": ("收货人", "客户姓名", "收件人", "Shipping Name"),
        "phone": ("手机", "联系电话", "收件人手机号"),
        "address": ("省", "客户地址"),
    },
    "order_lines": {"order_id": ("订单号",), "title": ("商品名称",), "price_fen": ("商品单价", "价格")},
    "refunds": {
        "refund_id": ("售后编号", "售后单号"),
        "order_id": ("订单号",),
        "applied": ("申请时间", "售后申请时间"),
        "amount_fen": ("退商品金额(元)", "退款金额"),
        "status": ("售后状态",),
        "finished": ("售后完结时间",),
        "reason": ("售后原因",),
        "kind": ("售后类型",),
        "duty": ("纠纷责任方",),
    },
    "reviews": {"text": ("review", "review_comment_message"), "date": ("review_creation_date",), "rating": ("review_score",)},
    "traffic": {},
}
"""Headings of other platforms, for drafts only: a person confirms them before anything is read by them."""


class Mapped:
    """The source that a mapping makes. Raises SettingsError or UnknownName for a mapping that cannot be."""

    zh = "按映射导入"
    en = "By a mapping of columns"

    def __init__(self, mapping: dict[str, object]) -> None:
        table = mapping.get("table")
        if table not in TARGETS:
            raise UnknownName(Say("表（映射文件里）", "table in the mapping"), str(table), TARGETS)
        self.main = str(table)
        self._target = TARGETS[self.main]
        self._layout = _layout(self._target.layout, _section(mapping, "columns"))
        self._values = {name: _texts(f"values.{name}", v) for name, v in _section(mapping, "values").items()}
        print_ = hashlib.sha256(json.dumps(mapping, sort_keys=True, default=str).encode()).hexdigest()[:8]
        self.id = f"mapped.{self.main}.{print_}"  # another mapping of the same bytes is another import
        self.feeds: tuple[str, ...] = (self.main, "products")

    def identify(self, head: Head) -> int:
        """100: the user says so."""
        return 100 if head.rows else 0

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the rows. Raises FileRefused."""

        shape = self._target.shaping(context)
        return read_table(head, self._layout, context, lambda rows: shape(self._translated(rows)))

    def _translated(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with the file's own words replaced by the ones that the mapping gives."""
        return rows.with_columns(pl.col(name).replace(words) for name, words in self._values.items() if name in rows.columns)


def _section(mapping: dict[str, object], name: str) -> dict[str, object]:
    section = mapping.get(name, {})
    if not isinstance(section, dict):
        raise SettingsError(MAPPING, name, Say("不是一节", "is not a section"), Say(f"写成 [{name}]。", f"Write it as [{name}]."))
    return section


def _texts(key: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        fix = Say(f'写 [{key}]，下面写 "文件里的词" = "回头的词"。', f'Write [{key}] and below it "their word" = "our word".')
        raise SettingsError(MAPPING, key, Say("不是词语的对照", "is not a list of words"), fix)
    return value


def _layout(known: Layout, columns: dict[str, object]) -> Layout:
    """The layout with the headings that the mapping gives, and no others."""
    names = {field.name for field in known.fields}
    for name, column in columns.items():
        if name not in names:
            raise UnknownName(Say("字段（映射文件里）", "field in the mapping"), name, names)
        if not isinstance(column, str) or not column.strip():
            fix = Say(f'写成 {name} = "文件里的表头"。', f'Write {name} = "the heading in the file".')
            raise SettingsError(MAPPING, f"columns.{name}", Say("不是表头", "is not a heading"), fix)
    for field in known.fields:
        if field.needed and field.name not in columns:
            fix = Say("写出是哪一列。", "Name the column that holds it.")
            raise SettingsError(MAPPING, f"columns.{field.name}", Say("没有写", "is missing"), fix)
    fields = tuple(replace(f, headings=(str(columns[f.name]),), needed=True) for f in known.fields if f.name in columns)
    absent = tuple(replace(f, headings=(), needed=False) for f in known.fields if f.name not in columns)
    return Layout(fields + absent, tuple(str(c) for c in columns.values()))


def draft_mapping(head: Head) -> str:
    """A commented mapping for a file, its columns guessed by their headings; every guess is for a person to confirm."""
    guesses = {table: _guess(table, head) for table in TARGETS}
    table = max(guesses, key=lambda t: len(guesses[t][1]))
    row, found = guesses[table]
    lines = [
        "# 列的含义：左边是回头的字段，右边是文件里的表头。请逐条核对，删掉不对的。",
        "# Which column means what: left the field, right the file's heading. Check each line; delete what is wrong.",
        f'table = "{table}"  # {", ".join(TARGETS)}',
        "",
        "[columns]",
    ]
    for field in TARGETS[table].layout.fields:
        needed = "  # 必填 needed" if field.needed else ""
        guess = json.dumps(found.get(field.name, ""), ensure_ascii=False)
        lines.append(f"{'' if field.name in found else '# '}{field.name} = {guess}{needed}")
    rest = [cell for cell in head.rows[row] if cell and cell not in found.values()] if head.rows else []
    lines += ["", "# 还没有用到的表头 headings not used yet:", *(f"#   {cell}" for cell in rest)]
    lines += ["", "# 状态等取值的翻译 what the file's words mean:", "# [values.status]", '# "已完成" = "done"', ""]
    return "\n".join(lines)


def _guess(table: str, head: Head) -> tuple[int, dict[str, str]]:
    """Index of the header row and the heading found for each field."""
    best: tuple[int, dict[str, str]] = (0, {})
    for at, row in enumerate(head.rows):
        present = {heading(cell): cell for cell in row if cell}
        found: dict[str, str] = {}
        for field in TARGETS[table].layout.fields:
            names: tuple[str, ...] = field.headings + ALIASES[table].get(field.name, ())
            hit: str | None = next((present[heading(n)] for n in names if heading(n) in present), None)
            if hit is not None and hit not in found.values():
                found[field.name] = hit
        if len(found) > len(best[1]):
            best = (at, found)
    return best
