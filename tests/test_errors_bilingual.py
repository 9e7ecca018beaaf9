"""Every error of the product is written in both languages: a HuitouError takes no plain string as a sentence."""

import ast
import inspect
from pathlib import Path

import pytest

import huitou
from huitou import errors
from huitou.errors import HuitouError, Say
from huitou.sources.reasons import REASONS, problem

CLASSES = {name: c for name, c in vars(errors).items() if inspect.isclass(c) and issubclass(c, HuitouError)}
FILES = sorted(p for p in Path(huitou.__file__).parent.rglob("*.py") if p.name != "errors.py")


def sentences(call: ast.Call, error: type[HuitouError]) -> list[ast.expr]:
    """The arguments of a raise that are shown as sentences: parameters declared as Say or Text."""
    names = list(inspect.signature(error.__init__).parameters.values())[1:]
    given = dict(zip((p.name for p in names), call.args)) | {k.arg: k.value for k in call.keywords}
    return [given[p.name] for p in names if p.name in given and ("Say" in str(p.annotation) or "Text" in str(p.annotation))]


def plain(value: ast.expr, module: ast.Module) -> bool:
    """A string literal, an f-string, or a name that is one somewhere in the module."""
    if isinstance(value, ast.IfExp):
        return plain(value.body, module) or plain(value.orelse, module)
    if isinstance(value, ast.Name):
        given = [n.value for n in ast.walk(module) if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == value.id]
        return any(plain(v, module) for v in given if not isinstance(v, ast.Name))
    return isinstance(value, ast.JoinedStr | ast.BinOp) or (isinstance(value, ast.Constant) and value.value != "")


def wrong(code: str) -> list[str]:
    module = ast.parse(code)
    calls = [n for n in ast.walk(module) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in CLASSES]
    return [ast.unparse(c) for c in calls if any(plain(v, module) for v in sentences(c, CLASSES[c.func.id]))]


@pytest.mark.parametrize("file", FILES, ids=str)
def test_no_error_is_raised_with_a_plain_string(file: Path) -> None:
    assert wrong(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "code", ["FileRefused(p, 'bad', Say('', ''))", "says = f'{x}'\nraise HuitouError(says, fix)", "LakeBusy('me')"]
)
def test_a_plain_string_would_be_found(code: str) -> None:
    assert len(wrong(code)) == 1


@pytest.mark.parametrize("reason", REASONS)
def test_every_problem_speaks_both_languages(reason: str) -> None:
    found = problem("a.csv", 2, None, reason)
    assert isinstance(found.says, Say) and isinstance(found.fix, Say)
    assert not found.says.zh.isascii() and not found.fix.zh.isascii() and found.fix.en.isascii()
