"""What the ratings of imported reviews teach: words of a shop's own customers, used by the next build where that is better."""

import json
from pathlib import Path

import polars as pl
import pytest

from huitou.build import build
from huitou.lake import Workspace
from huitou.text.learn import held_back
from tests.front import huitou
from tests.lakes import SHOP, new_workspace, put, rows

THINGS = "伞灯锅碗笔鞋帽包凳梯琴鼓"
GOOD, BAD = ("{}灵光得很呐", "{}贼拉带劲呐", "{}嘎嘎板正呐"), ("{}蹩脚得很呐", "{}贼拉埋汰呐", "{}嘎嘎磕碜呐")
OF_STARS = {5: GOOD, 1: BAD}


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A shop whose customers praise and blame in words that no rule knows."""
    ws = new_workspace(tmp_path)
    said = [(form.format(thing), stars) for thing in THINGS for stars, forms in OF_STARS.items() for form in forms]
    said += [(form.format("茶壶"), None) for form in (*GOOD, *BAD)]
    plain = {"shop_key": SHOP, "day": "2026-05-04", "rating": None, "default_text": False, "append_text": None}
    frame = pl.DataFrame([plain | {"text": text, "score": stars, "row": n + 2} for n, (text, stars) in enumerate(said)])
    frame = frame.with_columns(pl.col("day").str.to_date(), pl.col("rating", "append_text").cast(pl.String))
    put(ws, "reviews", frame, content="reviews", name="reviews.csv")
    build(ws)
    return ws


def negative(ws: Workspace) -> int:
    """How many reviews are read as negative. 36 of those with stars are; of those without three should be."""
    return sum(polarity == "negative" for (polarity,) in rows(ws, "review_readings", "polarity"))


@pytest.mark.slow
def test_a_build_reads_reviews_by_what_their_ratings_taught(ws: Workspace) -> None:
    assert negative(ws) == 42
    said = huitou("-w", ws.path, "--lang", "en", "learn", "polarity").output
    assert "72 texts" in said and "The rules are right on" in said
    build(ws)
    assert negative(ws) == 39 and build(ws).rows == {}


def test_a_model_that_is_no_better_than_the_rules_changes_nothing(ws: Workspace) -> None:
    upside_down = pl.DataFrame([{"t": f.format(t), "s": 6 - s} for t in THINGS for s, forms in OF_STARS.items() for f in forms])
    plain = pl.DataFrame(
        [{"t": f"{t}{said}", "s": s} for t in THINGS for said, s in (("很好", 5), ("不错", 5), ("太差", 1), ("垃圾", 1))]
    )
    pl.concat((upside_down.head(4), plain)).write_csv(ws.path / "train.csv")
    huitou("-w", ws.path, "learn", "polarity", "--train", ws.path / "train.csv", "--text", "t", "--label", "s")
    build(ws)
    assert negative(ws) == 42


def test_tagging_in_a_workspace_goes_on_with_rules_that_are_better(ws: Workspace) -> None:
    said = [(f"{t}{words}", stars) for t in THINGS for words, stars in (("很好", 5), ("不错，喜欢", 5), ("太差", 1), ("垃圾", 1))]
    held = held_back(pl.Series([text for text, _ in said]))
    wrong = [{"t": text, "s": stars if out else 6 - stars} for (text, stars), out in zip(said, held, strict=True)]
    file, out = ws.path / "train.csv", ws.path / "o.jsonl"
    pl.DataFrame(wrong).write_csv(file)
    told = huitou("-w", ws.path, "--lang", "en", "learn", "polarity", "--train", file, "--text", "t", "--label", "s").output
    huitou("-w", ws.path, "tag", "reviews", file, "--text", "t", "--out", out)
    read = [json.loads(line)["polarity"] for line in out.read_text("utf-8").splitlines()]
    assert "The rules are better" in told and read == ["positive" if stars > 3 else "negative" for _, stars in said]


@pytest.mark.parametrize(("words", "told"), [(("intents",), "--train"), (("polarity", "--train", "x.csv"), "--text")])
def test_what_is_missing_is_named(ws: Workspace, words: tuple[str, ...], told: str) -> None:
    result = huitou("-w", ws.path, "learn", *words, ok=False)
    assert result.exit_code == 1 and told in result.output


def test_a_shop_without_rated_reviews_is_told(tmp_path: Path) -> None:
    result = huitou("-w", new_workspace(tmp_path).path, "--lang", "en", "learn", "polarity", ok=False)
    assert result.exit_code == 1 and "0 rows" in result.output
