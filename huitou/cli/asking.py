"""The language model of a workspace, for the commands that may ask it."""

from pathlib import Path
from typing import TYPE_CHECKING

from huitou.errors import Say, SettingsError

if TYPE_CHECKING:
    from huitou.text.llm import LanguageModel, Used


def language_model(workspace: Path) -> "tuple[LanguageModel, float]":
    """The model that [llm] names, and the certainty under which a reading counts as hard.

    Raises NotAWorkspace, SettingsError where no model is named, NoAnswer where it cannot be asked at all.
    """
    from huitou.lake.workspace import Workspace
    from huitou.sources.masking import mask
    from huitou.text.llm import LanguageModel

    settings = Workspace.open(workspace).settings.llm
    if settings is None:
        fix = Say("在 huitou.toml 的 [llm] 下写上 url 和 model。", "Write url and model under [llm] in huitou.toml.")
        file = workspace.joinpath("huitou.toml")
        raise SettingsError(file, "llm.url", Say("没有填写，不问大模型", "is missing: no model is asked"), fix)
    return LanguageModel(settings, mask, workspace / "models" / "llm_answers.jsonl"), settings.below


def what_was_asked(used: "Used", lang: str) -> list[str]:
    """What was asked and what was not, as sentences."""
    calls = Say(
        f"问了大模型 {used.calls:,} 次，{used.characters:,} 个字；{used.kept:,} 条用了以前的回答。",
        f"Asked the language model {used.calls:,} times, {used.characters:,} characters; {used.kept:,} answers were kept.",
    )
    left = [
        (used.unread, Say("回答读不懂", "had no usable answer")),
        (used.over_budget, Say("超出额度", "were over the budget")),
        (used.withheld, Say("打码后仍像个人信息，没有发出", "still looked like personal data and were not sent")),
    ]
    said = [Say(f"{n:,} 条{says.zh}。", f"{n:,} {says.en}.") for n, says in left if n]
    said += [Say(used.stopped.text("zh"), used.stopped.text("en"))] if used.stopped else []
    return [say.zh if lang == "zh" else say.en for say in (calls, *said)]
