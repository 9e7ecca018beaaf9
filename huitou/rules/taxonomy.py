"""Reads taxonomies: ``taxonomies/*.toml`` here and in a workspace, whose files extend the built-in ones through the same door.

A file names its taxonomy and its leaves. A leaf has zh, en, who can act, a remedy and lists of cues (`expand.py` says how a
cue is written; a list is a TOML array, or one text with white space between the cues): ``strong``, ``cues`` and ``weak`` show it,
``good`` and ``bad`` show it and say how the writer found it, ``not`` rules it out in the same clause. A workspace's leaf of
a known code adds its cues to the built-in ones; ``replace = true`` puts it in their place.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from huitou.errors import Say, SettingsError
from huitou.rules.expand import Phrase, expand
from huitou.rules.toml import not_toml

BUILT_IN = Path(__file__).parent / "taxonomies"
Actor = Literal["product", "price", "service", "logistics", "customer", "system"]
Kind = Literal["strong", "cues", "weak", "good", "bad", "not"]
Policy = Literal["keep", "drop", "only"]
_TEXTS = ("zh", "en", "remedy_zh", "remedy_en")
_HEAD = ("taxonomy", "zh", "en", "version", "speaker", "sets", "leaves", "crosswalk", "same", "counters")
_LEAF = (*_TEXTS, *get_args(Kind), "who", "asked", "negated", "quality", "replace", "group")


@dataclass(frozen=True, slots=True)
class Cue:
    """One way in which a leaf is said. `kind` not: it rules the leaf out."""

    kind: Kind
    phrase: Phrase


@dataclass(frozen=True, slots=True)
class Leaf:
    """One code: names, who acts, the remedy, how people say it. `asked`, `negated`: what a question, a negation makes of it."""

    code: str
    zh: str
    en: str
    who: Actor
    remedy: Say
    cues: tuple[Cue, ...]
    asked: Policy
    negated: Policy
    quality: bool = False  # of a return reason: it counts against the goods
    group: str = ""


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Leaves by code in the files' order. `version` names the files' words; `crosswalk`: platform → its own words → code."""

    id: str
    zh: str
    en: str
    version: str
    speaker: Literal["customer", "agent", "any"]
    leaves: dict[str, Leaf]
    crosswalk: dict[str, dict[str, str]] = field(default_factory=dict)
    counters: Literal["clause", "place"] = (
        "clause"  # where a counter-cue rules a leaf out: in its clause, or only where they overlap
    )


@dataclass(frozen=True, eq=False)
class Words:
    """All taxonomies, and the other ways in which a word is typed (evasions, homophones, slips). Same files, same object."""

    taxonomies: dict[str, Taxonomy]
    same: dict[str, tuple[str, ...]]

    @property
    def version(self) -> str:
        """One mark for the words of all taxonomies together."""
        return hashlib.sha256("".join(t.version for t in self.taxonomies.values()).encode()).hexdigest()[:8]


def load_taxonomies(folder: Path | None = None) -> Words:
    """Every taxonomy; `folder` is a workspace whose ``taxonomies/`` may extend them.

    Raises SettingsError for a file that is no TOML, an unknown key, a leaf without its names or cues, a cue that cannot be read.
    """
    own = sorted((folder / "taxonomies").glob("*.toml")) if folder else []
    return _words(tuple((file, file.read_bytes()) for file in (*sorted(BUILT_IN.glob("*.toml")), *own)))


@lru_cache(maxsize=2)
def _words(files: tuple[tuple[Path, bytes], ...]) -> Words:
    """Reading thousands of cues takes half a second: what is unchanged is read once in a process."""
    taxonomies: dict[str, Taxonomy] = {}
    same: dict[str, tuple[str, ...]] = {}
    sets: dict[str, list[str]] = {}
    raws = [(file, _read(file, content)) for file, content in files]
    for file, raw in raws:
        sets |= {name: _list(file, f"sets.{name}", words) for name, words in _table(file, raw, "sets").items()}
        for word, others in _table(file, raw, "same").items():
            same[word] = (*same.get(word, ()), *_list(file, f"same.{word}", others))
    for file, raw in raws:
        name = raw.get("taxonomy")
        if name is None and not raw.get("leaves"):
            continue
        if not isinstance(name, str) or (name not in taxonomies and file.parent != BUILT_IN and not raw.get("zh")):
            says = Say(f"的值是 {name!r}", f"has the value {name!r}")
            known = "、".join(taxonomies)
            raise SettingsError(file.name, "taxonomy", says, Say(f"写其中一个：{known}。", f"Name one of: {known}."))
        taxonomies[name] = _taxonomy(file, raw, sets, taxonomies.get(name))
    return Words(taxonomies, same)


def _read(file: Path, content: bytes) -> dict[str, Any]:
    try:
        raw = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise not_toml(file, error) from None
    _known(file, "", raw, _HEAD)
    return raw


