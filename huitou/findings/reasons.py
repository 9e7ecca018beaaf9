"""Sorts messages and reviews roughly by their words: which reasons or complaints a text speaks of, and where."""

from collections.abc import Sequence

import polars as pl

from huitou.rules.cues import Cue

LAST_WORDS = 3
CHAT = ["customer_key", "agent_key", "day"]


def says(text: pl.Expr, cue: Cue) -> pl.Expr:
    """Whether the text holds one of the leaf's cues and none of its counter-cues."""
    found = text.str.contains_any(list(cue.cues))
    return found & ~text.str.contains_any(list(cue.counter)) if cue.counter else found


def with_reasons(lines: pl.DataFrame, cues: Sequence[Cue]) -> pl.DataFrame:
    """The lines with one true/false column for each leaf, named by its code."""
    return lines.with_columns(says(pl.col("text"), c).alias(c.code) for c in cues)


def primary(lines: pl.DataFrame, cues: Sequence[Cue]) -> pl.DataFrame:
    """One reason a chat: that of the last message which speaks of any, among its last three (columns of the chat, ``reason``).

    What a customer said near the end counts, since what was asked and settled earlier did not make them leave. A bare
    hesitation, a goodbye, names no reason and is passed over.
    """
    code = pl.coalesce(pl.when(pl.col(c.code)).then(pl.lit(c.code)) for c in cues)
    end = lines.sort("sent_at", "row", "row_key").group_by(CHAT, maintain_order=True).tail(LAST_WORDS)
    spoken = end.with_columns(reason=code).filter(pl.col("reason").is_not_null())
    return spoken.group_by(CHAT, maintain_order=True).agg(pl.col("reason").last())


def spans(text: str, words: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Where the words stand, as merged [start, end) spans widened to the clause they stand in."""
    ends = "，。！？,.!?；;、 \n~～"
    found: list[tuple[int, int]] = []
    for word in words:
        at = text.find(word)
        while at >= 0:
            start = max((text.rfind(e, 0, at) for e in ends), default=-1) + 1
            stops = [p for e in ends if (p := text.find(e, at + len(word))) >= 0]
            stop = min(stops, default=len(text))
            found.append((start, stop + 1 if stop < len(text) and text[stop] in "？?" else stop))
            at = text.find(word, at + len(word))
    return _merged(found)


def _merged(found: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    out: list[tuple[int, int]] = []
    for start, stop in sorted(found):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        else:
            out.append((start, stop))
    return tuple(out)
