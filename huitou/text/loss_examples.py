"""The chats and sentences, written for the purpose, from which it is learnt how a reason is said.

Comes in: ``rules/examples/chats_*.txt``, ``loss_*.toml``, ``small_talk.toml``. Goes out: models of single messages, of customers
and of agents; they are kept in ``loss_speakers.npz``, which ``python -m benchmarks.inquiries fit`` writes. The form of the chats
stands at the head of ``chats_product.txt``.
"""

import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from huitou.text.sentences import EXAMPLES, Sentences, read_examples

SPEAKERS = EXAMPLES / "loss_speakers.npz"
COST = 4.0  # of an error of the model of customers, see `huitou.text.sentences`
ORDERED = "ordered"
ASKS = "asks."
_ROLES = {"c": "customer", "a": "agent", "r": "robot"}
_LINE = re.compile(r"([car])(?:\+(\d+))?(\*)?\s+(.*)")
_TURN_S, _SAME_S = 14, 3  # between two messages, of two people and of one
_SAYS_ORDERED = re.compile("拍|付|下单|下單|下了|下好|下咯|买|落咗|打款|结好|結好|整一个|转了|抢到")
_SENTENCES = ("loss_product", "loss_price", "loss_service", "loss_none", "loss_asks")


Sentence = tuple[str, frozenset[str]]


@dataclass(slots=True)
class Example:
    """A chat whose reasons are known. `seconds`: of each message since the chat began; `evidence`: places in `texts`."""

    primary: str | None
    secondary: list[str]
    roles: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    seconds: list[int] = field(default_factory=list)
    evidence: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Speakers:
    """What single messages say: of customers (reasons, ``asks.`` reasons, ``ordered``), of agents and robots."""

    customer: Sentences
    agent: Sentences


def read_example_chats(folder: Path = EXAMPLES) -> list[Example]:
    """All example chats in the files' order. Raises ValueError for a line that cannot be read."""
    out: list[Example] = []
    for file in sorted(folder.glob("chats_*.txt")):
        for number, line in enumerate(map(str.strip, file.read_text("utf-8").splitlines()), start=1):
            if line.startswith("="):
                primary, *secondary = line[1:].split()
                out.append(Example(None if primary == "none" else primary, secondary))
            elif line and not line.startswith("#"):
                told = _LINE.fullmatch(line)
                if told is None or not out:
                    raise ValueError(f"{file.name}:{number}")
                _add(out[-1], told)
    return out


def _add(chat: Example, line: re.Match[str]) -> None:
    role = _ROLES[line[1]]
    if line[3]:
        chat.evidence.append(len(chat.texts))
    gap = int(line[2]) if line[2] else _SAME_S if chat.roles and chat.roles[-1] == role else _TURN_S
    chat.seconds.append((chat.seconds[-1] if chat.seconds else 0) + gap)
    chat.roles.append(role)
    chat.texts.append(line[4])


@cache
def small_talk() -> dict[str, tuple[str, ...]]:
    """The lines of ``small_talk.toml`` by kind."""
    raw = tomllib.loads((EXAMPLES / "small_talk.toml").read_text("utf-8"))
    return {kind: tuple(lines.strip().splitlines()) for kind, lines in raw.items()}


def learn_speakers(chats: Iterable[Example], *, talk: bool = True) -> Speakers:
    """The models of all example sentences and of the messages of `chats`, with what small talk says or without."""
    said, heard = _sentences(chats, talk=talk)
    return Speakers(Sentences.learn(said, COST), Sentences.learn(heard))


def _sentences(chats: Iterable[Example], *, talk: bool = True) -> tuple[list[Sentence], list[Sentence]]:
    """What customers and agents wrote, each with what it shows."""
    said = [one for name in _SENTENCES for one in read_examples(name)]
    for chat in chats:
        for at, text in enumerate(chat.texts):
            if chat.roles[at] == "customer":
                said.append((text, _shown(chat, at)))
    said += [(text, frozenset()) for kind in ("opens", "nods", "pleased") for text in small_talk()[kind] if talk]
    return said, read_examples("loss_agent")


def _shown(chat: Example, at: int) -> frozenset[str]:
    if chat.primary is None:
        return frozenset([ORDERED] if _SAYS_ORDERED.search(chat.texts[at]) else [])
    return frozenset([chat.primary] if at in chat.evidence else [])


@cache
def speakers() -> Speakers:
    """The models of all examples, as they are kept."""
    with np.load(SPEAKERS) as kept:
        parts = {name: kept[name] for name in kept.files}
    return Speakers(*(Sentences.unpacked({k[2:]: v for k, v in parts.items() if k.startswith(who)}) for who in ("c_", "a_")))


def keep_speakers() -> None:
    """Learn the models of all examples and keep them."""
    learnt = learn_speakers(read_example_chats())
    parts = {f"c_{k}": v for k, v in learnt.customer.packed().items()} | {f"a_{k}": v for k, v in learnt.agent.packed().items()}
    np.savez_compressed(SPEAKERS, allow_pickle=False, learnt_from=np.array(fingerprint()), **parts)


def fingerprint() -> str:
    """Of all that the kept models are learnt from."""
    shown = [[(text, sorted(codes)) for text, codes in part] for part in _sentences(read_example_chats())]
    return sha256(json.dumps(shown, ensure_ascii=False).encode()).hexdigest()
