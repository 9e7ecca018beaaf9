"""What the canonical rows mean under a rule pack: rounds, sessions, receptions, order facts, order service, inquiries.

Comes in: messages, orders, order lines and refunds of a lake snapshot as Ibis tables, a `RulePack`, a `Roster` of accounts and
people that count differently. Goes out: one Ibis expression per fact table, and `build`, which stores those of changed months.
"""

from huitou.facts.build import BuildReport, build
from huitou.facts.roster import Roster

__all__ = ["BuildReport", "Roster", "build"]
