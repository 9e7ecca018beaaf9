"""The small language in which cues are written, and what it stands for.

``太(贵|高)了`` alternatives, an empty one makes a part optional · ``<can>`` any word of the set ``can`` · ``能{4}便宜`` a gap of
up to four characters inside one clause · ``^人工$`` the message begins or ends there · ``_`` a space.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

LONGEST_GAP = 12
MOST_FORMS = 20_000  # of one cue
_TOKEN = re.compile(r"[(|)]|<[^<>]*>")
_GAP = re.compile(r"\{(\d+)\}")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A cue, expanded: in each place one of some plain texts, up to ``gaps[i]`` characters between place i and i + 1."""

    parts: tuple[tuple[str, ...], ...]
    gaps: tuple[int, ...] = ()
    at_start: bool = False
    at_end: bool = False


def expand(cue: str, sets: Mapping[str, Sequence[str]]) -> Phrase:
    """A cue as plain texts. Raises ValueError that says what is wrong with it."""
    at_start, at_end = cue.startswith("^"), cue.endswith("$")
    pieces = _GAP.split(cue[at_start : len(cue) - at_end])
    gaps = tuple(int(n) for n in pieces[1::2])
    parts = tuple(_forms(piece, sets) for piece in pieces[::2])
    if any(gap > LONGEST_GAP for gap in gaps):
        raise ValueError(f"gap > {LONGEST_GAP}")
    if any(not form for part in parts for form in part):
        raise ValueError("nothing but optional parts")
    return Phrase(parts, gaps, at_start, at_end)


def _forms(text: str, sets: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    if not _TOKEN.search(text):  # as most cues are
        return (text.replace("_", " "),)
    tokens = _tokens(text)
    forms, rest = _either(tokens, 0, sets)
    if rest < len(tokens):
        raise ValueError(") without (")
    return tuple(dict.fromkeys(forms))


def _tokens(text: str) -> list[str]:
    """Signs, sets and the plain stretches between them."""
    out, done = [], 0
    for sign in _TOKEN.finditer(text):
        out += [text[done : sign.start()]] * (sign.start() > done) + [sign[0]]
        done = sign.end()
    return out + [text[done:]] * (done < len(text))


def _either(tokens: list[str], at: int, sets: Mapping[str, Sequence[str]]) -> tuple[list[str], int]:
    """All forms of alternatives from token `at` on, up to the closing bracket or the end, and where that is."""
    forms: list[str] = []
    row: list[list[str]] = []
    while at < len(tokens) and tokens[at] != ")":
        token = tokens[at]
        at += 1
        if token == "|":
            forms, row = forms + _joined(row), []
        elif token == "(":
            inner, at = _either(tokens, at, sets)
            if at == len(tokens):
                raise ValueError("( without )")
            row.append(inner)
            at += 1
        elif token[0] == "<" and token[-1] == ">":
            if token[1:-1] not in sets:
                raise ValueError(f"no set {token}")
            row.append([form for word in sets[token[1:-1]] for form in _forms(word, sets)])
        else:
            row.append([token.replace("_", " ")])
    return forms + _joined(row), at


def _joined(row: list[list[str]]) -> list[str]:
    size = 1
    for choices in row:
        size *= len(choices)
    if size > MOST_FORMS:
        raise ValueError(f"> {MOST_FORMS} forms")
    return ["".join(one) for one in product(*row)]
