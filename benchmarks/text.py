"""How fast texts are read, beside a library's automaton, SnowNLP, jieba + TF-IDF and cnsenti on the same texts.

Run: python -m benchmarks.text [--messages 2_000_000] [--reviews 500_000] [--only matcher tags …]

Each contender runs in a process of its own on texts of `benchmarks.texts`: distinct ones (nearly all differ), repeated ones (a
shop's history), and real ones where ``../shared/data`` is there. The slow libraries get the first few texts; their speed is texts
a second all the same. What is compiled once (words, dictionaries) is not counted, for anybody. «peak» is the whole process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from benchmarks import texts

CHAT = 8  # messages to a chat
LEAST_S = 1.0  # that a contender is timed; few texts are read several times over, each time anew
SIZES = {"snownlp": 1_000, "cnsenti": 1_000, "jieba": 20_000, "polars": 200_000}  # texts for those who would take hours
MESSAGES = ("matcher", "tags", "inquiries", "polars", "jieba")
REVIEWS = ("reviews", "snownlp", "cnsenti")
BARS = {"matcher": 5_000_000, "tags": 500_000, "inquiries": 200_000, "reviews": 50_000}
Run = Callable[[pl.Series], int]


def matcher() -> Run:
    """The multi-pattern pass alone, on normalised batches; normalising is part of `tags`."""
    from concurrent.futures import ThreadPoolExecutor

    from huitou.rules.taxonomy import load_taxonomies
    from huitou.text.engine import Engine
    from huitou.text.normal import normalise
    from huitou.text.tagger import CHATS, ROWS

    engine = Engine(load_taxonomies(), CHATS)

    def run(series: pl.Series) -> int:
        batches = [normalise(series.slice(at, ROWS)) for at in range(0, len(series), ROWS)]
        began = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            found = sum(pool.map(lambda batch: len(engine.phrases.matcher.find(batch).start), batches))
        run.seconds = time.perf_counter() - began  # type: ignore[attr-defined]
        return found

    return run


def tags() -> Run:
    from huitou.text import Tagger

    tagger = Tagger()
    return lambda series: tagger.tag(series).height


def inquiries() -> Run:
    from huitou.text.inquiries import InquiryReader

    reader = InquiryReader()

    def run(series: pl.Series) -> int:
        found = 0
        for at in range(0, len(series), 100_000 * CHAT):
            text = series.slice(at, 100_000 * CHAT)
            row = pl.int_range(len(text), eager=True)
            role = pl.when(pl.col("i") % 2 == 0).then(pl.lit("customer")).otherwise(pl.lit("agent"))
            frame = pl.DataFrame({"chat": row // CHAT, "i": row % CHAT, "text": text})
            times = pl.from_epoch(pl.lit(1_700_000_000) + row * 20, time_unit="s").cast(pl.Datetime("us"))
            found += reader.read(frame.with_columns(at=times, role=role))["primary"].count()
        return found

    return run


def reviews() -> Run:
    from huitou.text import Reviewer

    reviewer = Reviewer()
    return lambda series: reviewer.read(series)[1].height


def polars() -> Run:
    """The library's Aho-Corasick automaton with the same patterns on the same texts: finds only, no clauses, no gaps."""
    from huitou.rules.taxonomy import load_taxonomies
    from huitou.text.engine import Engine
    from huitou.text.tagger import CHATS

    patterns = pl.Series(Engine(load_taxonomies(), CHATS).phrases.patterns).implode()
    found = pl.col("text").str.find_many(patterns, overlapping=True).list.len().sum()
    return lambda series: int(series.to_frame().select(found).item())


def jieba() -> Run:
    """Words and TF-IDF, as most text notebooks begin."""
    import logging

    import jieba as library
    from sklearn.feature_extraction.text import TfidfVectorizer

    library.setLogLevel(logging.WARNING)
    library.initialize()
    return lambda series: int(TfidfVectorizer(tokenizer=library.lcut, token_pattern=None).fit_transform(series.to_list()).nnz)


def snownlp() -> Run:
    from snownlp import SnowNLP

    float(SnowNLP("质量很好").sentiments)
    return lambda series: sum(SnowNLP(text).sentiments < 0.5 for text in series.to_list() if text.strip())


def cnsenti() -> Run:
    from cnsenti import Sentiment

    senti = Sentiment()
    senti.sentiment_count("质量很好")
    return lambda series: sum(senti.sentiment_count(text)["neg"] > 0 for text in series.to_list())


RUNS: dict[str, Callable[[], Run]] = {
    "matcher": matcher, "tags": tags, "inquiries": inquiries, "reviews": reviews, "polars": polars, "jieba": jieba, "snownlp": snownlp,
    "cnsenti": cnsenti,
}  # fmt: skip


def timed(name: str, file: Path) -> None:
    """Run one contender in this process and print its figures as one line of JSON."""
    series = pl.read_parquet(file)["text"]
    run = RUNS[name]()
    run(series.head(1_000))
    seconds, passes, found = 0.0, 0, 0
    while seconds < LEAST_S:
        began = time.perf_counter()
        found = run(series)
        seconds += getattr(run, "seconds", time.perf_counter() - began)
        passes += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds / passes, "found": found, "peak_mib": peak, "texts": len(series)}))


def compare(folder: Path, sizes: dict[str, int], only: list[str]) -> None:
    """Print the table: contender, texts, texts a second, peak memory, the bar."""
    mixes = ("distinct", "repeated", *(("real",) if texts.DATA.is_dir() else ()))
    if "real" not in mixes:
        print("../shared/data is not there: real texts were NOT timed")
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the start")
    print(f"{'':10} {'texts':10} {'n':>10} {'distinct':>9} {'texts/s':>12} {'peak MiB':>9} {'bar':>11}")
    for kind, names in (("messages", MESSAGES), ("reviews", REVIEWS)):
        for mix in mixes:
            made = texts.messages(sizes[kind], mix) if kind == "messages" else texts.reviews(sizes[kind], mix)
            for name in (name for name in names if name in only):
                some = made.head(SIZES.get(name, len(made))).alias("text")
                file = folder / f"{kind}-{mix}-{name}.parquet"
                some.to_frame().write_parquet(file)
                command = [sys.executable, "-m", "benchmarks.text", "--run", name, "--file", str(file)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    print(f"{name:10} {mix:10} failed: {done.stderr.strip().splitlines()[-1:]}")
                    continue
                figures = json.loads(done.stdout.splitlines()[-1])
                speed = figures["texts"] / figures["seconds"]
                bar = f"{BARS[name]:,}" if name in BARS else ""
                print(
                    f"{name:10} {mix:10} {len(some):10,} {some.n_unique() / len(some):9.0%} {speed:12,.0f} {figures['peak_mib']:9,.0f} {bar:>11}",
                    flush=True,
                )


def main() -> None:
    """Command line."""

    def number(text: str) -> int:
        return int(text.replace("_", ""))

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=number, default=2_000_000)
    parser.add_argument("--reviews", type=number, default=500_000)
    parser.add_argument("--only", nargs="+", default=list(RUNS), choices=list(RUNS))
    parser.add_argument("--run", choices=list(RUNS), help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        timed(asked.run, asked.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), {"messages": asked.messages, "reviews": asked.reviews}, asked.only)


if __name__ == "__main__":
    main()
