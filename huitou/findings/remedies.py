"""What to do about a leaf of a taxonomy, and whose task it is."""

from typing import Literal

from huitou.findings.model import Remedy
from huitou.rules.taxonomy import Leaf

Owner = Literal["supervisor", "operations", "product", "logistics", "owner"]
OWNERS: dict[str, Owner] = {
    "product": "product", "price": "operations", "service": "supervisor", "logistics": "logistics",
    "customer": "operations", "system": "operations",
}  # fmt: skip
"""Who can act (as taxonomies name it) → who it is in a shop."""


def remedy(leaf: Leaf) -> Remedy:
    """The leaf's remedy as a task; empty sentences where the leaf has none."""
    return Remedy(leaf.remedy.zh, leaf.remedy.en, OWNERS[leaf.who])
