"""A few lines of a real conversation, or a review, chosen by fixed rules: the proof behind a finding. Text is masked."""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import date
from typing import Literal

import polars as pl

from huitou.findings.case import CHAT, Case
from huitou.findings.model import Evidence, Line
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
Marks = Mapping[int, tuple[tuple[int, int], ...]]
"""row_key of a message or review → the [start, end) spans in it that show something."""
ENDS = "，。！？,.!?；;、 \n~～"


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


def marks(case: Case, shown: pl.DataFrame, taxonomy: str, codes: Collection[str], whole: Collection[int] = ()) -> Marks:
    """Where the messages in `shown` say one of the codes, widened to the clause; of those in `whole` that say none, all of it."""
    texts = dict(shown.select("row_key", "text").iter_rows())
    if not texts:
        return {}
    t = case.tags(taxonomy, *codes)
    said = case.frame(t.filter(t.message_key.isin(list(texts))).select("message_key", "start", "end"))
    found: dict[int, list[tuple[int, int]]] = {}
    for key, start, end in said.sort("message_key", "start", "end").iter_rows():
        found.setdefault(key, []).append((start, end))
    out = {key: widened(texts[key], spans) for key, spans in found.items()}
    return out | {key: ((0, len(texts[key])),) for key in whole if key in texts and key not in out and texts[key]}


def widened(text: str, places: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Places as merged [start, end) spans widened to the clauses they stand in."""
    found = []
    for begin, end in places:
        start = max((text.rfind(e, 0, begin) for e in ENDS), default=-1) + 1
        stop = min((p for e in ENDS if (p := text.find(e, max(end, begin + 1))) >= 0), default=len(text))
        found.append((start, stop + 1 if stop < len(text) and text[stop] in "？?" else stop))
    out: list[tuple[int, int]] = []
    for start, stop in sorted(found):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        else:
            out.append((start, stop))
    return tuple(out)


def chat(lines: pl.DataFrame, marked: Marks, faults: Set[int] = frozenset(), *, zh: str = "", en: str = "") -> Evidence | None:
    """The stretch of one chat, at most six lines, that holds most of the proof.

    `marked` are shown in the customer's lines; lines whose row_key is in `faults` are marked whole as replies that could be
    better. None where nothing is marked.
    """
    rows = [_line(r, marked, faults) for r in lines.iter_rows(named=True)]
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


def around(case: Case, key: int, taxonomy: str, code: str, *, zh: str, en: str) -> tuple[Evidence, ...]:
    """The chat of one message that says a code; nothing where the message is not in the period."""
    m = case.during("messages")
    found = case.frame(m.filter(m.row_key == key).select(*CHAT))
    if found.is_empty():
        return ()
    shown = messages(case, [found.row(0)])
    one = chat(shown, marks(case, shown.filter(row_key=key), taxonomy, [code], [key]), zh=zh, en=en)
    return (one,) if one else ()


def of_chats(case: Case, chats: pl.DataFrame, *, zh: str = "", en: str = "") -> tuple[Evidence, ...]:
    """Lost chats (rows of ``Case.lost``), each with the words that show its reason; those that show none are left out."""
    every = messages(case, chats.select(CHAT).rows())
    out = []
    for row in chats.iter_rows(named=True):
        shown = every.filter(customer_key=row["customer_key"], agent_key=row["agent_key"], day=row["day"])
        leaf = case.leaf("loss", row["reason"])
        marked = marks(case, shown.filter(kind="customer"), "loss", [leaf.code], row["evidence"])
        proof = {key: spans for key, spans in marked.items() if not row["evidence"] or key in row["evidence"]} or marked
        faults = (
            set(row["evidence"]) & set(shown.filter(kind="agent")["row_key"]) if row["reason"].startswith("service.") else set()
        )
        one = chat(shown, proof, faults, zh=zh or leaf.zh, en=en or leaf.en)
        out += [one] if one else []
    return tuple(out)


def _lead(weight: list[bool]) -> int:
    """Lines before the first marked one."""
    return weight.index(True) if True in weight else 0


def _line(row: dict[str, object], marked: Marks, faults: Set[int]) -> Line:
    text, second, key = str(row["text"]), int(str(row["second"])), int(str(row["row_key"]))
    who = _WHO[str(row["kind"])]
    fault = key in faults
    mark = ((0, len(text)),) if fault and text else marked.get(key, ()) if who == "customer" else ()
    return Line(key, who, f"{row['day']} {second // 3600:02d}:{second // 60 % 60:02d}", text, mark, fault)


def review(row: dict[str, object], places: Sequence[tuple[int, int]], *, zh: str, en: str) -> Evidence:
    """One review with the places that show it marked; `row` has customer_key, row_key, day, text."""
    text = str(row["text"])
    key = row["customer_key"]
    line = Line(int(str(row["row_key"])), "review", str(row["day"]), text, tuple(sorted(set(places))))
    return Evidence(customer_code(int(str(key)) if key is not None else None), zh, en, (line,))
