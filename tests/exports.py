"""Writes small export files as the platforms write them, from rows that stand in the test itself."""

import csv
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from huitou.demo.exports import ORDER_HEADER


def order(number: int, buyer: str, at: str, amount: float, **more: object) -> dict[str, object]:
    """One order of the long form: paid 30 s after it was placed unless `paid` says otherwise ("" = never)."""
    placed = datetime.fromisoformat(at)
    paid = more.get("paid", str(placed + timedelta(seconds=30)))
    refund = float(str(more.get("refund", 0)))
    return {
        "订单编号": f"{3_000_000_000_000_000_000 + number}",
        "买家会员名": buyer,
        "买家应付货款": f"{amount:.2f}",
        "买家应付邮费": "0.00",
        "总金额": f"{amount:.2f}",
        "买家实际支付金额": f"{amount - refund if paid else 0:.2f}",
        "订单状态": "交易成功" if paid else "交易关闭",
        "收货地址 ": "浙江省 杭州市 余杭区 *** ",
        "订单创建时间": str(placed),
        "订单付款时间 ": paid,
        "宝贝标题 ": more.get("title", "云朗公文包"),
        "宝贝总数量": more.get("items", 1),
        "订单关闭原因": "订单未关闭" if paid else "买家未付款",
        "退款金额": f"{refund:.2f}",
    }


def write_orders(file: Path, orders: Iterable[dict[str, object]], encoding: str = "gb18030") -> Path:
    """The long ExportOrderList form."""
    with file.open("w", newline="", encoding=encoding) as out:
        writer = csv.DictWriter(out, ORDER_HEADER, restval="")
        writer.writeheader()
        writer.writerows(orders)
    return file


def write_chats(file: Path, shop: str, chats: dict[str, list[tuple[str, str, str]]], encoding: str = "gb18030") -> Path:
    """The old client's TXT: buyer → (who, time, text); who is "" for the buyer, else the sub-account."""
    lines = [shop, "单聊".center(60), "=" * 64]
    for buyer, messages in chats.items():
        lines.append("-" * 28 + buyer + "-" * 28)
        lines += [f"{f'{shop}:{who}' if who else buyer}({at}):  {text}" for who, at, text in messages]
    file.write_text("\r\n".join(lines) + "\r\n", encoding, newline="")
    return file


def write_reviews(file: Path, reviews: Iterable[tuple[str, str, str]]) -> Path:
    """The plug-in's CSV: (text, rating, day)."""
    with file.open("w", newline="", encoding="utf-8-sig") as out:
        writer = csv.writer(out)
        writer.writerow(["评论内容", "追加评论", "评分", "日期", "SKU", "用户昵称", "商家回复", "平台"])
        writer.writerows([text, "", rating, day, "黑色", f"b**{i}", "", "天猫"] for i, (text, rating, day) in enumerate(reviews))
    return file
