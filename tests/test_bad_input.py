"""What users do wrong, through the real command line: a sentence that says what, where and what to do; the lake as before."""

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import which

import pytest

from huitou.lake import Workspace
from tests.exported import ORDERS, THREE, put
from tests.front import huitou

HUITOU = Path(sys.executable).with_name("huitou")
ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that holds three orders; nothing in this file may change what it holds."""
    folder = tmp_path_factory.mktemp("bad")
    huitou("init", folder / "shop", "--shop", "测试旗舰店")
    huitou("-w", folder / "shop", "import", put(folder, "good.csv", THREE))
    return folder / "shop"


def process(*words: object, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """The command as its user runs it, as a second process."""
    return subprocess.run([*before, str(HUITOU), *map(str, words)], capture_output=True, text=True, timeout=120)


def sound(shop: Path) -> None:
    """`huitou doctor` finds no fault, every load balances, and the three orders are all there is."""
    assert huitou("-w", shop, "doctor").exit_code == 0
    ws = Workspace.open(shop)
    assert all(load.balances for load in ws.lake.loads())
    with ws.read() as snapshot:
        assert snapshot.frame(snapshot.table("orders").count()).item() == 3


def said(shop: Path, *words: object, code: int = 1, lang: str = "en", real: bool = False) -> str:
    """What a failing command says: one or two sentences, no traceback; and the lake is as it was."""
    call = ("--lang", lang, "-w", shop, *words)
    done = process(*call) if real else huitou(*call, ok=False)
    text = (done.stdout + done.stderr).strip()
    assert (done.returncode if isinstance(done, subprocess.CompletedProcess) else done.exit_code) == code, text
    assert text and "Traceback" not in text and "itself failed" not in text
    assert len(text.splitlines()) <= 2 + text.count("\n    ")
    sound(shop)
    return text


def zipped(text: str | bytes) -> bytes:
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("orders.csv", text)
        file.seek(0)
        return file.read()


RAW = THREE.encode()
FILES = {
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "it is a PNG file", "Export CSV"),
    "pdf": (b"%PDF-1.7\n1 0 obj\n<</Length 5>>stream\n", "it is a PDF file", "Export CSV"),
    "page": (b"<html><body>login</body></html>", "it is a HTML file", "Export CSV"),
    "zip in a zip": (zipped(zipped(THREE)), "zip archive", "Unpack it"),
    "locked": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "protected by a password", "without a password"),
    "half zip": (b"PK\x03\x04" + bytes(200), "damaged", "Export it again"),
    "mixed": (RAW + "男包".encode("gb18030"), f"from byte {len(RAW):,} on", "CSV UTF-8"),
    "half a character": (THREE.encode("gb18030").rstrip() + "男".encode("gb18030")[:1], "damaged or cut", "export it again"),
    "utf-16": (THREE.encode("utf-16-be"), "UTF-16", "CSV UTF-8"),
    "no column": (THREE.replace("订单创建时间", "时间").encode(), "no column «订单创建时间»", "Export it again with all columns"),
    "empty": (b"", "it is empty", "Export it again"),
    "header": (f"{ORDERS}\n".encode(), "a header and no rows", "export it again"),
    "words": ("你好\n再见\n".encode(), "no source recognises it", "--map"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_export(shop: Path, tmp_path: Path, name: str) -> None:
    content, what, to_do = FILES[name]
    text = said(shop, "import", put(tmp_path, "wrong.csv", content))
    assert "wrong.csv" in text and what in text and to_do in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["no column", "png", "mixed", "header"])
def test_and_in_chinese_from_a_second_process(shop: Path, tmp_path: Path, name: str) -> None:
    text = said(shop, "import", put(tmp_path, "wrong.csv", FILES[name][0]), lang="zh", real=True)
    assert text.startswith("✗ wrong.csv：") and text.endswith("。") and FILES[name][1] not in text


ROWS = {
    "1.93E+15": (THREE.replace('="1930000000000000202"', "1.93E+15"), "rounded by Excel", 1),
    "cut row": (THREE[:-40], "ends in the middle of this row", 1),
    "cut quote": (THREE[:-3] + '"0', "ends in the middle of this row", 1),
    "open quote": (THREE.replace("小鱼在海边", '"小鱼在海边', 1), "without a partner", 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_bad_rows_are_counted_and_the_others_are_in(shop: Path, tmp_path: Path, name: str) -> None:
    content, reason, n = ROWS[name]
    out = huitou("--lang", "en", "-w", shop, "import", put(tmp_path, "rows.csv", content)).stdout
    assert f"3 rows = 0 stored + {3 - n} already known + {n} set aside" in out and f"{n} × " in out and reason in out
    sound(shop)


def test_a_file_whose_rows_are_all_bad_is_a_failure(shop: Path, tmp_path: Path) -> None:
    damaged = re.sub(r'="[0-9]+"', "1.93E+15", THREE)
    assert "3 set aside" in said(shop, "import", put(tmp_path, "ids.csv", damaged))


def test_folders_and_missing_files(shop: Path, tmp_path: Path) -> None:
    assert "it is a folder" in said(shop, "import", tmp_path)
    assert "没有这个文件" in said(shop, "import", tmp_path / "missing.csv", lang="zh")


def test_good_files_of_the_same_command_still_come_in(shop: Path, tmp_path: Path) -> None:
    files = put(tmp_path, "a.png", FILES["png"][0]), shop.parent / "good.csv", tmp_path / "missing.csv"
    text = said(shop, "import", files[0], files[1], code=3)
    assert "✗ a.png" in text and "= good.csv" in text
    assert "a.png" in said(shop, "import", files[0], files[2], code=1)


@pytest.mark.costly
@pytest.mark.parametrize(
    ("words", "en", "zh"),
    [
        (["metrics", "ordrs_placed"], "Did you mean orders_placed?", "没有叫 'ordrs_placed' 的指标"),
        (["metrics", "orders_placed", "--by", "agnt"], "Did you mean agent?", "维度"),
        (["metrics", "orders_placed", "--where", "agent"], "Write it as --where agent=", "不是 维度=值"),
        (["metrics", "orders_placed", "--by", "hour", "--where", "hour=x"], "Write it like 09", "不是小时"),
        (["metrics", "orders_placed", "--from", "2025-02-30"], "'2025-02-30' is not a day", "不是日期"),
        (["metrics", "orders_placed", "--from", "2025-03-02", "--to", "2025-03-01"], "later than --to", "晚于 --to"),
        (["diagnose", "--from", "2031-01-01", "--to", "2031-02-01"], "there is 2025-03-01 to", "2031-02-01 的诊断"),
        (["import", "good.csv", "--source", "tmall.order"], "Did you mean tmall.orders?", "来源"),
        (["import", "good.csv", "--mapping", "none.toml"], "mapping cannot be read", "映射文件读不出来"),
    ],
)
def test_names_and_values_that_do_not_exist(shop: Path, words: list[str], en: str, zh: str) -> None:
    assert en in said(shop, *words) and zh in said(shop, *words, lang="zh")


@pytest.mark.costly
@pytest.mark.parametrize(
    ("words", "en", "zh"),
    [
        (["metrics", "--format", "xml"], "'xml' is not one of 'table', 'csv', 'json'", "--format 的值不对，可用"),
        (["demo", "--scale", "big"], "Invalid value for '--scale'", "--scale 的值不对，要写一个数"),
        (["imprt"], "Did you mean 'import'?", "没有命令 imprt，是不是 import"),
        (["import"], "Missing argument", "缺少 files"),
        (["init", "--shp", "x"], "No such option: --shp", "没有选项 --shp，是不是"),
    ],
)
def test_commands_that_are_not_understood(shop: Path, words: list[str], en: str, zh: str) -> None:
    assert en in said(shop, *words, code=2) and zh in said(shop, *words, code=2, lang="zh")


SETTINGS = {
    "no TOML": ("[shop]", "[shop", "is not valid TOML", "import"),
    "a wrong type": ('name = "测试旗舰店"', "name = 3", "shop.name is 3, not a text", "import"),
    "an unknown key": ("name =", "nam =", "Did you mean name?", "metrics"),
    "a time zone": ("Asia/Shanghai", "Asia/Shangai", "such as Asia/Shanghai", "import"),
    "a rule pack": ("tmall-2025", "tmall-2052", "Did you mean tmall-2025?", "metrics"),
}


@pytest.mark.costly
@pytest.mark.parametrize("name", SETTINGS)
def test_a_wrong_huitou_toml(shop: Path, name: str) -> None:
    right, wrong, what, command = SETTINGS[name]
    file = shop / "huitou.toml"
    before = file.read_text("utf-8")
    file.write_text(before.replace(right, wrong, 1), "utf-8")
    target = shop.parent / "good.csv" if command == "import" else "orders_placed"
    try:
        done = huitou("--lang", "en", "-w", shop, command, target, ok=False)
    finally:
        file.write_text(before, "utf-8")
    assert done.exit_code == 1 and what in done.stderr and "huitou.toml" in done.stderr and done.stderr.count("\n") == 1
    sound(shop)


@pytest.mark.slow
def test_no_workspace_and_a_second_one(shop: Path, tmp_path: Path) -> None:
    none = process("-w", tmp_path, "metrics", "orders_placed", before=["env", "HUITOU_LANG=en"])
    assert none.returncode == 1 and "it has no huitou.toml" in none.stderr and "huitou init" in none.stderr
    assert "already" in said(shop, "init", shop) and "已经是" in said(shop, "init", shop, lang="zh", real=True)
    assert "is a file" in said(shop, "init", shop / "huitou.toml")


@pytest.mark.slow
def test_a_second_import_at_once_is_told_who_writes(shop: Path) -> None:
    with Workspace.open(shop).lake.write("import of march.csv"):
        for lang, busy in (("en", "The lake is being written by"), ("zh", "数据正由")):
            done = process("--lang", lang, "-w", shop, "import", shop.parent / "good.csv")
            assert done.returncode == 1 and busy in done.stderr and done.stderr.count("\n") == 1
            assert "import of march.csv" in done.stderr and str(os.getpid()) in done.stderr
    sound(shop)


@pytest.mark.slow
@pytest.mark.skipif(ROOT and not which("setpriv"), reason="root may read everything and setpriv is not here")
def test_what_may_not_be_read_or_written(shop: Path, tmp_path: Path) -> None:
    limits = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if ROOT else []
    secret, closed = put(tmp_path, "secret.csv", THREE), tmp_path / "closed"
    closed.mkdir()
    secret.chmod(0)
    closed.chmod(0o555)
    read = process("--lang", "en", "-w", shop, "import", secret, before=limits)
    write = process("--lang", "zh", "init", closed / "b", before=limits)
    assert read.returncode == 1 and "secret.csv: it cannot be opened" in read.stdout and "may read it" in read.stdout
    assert write.returncode == 1 and "没有权限读写" in write.stderr and write.stderr.count("\n") == 1
    sound(shop)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not ROOT or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", disk], capture_output=True).returncode:
        pytest.skip("SKIPPED: only root can mount a small disk; a full and a read-only disk were not tried")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("left_kib", [0, 200, 4_000, 9_000])
def test_a_full_disk(small_disk: Path, left_kib: int) -> None:
    shop = small_disk / "shop"
    huitou("init", shop, "--shop", "测试旗舰店")
    huitou("-w", shop, "import", put(small_disk, "good.csv", THREE))
    row = THREE.split("\n")[1]
    more = put(small_disk.parent, "more.csv", "\n".join([ORDERS, *(row.replace("0101", f"{i:07}") for i in range(40_000)), ""]))
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "filler").write_bytes(bytes(max(0, free - left_kib * 1024)))
    done = process("--lang", "en", "-w", shop, "import", more)
    assert done.returncode == 1 and "full" in done.stderr and "Free some space" in done.stderr, done.stderr
    (small_disk / "filler").unlink()
    sound(shop)


@pytest.mark.slow
def test_a_read_only_disk(small_disk: Path) -> None:
    shop = small_disk / "shop"
    process("init", shop, "--shop", "测试旗舰店")
    process("-w", shop, "import", put(small_disk, "good.csv", THREE))
    for words in (["import", small_disk / "good.csv"], ["metrics", "orders_placed"], ["diagnose"], ["init", small_disk / "b"]):
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        done = process("--lang", "zh", "-w", shop, *words)
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
        assert done.returncode == 1 and "只读" in done.stderr and done.stderr.count("\n") == 1, done.stderr
    sound(shop)
