"""Writes tags of messages as JSON lines, byte by byte: a file of a shop's chats gives more bytes than it has."""

import json
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import polars as pl

from huitou.text.compiled import compiled
from huitou.text.intents import OTHER, TAXONOMY
from huitou.text.normal import Bytes, Flags, Places, utf8
from huitou.text.tagger import Tagger

_NUMBER = 20  # bytes of the longest


class _Pieces(NamedTuple):
    """Bytes of pieces behind one another, and where each begins (and the end)."""

    data: Bytes
    borders: Places

    @staticmethod
    def of(pieces: Iterable[str]) -> "_Pieces":
        """Some pieces."""
        return _Pieces(*utf8(pl.Series(list(pieces), dtype=pl.String)))

    def longest(self) -> int:
        """Bytes of the longest one."""
        return int(np.diff(self.borders).max(initial=0))


class _Words(NamedTuple):
    """What the lines are made of: of each leaf the head of a span and the code; of a tag's flags the tail; the rest."""

    heads: _Pieces
    codes: _Pieces
    tails: _Pieces
    between: _Pieces


_ROW, _INTENTS, _OTHER, _SPANS, _COMMA, _END, _CLOSE = range(7)
_BETWEEN = ('{"row":', ',"intents":[', f'"{OTHER}"', '],"spans":[', ",", ',"end":', "]")
_WITHOUT = (_BETWEEN[_ROW], "", "", ',"spans":[', *_BETWEEN[_COMMA:])


class TagLines:
    """``{"row", "intents", "spans"}`` of messages, a line each. One that wants nothing known wants ``other``."""

    def __init__(self, tagger: Tagger, *, intents: bool = True) -> None:
        """`intents`: whether they are said."""
        self._tagger = tagger
        leaves = [(taxonomy, leaf.code) for taxonomy, leaf in tagger.leaves]
        heads = [f'{{"taxonomy":{json.dumps(t)},"code":{json.dumps(code)},"start":' for t, code in leaves]
        tails = [
            f',"strength":{strength},"asked":{json.dumps(asked)},"negated":{json.dumps(negated)}}}'
            for strength in range(4)
            for asked in (False, True)
            for negated in (False, True)
        ]
        codes = (json.dumps(code) for _, code in leaves)
        self._words = _Words(
            _Pieces.of(heads), _Pieces.of(codes), _Pieces.of(tails), _Pieces.of(_BETWEEN if intents else _WITHOUT)
        )
        self._wants = np.array([intents and taxonomy == TAXONOMY and code != OTHER for taxonomy, code in leaves])

    def lines(self, rows: pl.Series, texts: pl.Series, more: pl.Series) -> tuple[Bytes, int]:
        """The lines of texts as bytes, and how many have any tag. `rows`: their numbers; `more`: what each line ends with."""
        tags = self._tagger.tags(texts)
        wordless = (texts.fill_null("").str.strip_chars() == "").to_numpy()
        ends = _Pieces(*utf8(more))
        row, span = sum(map(len, _BETWEEN)) + _NUMBER, sum(words.longest() for words in self._words) + 2 * _NUMBER
        out = np.empty(len(rows) * row + len(tags.row) * span + len(ends.data), dtype=np.uint8)
        numbers, told = rows.cast(pl.Int64).to_numpy(), np.zeros(1, dtype=np.int64)
        flags = (tags.strength * 4 + tags.asked * 2 + tags.negated).astype(np.int64)
        held = (tags.row, tags.leaf, tags.start, tags.end, flags)
        seen = np.full(len(self._wants), -1, dtype=np.int64)
        size = _write((numbers, wordless, ends), held, self._words, (self._wants, seen), told, out)
        return out[:size], int(told[0])


@compiled
def _write(
    texts: tuple[Places, Flags, _Pieces],
    tags: tuple[Places, Places, Places, Places, Places],
    words: _Words,
    wants: tuple[Flags, Places],
    told: Places,
    out: Bytes,
) -> int:
    """Writes the lines; how many bytes. `tags`: text, leaf, start, end, which tail; `told`: 0, then the texts with tags.

    `texts`: number, whether without words, end of the line; `wants`: which leaves are intents, and room, all -1, for those seen.
    """
    numbers, wordless, ends = texts
    rows, leaves, starts, stops, tails = tags
    wanted, seen = wants
    size = first = 0
    for row in range(len(numbers)):
        last = first
        while last < len(rows) and rows[last] == row:
            last += 1
        size = _put_number(out, _put(out, size, words.between, _ROW), numbers[row])
        size = _put(out, size, words.between, _INTENTS)
        some = False
        for nth in range(first, last):
            leaf = leaves[nth]
            if wanted[leaf] and seen[leaf] != row:
                seen[leaf] = row
                size = _put(out, size, words.between, _COMMA) if some else size
                size = _put(out, size, words.codes, leaf)
                some = True
        if not some and not wordless[row]:
            size = _put(out, size, words.between, _OTHER)
        size = _put(out, size, words.between, _SPANS)
        for nth in range(first, last):
            size = _put(out, size, words.between, _COMMA) if nth > first else size
            size = _put_number(out, _put(out, size, words.heads, leaves[nth]), starts[nth])
            size = _put_number(out, _put(out, size, words.between, _END), stops[nth])
            size = _put(out, size, words.tails, tails[nth])
        size = _put(out, _put(out, size, words.between, _CLOSE), ends, row)
        told[0] += last > first
        first = last
    return size


@compiled
def _put(out: Bytes, size: int, pieces: _Pieces, nth: int) -> int:
    """Writes a piece behind the first bytes; how many there are then."""
    for at in range(pieces.borders[nth], pieces.borders[nth + 1]):
        out[size] = pieces.data[at]
        size += 1
    return size


@compiled
def _put_number(out: Bytes, size: int, number: int) -> int:
    """Writes a whole number ≥ 0 behind the first bytes; how many there are then."""
    power = 1
    while number // power >= 10:
        power *= 10
    while power > 0:
        out[size] = 48 + number // power % 10
        size += 1
        power //= 10
    return size
