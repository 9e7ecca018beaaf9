"""What buyers and agents of the demo shop say, as data: TOML files beside this one, read once."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def phrases(name: str) -> dict[str, Any]:
    """The parsed file ``name.toml`` of this folder."""
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


_BAGS_ONLY = (
    "肩带", "斜挎", "电脑", "笔记本", "平板", "拉杆", "雨伞", "提手", "背", "A4", "登机", "鞋仓", "usb", "充电", "画板", "寸",
    "出差", "容量", "保温杯", "个子", "斤", "底部", "硬板", "侧袋", "手提", "合同", "文件",
)  # fmt: skip
_UNFIT = {
    "bag": ("腰", "驾照", "零钱", "卡位", "口袋"),
    "small": (*_BAGS_ONLY, "腰"),
    "belt": (
        *_BAGS_ONLY, "拉链", "隔层", "里布", "里衬", "里面那层", "几层", "内袋", "放得下", "包里", "驾照", "零钱", "卡位",
        "长宽", "塌",
    ),
}  # fmt: skip


@cache
def fitting(kind: str, name: str, *path: str) -> tuple[str, ...]:
    """The lines or scripts at `path` of a file that make sense for a bag, a small piece or a belt (all, if none does)."""
    found: Any = phrases(name)
    for step in path:
        found = found[step]
    return tuple(t for t in found if not any(word in t for word in _UNFIT[kind])) or tuple(found)
