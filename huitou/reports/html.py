"""The report as one HTML file: no script, no outside request, opens offline, prints on A4."""

from functools import partial
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from huitou.errors import DiskFull
from huitou.reports.model import Report
from huitou.reports.page_view import view
from huitou.reports.text import shown
from huitou.reports.words import Lang, say

LONGEST = 2000  # characters of one text on the page; more is not read, and would stall a browser


def write_html(report: Report, path: Path, *, lang: Lang = "zh") -> Path:
    """Write the report to `path` and return it. Raises DiskFull when there is no room; a half-written file does not stay."""
    page = render(report, lang)
    draft = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(page, "utf-8", newline="\n")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        if error.errno == 28:  # ENOSPC
            raise DiskFull(path.parent, len(page) * 3) from None
        raise
    return path


def render(report: Report, lang: Lang) -> str:
    """The page as text. Every string that is put in is stripped of what cannot be seen and escaped, wherever it comes from."""
    here = files(__package__).joinpath("page")
    css = "\n".join(here.joinpath(name).read_text("utf-8") for name in ("tokens.css", "report.css"))
    env = Environment(
        loader=PackageLoader("huitou.reports", "page"),
        autoescape=True,
        finalize=_clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(say=partial(_say, lang), lang=lang, css=Markup(css))
    return env.get_template("report.html.jinja").render(p=view(report, lang))


def _say(lang: Lang, key: str, **facts: object) -> str:
    return say(key, lang, **facts)


def _clean(value: object) -> object:
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    clean = shown(value)
    return clean if len(clean) <= LONGEST else clean[:LONGEST] + "…"
