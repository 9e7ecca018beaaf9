"""Every fixed sentence and label of the reports, once, in Chinese and English (``words.toml``)."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

Lang = Literal["zh", "en"]


@cache
def catalogue() -> dict[str, tuple[str, str]]:
    """Key → (Chinese, English)."""
    text = files(__package__).joinpath("words.toml").read_text("utf-8")
    return {key: (zh, en) for key, (zh, en) in tomllib.loads(text).items()}


@cache
def means_zh() -> dict[str, str]:
    """Metric id → what it means, in Chinese; the English sentence is in the metric's declaration (``means.toml``)."""
    return dict(tomllib.loads(files(__package__).joinpath("means.toml").read_text("utf-8")))


@cache
def marks() -> dict[str, tuple[str, str]]:
    """Mark of a source → how it is told in Chinese and English (``marks.toml``)."""
    raw = tomllib.loads(files(__package__).joinpath("marks.toml").read_text("utf-8"))
    return {mark: (zh, en) for mark, (zh, en) in raw.items()}


def source_said(text: str, lang: Lang) -> str:
    """The source of a number with its marks («[003] 5.5, trade: response») as names that a reader knows."""
    for mark, said in marks().items():
        text = text.replace(mark, said[lang == "en"])
    return text


def say(key: str, lang: Lang, **facts: object) -> str:
    """The sentence `key` in `lang` with `facts` filled in. Raises KeyError for a key that does not exist."""
    return catalogue()[key][lang == "en"].format(**facts)
