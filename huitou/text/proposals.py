"""What a language model proposes: labels of texts for `huitou label`, reasons for inquiries of which the reading is unsure.

A proposal stands beside what the rules and models read and changes none of it; a person takes it or leaves it.
"""

from collections.abc import Mapping

import polars as pl

from huitou.rules.taxonomy import Words
from huitou.text.llm import Answer, Item, LanguageModel, Task

SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "chat": pl.Int64,
    "primary": pl.String,
    "secondary": pl.List(pl.String),
    "evidence": pl.List(pl.Int64),
}
_LOST = """\
每个条目是一次售前接待，按 i 排序。若顾客没有下单，codes 的第一个是让他离开的主要原因，看他最后说的话：
问过但已经解决的价格、运费、真伪不算；其余写文中确有依据的次要原因。evidence 写显示主要原因的消息。
若顾客已经下单，codes 写空列表。客服答完后顾客再没说话、也没有犹豫，是 unknown.silent。"""
_ONE = "每个条目是一条消息或评价。codes 写它符合的那一个编码。"
_MANY = "每个条目是一条消息或评价，可能同时符合几个编码；全部写上。"


def propose(
    model: LanguageModel, kind: str, codes: Mapping[str, str], texts: pl.Series, *, many: bool
) -> list[tuple[str, ...] | None]:
    """The codes proposed for each text: one, or with `many` several; empty: none fits; None: no answer.

    `kind` names the set of labels, `codes` are its codes and their meanings.
    """
    task = Task(f"label {kind}", _MANY if many else _ONE, dict(codes), 5 if many else 1)
    answers = model.ask(task, [Item(((0, "text", text or ""),)) for text in texts.to_list()])
    return [answer.codes if answer else None for answer in answers]


def propose_reasons(
    model: LanguageModel, words: Words, messages: pl.DataFrame, readings: pl.DataFrame, below: float
) -> pl.DataFrame:
    """One row as in `SCHEMA` for each lost chat of `readings` whose certainty is under `below` and that the model answered.

    `messages` and `readings` as `InquiryReader` takes and gives them. ``primary`` null: the model finds that nothing was lost.
    """
    hard = readings.filter(pl.col("primary").is_not_null() & (pl.col("certainty") < below)).select("chat")
    said = messages.join(hard, on="chat", how="semi").sort("chat", "i").group_by("chat", maintain_order=True)
    chats = said.agg("i", pl.col("role").fill_null("system"), pl.col("text").fill_null(""))
    items = [Item(tuple(zip(*lines, strict=True))) for _, *lines in chats.iter_rows()]
    leaves = words.taxonomies["loss"].leaves.values()
    task = Task("loss", _LOST, {leaf.code: leaf.zh for leaf in leaves}, 3, evidence=True)
    answers = model.ask(task, items)
    rows = [_row(chat, answer) for chat, answer in zip(chats["chat"], answers, strict=True) if answer]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _row(chat: int, answer: Answer) -> tuple[int, str | None, list[str], list[int]]:
    first, *others = answer.codes or (None,)
    return chat, first, [code for code in others if code], list(answer.evidence)
