"""Reads ``cues.toml``: the words by which chats and reviews are sorted roughly, with what can be done about each."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from huitou.errors import Say, SettingsError
from huitou.rules.toml import not_toml

CUE_FILE = Path(__file__).parent / "cues.toml"


@dataclass(frozen=True, slots=True)
class Cue:
    """One leaf: its taxonomy code, names, the substrings that show it and those that rule it out.

    `more` holds the leaf's other texts: what customers ask for (ask, ask_en), who acts and what to do (owner, do_zh, do_en).
    """

    code: str
    zh: str
    en: str
    cues: tuple[str, ...]
    counter: tuple[str, ...]
    more: dict[str, str]


@dataclass(frozen=True, slots=True)
class Cues:
    """All leaves: reasons of lost inquiries, complaints of reviews, and the single word lists, in the file's order."""

    loss: tuple[Cue, ...]
    complaint: tuple[Cue, ...]
    words: dict[str, Cue]


@cache
def load_cues(file: Path = CUE_FILE) -> Cues:
    """The cue lists. Raises SettingsError for a leaf without names or cues."""
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise not_toml(file, error) from None
    groups = {
        g: tuple(_cue(file, g, code, leaf) for code, leaf in raw.get(g, {}).items()) for g in ("loss", "complaint", "words")
    }
    return Cues(groups["loss"], groups["complaint"], {c.code: c for c in groups["words"]})


def _cue(file: Path, group: str, code: str, leaf: dict[str, Any]) -> Cue:
    if not leaf.get("cues") or not all(isinstance(leaf.get(k), str) for k in ("zh", "en")):
        says, fix = Say("缺少 zh、en 或 cues", "lacks zh, en or cues"), Say("三样都要写。", "Every leaf names all three.")
        raise SettingsError(file.name, f"{group}.{code}", says, fix)
    more = {k: v for k, v in leaf.items() if k not in ("zh", "en", "cues", "not")}
    return Cue(code, leaf["zh"], leaf["en"], tuple(leaf["cues"]), tuple(leaf.get("not", ())), more)
