"""Text that somebody else wrote, made fit to be shown: what cannot be seen is taken out, what is marked is cut in pieces."""

import re
from collections.abc import Iterable

_ANSI = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
_HALVES = re.compile("[\ud800-\udfff\ufffe\uffff]")  # lone surrogates and non-characters: no file may hold them
_STACKED = re.compile("([\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]{3})[\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]+")
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


def shown(text: str) -> str:
    """`text` without escape sequences, control, bidi and zero-width characters; lone surrogates become U+FFFD."""
    return _STACKED.sub(r"\1", _HALVES.sub("\ufffd", _UNSEEN.sub("", _ANSI.sub("", text))))


def line(text: str, most: int = 400) -> str:
    """`shown` on one line of at most `most` characters; what was cut off is an ellipsis."""
    flat = " ".join(shown(text).split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def pieces(text: str, marks: Iterable[tuple[int, int]], most: int = 600) -> list[tuple[str, bool]]:
    """`text` cut at the [start, end) spans of `marks`: (piece, is it marked); spans out of range or overlapping are mended."""
    out: list[tuple[str, bool]] = []
    at, end_of_text = 0, min(len(text), most)
    for start, end in sorted(marks):
        start, end = max(start, at), min(end, end_of_text)
        if start >= end:
            continue
        out += [(text[at:start], False), (text[start:end], True)]
        at = end
    out.append((text[at:end_of_text] + ("…" if len(text) > end_of_text else ""), False))
    return [(clean, marked) for piece, marked in out if (clean := shown(piece))]


def cell(text: str) -> str:
    """`shown` for a spreadsheet: at most 32,000 characters, and whatever a spreadsheet might run is led by an apostrophe."""
    clean = shown(text)[:32_000]
    first = (clean[:1], clean.lstrip()[:1])
    return f"'{clean}" if _FORMULA.intersection(first) else clean
