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


def say(key: str, lang: Lang, **facts: object) -> str:
    """The sentence `key` in `lang` with `facts` filled in. Raises KeyError for a key that does not exist."""
    return catalogue()[key][lang == "en"].format(**facts)
