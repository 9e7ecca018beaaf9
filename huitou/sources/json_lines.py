"""JSON lines as slabs: one object a line, its values as text, numbers with their own digits.

A native reader takes whole stretches; lines that it would refuse, or read otherwise than they stand, are read one by one.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress

import polars as pl

from huitou.errors import FileRefused, Say
from huitou.sources.layout import Placed
from huitou.sources.model import Head
from huitou.sources.reasons import problem
from huitou.sources.slabs import SLAB_BYTES, Slab, wanted
from huitou.sources.text import Utf8, lines_of

_NUMBER = r'([^\\]"\s*:\s*)(-?[0-9][0-9.eE+\-]*)'
"""A key's end and its number: inside a string a quotation mark has a backslash. In quotation marks it keeps its digits."""
_PAIR = r"\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF = r"\\u[dD][89a-fA-F]"  # without its other half it is no character
LONGEST_LINE = 4 * SLAB_BYTES
_FEW = 32  # lines that are read one by one rather than halved again to find the bad one


def json_slabs(head: Head, placed: Placed) -> Iterator[Slab]:
    """Objects of a JSON-lines file; a line that is none becomes a Problem."""
    assert head.encoding is not None
    names = [placed.header[at] for at in wanted(placed)]
    with Utf8(head.path, head.encoding) as stream:
        rest, row = b"", 0
        while data := stream.read(SLAB_BYTES):
            held = rest + data
            cut = held.rfind(b"\n") + 1
            lines, rest = lines_of(held[:cut])[:-1], held[cut:]
            if len(rest) > LONGEST_LINE:
                at = row + len(lines) + 1
                says = Say(f"第 {at:,} 行没有尽头", f"line {at:,} has no end")
                raise FileRefused(head.path, says, Say("重新导出，每行一个 JSON 对象。", "Export it again, one object a line."))
            yield _slab(head, placed, names, lines, row, stream.bytes_done)
            row += len(lines)
        if rest.strip():
            yield _slab(head, placed, names, pl.Series([rest.decode()]), row, stream.bytes_done)


def _slab(head: Head, placed: Placed, names: list[str], lines: pl.Series, before: int, done: int) -> Slab:
    lines = lines.str.strip_chars()
    at = (lines != "").arg_true()
    frame = _objects(lines.gather(at), names).select(
        *(pl.col(name).alias(str(position)) for name, position in zip(names, wanted(placed), strict=True)),
        at.cast(pl.Int64).alias("row") + before + 1,
        "bad",
    )
    bad = frame["row"].filter(frame["bad"])
    return Slab(frame.filter(~pl.col("bad")).drop("bad"), done, [problem(head.path.name, row, None, "json") for row in bad])


def _objects(lines: pl.Series, names: list[str]) -> pl.DataFrame:
    """A row for each line: the values of `names`, and whether it is ``bad``."""
    keys = "|".join({re.escape(form) for name in names for form in (name, json.dumps(name)[1:-1])})
    odd = lines.str.contains(rf'"(?:{keys})"\s*:\s*[\[{{]')
    halves = lines.str.contains(_HALF).arg_true()
    if len(halves):
        alone = lines.gather(halves).str.replace_all(_PAIR, "").str.contains(_HALF)
        odd = odd.scatter(halves.filter(alone), True)
    if not odd.any():
        return _stretch(lines, names)
    each = [_stretch(lines.filter(~odd), names), _one_by_one(lines.filter(odd), names)]
    order = pl.concat([(~odd).arg_true(), odd.arg_true()]).arg_sort()
    return pl.concat(each)[order]


def _stretch(lines: pl.Series, names: list[str]) -> pl.DataFrame:
    """The same of lines as they usually are: read at once, or by halves where one is bad."""
    quoted = lines.str.replace_all(_NUMBER, '${1}"${2}"') if lines.str.contains(_NUMBER).any() else lines
    with suppress(pl.exceptions.ComputeError):
        frame = pl.read_ndjson(quoted.str.join("\n").item().encode(), schema=dict.fromkeys(names, pl.String))
        if frame.height == len(lines):
            return frame.with_columns(pl.lit(False).alias("bad"))
    if len(lines) <= _FEW:
        return _one_by_one(lines, names)
    half = len(lines) // 2
    return pl.concat([_stretch(lines[:half], names), _stretch(lines[half:], names)])


def _one_by_one(lines: pl.Series, names: list[str]) -> pl.DataFrame:
    records = [_record(line) for line in lines]
    columns = {name: [_text((record or {}).get(name)) for record in records] for name in names}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
    return frame.with_columns(pl.Series("bad", [record is None for record in records], dtype=pl.Boolean))


def _record(line: str) -> dict[str, object] | None:
    """The object of a line; None for what is none, and for half characters, which no file can hold."""
    try:
        record = json.loads(line, parse_float=str, parse_int=str)
        json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
