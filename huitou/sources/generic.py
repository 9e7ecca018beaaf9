"""Any table-shaped file, by a mapping that the user writes once: which column means what.

A mapping is a TOML file::

    table = "orders"
    [columns]
    order_id = "订单号"
    created = "下单时间"
    [values.status]
    "已完成" = "done"
    [constants]
    transport = "货到付款"

`[constants]` gives fields that the file has no column for: what is written there stands for every row.
`huitou import --map` drafts one from the file's own headings (drafts.py).
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from huitou.errors import Say, SettingsError, Text, UnknownName
from huitou.sources import chat_table, reviews, sycm_traffic, tmall_order_lines, tmall_orders, tmall_refunds
from huitou.sources.layout import Field, Kind, Layout, Parser, Placed
from huitou.sources.model import Batch, Context, Head
from huitou.sources.table import Shape, read_table, typed_rows
from huitou.tables import TABLES

MAPPING = Path("mapping.toml")


@dataclass(frozen=True, slots=True)
class Target:
    """One table that a mapping can fill: the fields it may name and what is made of them (`shaping`; chats have none).

    `one_of`: groups of fields of which at least one is needed; `instead`: what stands for a needed field whose column is
    absent, a number, or another field by its name, which then fills empty cells too.
    """

    layout: Layout
    shaping: Callable[[Context], Shape] | None
    one_of: tuple[tuple[str, ...], ...] = ()
    instead: dict[str, str | int] = field(default_factory=dict)

    def needs(self, known: Field) -> bool:
        """Whether a mapping must name the field's column."""
        return known.needed and known.name not in self.instead


TARGETS = {
    "messages": Target(chat_table.LAYOUT, None, one_of=(("role", "speaker"),)),
    "orders": Target(tmall_orders.LAYOUT, tmall_orders.shaping),
    "order_lines": Target(
        tmall_order_lines.LAYOUT,
        tmall_order_lines.shaping,
        one_of=(("title", "item_id"),),
        instead={"quantity": 1, "title": "item_id"},
    ),
    "refunds": Target(tmall_refunds.LAYOUT, tmall_refunds.shaping),
    "reviews": Target(reviews.LAYOUT, reviews.shaping),
    "traffic": Target(sycm_traffic.LAYOUT, sycm_traffic.shaping),
}

_LINE_ID = 6  # characters from which an id of an order line is taken for unique

FOLLOWING = {"day_text": "day"}
"""Fields that read the same column as another one."""


def mapped_name(source_id: str) -> Say | None:
    """What a mapped source of this id reads; None for the id of another source."""
    first, _, rest = source_id.partition(".")
    table = TABLES.get(rest.partition(".")[0]) if first == "mapped" else None
    return Say(f"{table.zh}（按列对应）", f"{table.en} (by a mapping)") if table else None


class Mapped:
    """The source that a mapping makes. Raises SettingsError or UnknownName for a mapping that cannot be."""

    def __init__(self, mapping: dict[str, object], file: Path = MAPPING) -> None:
        self._file = file
        table = mapping.get("table")
        if table not in TARGETS:
            raise UnknownName(Say("表（映射文件里）", "table in the mapping"), str(table), TARGETS)
        self.main = str(table)
        self._target = TARGETS[self.main]
        columns = _section(file, mapping, "columns")
        self._constants = _texts(file, "constants", mapping.get("constants", {}))
        self._layout = _layout(file, self._target, columns, self._constants)
        self._values = {name: _texts(file, f"values.{name}", v) for name, v in _section(file, mapping, "values").items()}
        for name in self._values:
            if name not in columns:
                raise UnknownName(Say("已对应的字段（[values]）", "mapped field (under [values])"), name, columns)
        self._instead = _instead(self._target, columns)
        print_ = hashlib.sha256(json.dumps(mapping, sort_keys=True, default=str).encode()).hexdigest()[:8]
        self.id = f"mapped.{self.main}.{print_}"  # another mapping of the same bytes is another import
        self.zh, self.en = mapped_name(self.id) or (self.main, self.main)
        self.feeds: tuple[str, ...] = (self.main, "products", "agents") if self.main == "messages" else (self.main, "products")

    def identify(self, head: Head) -> int:
        """100: the user says so."""
        return 100 if head.rows else 0

    def read(self, head: Head, context: Context) -> Iterator[Batch]:
        """Stream the rows. Raises FileRefused."""
        for number, batch in enumerate(self._batches(head, context)):
            given = not number and {"time", "day", "created"} & set(self._constants)
            yield replace(batch, notes=batch.notes | {"given_time": 1}) if given else batch

    def _batches(self, head: Head, context: Context) -> Iterator[Batch]:
        always = self._always(head, context)
        if self._target.shaping is None:
            parts = typed_rows(head, self._layout, context)
            translated = (replace(part, rows=self._translated(part.rows, always)) for part in parts)
            return chat_table.read_chats(translated, head.path.name, context)
        shape = self._target.shaping(context)
        return read_table(head, self._layout, context, lambda rows: shape(self._translated(rows, always)))

    def _always(self, head: Head, context: Context) -> list[pl.Expr]:
        """The mapping's constants, read as cells of their fields. Raises SettingsError for one that cannot be."""
        fields = tuple(replace(f, filled=True) for f in self._target.layout.fields if f.name in self._constants)
        positions = {field.name: at for at, field in enumerate(fields)}
        parser = Parser(
            head, Layout(fields, ()), Placed(0, tuple(positions), len(fields), positions, 0), context.settings.timezone
        )
        cells = {str(at): [self._constants[name]] for name, at in positions.items()}
        read = parser.parse(pl.DataFrame(cells | {"row": [1]}))
        if read.problems:
            bad = read.problems[0]
            raise SettingsError(self._file, f"constants.{bad.column}", _say(bad.says), _say(bad.fix))
        return [pl.lit(read.frame[c][0], dtype=read.frame[c].dtype).alias(c) for c in read.frame.columns if c != "row"]

    def _translated(self, rows: pl.DataFrame, always: list[pl.Expr]) -> pl.DataFrame:
        """Rows with the mapping's constants, and the file's own words replaced by the ones that the mapping gives."""
        words = (pl.col(name).replace(words) for name, words in self._values.items())
        return rows.with_columns(*words, *always).with_columns(**self._instead)


