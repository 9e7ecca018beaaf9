"""How right and how fast the models are that `huitou learn` makes and `huitou tag --model-dir` uses, on data sets with known labels.

Run: python -m benchmarks.learned [polarity shops aspects satisfaction speed]

Each figure comes through the two commands, as a shop would get it, on texts that were not learned from. Needs ``../shared/data``;
where it is missing nothing is measured, and that is said.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.texts import DATA
from huitou.text.learn import Rate, figures_of

SEED = 0
REVIEWS = DATA / "reviews_polarity" / "online_shopping_10_cats_dev.parquet"
Lines = list[dict]


def run(*words: object) -> float:
    """One command in a process of its own, and the seconds that it took."""
    began = time.perf_counter()
    command = [sys.executable, "-c", "from huitou.cli import main; main()", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr or done.stdout}")
    return time.perf_counter() - began


def learn(kind: str, frame: pl.DataFrame, folder: Path) -> float:
    """Learn from the columns ``text`` and ``label``; seconds."""
    file = folder / f"{kind}.train.parquet"
    frame.select("text", "label").write_parquet(file)
    return run("learn", kind, "--train", file, "--text", "text", "--label", "label", "--model-dir", folder / "models")


def tag(what: str, texts: pl.Series, folder: Path) -> tuple[Lines, float]:
    """What is said of each text, and the seconds that it took."""
    file, out = folder / "texts.parquet", folder / "out.jsonl"
    pl.DataFrame({"text": texts}).write_parquet(file)
    seconds = run("tag", what, file, "--text", "text", "--model-dir", folder / "models", "--out", out)
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["row"] for row in rows] == list(range(len(texts)))
    return rows, seconds


def told(name: str, right: Sequence[bool]) -> None:
    rate = Rate.of(int(sum(right)), len(right))
    print(f"{name:44} accuracy {rate.value:.4f} [{rate.low:.4f}, {rate.high:.4f}] n={rate.n:,}", flush=True)


def reviews() -> pl.DataFrame:
    return pl.read_parquet(REVIEWS).select("cat", text=pl.col("review").fill_null(""), label="label")


def right_of(rows: Lines, labels: pl.Series) -> list[bool]:
    return [(row["polarity"] == "positive") == bool(label) for row, label in zip(rows, labels, strict=True)]


def polarity(folder: Path) -> None:
    """The data set's own texts, 80 % learned from at random, 20 % tagged."""
    frame = reviews()
    order = np.random.default_rng(SEED).permutation(len(frame))
    train, test = frame[order[: len(frame) * 4 // 5]], frame[order[len(frame) * 4 // 5 :]]
    seconds = learn("polarity", train, folder)
    rows, spent = tag("reviews", test["text"], folder)
    told(f"polarity, 80/20 (learned in {seconds:.0f} s)", right_of(rows, test["label"]))
    print(f"{'':44} {len(test) / spent:,.0f} reviews/s from file to file, the start of the command included")


def shops(folder: Path) -> None:
    """Other shops' reviews: of other data sets, and of each category that was not learned from."""
    frame = reviews()
    learn("polarity", frame, folder / "all")
    stars = pl.read_parquet(DATA / "asap_reviews_300" / "asap_sample.parquet").filter(pl.col("star") != 3)
    rows, _ = tag("reviews", stars["reviewbody"], folder / "all")
    told("polarity across shops: restaurants, stars", right_of(rows, stars["star"] >= 4))
    whole = pl.read_parquet(DATA / "review_aspects" / "reviews_dev.parquet")
    signs = pl.read_parquet(DATA / "review_aspects" / "labels_dev.parquet").filter(pl.col("Polarities").is_in(("正面", "负面")))
    agreed = signs.group_by("id").agg(pl.col("Polarities").unique()).filter(pl.col("Polarities").list.len() == 1)
    beauty = whole.join(agreed.select("id", good=pl.col("Polarities").list.first() == "正面"), on="id").sort("id")
    rows, _ = tag("reviews", beauty["Reviews"], folder / "all")
    right = right_of(rows, beauty["good"])
    told("polarity across shops: beauty, one polarity", right)
    balanced = np.mean(
        [np.mean([r for r, good in zip(right, beauty["good"], strict=True) if good is side]) for side in (True, False)]
    )
    print(f"{'':44} both polarities weighed alike {balanced:.4f}")
    every: list[bool] = []
    for cat in frame["cat"].unique().sort():
        left = frame.filter(pl.col("cat") == cat)
        learn("polarity", frame.filter(pl.col("cat") != cat), folder / cat)
        rows, _ = tag("reviews", left["text"], folder / cat)
        every += (right := right_of(rows, left["label"]))
        told(f"polarity without {cat}", right)
    told("polarity, each category left out once", every)


def aspects(folder: Path) -> None:
    """Category and polarity of beauty reviews, five folds by review."""
    whole = pl.read_parquet(DATA / "review_aspects" / "reviews_dev.parquet")
    labels = pl.read_parquet(DATA / "review_aspects" / "labels_dev.parquet")
    sets = labels.group_by("id").agg((pl.col("Categories") + "|" + pl.col("Polarities")).unique().sort().alias("label"))
    frame = whole.join(sets, on="id").sort("id").select(text="Reviews", label="label")
    fold = np.random.default_rng(SEED).permutation(len(frame)) % 5
    said, true, spent = [], [], []
    for n in range(5):
        (folder / str(n)).mkdir()
        spent.append(learn("aspects", frame.filter(fold != n), folder / str(n)))
        rows, _ = tag("reviews", frame.filter(fold == n)["text"], folder / str(n))
        said += [row["aspects"] for row in rows]
        true += frame.filter(fold == n)["label"].to_list()
    figures = figures_of(said, true, exclusive=False)
    print(
        f"{'aspects, 5 folds':44} micro-F1 {figures.micro_f1:.4f}, macro-F1 {figures.macro_f1:.4f}, all right {figures.accuracy.value:.4f} "
        f"n={len(true):,} (learned in {np.mean(spent):.0f} s)",
        flush=True,
    )


def satisfaction(folder: Path) -> None:
    """Satisfaction after each of a customer's turns, from that turn; five folds, once by dialogue and once by turn."""
    turns = pl.read_parquet(DATA / "jddc_satisfaction" / "utterances_dev.parquet").filter(
        pl.col("turn_satisfaction").is_not_null()
    )
    turns = turns.sort("dialogue_id", "seq").select("dialogue_id", text="text", label="turn_satisfaction")
    chance = np.random.default_rng(SEED)
    names = turns["dialogue_id"].unique().sort()
    dialogue = dict(zip(names, chance.permutation(len(names)) % 5, strict=True))
    folds = {"dialogue": np.array([dialogue[name] for name in turns["dialogue_id"]]), "turn": chance.permutation(len(turns)) % 5}
    for by, fold in folds.items():
        said, true = [], []
        for n in range(5):
            place = folder / f"{by}{n}"
            place.mkdir()
            learn("satisfaction", turns.filter(fold != n), place)
            rows, _ = tag("chats", turns.filter(fold == n)["text"], place)
            said += [[str(row["satisfaction"])] for row in rows]
            true += [[str(label)] for label in turns.filter(fold == n)["label"]]
        figures = figures_of(said, true, exclusive=True)
        print(
            f"{f'satisfaction, 5 folds by {by}':44} accuracy {figures.accuracy.value:.4f}, macro-F1 {figures.macro_f1:.4f} n={len(true):,}",
            flush=True,
        )


def speed(folder: Path) -> None:
    """Reviews a second in one process, clauses and a learned polarity together; the models are loaded before."""
    from huitou.text import Reviewer
    from huitou.text.trained import Trained

    frame = reviews()
    learn("polarity", frame, folder)
    reviewer = Reviewer(estimate=Trained.of(folder / "models").estimate())
    reviewer.read(frame["text"].head(2_000))
    began = time.perf_counter()
    reviewer.read(frame["text"])
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    load = os.getloadavg()[0]
    print(
        f"{'reviews with clauses and learned polarity':44} {len(frame) / seconds:,.0f} reviews/s, peak {peak:.1f} GiB, load {load:.1f}"
    )


TASKS: dict[str, Callable[[Path], None]] = {
    "polarity": polarity, "shops": shops, "aspects": aspects, "satisfaction": satisfaction, "speed": speed,
}  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help=", ".join(TASKS))
    asked = parser.parse_args().tasks or list(TASKS)
    if not DATA.is_dir():
        print("../shared/data is not there: what models learn was NOT measured")
        return
    for name in asked:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            for cat in ("all", *(reviews()["cat"].unique() if name == "shops" else ())):
                (place / cat).mkdir()
            TASKS[name](place)


if __name__ == "__main__":
    main()
