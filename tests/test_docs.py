"""What is written about the product is what the product declares."""

import re
from pathlib import Path

import pytest

from docs.build import HERE, pages
from huitou.metrics import METRICS
from huitou.tables import TABLES

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["tables.md", "metrics.md", "sources.md", "rules.md", "labels.md", "commands.md"])
def test_the_reference_is_what_the_declarations_say(name: str) -> None:
    assert (HERE / name).read_text("utf-8") == pages()[name], "run `make docs`"


def test_nothing_is_declared_without_its_meaning() -> None:
    assert all(c.zh and c.en for t in TABLES.values() for c in t.stored)
    assert all(m.doc and m.zh and m.en and m.source for m in METRICS.values())


def test_every_link_of_the_front_pages_leads_somewhere() -> None:
    for page in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / page).read_text("utf-8"))
        assert links or page == "CONTRIBUTING.md"
        assert [link for link in links if not (ROOT / link).exists()] == []
