"""A command loads what it needs and no more, so that it starts at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.exported import THREE, put, shop

RUN = """
import sys
from huitou.cli import main
try:
    main()
finally:
    print("loaded:", *{name.partition(".")[0] for name in sys.modules})
"""
EXPRESSIONS = {"ibis", "sqlglot", "pandas"}
NUMBERS = {"scipy", "statsmodels", "sklearn"}
PAPER = {"altair", "vl_convert", "jinja2", "xlsxwriter"}
ENGINE = {"duckdb", "polars", "pyarrow", "deltalake"}


def loaded(*words: object) -> tuple[str, set[str]]:
    """What a command says, and the packages that it loaded, as a second process."""
    done = subprocess.run([sys.executable, "-c", RUN, *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said, _, packages = done.stdout.rpartition("loaded:")
    return said, set(packages.split())


def test_an_import_loads_no_expressions_no_statistics_and_no_charts(tmp_path: Path) -> None:
    said, packages = loaded("--lang", "en", "-w", shop(tmp_path).path, "import", put(tmp_path, "orders.csv", THREE))
    assert "orders.csv" in said and "duckdb" in packages
    assert packages & (EXPRESSIONS | NUMBERS | PAPER) == set()


@pytest.mark.parametrize("words", [("--help",), ("import", "--help")])
def test_help_loads_no_engine(words: tuple[str, ...]) -> None:
    said, packages = loaded(*words)
    assert "Import export files" in said and packages & (EXPRESSIONS | NUMBERS | PAPER | ENGINE) == set()
