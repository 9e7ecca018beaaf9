"""Stable 63-bit keys for things that are not persons: shops, agents, products, orders."""

from hashlib import blake2b


def key63(*parts: str) -> int:
    """The first 63 bits of BLAKE2b over the parts joined by U+001F: 0 ≤ key < 2**63, the same on every machine.

    Persons have a keyed token instead (see the lake's identity module): this hash can be guessed from a known input.
    """
    return int.from_bytes(blake2b("\x1f".join(parts).encode(), digest_size=8).digest(), "big") >> 1
