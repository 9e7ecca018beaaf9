"""Finds cues in a batch of texts: their plain parts, and the gaps between the parts.

Of a cue with gaps only the rarest part is looked for everywhere; where it stands, the parts beside it are asked for by the
hash of the characters in reach. So a cue of three common words costs no more than one rare word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.rules.expand import Phrase
from huitou.text.matcher import Matcher, Table
from huitou.text.normal import Flags, Normal, Places, is_word, normalise

_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_SPREAD = np.uint64(0xD6E8FEB86659FD93)
_RARE = 0.4  # of a thousand characters: one that is not in the list
_COMMON = {
    **dict.fromkeys("0123456789您", 20.0),
    **dict.fromkeys("的是有我单订好问", 9.0),
    **dict.fromkeys("?,可以请到了在不个没哦吗呢这货送要你", 6.0),
    **dict.fromkeys("会就发么能下什时看收后上那给东还都来电天退多过什想用件一", 3.0),
    **dict.fromkeys("买说大小家再也去点对把先开没做价快钱客服", 1.5),
}
_COMMON_WORDS = {
    "可以": 8.0,
    "订单": 8.0,
    "请问": 4.0,
    "好的": 3.5,
    "没有": 2.5,
    "什么": 2.5,
    "谢谢": 2.5,
    "怎么": 1.5,
    "这个": 1.5,
}


@dataclass(frozen=True, slots=True)
class Spans:
    """Where cues stand: cue number and [start, end) among the batch's characters."""

    cue: Places
    start: Places
    end: Places


