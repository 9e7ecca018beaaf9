"""Writes chat files in both TXT forms and reads them through the sources."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from huitou.lake.identity import People
from huitou.lake.settings import Settings
from huitou.sources.model import Batch, Context
from huitou.sources.sniff import head
from huitou.sources.wangwang import SOURCES, Wangwang

SHOP = "青麓男包旗舰店"
PEOPLE = People(b"a key of 32 bytes for tests only", "tmall", SHOP)


class Said(NamedTuple):
    """One message: `who` is "" for the buyer, else the sub-account (the shop's own nick for the main account)."""

    who: str
    at: str
    text: str

    def speaker(self, buyer: str) -> str:
        if self.who in ("", SHOP, "系统提示"):
            return self.who or buyer
        return f"{SHOP}:{self.who}"


Talks = dict[str, list[Said]]


def old_lines(talks: Talks, own: str = SHOP) -> list[str]:
    """The old client's form, all buyers in one file."""
    lines = [own, "单聊".center(62), "=" * 64]
    for buyer, said in talks.items():
        lines.append("-" * 28 + buyer + "-" * 28)
        lines += [f"{m.speaker(buyer)}({m.at}):  {m.text}" for m in said]
    return lines


def instant_lines(talks: Talks, own: str = SHOP) -> list[str]:
    """The 即时消息 form of the one buyer."""
    ((buyer, said),) = talks.items()
    lines, day = [own, buyer, "即时消息"], ""
    for m in said:
        lines += [m.at[:10]] if m.at[:10] != day else []
        lines.append(f"{m.at} {m.speaker(buyer)}: {m.text}")
        day = m.at[:10]
    return lines


def write(file: Path, lines: Iterable[str], encoding: str = "gb18030", end: str = "\r\n") -> Path:
    file.write_bytes("".join(f"{line}\n" for line in lines).replace("\n", end).encode(encoding))
    return file


def settings(**more: object) -> Settings:
    return Settings(shop=SHOP, **more)  # type: ignore[arg-type]


def source_of(file: Path) -> Wangwang:
    """The one source that takes the file for its own."""
    (source,) = [s for s in SOURCES if s.identify(head(file)) >= 95]
    return source


def batches(file: Path, block_bytes: int | None = None, **more: object) -> list[Batch]:
    source = source_of(file)
    if block_bytes:
        source = replace(source, block_bytes=block_bytes)
    return list(source.read(head(file), Context(settings(**more), PEOPLE)))


def table(read: list[Batch], name: str = "messages") -> pl.DataFrame:
    return pl.concat([batch.frames[name] for batch in read if name in batch.frames]).sort("row")


def rows(file: Path, *columns: str, **more: object) -> list[tuple[object, ...]]:
    """The named columns of the file's messages; ``account`` is the receiving account by name, ``at`` the local time."""
    read = batches(file, **more)
    agents = table(read, "agents").select("agent_key", "account")
    frame = table(read).join(agents, on="agent_key", how="left", maintain_order="left")
    at = pl.col("sent_at").cast(pl.Datetime("us", "UTC")).dt.convert_time_zone("Asia/Shanghai").dt.strftime("%Y-%m-%d %H:%M:%S")
    return frame.with_columns(at.alias("at")).select(columns).rows()


def second(at: str) -> int:
    """Seconds since midnight, by the standard library."""
    t = datetime.fromisoformat(at)
    return t.hour * 3600 + t.minute * 60 + t.second
