"""Reads goals: ``goals/*.toml``, what platforms and the trade ask for, each with its source and trust mark."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from huitou.errors import Say, SettingsError, UnknownName
from huitou.rules.model import Trust
from huitou.rules.toml import not_toml

GOAL_FILES = Path(__file__).parent / "goals"


@dataclass(frozen=True, slots=True)
class Target:
    """One metric's value to reach (share 0…1, seconds, ratio): who says so, and how far that can be trusted."""

    metric: str
    value: float
    origin: Literal["platform", "company", "industry"]
    zh: str
    en: str
    source: Say
    trust: Trust


def industries(folder: Path = GOAL_FILES) -> tuple[str, ...]:
    """The industries that have a goals file, as huitou.toml may name them."""
    found = (_read(f).get("industry") for f in folder.glob("*.toml"))
    return tuple(sorted(name for name in found if name))


def load_goals(
    platform: str, industry: str | None = None, company: Mapping[str, float] | None = None, *, folder: Path = GOAL_FILES
) -> dict[str, tuple[Target, ...]]:
    """Targets by metric id, the shop's own first, then the platform's, then its industry's, then the trade's.

    `company` is ``[goals]`` of huitou.toml. Raises UnknownName for an industry without a file, SettingsError for a goals
    file that lacks a value, a source or a trust mark.
    """
    if industry is not None and industry not in industries(folder):
        raise UnknownName(Say("行业", "industry"), industry, industries(folder))
    found = [
        Target(m, v, "company", "本店目标", "own goal", Say("huitou.toml 的 [goals]", "[goals] of huitou.toml"), "A")
        for m, v in (company or {}).items()
    ]
    general: list[Target] = []
    for file in sorted(folder.glob("*.toml")):
        raw = _read(file)
        if "platforms" in raw and platform in raw["platforms"]:
            found += _targets(file, raw)
        elif raw.get("industry") and raw["industry"] == industry:
            general[:0] = _targets(file, raw)
        elif "platforms" not in raw and "industry" not in raw:
            general += _targets(file, raw)
    by_metric: dict[str, tuple[Target, ...]] = {}
    for target in (*found, *general):
        by_metric[target.metric] = (*by_metric.get(target.metric, ()), target)
    return by_metric


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise not_toml(file, error) from None


def _targets(file: Path, raw: dict[str, Any]) -> list[Target]:
    origin, out = raw.get("origin"), []
    if origin not in ("platform", "industry"):
        fix = Say("写 platform 或 industry。", "Write platform or industry.")
        raise SettingsError(file.name, "origin", Say(f"是 {origin!r}", f"is {origin!r}"), fix)
    for metric, goal in raw.get("goals", {}).items():
        missing = [k for k in ("zh", "en") if not isinstance(goal.get(k), str)]
        missing += [] if _both(goal.get("source")) else ["source"]
        if missing or goal.get("trust") not in get_args(Trust) or not isinstance(goal.get("value"), int | float):
            lacks = Say(f"缺少 {'、'.join(missing)}", f"lacks {', '.join(missing)}")
            says = lacks if missing else Say("缺少数值 value 或可信度", "lacks a number as value or a trust mark")
            fix = Say(
                "每个目标写 value、zh、en、source（中文、英文各一句）和 trust（A、B 或 C）。",
                "A goal names value, zh, en, source (a sentence in Chinese, one in English) and trust (A, B or C).",
            )
            raise SettingsError(file.name, f"goals.{metric}", says, fix)
        out.append(Target(metric, float(goal["value"]), origin, goal["zh"], goal["en"], Say(*goal["source"]), goal["trust"]))
    return out


def _both(source: object) -> bool:
    return isinstance(source, list) and len(source) == 2 and all(isinstance(said, str) for said in source)
