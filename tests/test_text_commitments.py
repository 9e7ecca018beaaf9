"""Promises of agents: what they are about, and by when they are due."""

from datetime import datetime

import polars as pl
import pytest

from huitou.text.commitments import CommitmentReader

AT = datetime(2024, 11, 7, 10, 30)  # a Thursday
READER = CommitmentReader()


def promises(*texts: str, role: str = "agent") -> list[dict[str, object]]:
    rows = [{"chat": 1, "i": i, "at": AT, "role": role, "text": text} for i, text in enumerate(texts)]
    return READER.read(pl.DataFrame(rows)).to_dicts()


@pytest.mark.parametrize(
    ("text", "kind", "due"),
    [
        ("亲 今天就能发货的哦", "dispatch", datetime(2024, 11, 7, 23, 59, 59)),
        ("今天定明天就能出库", "dispatch", datetime(2024, 11, 8, 23, 59, 59)),
        ("48小时内发货哦", "dispatch", datetime(2024, 11, 9, 10, 30)),
        ("付款后48小时内发货", "dispatch", None),
        ("保证后天送到", "arrival", datetime(2024, 11, 9, 23, 59, 59)),
        ("周一上午10点我再联系您", "call_back", datetime(2024, 11, 11, 10, 0)),
        ("下午3点前给您答复", "call_back", datetime(2024, 11, 7, 15, 0)),
        ("降价了退您差价", "refund_difference", None),
        ("给您多送一双袜子", "gift", None),
        ("支持30天价保", "price_protection", None),
    ],
)
def test_kind_and_due_time(text: str, kind: str, due: datetime | None) -> None:
    found = promises(text)
    assert (kind, due) in [(one["kind"], one["due_at"]) for one in found]
    assert all(0 <= one["start"] < one["end"] <= len(text) for one in found)


@pytest.mark.parametrize(
    "text", ["今天发不了货", "大概三天能到", "什么时候发货呢亲是问这个吗", "发票今天发您", "不支持价保", "送货上门的"]
)
def test_no_promise(text: str) -> None:
    assert promises(text) == []


def test_customers_and_robots_promise_nothing() -> None:
    assert promises("今天就能发货", role="customer") == promises("今天就能发货", role="robot") == []
