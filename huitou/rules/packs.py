"""Reads rule packs: ``packs/*.toml`` here and ``rules/*.toml`` of a workspace, through the same door."""

import tomllib
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, get_args, get_type_hints

from huitou.errors import SettingsError, UnknownName
from huitou.rules.model import Rule, RulePack, Trust

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
        raise UnknownName("rule pack", name, files)
    file = files[name]
    try:
        raw = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(file.name, "the file", f"is not TOML ({error})", "Mend the line it names.") from None
    rules = {key: _rule(file, key, raw.get("rules", {}).get(key)) for key in _VALUES}
    valid_from = raw.get("valid_from")
    if not isinstance(valid_from, date):
        raise SettingsError(file.name, "valid_from", "is not a date", "Write it as 2025-06-01, without quotes.")
    values: dict[str, Any] = {key: rule.value for key, rule in rules.items()}
    values |= {key: _head(file, raw, key) for key in ("platform", "zh", "en")}
    return RulePack(id=name, valid_from=valid_from, rules=rules, **values)


def _head(file: Path, raw: dict[str, Any], key: str) -> str:
    if not isinstance(raw.get(key), str):
        raise SettingsError(file.name, key, "is missing", "Write it as text at the head of the file.")
    return str(raw[key])


def _rule(file: Path, key: str, raw: dict[str, Any] | None) -> Rule:
    """One ``[rules.KEY]`` table, its value checked against the field's type; no ``value`` means None."""
    if raw is None:
        raise SettingsError(file.name, f"rules.{key}", "is missing", "Copy the table from a built-in pack and set its value.")
    value = raw.get("value")
    allowed = get_args(_TYPES[key]) or (_TYPES[key],)
    right = any(value is None if a is type(None) else type(value) is a if isinstance(a, type) else value == a for a in allowed)
    if not right:
        names = " or ".join("no value" if a is type(None) else getattr(a, "__name__", repr(a)) for a in allowed)
        raise SettingsError(file.name, f"rules.{key}", f"has the value {value!r}", f"It must be {names}.")
    missing = [k for k in ("zh", "en", "source", "trust") if not isinstance(raw.get(k), str)]
    if missing or raw["trust"] not in get_args(Trust):
        says = f"lacks {', '.join(missing)}" if missing else f"has the trust mark {raw['trust']!r}"
        raise SettingsError(file.name, f"rules.{key}", says, "Every rule names zh, en, source and trust (A, B or C).")
    return Rule(value, raw.get("unit"), raw["zh"], raw["en"], raw["source"], raw["trust"])
