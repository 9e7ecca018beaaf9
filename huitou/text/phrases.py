"""Finds cues in a batch of texts: their plain parts, and the gaps between the parts.

Of a cue with gaps only the rarest part is looked for everywhere; where it stands, the parts beside it are asked for, each by a
trie of its own. So a cue of three common words costs no more than one rare word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from huitou.rules.expand import Phrase
from huitou.text.compiled import compiled
from huitou.text.matcher import BASE, NUMBER, OWNER, Classes, Matcher, Rows, Slots, Trie, filled
from huitou.text.normal import DIGIT, LETTER, WORD, Flags, Kinds, Normal, Places, normalise

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


class _Cues(NamedTuple):
    """The cues that each pattern opens: pattern p those of ``cue[first[p]:first[p + 1]]``; and what holds for each cue.

    Cue c is whole when the links from ``link[c]`` up to ``link[c + 1]`` are found beside it.
    """

    first: Places
    cue: Places
    link: Places
    at_start: Flags
    at_end: Flags


class _Links(NamedTuple):
    """What may stand beside a part: texts of a trie from `root` on, with less than `reach` characters between;
    those to the left are read from their ends.
    """

    root: Places
    right: Flags
    reach: Places
    slots: Slots


class _Text(NamedTuple):
    """A batch of texts and what is known of each of its characters; `clause`: that no gap may leave."""

    classes: Classes
    kinds: Kinds
    clause: Places
    first: Places


class Phrases:
    """Compiled cues, numbered as given. `same`: words that are also typed otherwise."""

    def __init__(self, cues: Sequence[Phrase], same: dict[str, tuple[str, ...]]) -> None:
        forms = list(dict.fromkeys(form for cue in cues for part in cue.parts for form in part))
        plain = dict(zip(forms, normalise(pl.Series(forms, dtype=pl.String)).series()[0].to_list(), strict=True))
        typed = {form: _typed(text, same) for form, text in plain.items()}
        parts = [[[text for form in part for text in typed[form]] for part in cue.parts] for cue in cues]
        anchors = [min(range(len(cue)), key=lambda n: _commonness(cue[n])) for cue in parts]
        opens: dict[str, dict[int, None]] = {}
        for cue, anchor in enumerate(anchors):
            for text in parts[cue][anchor]:
                opens.setdefault(text, {})[cue] = None
        self.patterns = tuple(opens)
        self.matcher = Matcher(self.patterns, {sign for cue in parts for part in cue for text in part for sign in text})
        links, self._links = self._linked(cues, parts, anchors)
        self._cues = _Cues(
            np.cumsum([0, *map(len, opens.values())]),
            np.array([cue for some in opens.values() for cue in some], dtype=np.int64),
            links,
            np.array([cue.at_start for cue in cues], dtype=bool),
            np.array([cue.at_end for cue in cues], dtype=bool),
        )

    def _linked(self, cues: Sequence[Phrase], parts: list[list[list[str]]], anchors: list[int]) -> tuple[Places, _Links]:
        """What is asked for beside the anchor of each cue, first to the right, then to the left; the first link of each cue."""
        first, right, reach, texts = [0], list[bool](), list[int](), list[tuple[str, ...]]()
        for cue, anchor in enumerate(anchors):
            asked = [(n, True, cues[cue].gaps[n - 1]) for n in range(anchor + 1, len(parts[cue]))]
            asked += [(n, False, cues[cue].gaps[n]) for n in range(anchor - 1, -1, -1)]
            for part, rightward, gap in asked:
                texts.append(tuple(text if rightward else text[::-1] for text in dict.fromkeys(parts[cue][part])))
                right.append(rightward)
                reach.append(gap + 1)
            first.append(len(right))
        roots = {some: number for number, some in enumerate(dict.fromkeys(texts))}
        words = [(root, self.matcher.classes_of(text)) for some, root in roots.items() for text in some]
        trie = Trie([classes for _, classes in words], self.matcher.width, [root for root, _ in words])
        most = [each * max(map(len, some)) for each, some in zip(reach, texts, strict=True)]
        self._ways = 1 + max(sum(most[begin:end]) for begin, end in pairwise(first))
        root = np.array([roots[some] for some in texts], dtype=np.int64)
        return np.array(first), _Links(root, np.array(right, dtype=bool), np.array(reach, dtype=np.int64), trie.slots)

    def find(self, normal: Normal, clause: Places) -> Spans:
        """Every cue at every place; `clause`: the number of each character's clause, which no gap may leave."""
        classes = self.matcher.classes(normal.codes)
        finds = self.matcher.find(normal, classes)
        text = _Text(classes, normal.kinds, clause, normal.first)
        found, open_ = (finds.pattern, finds.start, finds.end), np.empty((self._ways, 3), dtype=np.int64)
        return Spans(*filled(lambda out: _cues_at(found, text, self._cues, self._links, open_, out), len(finds.pattern)))


