"""Overlapping exports against an oracle: whatever files of one history come in, in whatever order, the lake shows the newest.

The oracle knows nothing of the product: a life of events per order, a list of messages per chat, and what an export of a
moment shows of them. Many lives share a batch of files, so that a case costs little.
"""

import csv
import io
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from huitou.demo.exports import ORDER_HEADER
from huitou.lake import Workspace
from huitou.sources.importer import import_files
from tests.exported import shop, table
from tests.exports import write_chats

SHOP = "青麓男包旗舰店"
BEGIN = datetime(2026, 5, 1, 9)
COURIERS = ("中通快递", "圆通速递", "顺丰速运")
WORDS = {
    "unpaid": "等待买家付款", "paid": "买家已付款，等待卖家发货", "shipped": "卖家已发货，等待买家确认", "done": "交易成功",
    "closed": "交易关闭",
}  # fmt: skip
Message = tuple[str, str, str]
"""Who ("" for the buyer, else the account), when, what."""


@dataclass(frozen=True)
class State:
    """An order as an export shows it; `step` counts the changes so far."""

    step: int
    status: str
    paid: datetime | None
    received: datetime | None
    refund_fen: int
    courier: str


@dataclass(frozen=True)
class Life:
    """One order from its placing on: its states by the moment from which each holds."""

    number: str
    buyer: str
    created: datetime
    fen: int
    states: list[tuple[datetime, State]]

    def at(self, moment: datetime) -> State | None:
        """What an export of that moment shows; None before the order was placed."""
        return max((s for since, s in self.states if since <= moment), key=lambda s: s.step, default=None)

    def cells(self, state: State) -> dict[str, str]:
        """The row of the long order form."""
        total, kept = f"{self.fen / 100:.2f}", f"{(self.fen - state.refund_fen) / 100 if state.paid else 0:.2f}"
        return {
            "订单编号": f'="{self.number}"', "买家会员名": self.buyer, "买家应付货款": total, "买家应付邮费": "0.00", "总金额": total,
            "买家实际支付金额": kept, "订单状态": WORDS[state.status], "订单创建时间": str(self.created),
            "订单付款时间 ": str(state.paid or ""), "确认收货时间": str(state.received or ""), "物流公司": state.courier, "宝贝标题 ": "青麓卡包",
            "宝贝总数量": "1", "退款金额": f"{state.refund_fen / 100:.2f}",
        }  # fmt: skip