def _section(file: Path, mapping: dict[str, object], name: str) -> dict[str, object]:
    section = mapping.get(name, {})
    if not isinstance(section, dict):
        raise SettingsError(file, name, Say("不是一节", "is not a section"), Say(f"写成 [{name}]。", f"Write it as [{name}]."))
    return section


def _texts(file: Path, key: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        fix = Say(f'写 [{key}]，下面写 "文件里的词" = "回头的词"。', f'Write [{key}] and below it "their word" = "our word".')
        raise SettingsError(file, key, Say("不是词语的对照", "is not a list of words"), fix)
    return value


def _say(text: Text) -> Say:
    return text if isinstance(text, Say) else Say(text, text)


def _layout(file: Path, target: Target, columns: dict[str, object], constants: dict[str, str]) -> Layout:
    """The layout with the headings that the mapping gives, and no others."""
    fields = target.layout.fields
    names = {known.name: known for known in fields}
    for name in (*columns, *constants):
        if name not in names:
            raise UnknownName(Say("字段（映射文件里）", "field in the mapping"), name, names)
    if same := next((name for name in constants if names[name].kind == "id"), None):
        fix = Say("编号每行不同，要写成 [columns] 里的一列。", "Ids differ from row to row: name a column under [columns].")
        raise SettingsError(file, f"constants.{same}", Say("是编号", "is an id"), fix)
    for name, column in columns.items():
        if not isinstance(column, str) or not column.strip():
            fix = Say(f'写成 {name} = "文件里的表头"。', f'Write {name} = "the heading in the file".')
            raise SettingsError(file, f"columns.{name}", Say("不是表头", "is not a heading"), fix)
    for known in fields:
        if target.needs(known) and known.name not in {*columns, *constants}:
            raise _unnamed(file, known.name, known.headings[0])
    for group in target.one_of:
        if not set(group) & {*columns, *constants}:
            raise _unnamed(file, " / ".join(group), "」或「".join(names[name].headings[0] for name in group))
    columns = columns | {name: columns[like] for name, like in FOLLOWING.items() if name in names and like in columns}
    may_be_empty = _instead(target, columns)
    mapped = tuple(_mapped(f, str(columns[f.name]), may_be_empty=f.name in may_be_empty) for f in fields if f.name in columns)
    absent = tuple(replace(f, headings=(), needed=False, filled=False) for f in fields if f.name not in columns)
    return Layout(mapped + absent, tuple(str(c) for c in columns.values()))


def _mapped(known: Field, column: str, *, may_be_empty: bool) -> Field:
    """The field as it is read from the column that a person named: a time may then also be counted since 1970."""
    kind: Kind = "instant" if known.kind == "time" else known.kind
    return replace(known, headings=(column,), needed=True, filled=known.filled and not may_be_empty, kind=kind)


def _instead(target: Target, columns: dict[str, object]) -> dict[str, pl.Expr]:
    """What needed fields are read as where their column is absent, or empty and another field can stand for it."""
    by_field = {name: pl.coalesce(name, of) for name, of in target.instead.items() if isinstance(of, str) and of in columns}
    constants = {name: pl.lit(of) for name, of in target.instead.items() if isinstance(of, int) and name not in columns}
    return by_field | {name: of.cast(pl.Int64) for name, of in constants.items()} | _lines_of_orders(columns)


def _lines_of_orders(columns: dict[str, object]) -> dict[str, pl.Expr]:
    """Short ids of order lines count within their order only («1», «2»): the order's id makes them one of a kind."""
    if not {"line_id", "order_id"} <= set(columns):
        return {}
    line = pl.col("line_id")
    short = line.str.len_chars() < _LINE_ID
    return {"line_id": pl.when(short).then(pl.concat_str("order_id", line, separator="-")).otherwise(line)}


def _unnamed(file: Path, name: str, official: str) -> SettingsError:
    """A needed field that the mapping leaves out, with what exports usually call it."""
    says = Say(f"没有写是哪一列（例如「{official}」）", f"names no column (such as «{official.replace('」或「', '» or «')}»)")
    fix = Say(
        "写上文件里的表头；文件里没有这样的列，就导出带它的文件，或在 [constants] 里写一个对所有行都对的值。",
        "Write the file's heading; for a file without such a column, export one that has it, or give under [constants] a value "
        "that is true of every row.",
    )
    return SettingsError(file, f"columns.{name}", says, fix)
