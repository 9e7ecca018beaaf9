"""Chats and reviews as text: read alike however they are typed, then tagged with evidence.

Comes in: Arrow batches of texts, and the taxonomies of ``huitou.rules``. Goes out: tags (code, row, span in the text as it was
typed, strength, version of the words) and review clauses with aspect and polarity. Pure functions of a batch: the same ones
run on one machine and inside an engine's batch function.
"""

from huitou.text.reviews import Reviewer
from huitou.text.tagger import Tagger

__all__ = ["Reviewer", "Tagger"]
