"""Finds cues in a batch of texts: their plain parts, and the gaps between the parts.

Of a cue with gaps only the rarest part is looked for everywhere; where it stands, the parts beside it are asked for by the
hash of the characters in reach. So a cue of three common words costs no more than one rare word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.rules.expand import LONGEST_GAP, Phrase
from huitou.text.hashes import StretchHashes
from huitou.text.matcher import Classes, Matcher, Table
from huitou.text.normal import DIGIT, LETTER, WORD, Flags, Hashes, Normal, Places, normalise

_OWN_BITS = 20  # of 64, for the signs that begin most links
_LEVELS = (LONGEST_GAP + 1).bit_length()
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
class _Opened:
    """The cues that each pattern opens: `count` of them, from `first` on among `cue`."""

    count: Places
    first: Places
    cue: Places

    @staticmethod
    def of(cues: Sequence[Sequence[int]]) -> "_Opened":
        """The cues that each pattern opens."""
        count = np.array([len(some) for some in cues], dtype=np.int64)
        cue = np.array([one for some in cues for one in some], dtype=np.int64)
        return _Opened(count, np.cumsum(count) - count, cue)

    def by(self, pattern: Places) -> tuple[Places, Places]:
        """For each entry that some patterns open: its number, and which of them opened it."""
        each, nth = _spread(self.count.take(pattern))
        return self.first.take(pattern).take(each) + nth, each


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
        self._at_start = np.array([cue.at_start for cue in cues], dtype=bool)
        self._at_end = np.array([cue.at_end for cue in cues], dtype=bool)
        self._bound = self._at_start | self._at_end
        self._patterns(parts, anchors)
        self._links(cues, parts, anchors)

    def _patterns(self, parts: list[list[list[str]]], anchors: list[int]) -> None:
        """The plain texts that are looked for, and for each the cues that it opens."""
        of: dict[str, dict[int, None]] = {}
        for cue, anchor in enumerate(anchors):
            for text in parts[cue][anchor]:
                of.setdefault(text, {})[cue] = None
        self.patterns = tuple(of)
        self.matcher = Matcher(self.patterns, {sign for cue in parts for part in cue for text in part for sign in text})
        self._whole = _Opened.of([[cue for cue in cues if len(parts[cue]) == 1] for cues in of.values()])
        self._open = _Opened.of([[cue for cue in cues if len(parts[cue]) > 1] for cues in of.values()])

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
        hashes = np.unique(_keys(StretchHashes(joined).of(ends[:-1], ends[1:], links)))
        self._parts = Table(hashes, np.ones(len(hashes), dtype=np.int64))
        classes, sizes = self.matcher.classes(joined), np.diff(ends)
        nearest = np.where(self._right[links], ends[:-1], ends[1:] - 1) if len(links) else links
        self._begin(links * self.matcher.width + classes[nearest], sizes, len(right))
        common = np.zeros(self.matcher.width)
        common[self.matcher.classes(joined)] = [_COMMON.get(chr(sign), _RARE) for sign in joined.tolist()]
        begins = self._begins.reshape(len(right), self.matcher.width) > 0
        self._reach = _Reach(begins, common, self._right, self._gaps)

    def _begin(self, keys: Places, sizes: Places, links: int) -> None:
        """Which lengths the texts have that a link may go on with, by their nearest sign. `keys`: link × width + class."""
        lengths: dict[int, set[int]] = {}
        for key, size in zip(keys.tolist(), sizes.tolist(), strict=True):
            lengths.setdefault(key, set()).add(size)
        numbers: dict[tuple[int, ...], int] = {(): 0}
        self._begins = np.zeros(links * self.matcher.width, dtype=np.uint16)
        for key, some in lengths.items():
            self._begins[key] = numbers.setdefault(tuple(sorted(some)), len(numbers))
        self._sizes_of = np.array([len(some) for some in numbers], dtype=np.int64)
        self._sizes_from = np.cumsum(self._sizes_of) - self._sizes_of
        self._sizes = np.array([size for some in numbers for size in some], dtype=np.int64)

    def find(self, normal: Normal, clause: Places) -> Spans:
        """Every cue at every place; `clause`: the number of each character's clause, which no gap may leave."""
        classes = self.matcher.classes(normal.codes)
        finds = self.matcher.find(normal, classes)
        within = self._within(normal)
        whole = ~(within.take(finds.start) | within.take(finds.end))
        pattern, start, end = finds.pattern[whole], finds.start[whole], finds.end[whole]
        entry, each = self._whole.by(pattern)
        out = [self._at_edges(normal, Spans(self._whole.cue.take(entry), start.take(each), end.take(each)))]
        entry, each = self._open.by(pattern)
        if len(entry):
            text = _Text(normal, classes, clause, within, self._reach.windows(classes), StretchHashes(normal.codes))
            opened = Spans(self._open.cue.take(entry), start.take(each), end.take(each))
            out += [self._at_edges(normal, some) for some in self._closed(text, opened)]
        return Spans(*(np.concatenate(part) for part in zip(*((s.cue, s.start, s.end) for s in out), strict=True)))

    def _closed(self, text: "_Text", opened: Spans) -> Iterator[Spans]:
        """Where all parts of the opened cues stand; first those of two parts, then those of three …"""
        cue, start, end = opened.cue, opened.start, opened.end
        link = self._first.take(cue)
        while len(cue):
            which, start, end = self._beside(text, link, start, end)
            cue, link = cue.take(which), link.take(which) + 1
            last = link == self._first.take(cue + 1)
            done, on = np.flatnonzero(last), np.flatnonzero(~last)
            yield Spans(cue.take(done), start.take(done), end.take(done))
            cue, link, start, end = cue.take(on), link.take(on), start.take(on), end.take(on)

    def _beside(self, text: "_Text", link: Places, start: Places, end: Places) -> tuple[Places, Places, Places]:
        """Which open cues go on with what is asked for beside them, and their new start and end; every way in which one does."""
        some = self._reach.there(text.windows, link, start, end)
        size, of = len(text.classes), link.take(some)
        right = self._right.take(of)
        edge = np.where(right, end.take(some), start.take(some) - 1)
        each, gap = _spread(self._gaps.take(of))
        near = edge.take(each) + np.where(right, 1, -1).take(each) * gap
        begins = self._begins.take((of * self.matcher.width).take(each) + text.classes.take(near, mode="clip"))
        hit = np.flatnonzero(begins != 0)
        each, near, begins = each.take(hit), near.take(hit), begins.take(hit)
        home = text.clause.take(start.take(some.take(each)))
        hit = np.flatnonzero((near >= 0) & (near < size) & (text.clause.take(near, mode="clip") == home))
        each, near, begins = each.take(hit), near.take(hit), begins.take(hit)
        again, nth = _spread(self._sizes_of.take(begins))
        each, near = each.take(again), near.take(again)
        length = self._sizes.take(self._sizes_from.take(begins.take(again)) + nth)
        low = np.where(right.take(each), near, near + 1 - length)
        high = low + length
        hit = np.flatnonzero((low >= 0) & (high <= size))
        each, low, high = each.take(hit), low.take(hit), high.take(hit)
        whole = ~(text.within.take(low) | text.within.take(high)) & (
            text.normal.rows.take(low) == text.normal.rows.take(high - 1)
        )
        hit = np.flatnonzero(whole & (self._parts.get(_keys(text.hashes.of(low, high, of.take(each)))) > 0))
        each, low, high = some.take(each.take(hit)), low.take(hit), high.take(hit)
        return each, np.minimum(start.take(each), low), np.maximum(end.take(each), high)

    def _within(self, normal: Normal) -> Flags:
        """Before which characters (and the end) a Latin word or a number goes on."""
        kind = normal.kinds & (LETTER | DIGIT)
        out = np.zeros(len(kind) + 1, dtype=bool)
        out[1:-1] = (kind[1:] == kind[:-1]) & (kind[1:] > 0)
        begins = normal.first[:-1]
        out[begins] = False
        return out

    def _at_edges(self, normal: Normal, spans: Spans) -> Spans:
        """Without those that should begin or end a text and do not; signs around a text's words do not count."""
        bound = np.flatnonzero(self._bound.take(spans.cue))
        if not len(bound):
            return spans
        cue, start, end = spans.cue.take(bound), spans.start.take(bound), spans.end.take(bound)
        row = normal.rows.take(start)
        first, last = normal.first.take(row), normal.first.take(row + 1)
        words = np.zeros(len(normal.codes) + 1, dtype=np.int32)
        words[1:] = normal.kinds & WORD
        np.cumsum(words, out=words)
        before, after = words.take(first), words.take(last)
        wordless = before == after
        opens = np.where(wordless, start == first, words.take(start) == before)
        closes = np.where(wordless, end == last, words.take(end) == after)
        off = (self._at_start.take(cue) & ~opens) | (self._at_end.take(cue) & ~closes)
        keep = np.ones(len(spans.cue), dtype=bool)
        keep[bound[off]] = False
        kept = np.flatnonzero(keep)
        return Spans(spans.cue.take(kept), spans.start.take(kept), spans.end.take(kept))


