"""Inquiries of the lake ↔ whole chats as the reader wants them: numbered messages with roles; readings back as rows."""

from typing import Any

import ibis
import polars as pl

from huitou.text.commitments import CommitmentReader
from huitou.text.inquiries import InquiryReader

Rows = Any
"""An Ibis table expression."""

INQUIRY = ("customer_key", "agent_key", "day")
FOLLOW_UP_US = 2 * 86_400 * 1_000_000
"""A person's message this long after the chat, before the customer wrote again, still belongs to it."""
ROLES = {"customer": "customer", "agent": "agent", "auto": "robot", "robot": "robot"}
_SAID = ("sent_at", "load", "row", "message_key", "kind", "text")


def outcomes(inquiries: Rows, *, known: bool) -> Rows:
    """Inquiries with `outcome`: lost, ordered, paid; null where no order was ever imported."""
    told = ibis.cases((inquiries.paid, "paid"), (inquiries.ordered, "ordered"), else_="lost")
    return inquiries.mutate(outcome=told if known else ibis.null("string"))


def chats(inquiries: Rows, messages: Rows) -> Rows:
    """The messages of inquiries, each with the inquiry's key: those of its day, and what a person wrote afterwards.

    Afterwards: inside `FOLLOW_UP_US` of its last message, by any agent, before the customer wrote again.
    """
    m = messages.mutate(message_key=messages.row_key)
    asked = inquiries.select(*INQUIRY, "last_at")
    own = m.inner_join(asked, list(INQUIRY)).select(*INQUIRY, *_SAID)
    ends = asked.select(at_customer="customer_key", at_agent="agent_key", at_day="day", ended_at="last_at")
    both = m.inner_join(ends, [m.customer_key == ends.at_customer, m.sent_at > ends.ended_at])
    both = both.filter(both.sent_at <= both.ended_at + FOLLOW_UP_US)
    one = ibis.window(group_by=["at_customer", "at_agent", "at_day"])
    both = both.mutate(again_at=both.sent_at.min(where=both.kind == "customer").over(one))
    later = both.filter((both.kind == "agent") & (both.again_at.isnull() | (both.sent_at < both.again_at)))
    keys = {"customer_key": later.at_customer, "agent_key": later.at_agent, "day": later.at_day}
    return own.union(later.select(**keys, **{name: later[name] for name in _SAID}))


def read_chats(said: pl.DataFrame, asked: pl.DataFrame, reader: InquiryReader, version: str) -> pl.DataFrame:
    """Rows of ``inquiry_reasons``. `said`: rows of `chats`; `asked`: their inquiries, with ``outcome``."""
    said = said.join(asked.select(INQUIRY), on=INQUIRY, how="semi").sort(*INQUIRY, "sent_at", "load", "row", "message_key")
    chat = pl.struct(INQUIRY).rle_id().cast(pl.Int64)
    said = said.with_columns(chat=chat, role=pl.col("kind").replace_strict(ROLES, default="system"))
    said = said.with_columns(i=pl.int_range(pl.len()).over("chat").cast(pl.Int64), at=pl.from_epoch("sent_at", "us"))
    numbers = said.group_by("chat", maintain_order=True).agg(pl.col(INQUIRY).first())
    of = asked.join(numbers, on=INQUIRY)
    told = of.filter(pl.col("outcome").is_not_null()).select("chat", "outcome")
    found = reader.read(said.select("chat", "i", "at", "role", "text"), told)
    proof = found.select("chat", pl.col("evidence").alias("i")).explode("i").drop_nulls()
    proof = proof.join(said.select("chat", "i", "message_key"), on=["chat", "i"], how="left", maintain_order="left")
    shown = proof.group_by("chat").agg(pl.col("message_key").cast(pl.String).str.join(" ").alias("evidence"))
    listed = [pl.col(name).list.join(" ") for name in ("secondary", "steps", "faults")]
    found = found.drop("evidence").with_columns(listed).join(shown, on="chat", how="left")
    rows = of.join(found, on="chat").with_columns(pl.col("evidence").fill_null(""), version=pl.lit(version))
    return rows.drop("chat")


def read_promises(said: pl.DataFrame, reader: CommitmentReader, version: str) -> pl.DataFrame:
    """Rows of ``commitments``. `said`: messages of persons. Days and hours are named in the shop's own time: the wall clock."""
    said = said.sort("row_key").with_row_index("chat").with_columns(pl.col("chat").cast(pl.Int64))
    wall = pl.col("day").cast(pl.Datetime("us")) + pl.duration(seconds=pl.col("second"))
    asked = said.select("chat", "text", at=wall, role=pl.lit("agent"), i=pl.lit(0, pl.Int64))
    found = reader.read(asked).join(said.drop("text").with_columns(wall=wall), on="chat", how="left", maintain_order="left")
    later = (pl.col("due_at") - pl.col("wall")).dt.total_microseconds()
    found = found.with_columns(due_at=pl.col("sent_at") + later, message_key=pl.col("row_key"), version=pl.lit(version))
    return found.unique(["message_key", "kind", "start"], maintain_order=True)
