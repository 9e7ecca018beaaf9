"""Rules are data: dated TOML packs of platform rules, goals and taxonomies, and their loader.

Comes in: TOML files of this folder (and of a workspace's ``rules/``). Goes out: `RulePack`, goals and taxonomies.
"""

from huitou.rules.model import Rule, RulePack, Trust
from huitou.rules.packs import load_pack, pack_files

__all__ = ["Rule", "RulePack", "Trust", "load_pack", "pack_files"]
