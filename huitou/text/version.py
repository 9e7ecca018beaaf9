"""Whether texts would be read otherwise now: asked at every build, so it loads nothing that reads texts."""

import hashlib
from pathlib import Path

from huitou.rules.taxonomy import Words

TEXT_VERSION = 2
"""Raised whenever the same words come to another result: the next build then reads all texts anew."""
MODELS = "models"
"""The folder of a workspace in which its models are."""


def version_of(words: Words, workspace: Path) -> str:
    """Changes whenever a text may be read otherwise: by the code, the words, or the model of polarity of a workspace."""
    model = workspace / MODELS / "polarity.npz"
    learned = hashlib.sha256(model.read_bytes()).hexdigest() if model.is_file() else ""
    return hashlib.sha256(f"{TEXT_VERSION} {words.version} {learned}".encode()).hexdigest()[:16]
