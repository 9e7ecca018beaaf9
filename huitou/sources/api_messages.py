"""Chat messages as JSON, one object each with the product's own field names: what `append_messages` is given."""

from huitou.errors import Say
from huitou.sources.chat_table import LAYOUT
from huitou.sources.generic import Mapped
from huitou.sources.model import Head

FIELDS = tuple(field.name for field in LAYOUT.fields)
"""buyer time text role speaker account session item auto"""


class ApiMessages(Mapped):
    """Messages under the product's own names."""

    layout = LAYOUT
    quirks = (Say("不会自动认出：由追加的程序指明", "never recognised by itself: the program that appends says so"),)

    def __init__(self) -> None:
        super().__init__({"table": "messages", "columns": {name: name for name in FIELDS}})
        self.id = "api.messages"
        self.zh, self.en = "程序追加的聊天消息（JSON）", "Chat messages appended by a program (JSON)"

    def identify(self, head: Head) -> int:
        """Never by itself: whoever appends says so."""
        return 0
