"""Zip archives of exports: each file inside is a file of its own; names never become paths; one bad file is only itself."""

import csv
import gzip
import io
import zipfile
from pathlib import Path

import pytest

from huitou.lake import Workspace
from tests.exported import ORDERS, THREE, put, shop, table
from tests.front import huitou
from tests.old_excel import write_xls

ONE = "\n".join([ORDERS, THREE.split("\n")[1].replace("0101", "0909"), ""])


def zipped(path: Path, members: dict[str, str | bytes], *, gbk: bool = False) -> Path:
    """An archive; `gbk`: with names as Chinese Windows writes them, without the mark for UTF-8."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name.encode("gb18030").decode("cp437") if gbk else name)
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    if gbk:  # Python writes what is not ASCII as UTF-8: the same bytes, and the marks taken out, are GBK again
        raw = path.read_bytes()
        for name in members:
            wrong = name.encode("gb18030").decode("cp437").encode()
            right = name.encode("gb18030")
            assert len(right) <= len(wrong)
            raw = raw.replace(wrong, right + b" " * (len(wrong) - len(right)))
        path.write_bytes(raw.replace(b"\x14\0\0\x08\x08\0", b"\x14\0\0\0\x08\0"))
    return path


def told(ws: Workspace, *files: Path, code: int = 0) -> str:
    """What an import says, in English."""
    done = huitou("--lang", "en", "-w", ws.path, "import", *files, ok=False)
    assert done.exit_code == code, done.output
    huitou("-w", ws.path, "doctor")
    assert not list((ws.lake.root / "_scratch").iterdir())
    return done.output


def files_of(ws: Workspace) -> dict[str, tuple[int, int]]:
    """File as the ledger names it → rows stored, rows known."""
    return {load.file: (load.stored, load.known) for load in ws.lake.loads()}


def test_each_file_in_an_archive_is_imported_under_its_own_name(tmp_path: Path) -> None:
    rows = csv.reader(io.StringIO(ONE.replace("0909", "0808")))
    book = write_xls(tmp_path / "b.xls", list(rows)).read_bytes()
    members = {"店铺/三月/订单.csv": THREE.encode("gb18030"), "一.txt": ONE, "表.xls": book, "__MACOSX/x": "", "读我.txt": "你好"}
    text = told(ws := shop(tmp_path), zipped(tmp_path / "三月.zip", members), code=3)
    assert files_of(ws) == {"三月.zip/店铺/三月/订单.csv": (3, 0), "三月.zip/一.txt": (1, 0), "三月.zip/表.xls": (1, 0)}
    assert "✗ 三月.zip/读我.txt: no source" in text and "MACOSX" not in text
    assert len(table(ws, "orders")) == 5


def test_a_gzip_is_the_file_that_it_holds(tmp_path: Path) -> None:
    ws, plain = shop(tmp_path), THREE.encode("gb18030")
    told(ws, put(tmp_path, "a.csv.gz", gzip.compress(plain)))
    assert files_of(ws) == {"a.csv.gz/a.csv": (3, 0)}
    assert "read by import 1" in told(ws, put(tmp_path, "a.csv", plain)) and len(table(ws, "orders")) == 3
    assert "damaged" in told(ws, put(tmp_path, "cut.csv.gz", gzip.compress(plain)[:-9]), code=1)
    assert "far more" in told(ws, put(tmp_path, "zeros.csv.gz", gzip.compress(bytes(80_000_000))), code=1)


def test_names_in_gbk_are_read(tmp_path: Path) -> None:
    told(ws := shop(tmp_path), zipped(tmp_path / "a.zip", {"订单/三月.csv": THREE}, gbk=True))
    assert list(files_of(ws)) == ["a.zip/订单/三月.csv"]


@pytest.mark.slow
def test_an_archive_again_and_its_files_alone_are_known(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    files = (
        zipped(tmp_path / "a.zip", {"o.csv": THREE}),
        zipped(tmp_path / "b.zip", {"x/o.csv": THREE}),
        put(tmp_path, "o.csv", THREE),
    )
    assert told(ws, *files).count("the same file was read by import 1") == 2
    assert len(table(ws, "orders")) == 3


def test_a_problem_names_the_file_in_the_archive(tmp_path: Path) -> None:
    bad = THREE.replace("2025-03-03 23:59:59", "昨天")
    told(ws := shop(tmp_path), zipped(tmp_path / "a.zip", {"x/o.csv": bad}))
    (problem,) = ws.lake.problems()
    assert (problem.file, problem.row) == ("a.zip/x/o.csv", 4)


def test_names_never_become_paths(tmp_path: Path) -> None:
    names = [
        "../../../up.csv",
        "..\\..\\win.csv",
        str(tmp_path / "absolute.csv"),
        "C:\\x\\drive.csv",
        "a/\u202evsc.csv",
        "n" * 400,
        "..",
    ]
    before = {p for p in tmp_path.rglob("*") if not p.is_relative_to(tmp_path / "shop")}
    rows = {name: ONE.replace("0909", f"{i:04}") for i, name in enumerate(names)}
    told(ws := shop(tmp_path), file := zipped(tmp_path / "t.zip", rows))
    assert {p for p in tmp_path.rglob("*") if not p.is_relative_to(tmp_path / "shop")} == before | {file}
    assert [load.stored for load in ws.lake.loads()] == [1] * len(names)
    assert all(".." not in name.split("/") and "\u202e" not in name and "\\" not in name for name in files_of(ws))


def test_an_archive_with_a_password_is_told_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"o.csv": THREE})
    path.write_bytes(path.read_bytes().replace(b"\x14\0\0\0\x08\0", b"\x14\0\x01\0\x08\0"))
    text = told(ws := shop(tmp_path), path, code=1)
    assert "a.zip/o.csv: the archive is protected by a password. Unpack it with the password" in text and not ws.lake.loads()


@pytest.mark.slow
def test_files_are_looked_at_before_an_import(tmp_path: Path) -> None:
    ws = shop(tmp_path)
    path = zipped(tmp_path / "a.zip", {"o.csv": THREE, "p.csv": ONE})
    assert "o.csv" in huitou("-w", ws.path, "doctor", path).output and not ws.lake.loads()
    assert "a.zip/p.csv" in huitou("-w", ws.path, "import", "--dry-run", path).output and not ws.lake.loads()
