"""Which sources there are: the built-in ones, installed ones (entry points), and the files of a workspace."""

import importlib.util
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

from huitou.errors import HuitouError, Say, UnknownName
from huitou.sources import wangwang
from huitou.sources.model import Head, Source
from huitou.sources.reviews import Reviews
from huitou.sources.sycm_traffic import SycmTraffic
from huitou.sources.tmall_order_lines import TmallOrderLines
from huitou.sources.tmall_orders import TmallOrders
from huitou.sources.tmall_refunds import TmallRefunds

GROUP = "huitou.sources"

BUILT_IN: tuple[Source, ...] = (
    *wangwang.SOURCES,
    TmallOrders(),
    TmallOrderLines(),
    TmallRefunds(),
    Reviews(),
    SycmTraffic(),
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