@compiled
def _cues_at(finds: tuple[Places, Places, Places], text: _Text, cues: _Cues, links: _Links, open_: Rows, out: Rows) -> int:
    """Writes the rows of `Spans`, by where the anchors stand. `finds`: as in `Finds`."""
    pattern, starts, ends = finds
    _, kinds, _, first = text
    opens, cue_of, link_of, at_start, at_end = cues
    found, row = 0, 0
    begin = end_ = -1
    words = (0, 0)
    for find in range(len(pattern)):
        start, end = starts[find], ends[find]
        if start >= end_:
            while start >= first[row + 1]:
                row += 1
            begin, end_ = first[row], first[row + 1]
            words = (-1, -1)
        if _inside_word(kinds, start, begin, end_) or _inside_word(kinds, end, begin, end_):
            continue
        for entry in range(opens[pattern[find]], opens[pattern[find] + 1]):
            cue = cue_of[entry]
            open_[0, 0], open_[0, 1], open_[0, 2] = link_of[cue], start, end
            left = 1
            while left:
                left -= 1
                link, low, high = open_[left, 0], open_[left, 1], open_[left, 2]
                if link < link_of[cue + 1]:
                    left = _beside(open_, left, text, links, begin, end_)
                    continue
                if at_start[cue] or at_end[cue]:
                    if words[0] < 0:
                        words = _words(kinds, begin, end_)
                    if (at_start[cue] and low > words[0]) or (at_end[cue] and high < words[1]):
                        continue
                if found < out.shape[1]:
                    out[0, found], out[1, found], out[2, found] = cue, low, high
                found += 1
    return found


@compiled
def _beside(open_: Rows, left: int, text: _Text, links: _Links, first: int, last: int) -> int:
    """Puts every way in which an opened cue goes on in its place, behind the first `left`; how many there are then.

    `open_`: link, start and end of each; [first, last): their text.
    """
    link, start, end = open_[left, 0], open_[left, 1], open_[left, 2]
    root, step, home = links.root[link], 1 if links.right[link] else -1, text.clause[start]
    near = end if step > 0 else start - 1
    for _ in range(links.reach[link]):
        if near < first or near >= last or text.clause[near] != home:
            break
        state, at = root, near
        while first <= at < last:
            slot = links.slots[state, BASE] + text.classes[at]
            if links.slots[slot, OWNER] != state:
                break
            state = slot
            at += step
            if links.slots[state, NUMBER] >= 0:
                low, high = (near, at) if step > 0 else (at + 1, near + 1)
                if not _inside_word(text.kinds, low, first, last) and not _inside_word(text.kinds, high, first, last):
                    open_[left, 0], open_[left, 1], open_[left, 2] = link + 1, min(start, low), max(end, high)
                    left += 1
        near += step
    return left


@compiled
def _inside_word(kinds: Kinds, at: int, first: int, last: int) -> bool:
    """Whether before a character (or the end) of a text [first, last) a Latin word or a number goes on."""
    if at <= first or at >= last:
        return False
    kind = kinds[at] & (LETTER | DIGIT)
    return bool(kind > 0 and kind == kinds[at - 1] & (LETTER | DIGIT))


@compiled
def _words(kinds: Kinds, first: int, last: int) -> tuple[int, int]:
    """Where the words of a text [first, last) begin and end: signs around them do not count, unless there is nothing else."""
    begin, end = first, last
    while begin < last and not kinds[begin] & WORD:
        begin += 1
    if begin == last:
        return first, last
    while not kinds[end - 1] & WORD:
        end -= 1
    return begin, end


def _typed(form: str, same: dict[str, tuple[str, ...]]) -> list[str]:
    """A form, and the form with one of its words typed otherwise."""
    return [form, *(form.replace(word, other) for word, others in same.items() if word in form for other in others)]


def _commonness(texts: Sequence[str]) -> float:
    """How often one of some texts stands among a thousand characters, roughly."""
    return sum(
        _COMMON_WORDS.get(text, min(_COMMON.get(sign, _RARE) for sign in text) * 0.08 ** (len(text) - 1)) for text in texts
    )


__all__ = ["Phrases", "Spans"]
