"""The page on texts: its example of a shop's own labels works as it stands."""

import re
from pathlib import Path

import polars as pl

from huitou.rules.taxonomy import load_taxonomies
from huitou.text import Tagger

PAGE = (Path(__file__).parent.parent / "docs" / "text.md").read_text("utf-8")


def test_the_example_of_own_labels_tags_as_it_says(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "taxonomies").mkdir()
    (tmp_path / "taxonomies" / "own.toml").write_text(example, "utf-8")
    texts = pl.Series(["这个不能刻字吗", "一千八 肉疼", "刻名字刻不了的话就算了"])
    tags = Tagger(load_taxonomies(tmp_path), ["loss"]).tag(texts)
    assert {(0, "product.engraving"), (1, "price.too_high"), (2, "product.engraving")} <= set(tags.select("row", "code").rows())


def test_its_links_lead_somewhere() -> None:
    assert all((Path(__file__).parent.parent / "docs" / link).exists() for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGE))
