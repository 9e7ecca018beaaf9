"""Chats and reviews as text: read alike however they are typed, then tagged with evidence.

Comes in: Arrow batches of texts, and the taxonomies of ``huitou.rules``. Goes out: tags (code, row, span in the text as it was
typed, strength, version of the words) and review clauses with aspect and polarity. Pure functions of a batch: the same ones
run on one machine and inside an engine's batch function.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huitou.text.reviews import Reviewer
    from huitou.text.tagger import Tagger

__all__ = ["Reviewer", "Tagger"]
_HOMES = {"Reviewer": "huitou.text.reviews", "Tagger": "huitou.text.tagger"}


def __getattr__(name: str) -> object:
    """The readers, loaded when first asked for: a build without new texts spares the compiled loops that they bring."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