class Phrases:
    """Compiled cues, numbered as given. `same`: words that are also typed otherwise."""

    def __init__(self, cues: Sequence[Phrase], same: dict[str, tuple[str, ...]]) -> None:
        forms = list(dict.fromkeys(form for cue in cues for part in cue.parts for form in part))
        plain = dict(zip(forms, normalise(pl.Series(forms, dtype=pl.String)).series()[0].to_list(), strict=True))
        typed = {form: _typed(text, same) for form, text in plain.items()}
        parts = [[[text for form in part for text in typed[form]] for part in cue.parts] for cue in cues]
        anchors = [min(range(len(cue)), key=lambda n: _commonness(cue[n])) for cue in parts]
        self._patterns(parts, anchors)
        self._links(cues, parts, anchors)
        self._at_start = np.array([cue.at_start for cue in cues], dtype=bool)
        self._at_end = np.array([cue.at_end for cue in cues], dtype=bool)
        self._letters = np.array([chr(c).isalpha() + 2 * chr(c).isdigit() if c < 128 else 0 for c in range(129)], dtype=np.int8)

    def _patterns(self, parts: list[list[list[str]]], anchors: list[int]) -> None:
        """The plain texts that are looked for, and for each the cues that it opens."""
        of: dict[str, dict[int, None]] = {}
        for cue, anchor in enumerate(anchors):
            for text in parts[cue][anchor]:
                of.setdefault(text, {})[cue] = None
        self.patterns = tuple(of)
        self.matcher = Matcher(self.patterns, {sign for cue in parts for part in cue for text in part for sign in text})
        self._count = np.array([len(cues) for cues in of.values()], dtype=np.int64)
        self._from = np.cumsum(self._count) - self._count
        self._cue = np.array([cue for cues in of.values() for cue in cues], dtype=np.int64)

    def _links(self, cues: Sequence[Phrase], parts: list[list[list[str]]], anchors: list[int]) -> None:
        """What is asked for beside an anchor, first to the right, then to the left: by the nearest sign and by hash."""
        first, right, gaps, keys = [0], list[bool](), list[int](), list[tuple[int, str]]()
        for cue, anchor in enumerate(anchors):
            asked = [(n, True, cues[cue].gaps[n - 1]) for n in range(anchor + 1, len(parts[cue]))]
            asked += [(n, False, cues[cue].gaps[n]) for n in range(anchor - 1, -1, -1)]
            for part, rightward, gap in asked:
                keys += [(len(right), text) for text in parts[cue][part]]
                right.append(rightward)
                gaps.append(gap + 1)
            first.append(len(right))
        self._first, self._right, self._gaps = np.array(first), np.array(right, dtype=bool), np.array(gaps, dtype=np.int64)
        joined = np.frombuffer("".join(text for _, text in keys).encode("utf-32-le"), dtype="<u4")
        ends = np.cumsum([0, *(len(text) for _, text in keys)])
        links = np.array([link for link, _ in keys], dtype=np.int64)
        hashes = np.unique(_Hashes(joined).of(ends[:-1], ends[1:], links))
        self._parts = Table(hashes, np.ones(len(hashes), dtype=np.int64))
        classes, sizes = self.matcher.classes(joined), np.diff(ends)
        self._begins = np.zeros((len(right), self.matcher.width), dtype=bool)
        nearest = np.where(self._right[links], ends[:-1], ends[1:] - 1) if len(links) else links
        self._begins[links, classes[nearest]] = True
        lengths = [sorted(set(sizes[links == link].tolist())) for link in range(len(right))]
        self._sizes_of = np.array([len(some) for some in lengths], dtype=np.int64)
        self._sizes_from = np.cumsum(self._sizes_of) - self._sizes_of
        self._sizes = np.array([size for some in lengths for size in some], dtype=np.int64)

    def find(self, normal: Normal, clause: Places) -> Spans:
        """Every cue at every place; `clause`: the number of each character's clause, which no gap may leave."""
        classes = self.matcher.classes(normal.codes)
        finds = self.matcher.find(normal, classes)
        within = self._within(normal)
        whole = ~(within[finds.start] | within[finds.end])
        pattern = finds.pattern[whole]
        each, nth = _spread(self._count[pattern])
        cue = self._cue[self._from[pattern[each]] + nth]
        start, end = finds.start[whole][each], finds.end[whole][each]
        link = self._first[cue]
        open_ = link < self._first[cue + 1]
        out = [(cue[~open_], start[~open_], end[~open_])]
        cue, link, start, end = cue[open_], link[open_], start[open_], end[open_]
        text = _Text(normal, classes, clause, within, _Hashes(normal.codes)) if len(cue) else None
        while text and len(cue):
            which, start, end = self._beside(text, link, start, end)
            cue, link = cue[which], link[which] + 1
            done = link == self._first[cue + 1]
            out.append((cue[done], start[done], end[done]))
            cue, link, start, end = cue[~done], link[~done], start[~done], end[~done]
        cue, start, end = (np.concatenate(part) for part in zip(*out, strict=True))
        return self._anchored(Spans(cue, start, end), normal)

    def _beside(self, text: "_Text", link: Places, start: Places, end: Places) -> tuple[Places, Places, Places]:
        """Which open cues go on with what is asked for beside them, and their new start and end; every way in which one does."""
        each, gap = _spread(self._gaps[link])
        right = self._right[link[each]]
        near = np.where(right, end[each] + gap, start[each] - 1 - gap)
        fits = (near >= 0) & (near < len(text.classes))
        each, near, right = each[fits], near[fits], right[fits]
        fits = self._begins[link[each], text.classes[near]]
        each, near, right = each[fits], near[fits], right[fits]
        fits = text.clause[near] == text.clause[start[each]]
        each, near, right = each[fits], near[fits], right[fits]
        again, nth = _spread(self._sizes_of[link[each]])
        each, near, right = each[again], near[again], right[again]
        size = self._sizes[self._sizes_from[link[each]] + nth]
        low = np.where(right, near, near + 1 - size)
        high = low + size
        fits = (low >= 0) & (high <= len(text.classes))
        each, low, high = each[fits], low[fits], high[fits]
        fits = ~(text.within[low] | text.within[high]) & (text.normal.rows[low] == text.normal.rows[high - 1])
        each, low, high = each[fits], low[fits], high[fits]
        there = self._parts.get(text.hashes.of(low, high, link[each])) > 0
        each, low, high = each[there], low[there], high[there]
        return each, np.minimum(start[each], low), np.maximum(end[each], high)

    def _within(self, normal: Normal) -> Flags:
        """Before which characters (and the end) a Latin word or a number goes on."""
        kind = self._letters.take(normal.codes, mode="clip")
        out = np.zeros(len(kind) + 1, dtype=bool)
        out[1:-1] = (kind[1:] == kind[:-1]) & (kind[1:] > 0)
        begins = normal.first[:-1]
        out[begins] = False
        return out

    def _anchored(self, spans: Spans, normal: Normal) -> Spans:
        """Without those that should begin or end a text and do not; signs around a text's words do not count."""
        bound = np.flatnonzero(self._at_start[spans.cue] | self._at_end[spans.cue])
        if not len(bound):
            return spans
        first, last = _core(normal)
        row, cue = normal.rows[spans.start[bound]], spans.cue[bound]
        off = (self._at_start[cue] & (spans.start[bound] > first[row])) | (self._at_end[cue] & (spans.end[bound] < last[row]))
        keep = np.ones(len(spans.cue), dtype=bool)
        keep[bound[off]] = False
        return Spans(spans.cue[keep], spans.start[keep], spans.end[keep])


