"""The lake itself: who may read, who may write, and whether what is stored is what the ledger says."""

from pathlib import Path

from huitou.errors import Problem, Say, Text
from huitou.lake.check import faults
from huitou.lake.delta import Catalog
from huitou.lake.disk import room
from huitou.lake.duckdb import Engine, Snapshot
from huitou.lake.ledger import Ledger, LoadReport
from huitou.lake.vault import Vault
from huitou.lake.writer import Writer


class Lake:
    """The folder ``lake/`` of a workspace."""

    def __init__(self, root: Path, vault: Vault | None = None, *, memory_gib: float | None = None) -> None:
        self.root = root.resolve()
        with room(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            self.ledger = Ledger(self.root / "ledger.db")
        self._vault = vault
        self._memory_gib = memory_gib

    def write(self, what: Text) -> Writer:
        """Become the writer; `what` is shown to others. Raises LakeBusy. What a dead writer left is finished or undone."""
        return Writer(self.root, self.ledger, self._vault, what, self._memory_gib)

    def read(self, rules: str | None = None) -> Snapshot:
        """A pinned snapshot: canonical tables, and the facts built for a rule pack if one is named."""
        with room(self.root):
            return Snapshot(self.catalog(rules), Engine(self.root, self._memory_gib))

    def catalog(self, rules: str | None = None) -> Catalog:
        """File lists of the newest finished commit, for any engine."""
        version, heads = self.ledger.heads()
        return Catalog(self.root, version, heads, rules)

    def loads(self) -> list[LoadReport]:
        """Every finished import, oldest first."""
        return self.ledger.loads()

    def problems(self, load: int | None = None) -> list[Problem]:
        """Quarantined rows of one import, or of all."""
        return self.ledger.problems(load)

    def check(self) -> list[Say]:
        """Every fault of what is stored, as a sentence that names the file or the import; empty = sound."""
        return faults(self.root, self.ledger)
