"""A few lines of a real conversation, or a review, chosen by fixed rules: the proof behind a finding. Text is masked."""

from collections.abc import Sequence, Set
from datetime import date
from typing import Literal

import polars as pl

from huitou.findings.case import CHAT, Case
from huitou.findings.model import Evidence, Line
from huitou.findings.reasons import spans
from huitou.findings.wording import day_en, day_zh
from huitou.metrics.population import short_code

MOST_LINES = 6
LEAD = 2
"""Lines shown before the first marked one, where there are as many."""
_WHO: dict[str, Literal["customer", "agent", "robot"]] = {
    "customer": "customer",
    "agent": "agent",
    "auto": "robot",
    "robot": "robot",
}

Chat = tuple[int, int, date]


def customer_code(key: int | None) -> str:
    """Four letters and digits of the token: tells customers apart on a page, names nobody."""
    return "----" if key is None else short_code(key)


def messages(case: Case, chats: Sequence[Chat]) -> pl.DataFrame:
    """All shown messages of a few chats in order."""
    m = case.during("messages")
    wanted = None
    for customer, agent, day in chats:
        one = (m.customer_key == customer) & (m.agent_key == agent) & (m.day == day)
        wanted = one if wanted is None else wanted | one
    if wanted is None:
        return pl.DataFrame()
    found = m.filter(wanted, m.kind.isin(list(_WHO))).select(
        *CHAT, "sent_at", "row", "row_key", "second", "kind", "text", "text_hash"
    )
    return case.frame(found).sort("sent_at", "row", "row_key")


def chat(
    lines: pl.DataFrame, words: Sequence[str], faults: Set[int] = frozenset(), *, zh: str = "", en: str = ""
) -> Evidence | None:
    """The stretch of one chat, at most six lines, that holds most of the proof.

    `words` are marked in the customer's lines; lines whose row_key is in `faults` are marked whole as replies that could be
    better. None where nothing is marked.
    """
    rows = [_line(r, words, faults) for r in lines.iter_rows(named=True)]
    weight = [bool(line.mark) for line in rows]
    if not any(weight):
        return None
    starts = range(max(len(rows) - MOST_LINES, 0) + 1)
    best = max(starts, key=lambda s: (sum(weight[s : s + MOST_LINES]), min(_lead(weight[s:]), LEAD), -s))
    first = lines.row(0, named=True)
    caption = f"{day_zh(first['day'])}，客户 {customer_code(first['customer_key'])}"
    caption_en = f"{day_en(first['day'])}, customer {customer_code(first['customer_key'])}"
    return Evidence(
        customer_code(first["customer_key"]),
        f"{zh}　{caption}" if zh else caption,
        f"{en} · {caption_en}" if en else caption_en,
        tuple(rows[best : best + MOST_LINES]),
    )


def _lead(weight: list[bool]) -> int:
    """Lines before the first marked one."""
    return weight.index(True) if True in weight else 0


def _line(row: dict[str, object], words: Sequence[str], faults: Set[int]) -> Line:
    text, second, key = str(row["text"]), int(str(row["second"])), int(str(row["row_key"]))
    who = _WHO[str(row["kind"])]
    fault = key in faults
    mark = ((0, len(text)),) if fault and text else spans(text, words) if who == "customer" else ()
    return Line(key, who, f"{row['day']} {second // 3600:02d}:{second // 60 % 60:02d}", text, mark, fault)


def review(row: dict[str, object], words: Sequence[str], *, zh: str, en: str) -> Evidence:
    """One review with the words that show it marked; `row` has customer_key, row_key, day, text."""
    text = str(row["text"])
    key = row["customer_key"]
    line = Line(int(str(row["row_key"])), "review", str(row["day"]), text, spans(text, words))
    return Evidence(customer_code(int(str(key)) if key is not None else None), zh, en, (line,))