class _Reach:
    """Tells at once which links need not be looked at closer: none of the signs that may begin them is in reach.

    Each sign is one of 64 bits, those that would pass for another most often alone (`common`: how often a sign is written). A
    window of 2^k characters is the bits of all of them.
    """

    def __init__(self, begins: Flags, common: npt.NDArray[np.float64], right: Flags, gaps: Places) -> None:
        often = begins.sum(axis=0)
        bit = np.zeros(begins.shape[1], dtype=np.uint64)
        order = np.argsort(-often * common, kind="stable")
        nth = np.arange(len(order))
        bit[order] = np.where(nth < _OWN_BITS, nth, _OWN_BITS + nth % (64 - _OWN_BITS))
        self._bits = np.where(often > 0, np.uint64(1) << bit, np.uint64(0))
        self._asked = np.bitwise_or.reduce(np.where(begins, self._bits, np.uint64(0)), axis=1)
        self._right, self._back = right, np.where(right, 0, gaps)
        self._level = np.frexp(np.maximum(gaps, 1))[1].astype(np.int64) - 1
        self._rest = gaps - (1 << self._level)

    def windows(self, classes: Classes) -> Hashes:
        """Of each level the windows that begin at every character."""
        out = np.empty((_LEVELS, len(classes) + 2**_LEVELS), dtype=np.uint64)
        out[:, len(classes) :] = 0
        self._bits.take(classes, out=out[0, : len(classes)], mode="clip")
        for level in range(1, _LEVELS):
            half = 1 << (level - 1)
            np.bitwise_or(out[level - 1, :-half], out[level - 1, half:], out=out[level, :-half])
        return out

    def there(self, windows: Hashes, link: Places, start: Places, end: Places) -> Places:
        """Which open cues may go on."""
        low = np.maximum(np.where(self._right.take(link), end, start) - self._back.take(link), 0)
        low += self._level.take(link) * windows.shape[1]
        flat = windows.ravel()
        seen = flat.take(low) | flat.take(low + self._rest.take(link))
        return np.flatnonzero((seen & self._asked.take(link)) != 0)


@dataclass(frozen=True, slots=True)
class _Text:
    """A batch and what is known of each of its characters."""

    normal: Normal
    classes: Classes
    clause: Places
    within: Flags
    windows: Hashes
    hashes: StretchHashes


def _typed(form: str, same: dict[str, tuple[str, ...]]) -> list[str]:
    """A form, and the form with one of its words typed otherwise."""
    return [form, *(form.replace(word, other) for word, others in same.items() if word in form for other in others)]


def _commonness(texts: Sequence[str]) -> float:
    """How often one of some texts stands among a thousand characters, roughly."""
    return sum(
        _COMMON_WORDS.get(text, min(_COMMON.get(sign, _RARE) for sign in text) * 0.08 ** (len(text) - 1)) for text in texts
    )


def _keys(hashes: Hashes) -> Places:
    """Hashes as whole numbers ≥ 0."""
    return (hashes >> np.uint64(1)).astype(np.int64)


def _spread(count: Places) -> tuple[Places, Places]:
    """For as many of each as `count` says: the number of which it is one, and its number among them from 0."""
    each = np.repeat(np.arange(len(count)), count)
    return each, np.arange(len(each)) - (np.cumsum(count) - count).take(each)


__all__ = ["Phrases", "Spans"]
