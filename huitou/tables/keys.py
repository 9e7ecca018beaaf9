"""Stable 63-bit keys of things: shops, agents, products, orders.

Nothing here may come from a library that does not promise its hash: keys are stored for ever. `huitou.lake.letters` makes the
same of whole columns.
"""

from hashlib import blake2b

SEED = 0x9E3779B97F4A7C15
FACTORS = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
SHIFT = 33
"""Those of the finaliser of MurmurHash3, whose every step can be undone."""
WORD = 8
LONG = 512
"""Bytes from which on a text is mixed in by its BLAKE2b: few are so long, and in a column all would wait for the longest."""


def key63(*parts: str) -> int:
    """63 bits of texts, 0 ≤ key < 2**63, the same on every machine: of each its length, then eight bytes after eight.

    Two different lists have equal keys by chance, one pair in 2**63; never two that differ in one word of eight bytes only.
    Persons have a keyed token instead (see the lake's identity module): this hash can be guessed from a known input.
    """
    return state_of(*parts) >> 1


def state_of(*parts: str) -> int:
    """The 64 bits to which a further part can be added."""
    state = SEED
    for part in parts:
        text = part.encode()
        state = _mixed(state ^ len(text))
        if len(text) > LONG:
            text = long_word(text)
        for at in range(0, len(text), WORD):
            state = _mixed(state ^ int.from_bytes(text[at : at + WORD], "little"))
    return state


def long_word(text: bytes) -> bytes:
    """The eight bytes that stand for a long text."""
    return blake2b(text, digest_size=WORD).digest()


def _mixed(state: int) -> int:
    for factor in FACTORS:
        state = (state ^ state >> SHIFT) * factor % 2**64
    return state ^ state >> SHIFT
