"""When an export changes: each of the four policies, for a new column, a missing one, and values of another kind."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from huitou.lake import Workspace
from tests.exported import DONE, ORDERS, REFUNDED, THREE, put, table
from tests.front import huitou

NEW = f"{ORDERS},会员等级\n{DONE},金卡\n{REFUNDED},\n"
LACKS = "\n".join(",".join(row.split(",")[:-1]) for row in (ORDERS, DONE, REFUNDED)) + "\n"
"""Without 确认收货时间."""
VALUE = f"{ORDERS}\n{DONE.replace('120.00,8.00', '一百二,8.00')}\n{REFUNDED}\n"
WORD = f"{ORDERS}\n{DONE.replace('交易成功', '交易圆满')}\n{REFUNDED}\n"


LATER = partial(pytest.param, marks=pytest.mark.slow)
"""In the fast part each policy is shown of a new column, and of each other change those that differ most."""


@pytest.fixture(autouse=True)
def before(tmp_path: Path, known: Path) -> None:
    """Each test has its own copy of the shop that knows the export as it was."""
    shutil.copytree(known, tmp_path / "shop")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("known")
    huitou("init", folder / "shop", "--shop", "青麓男包旗舰店")
    huitou("-w", folder / "shop", "import", put(folder, "before.csv", THREE.replace("0000000000000", "1111111111111")))
    return folder / "shop"


def after(folder: Path, policy: str | None, text: str) -> tuple[int, list[str], Workspace, str]:
    """Orders stored of a second, changed export, reasons of its bad rows, the workspace and what was printed."""
    ws_path = folder / "shop"
    if policy:
        settings = ws_path / "huitou.toml"
        settings.write_text(settings.read_text("utf-8").replace("[drift]\n", f'[drift]\n"tmall.orders" = "{policy}"\n'), "utf-8")
    looked = huitou("-w", ws_path, "doctor", put(folder, "after.csv", text), ok=False)
    done = huitou("-w", ws_path, "import", folder / "after.csv", ok=False)
    assert (done.exit_code == 0) == (looked.exit_code == 0)  # the doctor foresees it
    ws = Workspace.open(ws_path)
    assert ws.lake.check() == []
    return table(ws, "orders").height - 3, [p.reason for p in ws.lake.problems()], ws, done.stdout + looked.stdout


@pytest.mark.parametrize(
    ("policy", "stored", "reasons"),
    [LATER(None, 2, []), ("evolve", 2, []), ("freeze", 0, []), ("discard_row", 1, ["new_column"]), ("discard_value", 2, [])],
)
def test_a_new_column(tmp_path: Path, policy: str | None, stored: int, reasons: list[str]) -> None:
    found = after(tmp_path, policy, NEW)
    assert found[:2] == (stored, reasons) and "会员等级" in found[3]


@pytest.mark.parametrize(
    ("policy", "stored", "reasons"),
    [
        LATER(None, 2, []),
        ("evolve", 2, []),
        LATER("freeze", 0, []),
        ("discard_row", 0, ["missing_column"] * 2),
        LATER("discard_value", 2, []),
    ],
)
def test_a_missing_column(tmp_path: Path, policy: str | None, stored: int, reasons: list[str]) -> None:
    found = after(tmp_path, policy, LACKS)
    assert found[:2] == (stored, reasons) and "确认收货时间" in found[3]


@pytest.mark.parametrize(
    ("policy", "stored", "reasons"),
    [
        LATER(None, 1, ["money"]),
        ("evolve", 1, ["money"]),
        LATER("freeze", 0, []),
        LATER("discard_row", 1, ["money"]),
        ("discard_value", 2, []),
    ],
)
def test_values_of_another_kind(tmp_path: Path, policy: str | None, stored: int, reasons: list[str]) -> None:
    found = after(tmp_path, policy, VALUE)
    assert found[:2] == (stored, reasons)
    assert ("读不出而丢掉的值" in found[3]) == (policy == "discard_value")


@pytest.mark.parametrize(
    ("policy", "stored"), [LATER("evolve", 2), ("freeze", 0), LATER("discard_row", 2), LATER("discard_value", 2)]
)
def test_words_that_are_not_known(tmp_path: Path, policy: str, stored: int) -> None:
    assert after(tmp_path, policy, WORD)[:2] == (stored, [])


@pytest.mark.slow
def test_a_value_that_a_row_cannot_do_without_is_never_dropped(tmp_path: Path) -> None:
    text = f"{ORDERS}\n{DONE.replace('128.00,128.00,', '128.00,很多,')}\n{REFUNDED}\n"
    assert after(tmp_path, "discard_value", text)[:2] == (1, ["money"])


@pytest.mark.slow
@pytest.mark.parametrize(("policy", "told"), [("evolve", False), ("discard_value", True)])
def test_evolve_takes_the_new_header_for_its_own_and_the_others_do_not(tmp_path: Path, policy: str, told: bool) -> None:
    _, _, ws, _ = after(tmp_path, policy, NEW)
    shown = huitou("-w", ws.path, "doctor", put(tmp_path, "later.csv", NEW.replace("00000101", "00000505"))).stdout
    assert ("比以前多了列：会员等级" in shown) is told


@pytest.mark.parametrize(("key", "value", "says"), [("tmall.orders", "frozen", "freeze"), ("all", "", "evolve")])
def test_a_policy_that_does_not_exist_is_refused(tmp_path: Path, key: str, value: str, says: str) -> None:
    text = (tmp_path / "shop" / "huitou.toml").read_text("utf-8").replace("[drift]\n", f'[drift]\n"{key}" = "{value}"\n')
    (tmp_path / "shop" / "huitou.toml").write_text(text, "utf-8")
    done = huitou("-w", tmp_path / "shop", "doctor", ok=False)
    assert done.exit_code == 1 and key in done.output and says in done.output


def test_all_stands_for_every_source_that_has_no_policy_of_its_own(tmp_path: Path) -> None:
    assert after(tmp_path, "discard_value", NEW)[0] == 2
    settings = tmp_path / "shop" / "huitou.toml"
    settings.write_text(settings.read_text("utf-8").replace('"tmall.orders" = "discard_value"', 'all = "freeze"'), "utf-8")
    done = huitou("-w", tmp_path / "shop", "import", put(tmp_path, "x.csv", NEW.replace("00000101", "00000606")), ok=False)
    assert done.exit_code == 1 and "会员等级" in done.stdout
