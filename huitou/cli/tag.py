"""`huitou tag`: what the messages, reviews or whole chats of a file say, line by line, as JSON lines."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

    from huitou.cli import Call
    from huitou.rules.taxonomy import Words
    from huitou.text.normal import Bytes
    from huitou.text.trained import Trained

    Lines = Callable[[pl.DataFrame], tuple[Bytes, int]]


class What(StrEnum):
    """What a file's texts are."""

    chats = "chats"
    reviews = "reviews"
    inquiries = "inquiries"


MODELS_OF = {What.chats: ("intents", "satisfaction"), What.reviews: ("polarity", "aspects"), What.inquiries: ("loss",)}
"""The kinds of models that are used for each."""
_RATINGS = {"好评": 5, "中评": 3, "差评": 1, "good": 5, "neutral": 3, "bad": 1, "5星": 5, "4星": 4, "3星": 3, "2星": 2, "1星": 1}


def tag(
    context: typer.Context,
    what: Annotated[What, typer.Argument(help="消息、评价，还是整个会话。Messages, reviews or whole chats.")],
    file: Annotated[Path, typer.Argument(help="CSV、JSONL、Parquet、XLSX。", show_default=False, readable=False)],
    out: Annotated[Path, typer.Option(help="写到哪里（JSON 行；row 从 0 数）。Where to write JSON lines; row counts from 0.")],
    text: Annotated[
        str | None, typer.Option(help="文字在哪一列（inquiries 不用）。The column of the texts (not for inquiries).")
    ] = None,
    rating: Annotated[str | None, typer.Option(help="评分在哪一列（1–5，或好评中评差评）。The column of ratings.")] = None,
    llm: Annotated[
        bool,
        typer.Option(
            "--llm", help="没把握的询单请 [llm] 里的大模型提议。Ask the model of [llm] about inquiries that are hard to read."
        ),
    ] = False,
    model_dir: Annotated[
        Path | None,
        typer.Option(help="`huitou learn` 学的模型在哪，默认工作区的。Folder of learned models; the workspace's by default."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="评价褒贬由哪些字词决定。Add the words that decide a review's polarity, as why.")
    ] = False,
) -> None:
    """给消息打标签，把评价拆成分句，或说出询单为何流失，附原文位置。Tag messages, split reviews, tell why inquiries are lost."""
    from huitou.cli.models import is_workspace, trained
    from huitou.errors import HuitouError, Say
    from huitou.rules.taxonomy import load_taxonomies

    call: Call = context.obj
    _writable(file, out)
    words = load_taxonomies(call.workspace if is_workspace(call.workspace) else None)
    models = trained(call.workspace, model_dir, MODELS_OF[what])
    if explain and (what is not What.reviews or models is None or "polarity" not in models.models):
        says = Say("--explain 要有评价褒贬的模型。", "--explain needs a model of the polarity of reviews.")
        raise HuitouError(says, Say("先运行 huitou learn polarity。", "Run huitou learn polarity first."))
    if what is What.inquiries:
        _inquiries(call, file, out, (words, models), llm=llm)
        return
    if text is None:
        says = Say("没说文字在哪一列。", "The column of the texts is not named.")
        raise HuitouError(says, Say("加上 --text 列名。", "Add --text COLUMN."))
    columns = {"text": text} | ({"rating": rating} if rating else {})
    lines = _chats(words, models) if what is What.chats else _reviews(words, models, explain=explain)
    _texts(call, what, (file, out, columns), lines)


def _texts(call: "Call", what: What, where: "tuple[Path, Path, dict[str, str]]", lines: "Lines") -> None:
    """Tags messages or reviews, and says how many rows were read, say something, and could not be read."""
    from rich.console import Console

    from huitou.cli.columns import stretches

    file, out, columns = where
    frames, skipped = stretches(file, columns)
    rows, told = _write(frames, lines, out)
    name = call.say("标签", "tags") if what is What.chats else call.say("抱怨", "complaints")
    left = call.say(f"，{len(skipped)} 行读不出", f", {len(skipped)} could not be read") if skipped else ""
    Console(highlight=False).print(
        call.say(
            f"读了 {rows:,} 行，{told:,} 行有{name}{left}。写在 {out}",
            f"{rows:,} rows read, {told:,} with {name}{left}. Written to {out}",
        ),
        soft_wrap=True,
        markup=False,
    )
    if skipped:
        raise typer.Exit(3 if rows else 1)


def _writable(file: Path, out: Path) -> None:
    """Raises HuitouError where `out` cannot be written beside `file`."""
    from huitou.errors import HuitouError, Say

    if out.resolve() == file.resolve():
        says = Say("--out 就是要读的文件。", "--out is the file to be read.")
        raise HuitouError(says, Say("写到另一个文件。", "Write to another file."))
    if not out.parent.is_dir():
        says = Say(f"没有 {out.parent} 这个文件夹。", f"There is no folder {out.parent}.")
        raise HuitouError(says, Say("先建好它，或换一个地方。", "Make it first, or write elsewhere."))


def _write(frames: "Iterable[pl.DataFrame]", lines: "Lines", out: Path) -> tuple[int, int]:
    """Write what is said of each row, all or nothing; how many rows, and how many of them say something."""
    from huitou.sources.ahead import ahead

    new = out.with_name(out.name + ".new")
    rows = told = 0
    try:
        with new.open("wb") as target:
            for (said, some), read in ahead((lines(frame), frame.height) for frame in ahead(iter(frames))):
                target.write(said.data)
                rows, told = rows + read, told + some
        new.replace(out)
    finally:
        new.unlink(missing_ok=True)
    return rows, told


