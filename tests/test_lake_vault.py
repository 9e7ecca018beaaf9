"""What the vault was told of a customer is there, whatever loads brought it and however their runs were merged."""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from huitou.lake import vault
from huitou.lake.vault import FIELDS, Vault

PERSON = st.tuples(
    st.integers(0, 40) | st.just(2**63 - 1), st.sampled_from(["山里的风", "小鱼"]), st.sampled_from([None, "张*", "张三"]),
    st.sampled_from([None, "", "13800000000"]), st.none(),
)  # fmt: skip


def told(known: dict[int, dict[str, str]], person: tuple[int, *tuple[str | None, ...]]) -> None:
    """What a dict would remember of a row."""
    news = {f: v for f, v in zip(FIELDS, person[1:], strict=True) if v and "*" not in v}
    known.setdefault(person[0], {}).update(news)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@example([([(5, "小鱼", None, None, None)], True)] * 6)
@example([([(0, "山里的风", None, None, None), (0, "小鱼", None, None, None)], False)])
@example(
    [([(5, "小鱼", None, None, None)], False), ([(5, None, "张三", None, None)], False), ([(5, "小鱼", None, None, None)], False)]
)
@given(st.lists(st.tuples(st.lists(PERSON, min_size=1, max_size=60), st.booleans()), min_size=1, max_size=12))
def test_the_newest_of_every_load_is_recalled(loads: list[tuple[list[tuple[int, *tuple[str | None, ...]]], bool]]) -> None:
    known: dict[int, dict[str, str]] = {}
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(vault, "BLOCK", 4)
        patched.setattr(vault, "MERGED_BLOCKS", 2)
        patched.setattr(vault, "WAITING_BYTES", 400)
        kept = Vault(Path(folder))
        for people, sealed_apart in loads:
            for person in people:
                told(known, person)
            schema = {"customer_key": pl.Int64, **dict.fromkeys(FIELDS, pl.String)}
            kept.remember(pl.DataFrame(people, schema=schema, orient="row"))
            if sealed_apart:
                kept.seal()
            kept.commit()
        assert {key: kept.recall(key, "test") for key in known} == known
        assert kept.recall(41, "test") is None
