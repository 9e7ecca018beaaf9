"""`huitou learn`: a model from texts and their labels, and how good it is on those it did not learn from."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from huitou.cli import Call
    from huitou.text.answers import Answers
    from huitou.text.learn import Learned, Rate


class Kind(StrEnum):
    """What a model tells of a text."""

    polarity = "polarity"
    aspects = "aspects"
    intents = "intents"
    satisfaction = "satisfaction"
    loss = "loss"


def learn(
    context: typer.Context,
    kind: Annotated[
        Kind,
        typer.Argument(
            help="评价褒贬、评价方面、消息意图、满意度、流失原因。Polarity or aspects of reviews, intents or satisfaction "
            "of messages, why inquiries are lost."
        ),
    ],
    train: Annotated[
        Path | None,
        typer.Option(
            help="有标签的文字：CSV、JSONL、Parquet、XLSX；polarity 不写就用已导入评价的评分。Texts with labels; without it, "
            "polarity learns from the ratings of imported reviews.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="文字在哪一列；loss 可以是 messages。The column of the texts; loss may read messages.")
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            help="标签在哪一列：一个编码或评分；aspects 和 intents 可有几个。The column of labels: a code, a rating, or a list "
            "of codes."
        ),
    ] = None,
    model_dir: Annotated[
        Path | None, typer.Option(help="模型放哪个文件夹，默认工作区的 models/。Folder of the model; the workspace's models/.")
    ] = None,
) -> None:
    """从有标签的文字学一个模型；更差的不会换掉更好的。Learn a model from labelled texts; a worse one replaces no better one."""
    from rich.console import Console

    from huitou.cli.models import model_folder
    from huitou.lake.disk import room
    from huitou.text.learn import learn as learn_from

    call: Call = context.obj
    folder = model_folder(call.workspace, model_dir)
    console = Console(highlight=False)
    with console.status(call.say("正在学习", "Learning")), room(folder):
        texts, some, left = _of_file(kind, train, text, label) if train else _of_ratings(call, kind)
        if train is None or model_dir is None:
            texts, some = _with_kept(call, kind, texts, some, given=train is not None)
        learned = learn_from(kind.value, texts, some, folder)
    show(call, console, kind, learned)
    if left and train:
        lost = call.say(f"{left:,} 行没有可用的标签或读不出，没有用。", f"{left:,} rows had no label or could not be read.")
        console.print(lost, soft_wrap=True, markup=False)


def _of_file(kind: Kind, train: Path, text: str | None, label: str | None) -> "tuple[pl.Series, Answers, int]":
    """Texts of a file, their labels, and how many rows have none. Raises HuitouError for columns that are not named."""
    from huitou.cli.columns import whole
    from huitou.errors import HuitouError, Say
    from huitou.text.answers import answers

    if text is None or label is None:
        says = Say("没说文字和标签在哪一列。", "The columns of the texts and the labels are not named.")
        raise HuitouError(says, Say("加上 --text 列名 --label 列名。", "Add --text COLUMN --label COLUMN."))
    if text == label:
        says = Say(f"--text 和 --label 是同一列（{text}）。", f"--text and --label are the same column ({text}).")
        raise HuitouError(says, Say("写两列。", "Name two columns."))
    frame, unread = whole(train, {"text": text, "label": label})
    some = answers(kind.value, frame["label"].alias(label))
    return as_texts(kind, frame["text"].gather(some.rows)), some, some.left + unread


def _with_kept(call: "Call", kind: Kind, texts: "pl.Series", some: "Answers", *, given: bool) -> "tuple[pl.Series, Answers]":
    """Texts and labels together with those the workspace keeps; what a person gave is kept there too, masked."""
    from huitou.sources.masking import mask
    from huitou.text.labels import Labels

    kept = Labels(call.workspace / "labels", kind.value)
    if not given:
        return kept.over(texts, some)
    kept.put(mask(texts), some)
    return kept.together()


def _of_ratings(call: "Call", kind: Kind) -> "tuple[pl.Series, Answers, int]":
    """The imported reviews whose ratings teach something. Raises HuitouError for other kinds, UselessLabels for too few."""
    from huitou.errors import HuitouError, Say
    from huitou.text.answers import useful, weak_polarity
    from huitou.text.readings import rated

    if kind is not Kind.polarity:
        says = Say("没说从哪个文件学。", "The file to learn from is not named.")
        raise HuitouError(
            says, Say("加上 --train 文件 --text 列名 --label 列名。", "Add --train FILE --text COLUMN --label COLUMN.")
        )
    with call.open().read() as snapshot:
        reviews = rated(snapshot.frame(snapshot.table("reviews")))
    texts, some = weak_polarity(reviews["text"], reviews["stars"])
    return texts, useful(some, "rating"), some.left


def as_texts(kind: str, texts: "pl.Series") -> "pl.Series":
    """Texts as a model of the kind reads them: of chats that a file holds as lists of messages, who says what."""
    import polars as pl

    from huitou.cli.tag_inquiries import role_of
    from huitou.text.trained import chat_text

    def one(cell: str | None) -> str:
        if not cell or not cell.lstrip().startswith("["):
            return cell or ""
        try:
            messages = json.loads(cell)
        except (ValueError, RecursionError):
            return cell
        if not all(isinstance(message, dict) for message in messages):
            return cell
        return chat_text((role_of(message), str(message.get("text") or "")) for message in messages)

    return pl.Series([one(cell) for cell in texts.to_list()], dtype=pl.String) if kind == Kind.loss else texts


def show(call: "Call", console: "Console", kind: str, learned: "Learned") -> None:
    """Print what came of learning: sentences, and precision and recall of each label."""
    for sentence in told(call, kind, learned):
        console.print(sentence, soft_wrap=True, markup=False)
    _labels(call, console, learned)


def told(call: "Call", kind: str, learned: "Learned") -> list[str]:
    """What came of learning, as sentences."""
    figures, before = learned.figures, learned.before
    of = call.say(f"{kind}：{learned.learned_from:,} 条学习", f"{kind}: {learned.learned_from:,} texts")
    held = call.say(f"，其中 {figures.texts:,} 条留作检验", f", {figures.texts:,} of them held back to judge by")
    lines = [
        of + held + call.say("。", "."),
        call.say("正确率 ", "Accuracy ")
        + share(figures.accuracy)
        + call.say(
            f"；微平均 F1 {figures.micro_f1:.3f}，宏平均 F1 {figures.macro_f1:.3f}。",
            f"; micro-F1 {figures.micro_f1:.3f}, macro-F1 {figures.macro_f1:.3f}.",
        ),
    ]
    if learned.rules is not None:
        zh, en = f"词表在同样的文字上对 {learned.rules:.3f}。", f"The rules are right on {learned.rules:.3f} of the same texts."
        lines.append(call.say(zh, en))
    if learned.rules is not None and not learned.kept_old and figures.accuracy.value < learned.rules:
        zh = "词表更对，店铺的评价仍用词表读，等模型学得更好再换。"
        en = "The rules are better and go on reading the shop's reviews until the model is."
        lines.append(call.say(zh, en))
    elif before is None:
        lines.append(call.say("以前没有模型，现在用这个。", "There was no model before; this one is in use now."))
    elif learned.kept_old:
        zh = f"原来的模型在同样的文字上更好（{before.score:.3f} 对 {figures.score:.3f}），留用原来的。"
        en = f"The model that was there is better on the same texts ({before.score:.3f} against {figures.score:.3f}) and stays."
        lines.append(call.say(zh, en))
    else:
        zh = f"不比原来的差（{figures.score:.3f} 对 {before.score:.3f}），换上了。"
        en = f"It is no worse than the one before ({figures.score:.3f} against {before.score:.3f}) and replaces it."
        lines.append(call.say(zh, en))
    return lines


def share(rate: "Rate") -> str:
    """A share with its 95 % interval and n."""
    return f"{rate.value:.3f} [{rate.low:.3f}, {rate.high:.3f}] (n={rate.n:,})" if rate.n else "–"


def _labels(call: "Call", console: "Console", learned: "Learned") -> None:
    """Precision and recall of each label, the most frequent first."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in (call.say("标签", "label"), call.say("精确率", "precision"), call.say("召回率", "recall")):
        table.add_column(name, overflow="fold")
    for label, (precision, recall) in sorted(learned.figures.labels.items(), key=lambda item: -item[1][1].n):
        table.add_row(label, share(precision), share(recall))
    console.print(table)
