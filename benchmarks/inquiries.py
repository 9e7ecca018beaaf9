"""How well `huitou tag inquiries` reads why inquiries were lost: ``python -m benchmarks.inquiries score FILE`` on labelled chats,
``fit`` fits the weights to the example chats, ``check`` measures the same by cross-validation, ``speed`` reads a million messages."""

import json
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl

from huitou.cli.tag_inquiries import Inquiries, tag_inquiries
from huitou.rules.taxonomy import load_taxonomies
from huitou.text import loss_fit
from huitou.text.inquiries import InquiryReader
from huitou.text.loss import WEIGHTS, further_reasons
from huitou.text.loss_examples import SPEAKERS, keep_speakers, read_example_chats
from huitou.text.sentences import keep_sentences


def group(code):
    return code.split(".")[0] if code else None


def f1(pairs):
    hit = sum(len(set(a) & set(b)) for a, b in pairs)
    given, right = sum(len(set(a)) for a, _ in pairs), sum(len(set(b)) for _, b in pairs)
    return 2 * hit / max(given + right, 1)


def measure(said, gold):
    """All the figures of one set: lists of what was said and what is right, chat by chat."""
    lost = [(s, g) for s, g in zip(said, gold, strict=True) if g["primary"]]
    all_ = list(zip(said, gold, strict=True))
    mean = lambda values: float(np.mean([*values]))  # noqa: E731
    return {
        "chats": len(gold),
        "primary": mean(s["primary"] == g["primary"] for s, g in all_),
        "primary_of_lost": mean(s["primary"] == g["primary"] for s, g in lost),
        "group": mean(group(s["primary"]) == group(g["primary"]) for s, g in all_),
        "in_ours": mean(g["primary"] in [s["primary"], *s["secondary"]] for s, g in all_),
        "in_theirs": mean(s["primary"] in [g["primary"], *g["secondary"]] for s, g in all_),
        "evidence": mean(bool(set(s["evidence"]) & set(g["evidence"])) for s, g in lost),
        "evidence_f1": f1([([(n, i) for i in s["evidence"]], [(n, i) for i in g["evidence"]]) for n, (s, g) in enumerate(lost)]),
        "secondary_f1": f1([([(n, c) for c in s["secondary"]], [(n, c) for c in g["secondary"]]) for n, (s, g) in enumerate(lost)]),
        "steps": f1([([(n, c) for c in s["steps"]], [(n, c) for c in g["steps"]]) for n, (s, g) in enumerate(all_)]),
        "faults": f1([([(n, c) for c in s["faults"]], [(n, c) for c in g["faults"]]) for n, (s, g) in enumerate(all_)]),
        "faults_without_no_closing": f1(
            [([(n, c) for c in s["faults"] if c != "no_closing"], [(n, c) for c in g["faults"] if c != "no_closing"]) for n, (s, g) in enumerate(all_)]
        ),
        "customer_type": mean(s["customer_type"] == g["customer_type"] for s, g in all_),
    }  # fmt: skip


def per_code(said, gold):
    right, given, hit = defaultdict(int), defaultdict(int), defaultdict(int)
    for s, g in zip(said, gold, strict=True):
        right[g["primary"]] += 1
        given[s["primary"]] += 1
        hit[g["primary"]] += s["primary"] == g["primary"]
    for code in sorted(right, key=str):
        print(f"  {code or 'none':24} {hit[code]:3} of {right[code]:3}, said {given[code]:3}")


def score(file, table=True):
    gold = [json.loads(line) for line in Path(file).read_text("utf-8").splitlines() if line.strip()]
    words = load_taxonomies()
    for told in (True, False):
        source, out = Path(f"/tmp/inquiries.{told}.jsonl"), Path("/tmp/inquiries.out.jsonl")
        keep = ("id", "category", "messages", *(["outcome"] if told else []))
        source.write_text("\n".join(json.dumps({k: g[k] for k in keep if k in g}, ensure_ascii=False) for g in gold), "utf-8")
        done: Inquiries = tag_inquiries(source, out, words)
        said = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        assert done.chats == len(gold)
        print("outcome told" if told else "outcome not told")
        for name, value in measure(said, gold).items():
            print(f"  {name:26} {value:.3f}" if isinstance(value, float) else f"  {name:26} {value}")
        if table and told:
            per_code(said, gold)


def as_lines(weights):
    """JSON with one code a line."""
    kept = {name: loss_fit.as_json(part) for name, part in weights.items()}
    rows = lambda part: ",\n".join(f"  {json.dumps(code)}: {json.dumps(row)}" for code, row in part.items())  # noqa: E731
    parts = (f'"{n}": {{"beside": {json.dumps(p["beside"])}, "whole": {{\n{rows(p["whole"])}}}}}' for n, p in kept.items())
    return "{" + ",\n".join(parts) + "}\n"


def fit():
    words = load_taxonomies()
    codes = list(words.taxonomies["loss"].leaves)
    seen = loss_fit.held_out(read_example_chats(), words)
    weights = {"primary": loss_fit.fit(seen, codes), "further": loss_fit.fit_further(seen, codes)}
    WEIGHTS.write_text(as_lines(weights), "utf-8")
    keep_speakers()
    keep_sentences()
    print(f"{len(seen.chats)} chats, weights in {WEIGHTS} and {SPEAKERS}, {SPEAKERS.stat().st_size / 1e6:.1f} MB")


def check():
    words = load_taxonomies()
    examples = read_example_chats()
    codes = [*words.taxonomies["loss"].leaves]
    seen = loss_fit.held_out(examples, words)
    right, further, longer = [], [], np.arange(len(seen.chats)) >= len(examples)
    for n in range(loss_fit.FOLDS):
        rest, out = seen.part(seen.fold != n), (seen.fold == n)
        weights, more = loss_fit.fit(rest, codes), loss_fit.fit_further(rest, codes)
        some = seen.part(out)
        chances = weights.chances(some.beside, some.whole, codes)
        for told in (False, True):
            for row, chat, long in zip(chances, some.chats, longer[out], strict=True):
                row[-1] = (0 if chat.primary else 9) if told else row[-1]
                said = [*codes, None][row.argmax()]
                right.append((told, bool(long), said == chat.primary, group(said) == group(chat.primary)))
        odds = 1 / (1 + np.exp(-more.scores(some.beside, some.whole, codes)))
        pairs = zip(further_reasons(chances, odds, codes), some.chats, longer[out], strict=True)
        further += [(found, chat.secondary) for found, chat, long in pairs if not long]
    table = pl.DataFrame(right, schema=("told", "longer", "primary", "group"), orient="row")
    print(table.group_by("told", "longer").mean().sort("told", "longer"))
    print("secondary F1:", round(f1([([*a], [*b]) for a, b in further]), 3))


def speed(messages=1_000_000):
    chats = read_example_chats()
    frame, _ = loss_fit.frames(chats)
    reader = InquiryReader()
    reader.read(frame)
    times = messages // frame.height + 1
    many = pl.concat(
        frame.with_columns(pl.col("chat") + n * len(chats), text=pl.col("text") + f" {n % 97}") for n in range(times)
    )
    begun = time.perf_counter()
    reader.read(many)
    took = time.perf_counter() - begun
    print(f"{many.height:,} messages in {took:.1f} s: {many.height / took:,.0f} a second")


if __name__ == "__main__":
    {"score": score, "fit": fit, "check": check, "speed": speed}[sys.argv[1]](*sys.argv[2:])
