"""One build of a workspace: the facts of what was imported, then what the texts say, stored together or not at all.

Comes in: a workspace. Goes out: its fact tables and its text tables under the shop's rule pack, up to date with every import.
Facts and texts know nothing of each other: they meet in the lake's tables, here in turn.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from huitou.errors import Say
from huitou.facts.build import STEPS as FACTS
from huitou.facts.build import Making, fingerprint
from huitou.facts.roster import read_roster
from huitou.lake import Workspace
from huitou.rules import load_pack
from huitou.rules.taxonomy import load_taxonomies
from huitou.text.version import version_of

Progress = Callable[[str, int, int], None]
"""Called with the table that is being built, how many parts of it are done and how many there are."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: the rule pack, the months of which anything was made anew, rows made per table, seconds taken."""

    rules: str
    months: tuple[str, ...]
    rows: dict[str, int]
    facts_s: float
    texts_s: float

    @property
    def seconds(self) -> float:
        """Of both together."""
        return self.facts_s + self.texts_s


def build(ws: Workspace, *, progress: Progress | None = None) -> BuildReport:
    """Bring facts and texts up to date with everything imported: only the months that changed, and what hangs on them.

    A change of the rules makes the facts anew, a change of the words (a leaf in the workspace's ``taxonomies/``) the texts.
    Raises UnknownName or SettingsError for the rule pack, SettingsError for a taxonomy, LakeBusy, DiskFull.
    """
    began = time.perf_counter()
    pack, words = load_pack(ws.settings.rules, ws.path), load_taxonomies(ws.path)
    with ws.lake.write(Say("计算事实表", "huitou build")) as writer:
        snapshot = writer.snapshot(pack.id)
        roster = read_roster(ws, snapshot)
        marks = fingerprint(pack, roster, snapshot), version_of(words, ws.path)
        facts_changed, texts_changed = (writer.changed(pack.id, mark, part=i) for i, mark in enumerate(marks))
        if not facts_changed and not texts_changed:
            return BuildReport(pack.id, (), {}, time.perf_counter() - began, 0.0)
        facts = Making(writer.build(pack.id, ".".join(marks)), pack, roster, progress)
        if facts_changed:
            facts.all_of(facts_changed)
        halfway = time.perf_counter()
        from huitou.text.build import Texts  # noqa: PLC0415 – what reads texts is loaded only where some are read

        texts = Texts(facts.build, (words, ws.path), pack, facts.people)
        texts.all_of(texts_changed, facts.made, progress)
        rows = facts.build.commit()
    months = tuple(sorted(facts.months | texts.months))
    return BuildReport(pack.id, months, rows, halfway - began, time.perf_counter() - halfway)


__all__ = ["FACTS", "BuildReport", "build"]
