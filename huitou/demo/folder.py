"""The folder of exports being written: one open file per kind and month, truth beside it."""

import csv
import json
import shutil
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from huitou.demo import exports
from huitou.demo.orders import Order, Refund
from huitou.demo.reviews import Review
from huitou.demo.talk import Talk
from huitou.demo.world import SHOP, Plan, stamp

_NAMES = {"orders": "ExportOrderList", "lines": "ExportOrderDetailList", "reviews": "商品评价_"}
_HEADERS = {"orders": exports.ORDER_HEADER, "lines": exports.LINE_HEADER, "reviews": exports.REVIEW_HEADER}


class Folder:
    """Writes everything of one period; nothing is kept in memory but open files."""

    def __init__(self, path: Path, plan: Plan) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path, self.plan = path, plan
        self.files: list[str] = []
        self.counts = {"messages": 0, "chats": 0, "orders": 0, "order_lines": 0, "refunds": 0, "reviews": 0}
        self._month = ""
        self._open: dict[str, IO[str]] = {}
        self._csv: dict[str, Any] = {}
        self._traffic: dict[str, list[list[str]]] = {}
        self._spools: dict[str, IO[str]] = {}
        self._refunds, self._refund_csv = self._start_csv(f"退款_{plan.first}_{plan.last}.csv", exports.REFUND_HEADER, "gbk")

    def month(self, day: date) -> None:
        """Turn to the files of the day's month."""
        name = f"{day:%Y-%m}"
        if name == self._month:
            return
        self._close_month()
        self._month = name
        minute = 30 + len(self._traffic)
        self._traffic[name] = []
        when = stamp(self.plan.exported_at)[:10].replace("-", "")
        for kind, head in _HEADERS.items():
            file = f"{_NAMES[kind]}{name if kind == 'reviews' else f'{when}09{minute}'}.csv"
            self._open[kind], self._csv[kind] = self._start_csv(file, head, "utf-8-sig" if kind == "reviews" else "gbk")

    def orders(self, orders: Iterable[Order]) -> None:
        """Rows of the order export and of the sub-order export."""
        for order in orders:
            self._csv["orders"].writerow(exports.order_row(order, self.plan.exported_at))
            rows = exports.line_rows(order, self.plan.exported_at)
            self._csv["lines"].writerows(rows)
            self.counts["orders"] += 1
            self.counts["order_lines"] += len(rows)

    def refunds(self, refunds: Iterable[tuple[Order, Refund]]) -> None:
        """Rows of the refund export."""
        for order, refund in refunds:
            self._refund_csv.writerow(exports.refund_row(order, refund))
            self.counts["refunds"] += 1

    def reviews(self, reviews: Iterable[Review]) -> None:
        """Rows of the review plug-in's CSV."""
        for review in reviews:
            self._csv["reviews"].writerow(exports.review_row(review))
            self.counts["reviews"] += 1

    def chats(self, account: str, talks: list[Talk]) -> None:
        """One account's chats of a day, by their first message, into its TXT of the month."""
        if not talks:
            return
        key = f"chat {account}"
        if key not in self._open:
            self._open[key] = self._start(f"旺旺聊天记录_{account}_{self._month}.txt", "gbk")
            self._open[key].write(f"{SHOP}:{account}\n{'=' * 64}\n{'单聊':^62}\n{'=' * 64}\n")
        out = self._open[key]
        for talk in sorted(talks, key=lambda t: t.lines[0].at):
            nick = talk.cast.buyer.nick
            out.write(f"\n{'-' * 28}{nick}{'-' * 28}\n")
            out.writelines(f"{_speaker(who, nick, account)}({stamp(at)}):  {text}\n" for at, who, text in _lines(talk))
            self._count(talk)

    def single_chat(self, account: str, talk: Talk) -> None:
        """One conversation in the other client's form: UTF-8, the third line says 即时消息, a line for each day."""
        nick, day = talk.cast.buyer.nick, ""
        with self._start(f"即时消息_{account}_{stamp(talk.lines[0].at)[:10]}.txt", "utf-8") as out:
            out.write(f"{SHOP}:{account}\n{nick}\n即时消息\n")
            for at, who, text in _lines(talk):
                when = stamp(at)
                if when[:10] != day:
                    day = when[:10]
                    out.write(f"{day}\n")
                out.write(f"{when} {_speaker(who, nick, account)}: {text}\n")
        self._count(talk)

    def traffic(self, day: date, row: list[str]) -> None:
        """One day of 生意参谋; written at the month's end."""
        self._traffic[f"{day:%Y-%m}"].append(row)

    def truth(self, kind: str, row: dict[str, Any]) -> None:
        """One planted fact of a kind, kept beside the folder until the end."""
        if kind not in self._spools:
            self._spools[kind] = (self.path / f".truth-{kind}").open("w+", encoding="utf-8", newline="\n")
        spool = self._spools[kind]
        spool.write((",\n" if spool.tell() else "") + json.dumps(row, ensure_ascii=False, separators=(",", ":")))

    def finish(self, summary: dict[str, Any]) -> None:
        """Close all files, write the traffic sheets, and gather the truth into ``truth.json``, one fact a line."""
        self._close_month()
        self._refunds.close()
        self._write_traffic()
        with (self.path / "truth.json").open("w", encoding="utf-8", newline="\n") as out:
            out.write(json.dumps({**summary, "files": sorted(self.files)}, ensure_ascii=False, indent=1)[:-2])
            for kind, spool in sorted(self._spools.items()):
                spool.seek(0)
                out.write(f',\n "{kind}": [\n')
                shutil.copyfileobj(spool, out)
                out.write("\n ]")
                spool.close()
                (self.path / f".truth-{kind}").unlink()
            out.write("\n}\n")

    def _start(self, name: str, encoding: str) -> IO[str]:
        self.files.append(name)
        return (self.path / name).open("w", encoding=encoding, errors="strict", newline="\r\n")

    def _start_csv(self, name: str, header: list[str], encoding: str) -> tuple[IO[str], Any]:
        self.files.append(name)
        file = (self.path / name).open("w", encoding=encoding, errors="strict", newline="")
        writer = csv.writer(file)
        writer.writerow(header)
        return file, writer

    def _close_month(self) -> None:
        for file in self._open.values():
            file.close()
        self._open.clear()
        self._csv.clear()

    def _count(self, talk: Talk) -> None:
        self.counts["chats"] += 1
        self.counts["messages"] += sum(line.who != "s" for line in talk.lines)

    def _write_traffic(self) -> None:
        for n, (month, rows) in enumerate(self._traffic.items()):
            above = [["生意参谋·流量看板"], [f"统计周期：{rows[0][0]} 至 {rows[-1][0]}", "终端：所有终端"], []]
            table = [*above, exports.TRAFFIC_HEADER, *rows]
            if n == 1:
                file, writer = self._start_csv(f"生意参谋_流量_{month}.csv", table[0], "gbk")
                writer.writerows(table[1:])
                file.close()
                continue
            self.files.append(f"生意参谋_流量_{month}.xlsx")
            book = xlsxwriter.Workbook(self.path / self.files[-1], {"strings_to_formulas": False, "strings_to_numbers": False})
            book.set_properties({"created": datetime(2026, 1, 1), "author": SHOP})
            sheet = book.add_worksheet("流量看板")
            for y, row in enumerate(table):
                sheet.write_row(y, 0, row)
            book.close()


def _speaker(who: str, nick: str, account: str) -> str:
    return nick if who == "c" else "系统提示" if who == "s" else f"{SHOP}:{account}"


def _lines(talk: Talk) -> list[tuple[int, str, str]]:
    return [(line.at, line.who, line.text) for line in talk.lines]
