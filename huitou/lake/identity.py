"""The one place where a buyer's id becomes a token, and where the raw identity goes to the vault."""

import hmac
from collections.abc import Iterable

import polars as pl

from huitou.lake.vault import Vault

CACHED_IDS = 1_000_000


class People:
    """Turns buyer ids of one platform and shop into `customer_key`s and remembers the raw identity, encrypted.

    `customer_key` = first 63 bits of HMAC-SHA256(workspace key, platform | shop | buyer id), parts joined by U+001F.
    """

    def __init__(self, key: bytes, platform: str, shop: str, vault: Vault | None = None) -> None:
        self._key = key
        self._prefix = f"{platform}\x1f{shop}\x1f".encode()
        self._vault = vault
        self._cache: dict[str, int] = {}

    def tokens(self, buyer_ids: pl.Series) -> pl.Series:
        """Int64 keys, null where the id is null or empty. Ids are stripped, a ``cntaobao`` prefix is dropped."""
        unique = buyer_ids.cast(pl.String).unique()
        keys = pl.Series(self._keys(unique.to_list()), dtype=pl.Int64)
        return buyer_ids.cast(pl.String).replace_strict(unique, keys, return_dtype=pl.Int64).alias("customer_key")

    def token(self, buyer_id: str) -> int:
        """The key of one buyer id; an empty id is a ValueError."""
        key = self._keys([buyer_id])[0]
        if key is None:
            raise ValueError("an empty buyer id has no key")
        return key

    def _keys(self, ids: Iterable[str | None]) -> list[int | None]:
        if len(self._cache) > CACHED_IDS:
            self._cache.clear()
        cache, key, prefix = self._cache, self._key, self._prefix
        keys: list[int | None] = []
        for given in ids:
            exact = given.strip().removeprefix("cntaobao") if given else ""
            if not exact:
                keys.append(None)
                continue
            token = cache.get(exact)
            if token is None:
                token = int.from_bytes(hmac.digest(key, prefix + exact.encode(), "sha256")[:8], "big") >> 1
                cache[exact] = token
            keys.append(token)
        return keys

    def remember(self, people: pl.DataFrame) -> None:
        """Queue raw identities for the vault: columns customer_key and any of nick, name, phone, address.

        Written in the transaction of the load; nulls and masked values do not overwrite what is known.
        """
        if self._vault is not None:
            self._vault.remember(people)