def _known(file: Path, where: str, raw: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in raw:
        if key not in keys:
            fix = Say(f"可用：{'、'.join(keys)}。", f"Known: {', '.join(keys)}.")
            raise SettingsError(file.name, f"{where}{key}", Say("不是这里的键", "is no key here"), fix)


def _table(file: Path, raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        says, fix = Say("不是一节", "is no table"), Say(f"写成 [{key}]。", f"Write it as [{key}].")
        raise SettingsError(file.name, key, says, fix)
    return value


def _list(file: Path, where: str, value: object) -> list[str]:
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        says = Say("既不是文字也不是一列文字", "is neither text nor a list of texts")
        fix = Say('写成 ["太贵", "贵了"] 或 "太贵 贵了"。', 'Write ["too dear", "dear"] or "太贵 贵了".')
        raise SettingsError(file.name, where, says, fix)
    return words


def _taxonomy(file: Path, raw: dict[str, Any], sets: dict[str, list[str]], before: Taxonomy | None) -> Taxonomy:
    print_ = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    leaves = dict(before.leaves) if before else {}
    for code, leaf in _table(file, raw, "leaves").items():
        known = None if leaf.get("replace") else leaves.get(code)
        leaves[code] = _leaf(file, code, leaf, sets, known)
    crosswalk = dict(before.crosswalk) if before else {}
    for platform, pairs in _table(file, raw, "crosswalk").items():
        for said, code in pairs.items():
            if code not in leaves:
                fix = Say("写本文件里有的编码。", "Write a code of this taxonomy.")
                raise SettingsError(file.name, f"crosswalk.{platform}.{said}", Say(f"没有编码 {code}", f"knows no {code}"), fix)
        crosswalk[platform] = {**crosswalk.get(platform, {}), **pairs}
    if before:
        return replace(before, version=f"{before.version}+{print_}", leaves=leaves, crosswalk=crosswalk)
    missing = [key for key in ("zh", "en", "version", "speaker") if not isinstance(raw.get(key), str)]
    if missing:
        says = Say(f"缺少 {'、'.join(missing)}", f"lacks {', '.join(missing)}")
        raise SettingsError(file.name, "", says, Say("在文件开头写上。", "Write it at the head of the file."))
    if raw["speaker"] not in ("customer", "agent", "any") or raw.get("counters", "clause") not in ("clause", "place"):
        fix = Say(
            "speaker：customer、agent 或 any；counters：clause 或 place。",
            "speaker: customer, agent or any; counters: clause or place.",
        )
        raise SettingsError(file.name, "speaker / counters", Say("的值不认识", "has an unknown value"), fix)
    return Taxonomy(
        raw["taxonomy"],
        raw["zh"],
        raw["en"],
        f"{raw['version']}.{print_}",
        raw["speaker"],
        leaves,
        crosswalk,
        raw.get("counters", "clause"),
    )


def _leaf(file: Path, code: str, raw: dict[str, Any], sets: dict[str, list[str]], known: Leaf | None) -> Leaf:
    where = f"leaves.{code}"
    _known(file, f"{where}.", raw, _LEAF)
    cues = tuple(
        Cue(kind, _phrase(file, where, cue, sets)) for kind in get_args(Kind) for cue in _list(file, where, raw.get(kind, []))
    )
    if known:
        return replace(known, cues=(*known.cues, *cues))
    missing = [key for key in ("zh", "en") if not isinstance(raw.get(key), str)]
    if missing or not any(cue.kind != "not" for cue in cues):
        lacks = missing or ["cues"]
        says = Say(f"缺少 {'、'.join(lacks)}", f"lacks {', '.join(lacks)}")
        fix = Say("每个编码都要有 zh、en 和 cues。", "Every leaf names zh, en and cues.")
        raise SettingsError(file.name, where, says, fix)
    who = raw.get("who", "service")
    policies = {key: raw.get(key, "keep") for key in ("asked", "negated")}
    wrong = [("who", who, get_args(Actor))] if who not in get_args(Actor) else []
    wrong += [(key, value, get_args(Policy)) for key, value in policies.items() if value not in get_args(Policy)]
    for key, value, allowed in wrong:
        fix = Say(f"只能是 {'、'.join(allowed)}。", f"It must be one of {', '.join(allowed)}.")
        raise SettingsError(file.name, f"{where}.{key}", Say(f"的值是 {value!r}", f"has the value {value!r}"), fix)
    remedy = Say(raw.get("remedy_zh", ""), raw.get("remedy_en", ""))
    quality, group = bool(raw.get("quality", False)), raw.get("group", code.rpartition(".")[0])
    return Leaf(code, raw["zh"], raw["en"], who, remedy, cues, policies["asked"], policies["negated"], quality, group)


def _phrase(file: Path, where: str, cue: str, sets: dict[str, list[str]]) -> Phrase:
    try:
        return expand(cue, sets)
    except ValueError as error:
        says = Say(f"的说法「{cue}」读不懂（{error}）", f"has the cue «{cue}» that cannot be read ({error})")
        fix = Say("写法见 huitou/rules/expand.py 开头。", "How cues are written stands at the head of huitou/rules/expand.py.")
        raise SettingsError(file.name, where, says, fix) from None
