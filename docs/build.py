"""Writes docs/reference/*.md from the declarations, so that documentation cannot drift from the code.

`python -m docs.build` writes; `pages()` returns the texts, for the test that compares them with what is committed.
"""

from pathlib import Path

import typer.main
from typer.core import TyperGroup

from huitou.cli import app
from huitou.metrics import METRICS
from huitou.reports.words import means_zh
from huitou.rules import load_pack, pack_files
from huitou.rules.taxonomy import load_taxonomies
from huitou.sources.layout import Layout, heading
from huitou.sources.model import Source
from huitou.sources.registry import sources
from huitou.sources.service_tables import AGENTS, DAYS, HOURS, ServiceTables
from huitou.tables import PROVENANCE, TABLES, Table

HERE = Path(__file__).parent / "reference"
_GRAMMAR = ("speech", "polarity")  # how something is said, not what it is about


def pages() -> dict[str, str]:
    """File name → Markdown."""
    return {
        "tables.md": _tables(),
        "metrics.md": _metrics(),
        "sources.md": _sources(),
        "rules.md": _rules(),
        "labels.md": _labels(),
        "commands.md": _commands(),
    }


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in cells) + " |\n"


def _tables() -> str:
    out = [
        "# Tables 数据表\n\nEvery table of the lake. A *canonical* table holds what happened, as sources fill it; a *fact* table is "
        "built from them under one rule pack. Times are UTC microseconds, days are in the shop's zone, money is in 分 (minor units).\n"
    ]
    for table in TABLES.values():
        out.append(_table(table))
    out.append(
        "\n## Provenance 来源列\n\nAdded to every canonical row by the lake.\n\n"
        + _row("column", "type", "中文", "meaning")
        + _row(*["---"] * 4)
    )
    out.extend(_row(c.name, c.type, c.zh, c.en) for c in PROVENANCE)
    return "".join(out)


def _table(table: Table) -> str:
    facts = "fact" if table.fact else "canonical"
    more = ", newest version of each key is read" if table.versions else ""
    head = f"\n## {table.name} {table.zh}\n\n{table.en}. *{facts}*, key: {', '.join(table.key)}{more}.\n\n"
    lines = [_row("column", "type", "unit", "empty?", "person", "中文", "meaning"), _row(*["---"] * 7)]
    lines += [_row(c.name, c.type, c.unit or "", "yes" if c.nullable else "", c.privacy, c.zh, c.en) for c in table.columns]
    return head + "".join(lines)


def _metrics() -> str:
    out = [
        "# Metrics 指标\n\nEvery number, its definition and its source. `huitou metrics ID --format json` prints it with numerator, "
        "denominator, n and its 95 % interval.\n\n",
        _row("id", "中文", "English", "unit", "better", "over", "定义", "definition", "source"),
        _row(*["---"] * 9),
    ]
    for m in METRICS.values():
        zh = means_zh().get(m.id, "")
        out.append(_row(f"`{m.id}`", m.zh, m.en, m.unit, m.better, m.of or "–", zh, " ".join(m.doc.split()), m.source))
    return "".join(out)


def _sources() -> str:
    out = [
        "# Sources 来源\n\nEvery export that Huitou reads, found by its content, whatever its name. Of each: the columns that are read, by "
        "every heading they are known under; the columns that exports have and that are not used; what is peculiar to it. A table "
        "that is not listed comes in by a [mapping](../mappings) or by a [source of one's own](../sources).\n\n"
    ]
    out += [_row("id", "中文", "English", "feeds"), _row(*["---"] * 4)]
    out += [_row(f"`{s.id}`", s.zh, s.en, ", ".join(s.feeds)) for s in sources()]
    return "".join(out + [_source(s) for s in sources()])


def _source(source: Source) -> str:
    out = [f"\n## {source.id}\n\n{source.zh}。 {source.en}.\n"]
    if source.feeds:
        out.append(f"A row of the file is a row of `{source.main}`; fills {', '.join(f'`{name}`' for name in source.feeds)}.\n")
    layout = getattr(source, "layout", None)
    if isinstance(layout, Layout):
        read = [(field, field.headings) for field in layout.fields if field.headings]
        out += ["\n", _row("headings", "kind", "needed?"), _row(*["---"] * 3)]
        out += [_row(" · ".join(names), field.kind, "yes" if field.needed else "") for field, names in read]
        known = {heading(name) for _, names in read for name in names}
        unused = [name for name in dict.fromkeys(layout.ignored) if heading(name) not in known]
        if unused:
            out.append(f"\nKnown and not used: {' · '.join(unused)}.\n")
    if isinstance(source, ServiceTables):
        out.append(f"\nRows are told by {' · '.join((*DAYS, *AGENTS, *HOURS))}; every other column is read as a number.\n")
        out += [f"\n`{r.code}` is told by {r.least} of: {' · '.join(r.telling)}.\n" for r in source.reports]
    quirks = getattr(source, "quirks", ())
    return "".join(
        [*out, "\n" if quirks else "", *(f"- {quirk.zh}。 {quirk.en[:1].upper()}{quirk.en[1:]}.\n" for quirk in quirks)]
    )


def _rules() -> str:
    out = [
        "# Rule packs 规则包\n\nTrust: A the platform's own text, B a vendor or serious secondary source, C one weak page: an editable default.\n"
    ]
    for name in sorted(pack_files()):
        pack = load_pack(name)
        out.append(f"\n## {pack.id} {pack.zh}\n\n{pack.en}. Valid from {pack.valid_from}.\n\n")
        out += [_row("rule", "value", "unit", "中文", "meaning", "source", "trust"), _row(*["---"] * 7)]
        out += [_row(f"`{k}`", r.value, r.unit or "", r.zh, r.en, r.source, r.trust) for k, r in pack.rules.items()]
    return "".join(out)


def _labels() -> str:
    out = [
        "# Labels 标签\n\nEvery code that texts are given, by taxonomy. How they are found and how a shop adds its own: "
        "[text.md](../text.md). «who» can act on it.\n"
    ]
    for taxonomy in load_taxonomies().taxonomies.values():
        if taxonomy.id in _GRAMMAR:
            continue
        out.append(
            f"\n## {taxonomy.id} {taxonomy.zh}\n\n{taxonomy.en[:1].upper()}{taxonomy.en[1:]}, from what is said by: {taxonomy.speaker}.\n\n"
        )
        out += [_row("code", "中文", "English", "who", "补救", "remedy"), _row(*["---"] * 6)]
        out += [_row(f"`{x.code}`", x.zh, x.en, x.who, x.remedy.zh, x.remedy.en) for x in taxonomy.leaves.values()]
    return "".join(out)


def _commands() -> str:
    group = typer.main.get_command(app)
    if not isinstance(group, TyperGroup):
        raise TypeError("the command line is not a group of commands")
    out = ["# Commands 命令\n\n`huitou [-w WORKSPACE] [--lang zh|en] COMMAND …`\n"]
    for name, command in sorted(group.commands.items()):
        out.append(f"\n## huitou {name}\n\n{command.help}\n\n" + _row("option", "meaning") + _row("---", "---"))
        for param in command.params:
            flag = ", ".join(param.opts) if param.param_type_name == "option" else (param.name or "").upper()
            out.append(_row(f"`{flag}`", getattr(param, "help", "") or ""))
    return "".join(out)


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for file, text in pages().items():
        (HERE / file).write_text(text, "utf-8")
