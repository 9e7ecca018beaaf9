"""Everything that can go wrong for a user, as sentences.

HuitouError
├── NotAWorkspace      no huitou.toml here
├── SettingsError      huitou.toml says something that cannot be
├── FileRefused        a whole file cannot be read: wrong kind, encoding, cut, empty, a folder
├── LakeBusy           somebody else is writing
├── LakeDamaged        stored data does not match its ledger
├── DiskFull           there is no room to finish
├── NeedsData          a number cannot be computed from what was imported
└── UnknownName        a metric, table, source, dimension or rule pack that does not exist

Each class builds its message from facts, so that every message says what, where and what to do. A single bad row is
never an error: it is a ``Problem``, counted and listed, and loading goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple


class Say(NamedTuple):
    """One sentence (or clause, without its full stop) in both languages of the product."""

    zh: str
    en: str


Text = str | Say
"""A sentence in both languages; a plain string stands for itself in either."""


def in_language(text: Text, lang: str) -> str:
    """`text` in `lang` ("zh" or "en")."""
    return text if isinstance(text, str) else (text.zh if lang == "zh" else text.en)


class HuitouError(Exception):
    """What went wrong and what to do about it; shown to the user as it stands, without a traceback."""

    def __init__(self, says: Text, fix: Text) -> None:
        self.says = says
        self.fix = fix
        super().__init__(self.text("en"))

    def text(self, lang: str) -> str:
        """Both sentences in one language."""
        gap = " " if lang == "en" else ""
        return f"{in_language(self.says, lang)}{gap}{in_language(self.fix, lang)}"


class NotAWorkspace(HuitouError):
    """The folder holds no ``huitou.toml``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            Say(
                f"{folder} 不是 Huitou 工作区：里面没有 huitou.toml。",
                f"{folder} is not a Huitou workspace: it has no huitou.toml.",
            ),
            Say(
                f"运行 `huitou init {folder}` 新建，或用 -w 指定工作区。",
                f"Run `huitou init {folder}`, or name the workspace with -w.",
            ),
        )


class SettingsError(HuitouError):
    """``huitou.toml`` (or a rule file, or an option) holds a value that cannot be used."""

    def __init__(self, file: Path | str, key: str, says: Text, fix: Text) -> None:
        super().__init__(Say(f"{file}：{key} {in_language(says, 'zh')}。", f"{file}: {key} {in_language(says, 'en')}."), fix)


class FileRefused(HuitouError):
    """A file that cannot be imported at all; nothing of it was stored."""

    def __init__(self, file: Path, says: Text, fix: Text) -> None:
        super().__init__(Say(f"{file.name}：{in_language(says, 'zh')}。", f"{file.name}: {in_language(says, 'en')}."), fix)
        self.file = file


class LakeBusy(HuitouError):
    """Another process holds the writer's lock; `owner` says which."""

    def __init__(self, owner: str) -> None:
        super().__init__(
            Say(f"数据正由 {owner} 写入。", f"The lake is being written by {owner}."),
            Say("等它完成后再运行一次。", "Wait until it has finished, then run this again."),
        )


class LakeDamaged(HuitouError):
    """A stored file is missing or was changed by hand."""

    def __init__(self, where: Path, says: Text) -> None:
        super().__init__(
            Say(f"{where}：{in_language(says, 'zh')}。", f"{where}: {in_language(says, 'en')}."),
            Say("运行 `huitou doctor` 查看，再重新导入原文件。", "Run `huitou doctor`, then import the original files again."),
        )


class DiskFull(HuitouError):
    """There is no room for what is being written; the lake is as it was before."""

    def __init__(self, where: Path, need_bytes: int | None = None) -> None:
        mib = f"{need_bytes / 2**20:,.0f} MiB" if need_bytes else ""
        super().__init__(
            Say(
                f"{where} 所在的磁盘已满{f'，约需 {mib}' if mib else ''}。这次什么都没有存入。",
                f"The disk that holds {where} is full{f', about {mib} are needed' if mib else ''}. Nothing was stored.",
            ),
            Say("腾出空间后再运行一次。", "Free some space and run this again."),
        )


class NeedsData(HuitouError):
    """A number asks for facts that no imported file carried."""

    def __init__(self, name: str, needs: Text) -> None:
        super().__init__(
            Say(f"{name} 需要 {in_language(needs, 'zh')}。", f"{name} needs {in_language(needs, 'en')}."),
            Say("导入带有这些内容的导出文件。", "Import an export that carries it."),
        )
        self.needs = needs


class UnknownName(HuitouError):
    """A name that does not exist, with the nearest one that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=1)
        fix = (
            Say(f"是不是 {near[0]}？", f"Did you mean {near[0]}?")
            if near
            else Say(f"已有的：{'、'.join(names)}。", f"Known: {', '.join(names)}.")
        )
        super().__init__(Say(f"没有叫 {name!r} 的{_KINDS.get(kind, kind)}。", f"There is no {kind} called {name!r}."), fix)


_KINDS = {"metric": "指标", "rule pack": "规则包", "dimension": "维度", "table": "表", "source": "来源", "goal": "目标"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of a shop's file that could not be stored, as data.

    `row` is the row's number in the file as a person counts it (header = 1), `column` the file's own heading.
    `reason` is a short fixed code by which problems are counted; `says` and `fix` are sentences without any personal data.
    """

    file: str
    row: int
    column: str | None
    reason: str
    says: Text
    fix: Text
