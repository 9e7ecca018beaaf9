"""The door for programs that bring messages as they come: a batch with a key of its own, into the same ledger as a file.

A batch goes the way of an import: same source, masking, vault, ledger and all-or-nothing. Sending it again under its key stores
nothing and gives the first answer, so that whoever did not hear the answer may simply ask again.
"""

import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from huitou.errors import HuitouError, Say, UnknownName
from huitou.lake import Workspace
from huitou.lake.disk import room
from huitou.sources.api_messages import FIELDS, ApiMessages
from huitou.sources.importer import ImportReport, import_files

MOST = 100_000
"""Messages of one batch."""
_SOURCE = ApiMessages()
_PREFIX = "batch-"
_STALE_S = 3_600
_KEY = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"


def append_messages(ws: Workspace, messages: Sequence[Mapping[str, object]], *, key: str) -> ImportReport:
    """Store a batch of chat messages once, whatever happens in between; its bad rows are counted in the report.

    A message has ``buyer``, ``time`` (ISO 8601, or seconds or milliseconds since 1970), ``text``, ``role`` (customer, agent,
    robot, auto, system) or ``speaker``, and may have ``account``, ``session``, ``item``, ``auto``. The row of a problem is the
    message's place in the batch, from 1. `key` names the batch: letters, digits, ``. _ -``, at most 100.

    Raises LakeBusy (try again later), DiskFull, UnknownName for another field, HuitouError for a batch that is empty or too
    large, a key that cannot be, or one that other messages came under.
    """
    if not re.fullmatch(_KEY, key):
        raise HuitouError(
            Say(f"批次编号 {key[:120]!r} 不能用。", f"The key {key[:120]!r} cannot be used."),
            Say("用字母、数字和 . _ -，最多 100 个。", "Use letters, digits and . _ -, at most 100."),
        )
    if not 0 < len(messages) <= MOST:
        raise HuitouError(
            Say(f"一批有 {len(messages):,} 条消息。", f"The batch has {len(messages):,} messages."),
            Say(f"一批要有 1 到 {MOST:,} 条。", f"Send 1 to {MOST:,} at once."),
        )
    text = "".join(_line(number, message) for number, message in enumerate(messages, 1))
    name, print_ = f"{key}.jsonl", hashlib.sha256(text.encode()).hexdigest()
    for earlier in ws.lake.loads():
        if earlier.source == _SOURCE.id and earlier.file == name:
            if earlier.sha256 != print_:
                raise HuitouError(
                    Say(f"批次编号 {key} 已经用于另外的消息。", f"Other messages came under the key {key}."),
                    Say("给这一批换一个编号。", "Give this batch a key of its own."),
                )
            return ImportReport(Path(name), _SOURCE.id, earlier.rows_read, notes=earlier.notes, load=earlier, name=name)
    vault = ws.path / "vault"  # which only its owner may enter: the batch holds raw names until it is in
    with room(vault):
        _sweep(vault)
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=vault) as folder:
            file = Path(folder) / name
            file.write_text(text, "utf-8")
            report = import_files(ws, [file], source=_SOURCE.id)[0]
    if report.refused is not None:
        raise report.refused
    return report


def _line(number: int, message: Mapping[str, object]) -> str:
    """A message as a line with all fields. Raises UnknownName, or HuitouError for a value that is no text, number or bool."""
    for name, value in message.items():
        if name not in FIELDS:
            raise UnknownName(Say("消息的字段", "field of a message"), name, FIELDS)
        if not isinstance(value, str | int | float | bool | None):
            raise HuitouError(
                Say(f"第 {number:,} 条消息的 {name} 不是文字或数。", f"{name} of message {number:,} is no text or number."),
                Say("写成文字。", "Write it as a text."),
            )
    told = {name: message.get(name) for name in FIELDS}
    if isinstance(told["auto"], bool):
        told["auto"] = "true" if told["auto"] else None
    return json.dumps(told, ensure_ascii=False) + "\n"


def _sweep(vault: Path) -> None:
    """Remove batches that a process which was killed left behind."""
    for left in vault.glob(f"{_PREFIX}*"):
        if time.time() - left.stat().st_mtime > _STALE_S:
            shutil.rmtree(left, ignore_errors=True)
