"""`huitou label`: a person decides on the texts that tell most, and the model learns from it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from huitou.cli.learn import Kind

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

    from huitou.cli import Call
    from huitou.lake.workspace import Workspace
    from huitou.text.labels import Labels

AT_MOST = 20_000  # texts that are looked at to find those of which a model is least sure
SHOWN = 5  # labels that are proposed for a text
_OF_REVIEWS = (Kind.polarity, Kind.aspects)


def label(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="给什么打标签，同 learn。What to label, as of learn.")],
    file: Annotated[
        Path | None,
        typer.Option("--from", help="要标的文字在哪个文件，默认已导入的。File of the texts; what was imported.", readable=False),
    ] = None,
    text: Annotated[str | None, typer.Option(help="--from 里文字在哪一列。The column of the texts in --from.")] = None,
    count: Annotated[int, typer.Option(min=1, help="标几条。How many to ask about.")] = 20,
    propose: Annotated[
        bool, typer.Option("--propose", help="请 [llm] 里的大模型提议。Ask the model of [llm] to propose.")
    ] = False,
) -> None:
    """把模型最没把握的文字给人标，存下决定，重新学习。Label what a model is least sure of; it learns from that at once."""
    from rich.console import Console

    from huitou.cli.learn import show
    from huitou.lake.disk import room
    from huitou.text.labels import Labels, enough
    from huitou.text.learn import learn as learn_from

    call: Call = context.obj
    console = Console(highlight=False)
    ws = call.open()
    labels = Labels(ws.path / "labels", kind.value)
    asked = _Asked(call, ws, labels)
    texts = asked.texts(file, text)
    if not len(texts):
        console.print(call.say("没有还没标过的文字。", "There is no text that is not labelled yet."))
        return
    with room(labels.folder):
        decided = asked.decide(console, texts, count, propose=propose)
    all_texts, answers = labels.together()
    console.print(
        call.say(f"标了 {decided} 条，共有 {len(all_texts):,} 条。", f"{decided} labelled, {len(all_texts):,} in all."),
        soft_wrap=True,
    )
    if not decided:
        return
    if not enough(answers):
        says = call.say("至少要 10 条、两种标签才能学习。", "A model needs 10 of them, and two labels.")
        console.print(says, soft_wrap=True)
        return
    with console.status(call.say("正在学习", "Learning")), room(ws.path):
        learned = learn_from(kind.value, all_texts, answers, ws.path / "models")
    show(call, console, kind, learned)


class _Asked:
    """The texts that a person is asked about, and how."""

    def __init__(self, call: "Call", ws: "Workspace", labels: "Labels") -> None:
        from huitou.text.trained import Trained

        self._call, self._ws, self._labels = call, ws, labels
        self._kind = Kind(labels.kind)
        self._model = Trained.of(ws.path / "models", (labels.kind,)).models.get(labels.kind)
        self._names = self._known()

    def texts(self, file: Path | None, column: str | None) -> "pl.Series":
        """Distinct masked texts that nobody labelled yet, at most `AT_MOST`. Raises HuitouError where none can be found."""
        import polars as pl

        from huitou.cli.columns import whole
        from huitou.cli.learn import as_texts
        from huitou.errors import HuitouError, Say
        from huitou.sources.masking import mask

        if file is not None:
            if column is None:
                says = Say("没说文字在哪一列。", "The column of the texts is not named.")
                raise HuitouError(says, Say("加上 --text 列名。", "Add --text COLUMN."))
            frame, _ = whole(file, {"text": column})
            found = mask(as_texts(self._kind, frame["text"]))
        else:
            found = self._imported()
        known = self._labels.decided()
        texts = found.drop_nulls().to_frame("text").filter(pl.col("text").str.strip_chars().str.len_chars() > 1)
        texts = texts.unique("text", keep="first", maintain_order=True)
        texts = texts.filter(~pl.col("text").is_in(list(known)))
        return texts.sort(pl.col("text").hash(7)).head(AT_MOST)["text"] if len(texts) > AT_MOST else texts["text"]

    def decide(self, console: "Console", texts: "pl.Series", count: int, *, propose: bool) -> int:
        """Ask about up to `count` texts; how many were decided."""
        ordered, proposals = self._ordered(texts, count)
        beside = self._proposed(console, ordered) if propose else [None] * len(ordered)
        console.print(
            self._call.say(
                "回车＝接受第一行的提议；数字（可几个，空格隔开）或编码＝选；0＝都不是；s＝跳过；?＝全部编码；q＝结束。",
                "Enter accepts what is proposed first; numbers (several with blanks) or codes choose; 0 none of them; s skip; "
                "? all codes; q quit.",
            ),
            soft_wrap=True,
        )
        decided = 0
        for nth, (text, (likely, chances)) in enumerate(zip(ordered, proposals, strict=True), start=1):
            said = list(likely) if not beside[nth - 1] else list(beside[nth - 1] or ())
            choices = list(dict.fromkeys([*said, *chances, *self._names]))
            shown = max(SHOWN, len(said)) if said or chances else 0
            console.print(f"\n{nth}/{len(ordered)}  {text}", soft_wrap=True, markup=False)
            for number, code in enumerate(choices[:shown], start=1):
                mark = self._call.say("← 提议", "← proposed") if code in said else ""
                console.print(f"  {number} {code} {self._names.get(code, '')} {mark}".rstrip(), soft_wrap=True, markup=False)
            if not shown:
                nothing = self._call.say(
                    "没有提议；? 看全部编码和数字。", "Nothing is proposed; ? shows all codes and their numbers."
                )
                console.print(f"  {nothing}", soft_wrap=True, markup=False)
            answer = self._answer(console, choices, said)
            if answer is None:
                break
            if answer != ["s"]:
                self._labels.add(text, answer)
                decided += 1
        return decided

    def _answer(self, console: "Console", choices: Sequence[str], said: Sequence[str]) -> list[str] | None:
        """A person's labels; ["s"] to skip, None to end."""
        from huitou.text.answers import SEVERAL

        several = self._kind.value in SEVERAL
        while line := sys.stdin.readline():
            words = line.replace(",", " ").replace("，", " ").split()
            if words in (["q"], ["s"]):
                return None if words == ["q"] else ["s"]
            if words == ["?"]:
                every = (f"{n} {code} {self._names.get(code, '')}".strip() for n, code in enumerate(choices, start=1))
                console.print("  ".join(every), soft_wrap=True, markup=False)
                continue
            if not words and (said or several):
                return list(said)
            if words == ["0"] and several:
                return []
            chosen = [choices[int(w) - 1] if w.isdecimal() and 1 <= int(w) <= len(choices) else w for w in words]
            if chosen and (several or len(chosen) == 1) and all(code in self._names for code in chosen):
                return list(dict.fromkeys(chosen))
            console.print(
                self._call.say("看不懂；写数字、编码、s、? 或 q。", "Not understood; write a number, a code, s, ? or q."),
                soft_wrap=True,
            )
        return None

    def _known(self) -> dict[str, str]:
        """Every label of the kind and its name: those of the model and of earlier decisions, else those of the taxonomies."""
        from huitou.rules.taxonomy import load_taxonomies

        codes = {code for one in self._labels.together()[1].labels for code in one}
        codes |= set(self._model.labels if self._model else ())
        names: dict[str, str] = {}
        sides = {"positive": ("正面", "positive"), "negative": ("负面", "negative")}
        if self._kind is Kind.polarity:
            names = {code: self._call.say(*said) for code, said in sides.items()}
        elif self._kind is Kind.satisfaction and not codes:
            names = {
                "0": self._call.say("不满意", "low"),
                "1": self._call.say("一般", "neutral"),
                "2": self._call.say("满意", "high"),
            }
        elif self._kind is not Kind.satisfaction:
            leaves = load_taxonomies(self._ws.path).taxonomies[self._kind.value].leaves.values()
            plain = {leaf.code: self._call.say(leaf.zh, leaf.en) for leaf in leaves}
            names = plain
            if self._kind is Kind.aspects:
                names = {
                    f"{code}|{side}": f"{name} {self._call.say(*said)}"
                    for code, name in plain.items()
                    for side, said in sides.items()
                }
        return {code: names.get(code, "") for code in sorted(codes)} if codes and not codes <= set(names) else names

    def _imported(self) -> "pl.Series":
        """The texts of the lake that are of the kind."""
        from huitou.errors import HuitouError, Say

        if self._kind is Kind.loss:
            says = Say("流失原因要整段会话来标。", "Why inquiries are lost is told of whole chats.")
            raise HuitouError(says, Say("加上 --from 文件.jsonl --text messages。", "Add --from FILE.jsonl --text messages."))
        with self._ws.read() as snapshot:
            name = "reviews" if self._kind in _OF_REVIEWS else "messages"
            rows = snapshot.table(name)
            if name == "messages":
                rows = rows.filter(rows.kind == "customer")
            return snapshot.frame(rows.select("text").distinct().order_by("text"))["text"]

    def _ordered(self, texts: "pl.Series", count: int) -> "tuple[list[str], list[tuple[list[str], list[str]]]]":
        """Up to `count` texts, the unsure ones first, and of each what is proposed and the likeliest labels."""
        import numpy as np

        from huitou.text.labels import least_sure

        if self._model is None:
            return self._by_rules(texts, count)
        chances = self._model.proba(texts)
        order = least_sure(self._model, chances)[:count]
        best = [[self._model.labels[n] for n in np.argsort(-chances[row])[:SHOWN]] for row in order]
        said = self._model.decide(chances[order])
        return [texts[row] for row in order], list(zip(said, best, strict=True))

    def _by_rules(self, texts: "pl.Series", count: int) -> "tuple[list[str], list[tuple[list[str], list[str]]]]":
        """The same from what the rules read, as long as there is no model."""
        from huitou.text import Reviewer, Tagger

        codes = list(self._names)
        if self._kind is Kind.polarity:
            whole = Reviewer().read(texts)[0].with_columns(text=texts)
            unsure = whole.sort((whole["p_negative"] - 0.5).abs()).head(count)
            return unsure["text"].to_list(), [([one], codes) for one in unsure["polarity"]]
        some = texts.sample(min(count, len(texts)), seed=7)
        said: list[list[str]] = [[] for _ in some]
        if self._kind is Kind.aspects:
            for row, aspect, polarity in Reviewer().read(some)[1].select("row", "aspect", "polarity").iter_rows():
                said[row].append(f"{aspect}|{polarity}")
        elif self._kind is Kind.intents:
            for row, code in Tagger(taxonomies=("intents",)).tag(some).select("row", "code").iter_rows():
                said[row].append(code)
        known = [[code for code in dict.fromkeys(one) if code in self._names] for one in said]
        return some.to_list(), [(one, codes if len(codes) <= SHOWN else one) for one in known]

    def _proposed(self, console: "Console", texts: list[str]) -> "list[tuple[str, ...] | None]":
        """What the language model of the workspace proposes."""
        import polars as pl

        from huitou.cli.asking import language_model, what_was_asked
        from huitou.text.answers import SEVERAL
        from huitou.text.proposals import propose

        model, _ = language_model(self._ws.path)
        kind = self._kind.value
        out = propose(model, kind, self._names, pl.Series(texts, dtype=pl.String), many=kind in SEVERAL)
        for sentence in what_was_asked(model.used, self._call.lang):
            console.print(sentence, soft_wrap=True, markup=False)
        return out
