"""Raw identities are in the vault, encrypted, and nowhere else."""

import stat
from pathlib import Path

import polars as pl
import pytest

from huitou.lake import Workspace
from tests.lakes import messages, new_workspace, order, orders, put

NICK, PHONE = "小明爱包包", "13812345678"


def people(*rows: tuple[str, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["nick", "phone"], orient="row")


def remember(ws: Workspace, *rows: tuple[str, str | None]) -> int:
    """Remember people; returns the key of the last."""
    frame = people(*rows)
    keys = ws.people().tokens(frame["nick"])
    ws.people().remember(frame.with_columns(keys))
    ws.vault.commit()
    return int(keys[-1])


def test_a_token_is_one_person_of_one_shop(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    keys = ws.people().tokens(pl.Series(["小明", " cntaobao小明".strip(), "小明 ", "小红", "", None])).to_list()
    assert keys[0] == keys[1] == keys[2] == ws.people().token("小明") != keys[3]
    assert keys[4:] == [None, None]
    assert all(0 <= k < 2**63 for k in keys[:4])
    assert ws.people("jd").token("小明") != keys[0]
    other = Workspace.create(tmp_path / "other", shop="青麓男包旗舰店")
    assert other.people().token("小明") != keys[0]


def test_the_vault_recalls_and_says_who_asked(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    key = remember(ws, (NICK, PHONE))
    assert ws.vault.recall(key, "win-back call") == {"nick": NICK, "phone": PHONE}
    assert ws.vault.recall(key + 1, "typo") is None
    assert [(r.customer_key, r.why) for r in ws.vault.reads()] == [(key, "win-back call"), (key + 1, "typo")]


@pytest.mark.parametrize("worse", [None, "", "138****5678"])
def test_masked_values_do_not_overwrite(tmp_path: Path, worse: str | None) -> None:
    ws = new_workspace(tmp_path)
    remember(ws, (NICK, PHONE))
    key = remember(ws, (NICK, worse))
    assert ws.vault.recall(key, "test") == {"nick": NICK, "phone": PHONE}
    remember(ws, (NICK, "13900000000"))
    assert ws.vault.recall(key, "test") == {"nick": NICK, "phone": "13900000000"}


def test_an_aborted_load_forgets_its_people(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    with ws.lake.write("test") as writer:
        (tmp_path / "f").write_text("a")
        writer.begin(tmp_path / "f", source="test.export", main="messages")
        ws.people().remember(people((NICK, PHONE)).with_columns(customer_key=pl.lit(5, pl.Int64)))
    ws.vault.commit()
    assert ws.vault.recall(5, "test") is None


def test_no_raw_identity_on_disk(tmp_path: Path) -> None:
    ws = new_workspace(tmp_path)
    key = remember(ws, (NICK, PHONE))
    put(ws, "messages", messages((key, "2026-05-01 10:00:00", "手机号[手机]")), content="b")
    (ws.path / "export.csv").unlink()
    files = [f for f in ws.path.rglob("*") if f.is_file()]
    assert any(f.suffix == ".parquet" for f in files)
    assert any(f.name == "vault.db" for f in files)
    for file in files:
        content = file.read_bytes()
        assert PHONE.encode() not in content, file
        assert NICK.encode() not in content, file
    for secret in ("workspace.key", "vault/vault.key", "vault/vault.db"):
        assert stat.S_IMODE((ws.path / secret).stat().st_mode) == 0o600


def test_delta_logs_hold_no_texts(tmp_path: Path) -> None:
    """Delta keeps the least and greatest value of columns in its log; of texts and ids it must not."""
    ws = new_workspace(tmp_path)
    put(ws, "messages", messages((1, "2026-05-01 10:00:00", "独一无二的话")), content="a")
    put(ws, "orders", orders([order(1, order_id="OID123456")]), content="b")
    logs = [f for f in ws.lake.root.rglob("_delta_log/*") if f.is_file()]
    assert len(logs) >= 4
    for log in logs:
        text = log.read_text(encoding="utf-8")
        assert "独一无二的话" not in text
        assert "OID123456" not in text
    assert '\\"day\\"' in (ws.lake.root / "tables/messages/_delta_log" / f"{1:020}.json").read_text()
