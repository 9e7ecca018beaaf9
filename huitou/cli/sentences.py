"""The outermost door: every fault that a user can cause is a sentence in the chosen language and an exit code."""

import errno
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from huitou.errors import DiskFull, HuitouError, NotWritable, Say, in_language

_NotUnderstood: type[Any] = typer.BadParameter.__mro__[1]  # typer gives its UsageError no public name
_STOPPED = Say("已停止，没有留下半成品。", "Stopped; nothing half done was left behind.")


class Sentences(TyperGroup):
    """The commands, with errors said in the language of --lang, wherever it stands, or of HUITOU_LANG."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line; ends the process with its exit code, as click's own does."""
        words = list(sys.argv[1:] if args is None else args)
        lang = _language(words)
        try:
            code = super().main(words, prog_name, complete_var, standalone_mode=False, **extra)
        except HuitouError as error:
            code = _say(error.text(lang), 1)
        except OSError as error:
            code = _say(_of_the_system(error).text(lang), 1)
        except _NotUnderstood as error:
            code = _say(not_understood(error, lang), 2)
        except typer.Abort:
            code = _say(in_language(_STOPPED, lang), 130)
        if standalone_mode:
            sys.exit(code or 0)
        return code

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C is told too."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Abort from None


def _of_the_system(error: OSError) -> HuitouError:
    """What the system refused, as our own error. Raises it again where no user could have caused it."""
    where = Path(str(error.filename or "."))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(where)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return NotWritable(where)
    if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        says = Say(
            f"{where}：该是文件夹的地方是文件，或者相反。", f"{where}: a file stands where a folder is needed, or the reverse."
        )
        return HuitouError(says, Say("换一个路径。", "Choose another path."))
    raise error


def not_understood(error: Any, lang: str) -> str:
    """What is wrong with the command line, and where its help is."""
    where = error.ctx.command_path if error.ctx else "huitou"
    message: str = error.format_message().replace("Value error, ", "").rstrip(".")
    if type(error).__name__ == "NoArgsIsHelpError":
        return message  # the help itself
    if lang == "en":
        return f"{message}{'' if message.endswith('?') else '.'} See `{where} --help`."
    return f"{_zh(error, message)}。写法见 `{where} --help`。"


def _zh(error: Any, message: str) -> str:
    kind, param = type(error).__name__, getattr(error, "param", None)
    name = "" if param is None else param.opts[-1]
    if kind == "NoSuchOption":
        near = getattr(error, "possibilities", None)
        return f"没有选项 {error.option_name}" + (f"，是不是 {'、'.join(sorted(near))}" if near else "")
    if kind == "MissingParameter":
        return f"缺少 {name}"
    if kind == "BadParameter" and name:
        choices = re.search(r"is not one of (.+)$", message)
        number = re.search(r"valid (?:number|integer|float)", message)
        return f"{name} 的值不对" + (f"，可用 {choices[1]}" if choices else "，要写一个数" if number else "")
    if unknown := re.search(r"No such command '(.*?)'(?:\. Did you mean '(.*?)'\?)?", message):
        return f"没有命令 {unknown[1]}" + (f"，是不是 {unknown[2]}" if unknown[2] else "")
    return f"这条命令看不懂（{message}）"


def _language(words: list[str]) -> str:
    """The language asked for, before the words are understood: even a wrong command is answered in it."""
    said = os.environ.get("HUITOU_LANG", "")
    for word, after in zip(words, [*words[1:], ""], strict=False):
        said = after if word == "--lang" else word.removeprefix("--lang=") if word.startswith("--lang=") else said
    return "en" if said == "en" else "zh"


def _say(sentence: str, code: int) -> int:
    sys.stderr.write(sentence + "\n")
    return code
