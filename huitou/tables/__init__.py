"""Every table of the lake, declared once; the glossary of the product.

Comes in: nothing. Goes out: `TABLES` by name, read by sources (to fill), lake (to store), facts (to build), metrics
(to count) and the documentation.
"""

from huitou.tables import canonical, facts, text
from huitou.tables.keys import key63
from huitou.tables.model import PROVENANCE, Column, Table

TABLES: dict[str, Table] = {t.name: t for t in (*canonical.ALL, *facts.ALL, *text.ALL)}

__all__ = ["PROVENANCE", "TABLES", "Column", "Table", "key63"]
