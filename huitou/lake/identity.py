"""The one place where a buyer's id becomes a token, and where the raw identity goes to the vault."""

import subprocess
import sys
import weakref
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import polars as pl

from huitou.lake.letters import Letters, Places
from huitou.lake.tokens import SIZES, WORD, Hmac
from huitou.lake.vault import Vault

MANY = 20_000
"""Ids from which on a child makes the tokens: it takes some milliseconds to begin."""
_CHILD = Path(__file__).with_name("tokens.py")


class People:
    """Turns buyer ids of one platform and shop into `customer_key`s and remembers the raw identity, encrypted.

    `customer_key` = first 63 bits of HMAC-SHA256(workspace key, platform | shop | buyer id), parts joined by U+001F.
    """

    def __init__(self, key: bytes, platform: str, shop: str, vault: Vault | None = None) -> None:
        self._hmac = key, f"{platform}\x1f{shop}\x1f".encode()
        self._child: _Child | None = None
        self._vault = vault

    def tokens(self, buyer_ids: pl.Series) -> pl.Series:
        """Int64 keys, null where the id is null or empty. Ids are stripped, a ``cntaobao`` prefix is dropped."""
        exact = buyer_ids.cast(pl.String).str.strip_chars().str.strip_prefix("cntaobao")
        exact = exact.set(exact == "", None).alias("customer_key")
        distinct = exact.unique()
        if len(distinct) > len(exact) // 2:
            return self._keys(exact)
        return exact.replace_strict(distinct, self._keys(distinct), return_dtype=pl.Int64)

    def token(self, buyer_id: str) -> int:
        """The key of one buyer id; an empty id is a ValueError."""
        key = self.tokens(pl.Series([buyer_id], dtype=pl.String))[0]
        if key is None:
            raise ValueError("an empty buyer id has no key")
        return int(key)

    def _keys(self, ids: pl.Series) -> pl.Series:
        letters = Letters.of(ids.drop_nulls())
        ends = np.append(0, np.cumsum(letters.lengths))
        data = letters.data[letters.starts[0] :][: ends[-1]] if len(letters.starts) else letters.data[:0]
        made = self._beside(ends, data) if len(letters.starts) >= MANY else b""
        if not made:
            texts = data.tobytes()
            made = Hmac(*self._hmac).digests(texts[begins:end] for begins, end in pairwise(ends.tolist()))
        firsts = np.frombuffer(made, dtype=">u8")
        keys = pl.Series((firsts >> np.uint64(1)).astype(np.int64), dtype=pl.Int64)
        if not ids.null_count():
            return keys.alias(ids.name)
        nobody = pl.Series(ids.name, [None], dtype=pl.Int64).new_from_index(0, len(ids))
        return nobody.scatter(ids.is_not_null().arg_true(), keys)

    def _beside(self, ends: Places, data: npt.NDArray[np.uint8]) -> bytes:
        """The same from the child, begun for the first of them; nothing where it fails."""
        if self._child is None:
            self._child = _Child(*self._hmac)
            weakref.finalize(self, self._child.close)
        return self._child.digests(ends, data)

    def remember(self, people: pl.DataFrame) -> None:
        """Queue raw identities for the vault: columns customer_key and any of nick, name, phone, address.

        Written in the transaction of the load; nulls and masked values do not overwrite what is known.
        """
        if self._vault is not None:
            self._vault.remember(people)


class _Child:
    """A process that makes tokens, while the threads of this one go on."""

    def __init__(self, key: bytes, prefix: bytes) -> None:
        pipe, no = subprocess.PIPE, subprocess.DEVNULL
        self._one = Lock()
        self._process = subprocess.Popen([sys.executable, "-I", str(_CHILD)], stdin=pipe, stdout=pipe, stderr=no)
        self._send(SIZES.pack(len(key), len(prefix)), key, prefix)

    def digests(self, ends: Places, data: npt.NDArray[np.uint8]) -> bytes:
        """`Hmac.digests` of texts, of which each ends where the next begins; nothing where the process has ended."""
        count = len(ends) - 1
        with self._one:
            self._send(SIZES.pack(count, len(data)), ends.astype(np.int64).tobytes(), data.tobytes())
            assert self._process.stdout is not None
            made = self._process.stdout.read(WORD * count)
        return made if len(made) == WORD * count else b""

    def _send(self, *parts: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # what it then answers is too short
            for part in parts:
                self._process.stdin.write(part)
            self._process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        with suppress(BrokenPipeError), self._process:
            pass  # waits for its end
