"""Numbers, money, dates and ranges as the two languages write them; fen become yuan only here."""

from collections.abc import Sequence
from datetime import date

from huitou.findings.stats import Estimate


def pct(share: float) -> str:
    """0.3004 → 30.0%."""
    return f"{100 * share:.1f}%"


def pct0(share: float) -> str:
    """0.832 → 83%."""
    return f"{100 * share:.0f}%"


def span(e: Estimate, factor: float = 100.0) -> str:
    """The interval as 29.0–31.0, in percent by default."""
    return f"{factor * e.low:.1f}–{factor * e.high:.1f}"


def points(difference: float) -> str:
    """0.1502 → 15.0."""
    return f"{100 * abs(difference):.1f}"


def count(n: float) -> str:
    """1158 → 1,158."""
    return f"{round(n):,}"


def wan(fen: float) -> str:
    """Fen as 万元 to the thousand: 6,384,000 → 6.4 万元; below a thousand yuan in yuan."""
    yuan = fen / 100
    return f"{yuan / 10_000:.1f} 万元" if abs(yuan) >= 1000 else f"{yuan:.0f} 元"


def cny(fen: float, currency: str = "CNY") -> str:
    """Fen in English: CNY 64,000, to the thousand; below a thousand to the unit."""
    yuan = fen / 100
    return f"{currency} {round(yuan, -3):,.0f}" if abs(yuan) >= 1000 else f"{currency} {yuan:.0f}"


def yuan(fen: float) -> str:
    """Fen as yuan: 26,812 → 268 元."""
    return f"{fen / 100:,.0f} 元"


def seconds_zh(s: float) -> str:
    """252 → 4 分 12 秒; 41 → 41 秒; 2 820 → 47 分."""
    s = round(s)
    if s < 60:
        return f"{s} 秒"
    if s < 600:
        return f"{s // 60} 分" + (f" {s % 60} 秒" if s % 60 else "")
    return f"{s / 60:.0f} 分" if s < 5400 else f"{s / 3600:.1f} 小时"


def seconds_en(s: float) -> str:
    """252 → 4 min 12 s."""
    s = round(s)
    if s < 60:
        return f"{s} s"
    if s < 600:
        return f"{s // 60} min" + (f" {s % 60} s" if s % 60 else "")
    return f"{s / 60:.0f} min" if s < 5400 else f"{s / 3600:.1f} h"


def day_zh(d: date) -> str:
    """5月19日."""
    return f"{d.month}月{d.day}日"


def day_en(d: date) -> str:
    """19 May."""
    return f"{d.day} {d:%b}"


def list_zh(names: Sequence[str], most: int = 4) -> str:
    """Names joined by 、, and how many more."""
    shown = "、".join(names[:most])
    return shown if len(names) <= most else f"{shown}等 {len(names)} 项"


def list_en(names: Sequence[str], most: int = 4) -> str:
    """Names joined by commas, and how many more."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


SELLING = (
    "男士",
    "女士",
    "男款",
    "女款",
    "男女",
    "儿童",
    "大容量",
    "新款",
    "正品",
    "高级",
    "真皮",
    "手提单肩",
    "可扩容",
    "商务手提",
    "【",
    " ",
    "-",
)
MOST_CHARS = 12


def short_names(titles: Sequence[str]) -> list[str]:
    """Product titles cut to their name: without the brand that most begin with, and up to the first selling word.

    青麓云朗公文包男士头层牛皮… → 云朗公文包.
    """
    brand = ""
    for end in range(2, 7):
        heads = [t[:end] for t in titles if len(t) > end]
        head = max(set(heads), key=lambda h: (heads.count(h), h), default="")
        if len(heads) >= 3 and heads.count(head) >= 0.6 * len(titles):
            brand = head
    out = []
    for title in titles:
        name = title.removeprefix(brand).strip()
        cut = min((p for w in SELLING if (p := name.find(w)) >= 3), default=len(name))
        out.append(name[: min(cut, MOST_CHARS)] or title)
    return out


def hours_zh(hours: Sequence[int]) -> str:
    """[20, 21, 22, 9] → 9 点、20–22 点."""
    return "、".join(f"{a} 点" if a == b else f"{a}–{b} 点" for a, b in _runs(hours))


def hours_en(hours: Sequence[int]) -> str:
    """[20, 21, 22, 9] → 9:00–9:59, 20:00–22:59."""
    return ", ".join(f"{a}:00–{b}:59" for a, b in _runs(hours))


def _runs(hours: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for h in sorted(hours):
        if runs and runs[-1][1] == h - 1:
            runs[-1] = (runs[-1][0], h)
        else:
            runs.append((h, h))
    return runs
