"""Where a command finds the models that were learned."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from huitou.errors import HuitouError, NotAWorkspace, Say
from huitou.text.version import MODELS

if TYPE_CHECKING:
    from huitou.text.trained import Trained


def is_workspace(folder: Path) -> bool:
    """Whether there is a workspace in a folder."""
    return (folder / "huitou.toml").is_file()


def model_folder(workspace: Path, named: Path | None) -> Path:
    """Where models are put: the folder that is named, or the workspace's. Raises NotAWorkspace, HuitouError for a file."""
    if named is None:
        if not is_workspace(workspace):
            raise NotAWorkspace(workspace)
        return workspace / MODELS
    if named.exists() and not named.is_dir():
        says = Say(f"--model-dir {named} 是一个文件。", f"--model-dir {named} is a file.")
        raise HuitouError(says, Say("写一个文件夹。", "Name a folder."))
    return named


def trained(workspace: Path, named: Path | None, kinds: Sequence[str]) -> "Trained | None":
    """The models of `kinds`: of the folder that is named, which must hold one, or of the workspace, which may.

    A workspace's model of polarity that is worse than the rules is left out.

    Raises HuitouError where the folder that is named holds none of them.
    """
    if named is None and not (is_workspace(workspace) and any((workspace / MODELS / f"{kind}.npz").is_file() for kind in kinds)):
        return None
    folder = model_folder(workspace, named)
    if not any((folder / f"{kind}.npz").is_file() for kind in kinds):
        zh, en = "、".join(kinds), ", ".join(kinds)
        says = Say(f"{folder} 里没有可用的模型（{zh}）。", f"{folder} holds no model of {en}.")
        fix = Say(
            f"先学一个：huitou learn {kinds[0]} … --model-dir {folder}",
            f"Learn one first: huitou learn {kinds[0]} … --model-dir {folder}",
        )
        raise HuitouError(says, fix)
    from huitou.text.trained import Trained

    found = Trained.of(folder, kinds)
    return found if named else found.not_worse()
