"""Why goods came back: the reason the buyer picked, as one code for all platforms, and what the buyer's note says instead.

Buyers pick 7天无理由 for other reasons, and 质量问题 to save the freight. The note is read with the cues of taxonomy ``returns``.
"""

import re

import numpy as np
import polars as pl

from huitou.rules.taxonomy import Words, load_taxonomies
from huitou.text.engine import KINDS, STRENGTH, Engine
from huitou.text.normal import normalise
from huitou.text.tagger import LONGEST

RETURN_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.Int64,
    "code": pl.String,
    "quality": pl.Boolean,
    "note_code": pl.String,
    "note_quality": pl.Boolean,
    "start": pl.Int64,
    "end": pl.Int64,
    "conflict": pl.String,
}
HIDDEN, CLAIMED = "hidden_fault", "claimed_fault"
"""The note tells of a fault that the picked reason hides; the picked reason claims one that the note does not know of."""
_BRACKETS = re.compile(r"[（(\[【].*?[)）\]】]")
_SIGNS = re.compile(r"[\s/\\、,，;；:：|\-—_·.。!！'\"“”]+")
_UNSAID = ("no_reason", "other", "agreed")  # picked reasons that name nothing


class ReturnReader:
    """The compiled taxonomy of return reasons with its crosswalk."""

    def __init__(self, words: Words | None = None) -> None:
        held = words or load_taxonomies()
        taxonomy = held.taxonomies["returns"]
        self._engine = Engine(held, ("returns",))
        self.version = self._engine.version
        self._codes = [leaf.code if name == "returns" else "" for name, leaf in self._engine.leaves]
        self._quality = {code: leaf.quality for code, leaf in taxonomy.leaves.items()}
        self._fault = {code: leaf.quality or leaf.who == "logistics" for code, leaf in taxonomy.leaves.items()}
        self._crosswalk = {
            platform: {_key(said): code for said, code in pairs.items()} for platform, pairs in taxonomy.crosswalk.items()
        }
        self._any = {said: code for pairs in reversed(self._crosswalk.values()) for said, code in pairs.items()}

    def read(self, reasons: pl.Series, notes: pl.Series | None = None, *, platform: str | None = None) -> pl.DataFrame:
        """One row a return, as in `RETURN_SCHEMA`. `reasons` as the platform writes them, `notes` in the buyer's own words.

        ``code`` is null where no reason was picked, ``other`` where nothing is known of it; ``start``, ``end``: where the note
        says so. `platform`: a key of the crosswalk (taobao, jd, pdd, douyin, shopify); None looks in all.
        """
        reasons = reasons.cast(pl.String)
        notes = pl.Series([None] * len(reasons), dtype=pl.String) if notes is None else notes.cast(pl.String)
        picked = self._picked(reasons, platform)
        said = self._said(notes)
        codes = pl.DataFrame({"row": np.arange(len(reasons), dtype=np.int64), "code": picked}).join(said, on="row", how="left")
        fault, quality = (dict.fromkeys(("",), False) | flags for flags in (self._fault, self._quality))
        flag = pl.col("code", "note_code").fill_null("")
        out = codes.with_columns(flag.replace_strict(fault, return_dtype=pl.Boolean).name.prefix("fault_"))
        named = pl.col("note_code").is_not_null() & ~pl.col("note_code").is_in(("other", "agreed"))
        hidden = named & pl.col("fault_note_code") & ~pl.col("fault_code") & pl.col("code").is_not_null()
        claimed = named & pl.col("fault_code") & ~pl.col("fault_note_code")
        conflict = pl.when(hidden).then(pl.lit(HIDDEN)).when(claimed).then(pl.lit(CLAIMED))
        out = out.with_columns(
            quality=pl.col("code").fill_null("").replace_strict(quality, return_dtype=pl.Boolean),
            note_quality=pl.col("note_code").fill_null("").replace_strict(quality, return_dtype=pl.Boolean),
            conflict=conflict,
        )
        return out.sort("row").select(pl.col(name).cast(kind) for name, kind in RETURN_SCHEMA.items())

    def _picked(self, reasons: pl.Series, platform: str | None) -> pl.Series:
        """The code of each picked reason: by the crosswalk; else by what it says; else ``other``."""
        known = self._any | self._crosswalk.get(platform or "", {})
        distinct = reasons.unique().drop_nulls().to_list()
        codes: dict[str, str | None] = {text: known.get(_key(text)) for text in distinct}
        unknown = [text for text in distinct if codes[text] is None]
        said = self._said(pl.Series(unknown, dtype=pl.String))
        for row, code in said.select("row", "note_code").iter_rows():
            codes[unknown[row]] = code
        blank = [text for text in distinct if not _key(text)]
        full: dict[str, str | None] = {text: code or "other" for text, code in codes.items()} | dict.fromkeys(blank)
        return reasons.replace_strict(full, default=None, return_dtype=pl.String)

    def _said(self, notes: pl.Series) -> pl.DataFrame:
        """(row, note_code, start, end): the weightiest reason of each note that gives one; a fault outweighs a mere wish."""
        typed = notes.fill_null("").str.head(LONGEST)
        normal = normalise(typed)
        found, _ = self._engine.find(normal)
        found, asked, negated = self._engine.scoped(found)
        kept = found.where(~negated & ~asked)
        start, end = normal.as_typed(kept.row, kept.start, kept.end) if len(kept.row) else (kept.start, kept.end)
        strength = np.array([STRENGTH[kind] for kind in KINDS])[kept.kind]
        codes = pl.Series(self._codes, dtype=pl.String).gather(kept.leaf)
        frame = pl.DataFrame({"row": kept.row, "note_code": codes, "start": start, "end": end, "strength": strength})
        weight = (
            pl.col("note_code").replace_strict(self._fault, default=False, return_dtype=pl.Boolean).cast(pl.Int64) * 2
            - pl.col("note_code").is_in(_UNSAID).cast(pl.Int64) * 2
        )
        length = pl.col("end") - pl.col("start")
        ranked = frame.with_columns(weight=weight, length=length).sort(
            ["row", "weight", "strength", "length", "start"], descending=[False, True, True, True, False]
        )
        return ranked.unique("row", keep="first", maintain_order=True).select("row", "note_code", "start", "end")


def _key(reason: str) -> str:
    """A reason without brackets, signs, spaces and case: platforms write the same one in many ways."""
    return _SIGNS.sub("", _BRACKETS.sub("", reason)).lower()
