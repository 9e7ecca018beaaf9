"""A workspace: one shop's folder with its settings, lake, vault and reports."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from huitou.errors import HuitouError, NotAWorkspace, Say, UnknownName
from huitou.lake.disk import room, sync
from huitou.lake.duckdb import Snapshot
from huitou.lake.identity import People
from huitou.lake.settings import Settings, parse_settings, read_settings, render_settings
from huitou.lake.store import Lake
from huitou.lake.vault import Vault, read_or_make_key

SETTINGS_FILE = "huitou.toml"


class Workspace:
    """An opened workspace; make one with `create` or `open`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.settings = settings
        self.reports = path / "reports"
        self.vault = Vault(path / "vault")
        self.lake = Lake(path / "lake", self.vault, memory_gib=settings.memory_gib)
        self._key = read_or_make_key(path / "workspace.key")

    @classmethod
    def create(cls, path: Path | str, *, shop: str, platform: str = "tmall", **settings: Any) -> "Workspace":
        """Make a workspace in a folder that holds none; `settings` are other fields of `Settings`.

        Raises HuitouError if there is one already, SettingsError for a value that cannot be.
        """
        folder = Path(path).resolve()
        file = folder / SETTINGS_FILE
        if folder.exists() and not folder.is_dir():
            raise HuitouError(
                Say(f"{folder} 是一个文件。", f"{folder} is a file."),
                Say("换一个文件夹。", "Choose a folder."),
            )
        if file.exists():
            raise HuitouError(
                Say(f"{folder} 已经是 Huitou 工作区。", f"{folder} is a Huitou workspace already."),
                Say("直接使用它，或换一个文件夹。", "Use it as it is, or choose another folder."),
            )
        names = {f.name for f in fields(Settings)}
        for name in settings:
            if name not in names:
                raise UnknownName(Say("设置项", "setting"), name, names)
        text = render_settings(Settings(shop=shop, platform=platform, **settings))
        parsed = parse_settings(text, file)
        with room(folder):
            for part in ("lake", "vault", "reports"):
                (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700 if part == "vault" else 0o755)
            workspace = cls(folder, parsed)
            new = file.with_suffix(".new")
            new.write_text(text, encoding="utf-8")
            sync(new)
            new.replace(file)
            sync(folder)
        return workspace

    @classmethod
    def open(cls, path: Path | str) -> "Workspace":
        """The workspace in a folder. Raises NotAWorkspace, or SettingsError for what huitou.toml says."""
        folder = Path(path).resolve()
        with room(folder):
            if not (folder / SETTINGS_FILE).is_file():
                raise NotAWorkspace(folder)
            return cls(folder, read_settings(folder / SETTINGS_FILE))

    def people(self, platform: str | None = None) -> People:
        """Where buyer ids of a platform (default: the shop's) become customer keys."""
        return People(self._key, platform or self.settings.platform, self.settings.shop, self.vault)

    def tokens(self) -> People:
        """The same keys as those of `people`; nobody is remembered."""
        return People(self._key, self.settings.platform, self.settings.shop)

    def read(self, rules: str | None = None) -> Snapshot:
        """A pinned snapshot with the facts of a rule pack (default: the shop's)."""
        return self.lake.read(rules or self.settings.rules)
