"""Reads rule packs: ``packs/*.toml`` here and ``rules/*.toml`` of a workspace, through the same door."""

import tomllib
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, get_args, get_type_hints

from huitou.errors import Say, SettingsError, UnknownName
from huitou.rules.model import Rule, RulePack, Trust
from huitou.rules.toml import not_toml

BUILT_IN = Path(__file__).parent / "packs"
_HEAD = ("id", "platform", "zh", "en", "valid_from", "rules")
_VALUES = tuple(f.name for f in fields(RulePack) if f.name not in _HEAD)
_TYPES = get_type_hints(RulePack)


def pack_files(folder: Path | None = None) -> dict[str, Path]:
    """Every known pack's file by its id (= the file's stem); a workspace's own pack wins over a built-in one."""
    own = sorted((folder / "rules").glob("*.toml")) if folder else []
    return {f.stem: f for f in (*sorted(BUILT_IN.glob("*.toml")), *own)}


def load_pack(name: str, folder: Path | None = None) -> RulePack:
    """The pack called `name`; `folder` is a workspace whose ``rules/`` may hold more packs.

    Raises UnknownName for a name that no file has, SettingsError for a file that lacks a value or has a wrong one.
    """
    files = pack_files(folder)
    if name not in files:
        raise UnknownName(Say("规则包（huitou.toml 里的 rules）", "rule pack (rules in huitou.toml)"), name, files)
    file = files[name]
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise not_toml(file, error) from None
    rules = {key: _rule(file, key, raw.get("rules", {}).get(key)) for key in _VALUES}
    valid_from = raw.get("valid_from")
    if not isinstance(valid_from, date):
        fix = Say("写成 2025-06-01，不加引号。", "Write it as 2025-06-01, without quotes.")
        raise SettingsError(file.name, "valid_from", Say("不是日期", "is not a date"), fix)
    values: dict[str, Any] = {key: rule.value for key, rule in rules.items()}
    values |= {key: _head(file, raw, key) for key in ("platform", "zh", "en")}
    return RulePack(id=name, valid_from=valid_from, rules=rules, **values)


def _head(file: Path, raw: dict[str, Any], key: str) -> str:
    if not isinstance(raw.get(key), str):
        fix = Say("在文件开头写上，加引号。", "Write it as text at the head of the file.")
        raise SettingsError(file.name, key, Say("没有写", "is missing"), fix)
    return str(raw[key])


def _rule(file: Path, key: str, raw: dict[str, Any] | None) -> Rule:
    """One ``[rules.KEY]`` table, its value checked against the field's type; no ``value`` means None."""
    if raw is None:
        fix = Say("从自带的规则包抄来这一节，再改数值。", "Copy the table from a built-in pack and set its value.")
        raise SettingsError(file.name, f"rules.{key}", Say("没有写", "is missing"), fix)
    value = raw.get("value")
    allowed = get_args(_TYPES[key]) or (_TYPES[key],)
    right = any(value is None if a is type(None) else type(value) is a if isinstance(a, type) else value == a for a in allowed)
    if not right:
        names = ["–" if a is type(None) else getattr(a, "__name__", repr(a)) for a in allowed]
        fix = Say(f"只能是 {' 或 '.join(names)}。", f"It must be {' or '.join(names)}.")
        raise SettingsError(file.name, f"rules.{key}", Say(f"的值是 {value!r}", f"has the value {value!r}"), fix)
    missing = [k for k in ("zh", "en", "source", "trust") if not isinstance(raw.get(k), str)]
    if missing or raw["trust"] not in get_args(Trust):
        lacks = Say(f"缺少 {'、'.join(missing)}", f"lacks {', '.join(missing)}")
        says = lacks if missing else Say(f"的可信度是 {raw['trust']!r}", f"has the trust mark {raw['trust']!r}")
        fix = Say("每条规则写 zh、en、source 和 trust（A、B 或 C）。", "Every rule names zh, en, source and trust (A, B or C).")
        raise SettingsError(file.name, f"rules.{key}", says, fix)
    return Rule(value, raw.get("unit"), raw["zh"], raw["en"], raw["source"], raw["trust"])