def life(chance: random.Random, n: int) -> Life:
    """An order that is paid or not, sent, received, refunded in parts or closed, at random moments of twelve days."""
    at = created = BEGIN + timedelta(minutes=chance.randrange(12 * 1440))
    fen, state = chance.randrange(100, 99_999), State(0, "unpaid", None, None, 0, "")
    states = [(at, state)]
    for event in ("pay", "ship", "receive", "refund", "refund"):
        at += timedelta(minutes=chance.randrange(1, 4000))
        step = state.step + 1
        if event == "pay":
            state = State(step, "paid", at, None, 0, "") if chance.random() < 0.8 else State(step, "closed", None, None, 0, "")
        elif event == "ship":
            state = State(step, "shipped", state.paid, None, 0, chance.choice(COURIERS))
        elif event == "receive":
            state = State(step, "done", state.paid, at, 0, state.courier)
        else:
            more = chance.randrange(1, max(2, (fen - state.refund_fen) // 2))
            state = State(step, state.status, state.paid, state.received, state.refund_fen + more, state.courier)
        states.append((at, state))
        if state.status == "closed" or chance.random() < 0.2:
            break
    return Life(f"{3_000_000_000_000_000_000 + n}", f"买家编号{n // 2}", created, fen, states)


def chat(chance: random.Random) -> list[Message]:
    """What is said over some days; often the same again, sometimes twice in a second."""
    at, said = BEGIN, []
    for _ in range(chance.randrange(1, 12)):
        at += timedelta(seconds=chance.choice([0, 1, 40, 86_400]))
        said.append((chance.choice(["", "", "小禾", "小满"]), str(at), chance.choice(["在吗", "1", "好的", "有货吗？"])))
    return said


@dataclass
class Export:
    """One file: the rows that an oracle takes from it, in their order, and its bytes."""

    name: str
    orders: list[tuple[Life, State]]
    chats: dict[str, list[Message]]
    cut: bool = False


def order_export(chance: random.Random, lives: list[Life], number: int, at: datetime) -> Export:
    """Some of the orders as of a moment: in any order, some twice, some with a courier that somebody mended by hand."""
    rows = [(life, state) for life in lives if chance.random() < 0.7 and (state := life.at(at))]
    if chance.random() < 0.3:
        mended = [bool(state.courier) and chance.random() < 0.3 for _, state in rows]
        rows = [(one, replace(state, courier="申通快递") if by_hand else state) for by_hand, (one, state) in zip(mended, rows)]
    rows += chance.sample(rows, len(rows) // 5)
    chance.shuffle(rows)
    return Export(f"orders-{number}.csv", rows, {}, cut=len(rows) > 1 and chance.random() < 0.3)


def chat_export(chance: random.Random, talks: dict[str, list[Message]], number: int) -> Export:
    """Of some buyers what was said in some span of time."""
    chosen = {}
    for buyer in chance.sample(sorted(talks), chance.randrange(1, len(talks) + 1)):
        first, last = sorted(chance.choices([at for _, at, _ in talks[buyer]], k=2))
        chosen[buyer] = [m for m in talks[buyer] if first <= m[1] <= last]
    return Export(f"chats-{number}.txt", [], chosen)


def write(folder: Path, export: Export, chance: random.Random) -> Path:
    """As a file in one of the encodings; a cut one ends in the middle of its last row."""
    file, encoding = folder / export.name, chance.choice(["utf-8", "utf-8-sig", "gb18030"])
    if export.chats:
        return write_chats(file, SHOP, export.chats, encoding)
    out = io.StringIO()
    writer = csv.DictWriter(out, ORDER_HEADER, restval="", lineterminator=chance.choice(["\n", "\r\n"]))
    writer.writeheader()
    writer.writerows(life.cells(state) for life, state in export.orders)
    text = out.getvalue()
    if export.cut:
        last = text.rstrip().rfind("\n") + 1
        text = text[: last + chance.randrange(1, 60)]
    file.write_text(text, encoding, newline="")
    return file


class Oracle:
    """What must be visible and what each file's line of the ledger must say, by dictionaries."""

    def __init__(self) -> None:
        self.versions: dict[str, dict[State, tuple[int, int]]] = {}
        self.lives: dict[str, Life] = {}
        self.messages: Counter[tuple[str, Message]] = Counter()
        self.loads = 0

    def take(self, export: Export) -> tuple[int, int, int, int]:
        """Rows of the file, rows stored, already known, set aside."""
        self.loads += 1
        rows = export.orders[:-1] if export.cut else export.orders
        stored = 0
        for life, state in rows:
            seen = self.versions.setdefault(life.number, {})
            self.lives[life.number] = life
            row = replace(state, step=0)
            stored += row not in seen
            seen.setdefault(row, (state.step, self.loads))
        said = Counter((buyer, message) for buyer, messages in export.chats.items() for message in messages)
        for what, n in said.items():
            stored += max(0, n - self.messages[what])
            self.messages[what] = max(n, self.messages[what])
        n = len(export.orders) + said.total()
        return n, stored, n - stored - export.cut, int(export.cut)

    def orders(self) -> Iterator[tuple[object, ...]]:
        """Of each order the state of the latest export; of equally late ones that of the file loaded last."""
        for number, seen in self.versions.items():
            state = max(seen, key=lambda row: seen[row])
            life = self.lives[number]
            yield (number, life.buyer, str(life.created), str(state.paid or ""), str(state.received or ""), state.status, life.fen,
                   life.fen if state.paid else 0, state.refund_fen, state.courier or None)  # fmt: skip


def shown_orders(ws: Workspace, buyers: list[str]) -> list[tuple[object, ...]]:
    names = dict(zip(map(ws.tokens().token, buyers), buyers, strict=True))
    columns = (
        "order_id",
        "customer_key",
        "created_at",
        "paid_at",
        "received_at",
        "status",
        "placed_fen",
        "gross_fen",
        "refund_fen",
        "courier",
    )
    return sorted(
        (number, names[buyer], clock(created), clock(paid), clock(received), *rest)
        for number, buyer, created, paid, received, *rest in table(ws, "orders").select(columns).iter_rows()
    )


def clock(us: int | None) -> str:
    """Wall clock of the shop, which is eight hours ahead of UTC."""
    return "" if us is None else str(datetime(1970, 1, 1) + timedelta(microseconds=us, hours=8))


def shown_messages(ws: Workspace, buyers: list[str]) -> Counter[tuple[str, Message]]:
    names = dict(zip(map(ws.tokens().token, buyers), buyers, strict=True))
    accounts = dict(table(ws, "agents").select("agent_key", "account").iter_rows())
    rows = table(ws, "messages").select("customer_key", "speaker_key", "sent_at", "text").iter_rows()
    return Counter((names[buyer], (accounts.get(speaker, ""), clock(at), text)) for buyer, speaker, at, text in rows)


def agree(folder: Path, seed: int, cases: int, most: int) -> None:
    """Import a batch of files of `cases` orders and chats; the ledger and all that is shown equal the oracle's."""
    chance, ws, oracle = random.Random(seed), shop(folder), Oracle()
    lives = [life(chance, n) for n in range(cases)]
    talks = {f"买家编号{n}": chat(chance) for n in range(cases)}
    exports = [
        order_export(chance, lives, n, BEGIN + timedelta(days=chance.randrange(2, 25))) for n in range(chance.randrange(2, most))
    ]
    exports += [chat_export(chance, talks, n) for n in range(chance.randrange(2, most))]
    chance.shuffle(exports)
    exports = [e for e in exports if e.orders or e.chats]
    files = [write(folder, export, chance) for export in exports]
    for export, report in zip(exports, import_files(ws, files), strict=True):
        load = report.load
        assert load is not None, report.refused
        told = (load.rows_read, load.stored, load.known, load.quarantined)
        assert told == oracle.take(export), (seed, export.name)
    assert shown_orders(ws, sorted({life.buyer for life in lives})) == sorted(oracle.orders()), seed
    assert shown_messages(ws, sorted(talks)) == oracle.messages, seed


def test_thirty_histories(tmp_path: Path) -> None:
    agree(tmp_path, 20260504, 30, 4)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(25))
def test_a_thousand_histories(tmp_path: Path, number: int) -> None:
    seed = int(os.environ.get("HUITOU_SEED", random.randrange(10**9))) + number
    agree(tmp_path, seed, 40, 7)
