"""`huitou label`: what is unsure comes first, decisions are kept, and a model learns from them at once."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from huitou.cli import app
from huitou.text.labels import Labels
from tests.front import huitou

THINGS = "包鞋帽伞灯碗锅笔"
SURE = [f"{thing}{said}" for thing in THINGS for said in ("很好用，喜欢", "质量不错，推荐", "太差了，别买", "难闻，想退货")]
UNSURE = ["今天收到了那个盒子", "还没打开看过呢"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """An empty workspace, and beside it a file of reviews."""
    huitou("init", tmp_path / "shop")
    rows = [json.dumps({"评价": text}, ensure_ascii=False) for text in [*SURE, *UNSURE]]
    (tmp_path / "reviews.jsonl").write_text("\n".join(rows), "utf-8")
    return tmp_path / "shop"


def label(shop: Path, kind: str, typed: str, *more: str, file: str = "reviews.jsonl") -> str:
    words = ["--lang", "en", "-w", str(shop), "label", kind, "--from", str(shop.parent / file), "--text", "评价", *more]
    result = CliRunner().invoke(app, words, input=typed)
    assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
    return result.output


def test_decisions_are_kept_and_a_text_is_asked_about_once(shop: Path) -> None:
    said = label(shop, "polarity", "nonsense\n\n s \n1\nq\n", "--count", "4")
    assert "Not understood" in said and "2 labelled, 2 in all" in said and "needs 10" in said
    decided = Labels(shop / "labels", "polarity").decided()
    assert len(decided) == 2 and set(decided) <= {*SURE, *UNSURE}
    again = label(shop, "polarity", "q\n", "--count", "50")
    assert not any(f"  {text}\n" in again for text in decided)


def test_before_there_is_a_model_the_rules_say_what_is_unsure(shop: Path) -> None:
    assert any(text in label(shop, "polarity", "q\n", "--count", "2") for text in UNSURE)


def test_a_model_learns_from_what_was_decided(shop: Path) -> None:
    said = label(shop, "polarity", "".join("1\n" if n % 2 else "negative\n" for n in range(12)), "--count", "12")
    assert "12 texts" in said and "The rules are better" in said and "precision" in said
    assert (shop / "models" / "polarity.npz").is_file()


def test_codes_of_the_taxonomy_are_chosen_by_number_or_name(shop: Path) -> None:
    label(shop, "intents", "ask_stock ask_quality\n0\nnosuch\nother\n", "--count", "3")
    assert list(Labels(shop / "labels", "intents").decided().values()) == [["ask_stock", "ask_quality"], [], ["other"]]


def test_every_code_has_a_number(shop: Path) -> None:
    said = label(shop, "intents", "?\n21\nq\n", "--count", "1")
    assert "21 other" in said and list(Labels(shop / "labels", "intents").decided().values()) == [["other"]]


def test_what_a_person_decided_counts_more_than_a_file(shop: Path) -> None:
    rows = [json.dumps({"t": text, "s": 5 if n % 4 < 2 else 1}, ensure_ascii=False) for n, text in enumerate(SURE)]
    (shop.parent / "train.jsonl").write_text("\n".join(rows), "utf-8")
    Labels(shop / "labels", "polarity").add(SURE[0], ["negative"])
    huitou("-w", shop, "learn", "polarity", "--train", shop.parent / "train.jsonl", "--text", "t", "--label", "s")
    texts, answers = Labels(shop / "labels", "polarity").together()
    assert len(texts) == len(SURE) and dict(zip(texts, answers.labels))[SURE[0]] == ["negative"]
    out = shop.parent / "o.jsonl"
    huitou("-w", shop, "tag", "reviews", shop.parent / "train.jsonl", "--text", "t", "--out", out, "--explain")
    assert '"why"' in out.read_text("utf-8")  # the workspace's model is used without being named


def test_personal_data_is_masked_before_it_is_shown_or_kept(shop: Path) -> None:
    (shop.parent / "one.jsonl").write_text('{"评价": "我电话13800000000，快递太慢"}\n', "utf-8")
    said = label(shop, "aspects", "logistics|negative\n", file="one.jsonl")
    kept = (shop / "labels" / "aspects.jsonl").read_text("utf-8")
    assert "13800000000" not in said + kept and "〔手机〕" in said and "logistics|negative" in kept


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    labels = Labels(tmp_path, "polarity")
    labels.add("好用", ["positive"])
    with (tmp_path / "polarity.jsonl").open("a", encoding="utf-8") as out:
        out.write('{"text": "不好')
    assert labels.decided() == {"好用": ["positive"]}


def test_reasons_are_told_of_whole_chats(shop: Path) -> None:
    result = huitou("-w", shop, "label", "loss", ok=False)
    assert result.exit_code == 1 and "--from" in result.output
