"""What an import does when an export changes: new columns, missing ones, values that cannot be read any more.

One of four policies by source, under ``[drift]`` in huitou.toml:

=============  =============================  ===================================  ======================================
policy         a column is new                a column that was there is missing   a value cannot be read
=============  =============================  ===================================  ======================================
evolve         read past and counted          its values are empty                 the row is set aside
freeze         the file is refused            the file is refused                  the file is refused
discard_row    rows that fill it are set      every row is set aside               the row is set aside
               aside
discard_value  read past                      its values are empty                 the value is dropped, the row kept
                                                                                   (set aside if it cannot do without)
=============  =============================  ===================================  ======================================

«New» and «missing» are told from the header that the source had before: that of its last import under evolve, that of its first
one under the other three. Words that are not known (an order's status) are counted and left empty; freeze refuses them.
"""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from huitou.errors import FileRefused, Say
from huitou.lake.ledger import Ledger
from huitou.lake.settings import DriftPolicy, Settings
from huitou.sources.layout import MARKS, Layout, Parsed, Placed, heading
from huitou.sources.model import Context, Head
from huitou.sources.reasons import VALUES, problem

_WORDS = {
    "unknown_status": Say("状态", "statuses"),
    "unknown_rating": Say("评分", "ratings"),
    "unknown_device": Say("终端", "devices"),
}
_FIX = Say(
    "看看平台改了什么；要照常导入，把 huitou.toml 的 [drift] 里这个来源改成 evolve。",
    "Look at what the platform changed; to import it as usual, set this source to evolve under [drift] in huitou.toml.",
)


def policy_of(settings: Settings, source: str) -> DriftPolicy:
    """The policy of a source: its own, else that of ``all``, else evolve."""
    return settings.drift.get(source, settings.drift.get("all", "evolve"))


class Drift:
    """Compares a file with what its source was like before, and does what the policy says. An `Inspector`."""

    def __init__(self, policy: DriftPolicy, before: tuple[str, ...] | None) -> None:
        self.policy: DriftPolicy = policy
        self.new: tuple[str, ...] = ()
        self.missing: tuple[str, ...] = ()
        self._before = before
        self._header: tuple[str, ...] = ()
        self._head: Head | None = None
        self._at: dict[int, str] = {}

    def guarding(self, context: Context) -> Context:
        """The context under this policy."""
        forgiving = self.policy == "discard_value"
        return replace(context, inspectors=(*context.inspectors, self), forgiving=forgiving)

    def header(self, head: Head, layout: Layout, placed: Placed) -> Placed:
        """Tell what is new and what is missing. Raises FileRefused under freeze."""
        self._head = head
        named = (cell for cell in placed.header if heading(cell) and heading(cell) not in MARKS)
        self._header = tuple(dict.fromkeys((*self._header, *named)))
        if self._before is None:
            return placed
        before = {heading(cell): cell for cell in self._before}
        self.new = tuple(cell for cell in layout.unknown(placed.header) if heading(cell) not in before)
        absent = (field for field in layout.fields if field.name not in placed.positions)
        gone = (next((before[heading(h)] for h in field.headings if heading(h) in before), None) for field in absent)
        self.missing = tuple(dict.fromkeys(cell for cell in gone if cell))
        if self.policy == "freeze" and (self.new or self.missing):
            raise FileRefused(head.path, self._changed(), _FIX)
        if self.policy != "discard_row":
            return placed
        self._at = {i: cell for i, cell in enumerate(placed.header) if cell in self.new}
        positions = placed.positions | {f"\0new{i}": i for i in self._at}
        return Placed(placed.header_row, placed.header, placed.width, positions, placed.unknown)

    def rows(self, raw: pl.DataFrame, parsed: Parsed) -> Parsed:
        """Refuse or set aside what the policy does not let in."""
        assert self._head is not None
        file = self._head.path.name
        if self.policy == "freeze" and (bad := next((p for p in parsed.problems if p.reason in VALUES), None)):
            says = Say(
                f"第 {bad.row:,} 行「{bad.column}」的值变了样", f"row {bad.row:,}, «{bad.column}»: a value of another kind"
            )
            raise FileRefused(self._head.path, says, _FIX)
        wrong: dict[int, tuple[str, str]] = {}
        for at, name in self._at.items():
            filled = raw.filter(pl.col(str(at)).fill_null("").str.strip_chars() != "")["row"]
            wrong = dict.fromkeys(filled, (name, "new_column")) | wrong
        if self.policy == "discard_row" and self.missing:
            wrong = dict.fromkeys(raw["row"], (self.missing[0], "missing_column")) | wrong
        if not wrong:
            return parsed
        aside = parsed.frame["row"].is_in(list(wrong))
        found = [problem(file, row, *wrong[row]) for row in parsed.frame["row"].filter(aside)]
        return Parsed(parsed.frame.filter(~aside), sorted(parsed.problems + found, key=lambda p: p.row))

    def words(self, notes: Mapping[str, int]) -> None:
        """Raises FileRefused under freeze for words that are not known."""
        if self.policy == "freeze" and self._head is not None and (note := next((n for n in _WORDS if notes.get(n)), None)):
            zh, en = _WORDS[note]
            says = Say(f"有不认识的{zh}（{notes[note]:,} 个）", f"it has {en} that are not known here ({notes[note]:,})")
            raise FileRefused(self._head.path, says, _FIX)

    def remember(self, ledger: Ledger, source: str, load: int) -> None:
        """Keep the header that later files of the source are compared with."""
        if self._header and (self._before is None or (self.policy == "evolve" and self._header != self._before)):
            ledger.remember_header(source, self._header, load)

    def _changed(self) -> Say:
        new, gone = "、".join(self.new[:5]), "、".join(self.missing[:5])
        zh = "；".join([f"多了列「{new}」"] * bool(new) + [f"少了列「{gone}」"] * bool(gone))
        en = "; ".join([f"new columns «{new}»"] * bool(new) + [f"missing columns «{gone}»"] * bool(gone))
        return Say(f"和以前导入的不一样：{zh}", f"it is not like the files imported before: {en}")
