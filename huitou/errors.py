"""Everything that can go wrong for a user, as sentences.

HuitouError
├── NotAWorkspace      no huitou.toml here
├── SettingsError      huitou.toml says something that cannot be
├── FileRefused        a whole file cannot be read: wrong kind, encoding, cut, empty, a folder
│   └── FileSpared     it need not be: another file's import reads it
├── LakeBusy           somebody else is writing
├── LakeDamaged        stored data does not match its ledger
├── DiskFull           there is no room to finish
├── NotWritable        the system does not let us write (or read) there
├── NeedsData          a number cannot be computed from what was imported
├── NoAnswer           the language model that the settings name cannot be asked
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

    def __init__(self, says: Say, fix: Say) -> None:
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

    def __init__(self, file: Path | Text, key: str, says: Say, fix: Say) -> None:
        zh, en = (file.zh, file.en) if isinstance(file, Say) else (file, file)
        between = " " if key else ""
        super().__init__(Say(f"{zh}：{key}{between}{says.zh}。", f"{en}: {key}{between}{says.en}."), fix)


class FileRefused(HuitouError):
    """A file that cannot be imported at all; nothing of it was stored."""

    def __init__(self, file: Path, says: Say, fix: Say, name: str | None = None) -> None:
        told = name or file.name or str(file)
        super().__init__(Say(f"{told}：{says.zh}。", f"{told}: {says.en}."), fix)
        self.file = file
        self._why = says

    def told_as(self, name: str) -> "FileRefused":
        """The same refusal of a file that its user knows by another name: a file in an archive."""
        return type(self)(self.file, self._why, self.fix, name)


class FileSpared(FileRefused):
    """A file that is rightly not imported by itself: another one's import reads it, and nothing has to be done."""


class LakeBusy(HuitouError):
    """Another process holds the writer's lock; `owner` says which."""

    def __init__(self, owner: Say) -> None:
        super().__init__(
            Say(f"数据正由 {owner.zh} 写入。", f"The lake is being written by {owner.en}."),
            Say("等它完成后再运行一次。", "Wait until it has finished, then run this again."),
        )


class LakeDamaged(HuitouError):
    """A stored file is missing or was changed by hand."""

    def __init__(self, where: Path, says: Say) -> None:
        super().__init__(
            Say(f"{where}：{says.zh}。", f"{where}: {says.en}."),
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


class NotWritable(HuitouError):
    """The system forbids to read or write a place, or it is read-only; what is stored is as it was before."""

    def __init__(self, where: Path) -> None:
        super().__init__(
            Say(f"没有权限读写 {where}，或者它是只读的。", f"{where} may not be read and written here, or it is read-only."),
            Say("换一个有权限的用户或文件夹再运行。", "Run this as a user who may, or in another folder."),
        )


class NeedsData(HuitouError):
    """A number asks for facts that no imported file carried."""

    def __init__(self, name: Text, needs: Say) -> None:
        super().__init__(
            Say(f"{in_language(name, 'zh')} 需要 {needs.zh}。", f"{in_language(name, 'en')} needs {needs.en}."),
            Say("导入带有这些内容的导出文件。", "Import an export that carries it."),
        )
        self.needs = needs


class NoAnswer(HuitouError):
    """A language model cannot be asked, or did not answer in several tries; everything else goes on without it."""

    def __init__(self, url: str, why: Say, fix: Say | None = None) -> None:
        super().__init__(
            Say(f"没有问到大模型 {url}：{why.zh}。", f"The language model at {url} gave no answer: {why.en}."),
            fix
            or Say("查看 huitou.toml 的 [llm]；不用它就删掉 url。", "Look at [llm] in huitou.toml; without url none is asked."),
        )


class UnknownName(HuitouError):
    """A name that does not exist, with the nearest one that does."""

    def __init__(self, kind: Say, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=1)
        fix = (
            Say(f"是不是 {near[0]}？", f"Did you mean {near[0]}?")
            if near
            else Say(f"已有的：{'、'.join(names)}。", f"Known: {', '.join(names)}.")
        )
        super().__init__(Say(f"没有叫 {name!r} 的{kind.zh}。", f"There is no {kind.en} called {name!r}."), fix)


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
