"""The front door for tests: runs the command line as a user would, and reads its JSON."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from huitou.cli import app


def huitou(*args: object, ok: bool = True) -> Result:
    """Run one command; with `ok` (default) it must succeed."""
    result = CliRunner().invoke(app, [str(a) for a in args])
    if ok:
        assert result.exit_code == 0, f"{result.output}\n{result.exception!r}"
    return result


def numbers(workspace: Path, *args: str) -> list[dict[str, Any]]:
    """`huitou metrics … --format json` as data."""
    return json.loads(huitou("-w", workspace, "metrics", *args, "--format", "json").stdout)


def number(workspace: Path, *args: str) -> dict[str, Any]:
    """The one cell that the command prints."""
    (cell,) = numbers(workspace, *args)
    return cell


def shop(folder: Path, *files: Path, name: str = "测试旗舰店", rules: str = "tmall-2025") -> Path:
    """A fresh workspace of a shop with the files imported."""
    workspace = folder / "shop"
    huitou("init", workspace, "--shop", name)
    settings = workspace / "huitou.toml"
    settings.write_text(settings.read_text("utf-8").replace('rules = "tmall-2025"', f'rules = "{rules}"'), "utf-8")
    huitou("-w", workspace, "import", *files)
    return workspace