@dataclass(frozen=True, slots=True)
class _Text:
    """A batch and what is known of each of its characters."""

    normal: Normal
    classes: Places
    clause: Places
    within: Flags
    hashes: "_Hashes"


class _Hashes:
    """Hashes of any stretch of a text: differences of the prefixes' sums of character × base^place, moved to place 0."""

    def __init__(self, codes: npt.NDArray[np.uint32]) -> None:
        powers = np.full(len(codes) + 1, _BASE, dtype=np.uint64)
        powers[0] = 1
        np.cumprod(powers, out=powers)
        self._sums = np.zeros(len(codes) + 1, dtype=np.uint64)
        np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * powers[:-1], out=self._sums[1:])
        powers[1:] = _INVERSE
        powers[0] = 1
        self._back = np.cumprod(powers)

    def of(self, start: Places, end: Places, salt: Places) -> Places:
        """The hash of each [start, end) together with a number, ≥ 0."""
        plain = (self._sums[end] - self._sums[start]) * self._back[start]
        mixed = (plain ^ (salt.astype(np.uint64) * _SPREAD)) * _SPREAD
        return (mixed >> np.uint64(1)).astype(np.int64)


def _typed(form: str, same: dict[str, tuple[str, ...]]) -> list[str]:
    """A form, and the form with one of its words typed otherwise."""
    return [form, *(form.replace(word, other) for word, others in same.items() if word in form for other in others)]


def _commonness(texts: Sequence[str]) -> float:
    """How often one of some texts stands among a thousand characters, roughly."""
    return sum(
        _COMMON_WORDS.get(text, min(_COMMON.get(sign, _RARE) for sign in text) * 0.08 ** (len(text) - 1)) for text in texts
    )


def _spread(count: Places) -> tuple[Places, Places]:
    """For as many of each as `count` says: the number of which it is one, and its number among them from 0."""
    each = np.repeat(np.arange(len(count)), count)
    return each, np.arange(len(each)) - np.repeat(np.cumsum(count) - count, count)


def _core(normal: Normal) -> tuple[Places, Places]:
    """Where each row's first and last letters, digits or characters stand (end exclusive), without signs around them."""
    at = np.flatnonzero(is_word(normal.codes))
    low = np.searchsorted(at, normal.first[:-1])
    high = np.searchsorted(at, normal.first[1:]) - 1
    some = low <= high
    padded = np.append(at, 0)
    return np.where(some, padded[low], normal.first[:-1]), np.where(some, padded[high] + 1, normal.first[1:])


__all__ = ["Phrases", "Spans"]
