"""Learning from labelled texts: what is learnt is used by `huitou tag`, judged on texts held back, and never gets worse."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from huitou.text.answers import answers, weak_polarity
from huitou.text.learn import Rate, held_back, learn
from huitou.text.models import Plan, TextModel
from tests.front import huitou

THINGS = ("包", "鞋", "衣服", "杯子", "台灯", "毛巾", "雨伞", "耳机", "拖鞋", "围巾")
GOOD = ["很好用，下次还来", "做工精细，满意", "性价比高，推荐", "质量不错，喜欢"]
BAD = ["太差了，别买", "用两天就坏，失望", "味道难闻，后悔", "做工粗糙，想退"]
REVIEWS = [(f"{thing}{said}", mark) for thing in THINGS for said, mark in [*((g, 5) for g in GOOD), *((b, 1) for b in BAD)]]
ASPECTS = {"物流|正面": "快递很快", "物流|负面": "快递太慢", "外观|正面": "颜色好看", "外观|负面": "颜色难看"}
SEVERAL = [(f"{t}，{said}，{more}", sorted({a, b})) for t in THINGS for a, said in ASPECTS.items() for b, more in ASPECTS.items()]


def lines(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return file


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with models of polarity, aspects and satisfaction, learned through the command line."""
    folder = tmp_path_factory.mktemp("models")
    reviews = lines(folder / "reviews.jsonl", [{"评价": text, "星": mark} for text, mark in REVIEWS])
    huitou("learn", "polarity", "--train", reviews, "--text", "评价", "--label", "星", "--model-dir", folder)
    several = folder / "several.parquet"
    pl.DataFrame({"text": [text for text, _ in SEVERAL], "labels": [codes for _, codes in SEVERAL]}).write_parquet(several)
    huitou("learn", "aspects", "--train", several, "--text", "text", "--label", "labels", "--model-dir", folder)
    said = {0: "怎么还没到，投诉", 1: "订单号发你了", 2: "谢谢，你真好"}
    turns = [{"t": f"客服：在的\n{text}{thing}", "s": mark} for mark, text in said.items() for thing in THINGS]
    huitou(
        "learn",
        "satisfaction",
        "--train",
        lines(folder / "turns.jsonl", turns),
        "--text",
        "t",
        "--label",
        "s",
        "--model-dir",
        folder,
    )
    return folder


