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
    return _marked(shown, _said(case, shown, taxonomy), codes, whole)


def _said(case: Case, shown: pl.DataFrame, taxonomy: str) -> pl.DataFrame:
    """What the messages in `shown` say, and where: message_key, code, start, end."""
    if shown.is_empty():
        return pl.DataFrame()
    t = case.tags(taxonomy)
    said = t.filter(t.message_key.isin(shown["row_key"].to_list())).select("message_key", "code", "start", "end")
    return case.frame(said).sort("message_key", "start", "end")


def _marked(shown: pl.DataFrame, said: pl.DataFrame, codes: Collection[str], whole: Collection[int]) -> Marks:
    texts = dict(shown.select("row_key", "text").iter_rows()) if shown.height else {}
    found: dict[int, list[tuple[int, int]]] = {}
    for key, code, start, end in said.iter_rows():
        if key in texts and (not codes or code in codes):
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


def around(case: Case, taxonomy: str, told: Mapping[str, tuple[int, str, str]]) -> dict[str, Evidence]:
    """By code the chat around a message that says it, with captions in both languages; none of messages not in the period."""
    keys = [key for key, _, _ in told.values()]
    m = case.during("messages")
    chats = case.frame(m.filter(m.row_key.isin(keys)).select("row_key", *CHAT)) if keys else pl.DataFrame()
    if chats.is_empty():
        return {}
    places, every = dict(zip(chats["row_key"], chats.select(CHAT).rows(), strict=True)), messages(case, chats.select(CHAT).rows())
    said = _said(case, every.filter(pl.col("row_key").is_in(keys)), taxonomy)
    out: dict[str, Evidence] = {}
    for code, (key, zh, en) in told.items():
        shown = of(every, places[key]) if key in places else pl.DataFrame()
        one = chat(shown, _marked(shown.filter(row_key=key), said, [code], [key]), zh=zh, en=en) if shown.height else None
        out |= {code: one} if one else {}
    return out


def of_chats(case: Case, chats: pl.DataFrame) -> dict[str, tuple[Evidence, ...]]:
    """Lost chats (rows of ``Case.lost``) by their reasons, each with the words that show it; those without are left out."""
    every = messages(case, chats.select(CHAT).rows())
    said = _said(case, every.filter(kind="customer"), "loss") if chats.height else every
    out: dict[str, tuple[Evidence, ...]] = {}
    for row in chats.iter_rows(named=True):
        shown = of(every, (row["customer_key"], row["agent_key"], row["day"]))
        leaf = case.leaf("loss", row["reason"])
        marked = _marked(shown.filter(kind="customer"), said, [leaf.code], row["evidence"])
        proof = {key: spans for key, spans in marked.items() if not row["evidence"] or key in row["evidence"]} or marked
        faults = (
            set(row["evidence"]) & set(shown.filter(kind="agent")["row_key"]) if row["reason"].startswith("service.") else set()
        )
        one = chat(shown, proof, faults, zh=leaf.zh, en=leaf.en)
        out[row["reason"]] = out.get(row["reason"], ()) + ((one,) if one else ())
    return out


def of(every: pl.DataFrame, one: Chat) -> pl.DataFrame:
    """The messages of one chat."""
    return every.filter(**dict(zip(CHAT, one, strict=True)))


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
