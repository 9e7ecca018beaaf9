"""Goals → gaps → causes → findings: where customers are lost, the proof, what it is worth and who can do what.

Comes in: a pinned snapshot with built facts, the shop's settings and a rule pack. Goes out: a `Diagnosis`, whose sentences
are generated from the facts in both languages. One file per kind of finding; `diagnose.py` orders them.
"""

from huitou.findings.diagnose import diagnose
from huitou.findings.model import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
