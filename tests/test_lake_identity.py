"""Tokens are what the standard library's HMAC says, whoever makes them: this process, a child, or this one after the child died."""

import hashlib
import hmac

import polars as pl
import pytest

from huitou.lake import identity
from huitou.lake.identity import People

KEY = b"a key of 32 bytes for tests only"
IDS = pl.Series([f"tb一位买家{n}" for n in range(50)] + [None, " tb一位买家3 ", "", "cntaobaotb一位买家3"])


def said(buyer: str | None) -> int | None:
    """The token of an id by the standard library."""
    exact = (buyer or "").strip().removeprefix("cntaobao")
    digest = hmac.new(KEY, f"tmall\x1f小店\x1f{exact}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8]) >> 1 if exact else None


@pytest.mark.parametrize("many", [1, 10**9], ids=["a child", "this process"])
@pytest.mark.parametrize("ids", [IDS, IDS[7:], pl.concat([IDS[:2]] * 9), IDS.clear()], ids=["all", "cut", "again", "none"])
def test_tokens_are_hmacs(monkeypatch: pytest.MonkeyPatch, many: int, ids: pl.Series) -> None:
    monkeypatch.setattr(identity, "MANY", many)
    people = People(KEY, "tmall", "小店")
    assert people.tokens(ids).to_list() == people.tokens(ids).to_list() == [said(one) for one in ids]


def test_a_child_that_died_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "MANY", 1)
    people = People(KEY, "tmall", "小店")
    assert people.token("tb一位买家3") == said("tb一位买家3")
    assert people._child is not None
    people._child._process.kill()
    assert people.tokens(IDS).to_list() == [said(one) for one in IDS]