def tagged(what: str, models: Path, out: Path, *texts: str, more: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    file = lines(out.with_suffix(".in.jsonl"), [{"text": text} for text in texts])
    huitou("tag", what, file, "--text", "text", "--model-dir", models, "--out", out, *more)
    return read(out)


def test_what_was_learnt_of_polarity_tags_reviews(models: Path, tmp_path: Path) -> None:
    good, bad = tagged("reviews", models, tmp_path / "o.jsonl", "书包质量不错，推荐", "书包味道难闻，想退")
    assert (good["polarity"], bad["polarity"]) == ("positive", "negative")
    assert good["p_negative"] < 0.4 < 0.6 < bad["p_negative"] and bad["clauses"]


def test_aspects_come_back_in_the_files_own_set(models: Path, tmp_path: Path) -> None:
    both, none = tagged("reviews", models, tmp_path / "o.jsonl", "围裙，快递太慢，颜色好看", "")
    assert sorted(both["aspects"]) == ["外观|正面", "物流|负面"] and none["aspects"] == []


def test_satisfaction_is_that_of_the_last_line_and_a_number_where_labels_were(models: Path, tmp_path: Path) -> None:
    rows = tagged("chats", models, tmp_path / "o.jsonl", "谢谢，你真好\n怎么还没到，投诉", "怎么还没到\n谢谢你")
    assert [row["satisfaction"] for row in rows] == [0, 2] and "intents" in rows[0]


def test_a_decision_is_explained_by_words_of_the_text(models: Path, tmp_path: Path) -> None:
    (row,) = tagged("reviews", models, tmp_path / "o.jsonl", "这把伞太差了，别买", more=("--explain",))
    assert row["polarity"] == "negative" and row["why"][0]["weight"] > 0
    assert all("这把伞太差了，别买"[w["start"] : w["end"]] == w["says"] for w in row["why"] if w["start"] is not None)


def test_a_model_of_loss_has_its_say_in_its_own_set(tmp_path: Path) -> None:
    def chat(ask: str, label: str) -> dict[str, Any]:
        return {
            "id": ask,
            "why": label,
            "outcome": "lost",
            "messages": [{"role": "customer", "text": ask}, {"role": "agent", "text": "嗯"}],
        }

    asks = {"贵": "这个{}太贵了，不要了", "慢": "{}发货太慢，等不了"}
    chats = [chat(ask.format(thing), label) for label, ask in asks.items() for thing in THINGS]
    file = lines(tmp_path / "chats.jsonl", chats)
    huitou("learn", "loss", "--train", file, "--text", "messages", "--label", "why", "--model-dir", tmp_path / "m")
    huitou("tag", "inquiries", file, "--model-dir", tmp_path / "m", "--out", tmp_path / "o.jsonl")
    assert [row["primary"] for row in read(tmp_path / "o.jsonl")] == [one["why"] for one in chats]


def test_a_worse_model_replaces_no_better_one(tmp_path: Path) -> None:
    good = lines(tmp_path / "good.jsonl", [{"t": text, "s": mark} for text, mark in REVIEWS])
    wrong = lines(
        tmp_path / "wrong.jsonl",
        [
            {"t": text, "s": mark if held else 6 - mark}
            for (text, mark), held in zip(REVIEWS, held_back(pl.Series([t for t, _ in REVIEWS])))
        ],
    )
    command = ("--lang", "en", "learn", "polarity", "--text", "t", "--label", "s", "--model-dir", tmp_path / "m", "--train")
    assert "no model before" in huitou(*command, good).output
    before = (tmp_path / "m" / "polarity.npz").read_bytes()
    assert "and stays" in huitou(*command, wrong).output
    assert (tmp_path / "m" / "polarity.npz").read_bytes() == before
    assert "replaces it" in huitou(*command, good).output


def test_equal_texts_give_equal_models(tmp_path: Path) -> None:
    texts, labels = pl.Series([t for t, _ in REVIEWS]), pl.Series([mark for _, mark in REVIEWS])
    for name in ("a", "b"):
        learn("polarity", texts, answers("polarity", labels), tmp_path / name)
    one, other = (TextModel.load(tmp_path / name, "polarity") for name in ("a", "b"))
    assert np.array_equal(one.proba(texts), other.proba(texts))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--text", "评语", "--label", "星"), "评语"),
        (("--text", "评价", "--label", "评价"), "同一列"),
        (("--text", "星", "--label", "评价"), "0 行有标签"),
    ],
)
def test_what_cannot_be_learned_from_is_a_sentence(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    file = lines(tmp_path / "r.jsonl", [{"评价": text, "星": mark} for text, mark in REVIEWS[:20]])
    result = huitou("learn", "polarity", "--train", file, *words, "--model-dir", tmp_path / "m", ok=False)
    assert result.exit_code == 1 and told in result.output and not (tmp_path / "m").exists()


def test_a_folder_without_the_kind_is_a_sentence(models: Path, tmp_path: Path) -> None:
    file = lines(tmp_path / "r.jsonl", [{"text": "好"}])
    result = huitou("tag", "inquiries", file, "--model-dir", models, "--out", tmp_path / "o.jsonl", ok=False)
    assert result.exit_code == 1 and "huitou learn loss" in result.output


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1", "0", "1"], "pnp"),
        (["-1", "0", "1"], "n-p"),
        (["5", "3", "2"], "p-n"),
        (["好评", "中评", "差评"], "p-n"),
        (["positive", "", "NEG"], "p-n"),
    ],
)
def test_labels_of_polarity_are_read_as_files_have_them(cells: list[str], said: str) -> None:
    read_ = answers("polarity", pl.Series("label", cells * 5))
    names = {row: labels[0][0] for row, labels in zip(read_.rows, read_.labels)}
    assert "".join(names.get(row, "-") for row in range(3)) == said


@pytest.mark.parametrize(
    "cell", ['["物流|负面", "外观|正面"]', "物流|负面;外观|正面", "物流|负面，外观|正面", ["物流|负面", "外观|正面"]]
)
def test_lists_of_codes_are_read_as_files_have_them(cell: object) -> None:
    assert answers("aspects", pl.Series("label", [cell] * 10)).labels[0] == ["物流|负面", "外观|正面"]


def test_ratings_teach_unless_the_words_contradict_them() -> None:
    texts, read_ = weak_polarity(
        pl.Series(["质量太差了，退货", "很好很满意", "质量太差了，不推荐", "好"]), pl.Series([5, 5, 1, 5])
    )
    assert dict(zip(texts, read_.labels)) == {"很好很满意": ["positive"], "质量太差了，不推荐": ["negative"]}


def test_an_interval_is_that_of_wilson() -> None:
    rate = Rate.of(81, 263)  # Newcombe 1998, table I
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.2553, 0.3662)


def test_what_a_layer_and_a_line_say_adds_up_to_the_reasons() -> None:
    texts = [text for text, _ in REVIEWS]
    model = TextModel.fit(
        texts, ["good" if mark > 3 else "bad" for _, mark in REVIEWS], Plan(units=(4, 4, 4), cues=("polarity",))
    )
    reasons = model.why(texts[0], "good", most=1000)
    assert sum(reason.weight for reason in reasons if reason.start is not None) > 0
