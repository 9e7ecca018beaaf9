"""Which sources there are: the built-in ones, installed ones (entry points), and the files of a workspace."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

from huitou.errors import HuitouError, Say, UnknownName
from huitou.sources import helpdesk, olist, qianniu_workbook, wangwang
from huitou.sources.api_messages import ApiMessages
from huitou.sources.chat_json import ChatJson
from huitou.sources.chat_sheets import ChatSheets
from huitou.sources.chitu import CHITU
from huitou.sources.chitu_receptions import ChituReceptions
from huitou.sources.douyin_orders import DouyinOrders
from huitou.sources.douyin_refunds import DouyinRefunds
from huitou.sources.feige import FEIGE
from huitou.sources.jd_chats import JdChats
from huitou.sources.jd_compensation import JdCompensation
from huitou.sources.jd_orders import JdOrders
from huitou.sources.jd_sessions import JdSessions
from huitou.sources.model import Head, Source
from huitou.sources.pdd_orders import PddOrders
from huitou.sources.pdd_refunds import PddRefunds
from huitou.sources.reviews import Reviews
from huitou.sources.shopify_orders import ShopifyOrders
from huitou.sources.sniff import sheet_heads
from huitou.sources.sycm_service import SYCM_SERVICE
from huitou.sources.sycm_traffic import SycmTraffic
from huitou.sources.tmall_order_lines import TmallOrderLines
from huitou.sources.tmall_orders import TmallOrders
from huitou.sources.tmall_refunds import TmallRefunds
from huitou.sources.woocommerce_orders import WooCommerceOrders

GROUP = "huitou.sources"
SURE = 60
"""How sure a source is of a file that has all its needed columns, at least."""

BUILT_IN: tuple[Source, ...] = (
    *wangwang.SOURCES,
    *qianniu_workbook.SOURCES,  # first of equals: more columns tell them than the exports below
    TmallOrders(),
    TmallOrderLines(),
    TmallRefunds(),
    Reviews(),
    SycmTraffic(),
    SYCM_SERVICE,
    CHITU,
    ChituReceptions(),
    FEIGE,
    ShopifyOrders(),
    WooCommerceOrders(),
    *olist.SOURCES,
    *helpdesk.SOURCES,
    JdOrders(),
    JdChats(),
    JdSessions(),
    JdCompensation(),
    PddOrders(),
    PddRefunds(),
    DouyinOrders(),
    DouyinRefunds(),
    ApiMessages(),
    ChatJson(),
    ChatSheets(),
)


def sources(workspace: Path | None = None) -> list[Source]:
    """All sources; `workspace` adds those of its ``sources/`` folder, whose ``*.py`` files define ``SOURCES``.

    Raises HuitouError for a file of the user's that cannot be loaded or declares none.
    """
    return [*BUILT_IN, *_installed(), *_of_folder(workspace)]


def source_called(name: str, known: list[Source]) -> Source:
    """The source with an id. Raises UnknownName."""
    for source in known:
        if source.id == name:
            return source
    raise UnknownName(Say("来源", "source"), name, [source.id for source in known])


def recognise(head: Head, known: list[Source]) -> tuple[Source | None, int]:
    """The source that is surest of a file, and how sure (0: none)."""
    sure, _, source = max(((s.identify(head), -i, s) for i, s in enumerate(known)), key=lambda found: found[:2])
    return (source, sure) if sure > 0 else (None, 0)


def readable(head: Head, known: list[Source]) -> list[tuple[Source, list[Head]]]:
    """The sources that are sure of a workbook's sheets, each with its sheets in their order; of any other file the surest.

    Sheets that none is sure of are left out (the first head names them after an empty name), unless there are no others.
    """
    if len(known) == 1:
        return [(known[0], [surest_sheet(head, known)])]
    heads = sheet_heads(head)
    if max(recognise(one, known)[1] for one in heads) < SURE:
        heads = [surest_sheet(head, known)]
    found: dict[str, tuple[Source, list[Head]]] = {}
    for one in heads:
        source, sure = recognise(one, known)
        if source is not None and (sure >= SURE or len(heads) == 1):
            found.setdefault(source.id, (source, []))[1].append(replace(one, sheets=()))
    parts = list(found.values())
    if parts:
        read = {one.sheet.name for _, ours in parts for one in ours if one.sheet}
        unread = tuple(name for name in head.sheets if name not in read)
        parts[0][1][0] = replace(parts[0][1][0], sheets=("", *unread))
    return parts


def surest_sheet(head: Head, known: list[Source]) -> Head:
    """The head, or that of the workbook's sheet of which a source is surest (of equals the first)."""
    return max(sheet_heads(head), key=lambda one: recognise(one, known)[1])


def _installed() -> Iterator[Source]:
    for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
        source: Source = point.load()
        yield source


def _of_folder(workspace: Path | None) -> Iterator[Source]:
    for file in sorted((workspace / "sources").glob("*.py")) if workspace else ():
        spec = importlib.util.spec_from_file_location(f"huitou_workspace_{file.stem}", file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
            yield from module.SOURCES
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            says = Say(f"数据源文件 {file} 用不了：{what}。", f"The source file {file} cannot be used: {what}.")
            fix = Say(
                "改正它，或移出这个文件夹；它必须定义 SOURCES，一个数据源的列表。",
                "Correct it, or take it out of the folder; it must define SOURCES, a list of sources.",
            )
            raise HuitouError(says, fix) from error