def _inquiries(call: "Call", file: Path, out: Path, by: "tuple[Words, Trained | None]", *, llm: bool) -> None:
    """Tags whole chats, and says how many were lost, which lines could not be read, and what a language model was asked."""
    from rich.console import Console

    from huitou.cli.asking import language_model, what_was_asked
    from huitou.cli.tag_inquiries import tag_inquiries
    from huitou.text.proposals import propose_reasons

    words, models = by
    model, below = language_model(call.workspace) if llm else (None, 0.0)
    asked = (lambda messages, readings: propose_reasons(model, words, messages, readings, below)) if model else None
    new = out.with_name(out.name + ".new")
    try:
        done = tag_inquiries(file, new, words, asked=asked, models=models)
        new.replace(out)
    finally:
        new.unlink(missing_ok=True)
    console = Console(highlight=False)
    for number, says in done.problems:
        told = call.say(f"第 {number} 行：{says.zh}", f"Line {number}: {says.en}")
        console.print(told, soft_wrap=True, markup=False)
    left = call.say(f"，{done.left_out} 行读不出", f", {done.left_out} lines could not be read") if done.left_out else ""
    console.print(
        call.say(
            f"读了 {done.chats:,} 个会话，{done.lost:,} 个流失{left}。写在 {out}",
            f"{done.chats:,} chats read, {done.lost:,} of them lost{left}. Written to {out}",
        ),
        soft_wrap=True,
        markup=False,
    )
    for sentence in what_was_asked(model.used, call.lang) if model else []:
        console.print(sentence, soft_wrap=True, markup=False)
    if done.left_out:
        raise typer.Exit(3 if done.chats else 1)


def _chats(words: "Words", models: "Trained | None") -> "Lines":
    """What makes lines of messages: ``{"row", "intents", "spans"}``, and how many have any tag.

    A model of intents says them in its own set; one of satisfaction adds ``"satisfaction"``.
    """
    import polars as pl

    from huitou.text import Tagger
    from huitou.text.lines import TagLines

    kinds = list(models.models) if models else []
    made = TagLines(Tagger(words), intents="intents" not in kinds)

    def lines(frame: "pl.DataFrame") -> "tuple[Bytes, int]":
        end = pl.repeat("}\n", frame.height, eager=True)
        if models and kinds:
            said = [pl.Series(kind, _said(models, kind, frame["text"])) for kind in kinds]
            end = "," + pl.DataFrame(said).to_struct().struct.json_encode().str.slice(1) + "\n"
        return made.lines(frame["row"], frame["text"], end)

    return lines


def _said(models: "Trained", kind: str, texts: "pl.Series") -> "pl.Series":
    """A model's labels of texts: a list each, or one; numbers where the labels are whole numbers."""
    import polars as pl

    labels = models.labels(kind, texts)
    if not models.models[kind].plan.exclusive:
        return pl.Series(labels, dtype=pl.List(pl.String))
    single = pl.Series([one[0] for one in labels], dtype=pl.String)
    return single.cast(pl.Int64) if all(label.isdecimal() for label in models.models[kind].labels) else single


def _reviews(words: "Words", models: "Trained | None", *, explain: bool) -> "Lines":
    """What makes lines of reviews, and how many complain.

    A model of polarity gives ``p_negative``, one of aspects adds ``"aspects"``; `explain` adds ``"why"``: what spoke most for
    (weight above 0) or against the polarity, and where in the text.
    """
    import polars as pl

    from huitou.text import Reviewer
    from huitou.text.normal import utf8

    reviewer = Reviewer(words, models.estimate() if models else None)

    def lines(frame: "pl.DataFrame") -> "tuple[Bytes, int]":
        ratings = _ratings(frame["rating"]) if "rating" in frame.columns else None
        whole, clauses = reviewer.read(frame["text"], ratings)
        typed = frame["text"].fill_null("").gather(clauses["row"])
        said = clauses.with_columns(text=typed).with_columns(
            pl.col("text").str.slice(pl.col("start"), pl.col("end") - pl.col("start"))
        )
        grouped = said.group_by("row", maintain_order=True).agg(
            pl.struct("aspect", "polarity", "text", "start", "end").alias("clauses")
        )
        joined = whole.join(grouped, on="row", how="left", maintain_order="left").with_columns(pl.col("clauses").fill_null([]))
        added = {}
        if models and "aspects" in models.models:
            added["aspects"] = _said(models, "aspects", frame["text"])
        if models and explain:
            pairs = zip(frame["text"].fill_null(""), whole["polarity"], strict=True)
            why = [[reason._asdict() for reason in models.models["polarity"].why(*pair)] for pair in pairs]
            added["why"] = pl.Series(
                why, dtype=pl.List(pl.Struct({"says": pl.String, "weight": pl.Float64, "start": pl.Int64, "end": pl.Int64}))
            )
        told = joined.with_columns(frame["row"].alias("row"), **added).select(pl.struct(pl.all()).struct.json_encode() + "\n")
        return utf8(told.to_series())[0], int(whole["has_complaint"].sum())

    return lines


def _ratings(cells: "pl.Series") -> "pl.Series":
    """Ratings 1 … 5 of cells as shops write them; null where it is none."""
    import polars as pl

    plain = cells.str.strip_chars().str.to_lowercase()
    named = plain.replace_strict(_RATINGS, default=None, return_dtype=pl.Float64)
    numbers = plain.cast(pl.Float64, strict=False)
    stars = pl.select(pl.coalesce(pl.lit(named), pl.lit(numbers))).to_series().round().cast(pl.Int64, strict=False)
    return stars.to_frame("r").select(pl.when(pl.col("r").is_between(1, 5)).then("r")).to_series()
