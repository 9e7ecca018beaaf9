"""What is said of a rule file that is no TOML, or not text."""

from pathlib import Path

from huitou.errors import Say, SettingsError


def not_toml(file: Path, error: ValueError) -> SettingsError:
    """The error of a file that TOML's reader refused; `error` names the line."""
    says = Say(f"不是有效的 TOML（{error}）", f"is not valid TOML ({error})")
    return SettingsError(file.name, "", says, Say("改正它指出的那一行。", "Mend the line it names."))
