"""Encryption of single fields, and a blind index to find them again. The cipher stays behind one small interface."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from webapp.storage.keys import Keys

FORMAT = b"\x01"
KEY_ID_BYTES = 8
NONCE_BYTES = 12


class SealBroken(RuntimeError):
    """A sealed value cannot be opened: changed, moved to another row, or sealed with a key that is not here."""


class FieldCipher(Protocol):
    """Seals the text of one field of one row."""

    def seal(self, text: str, field: str, row: UUID) -> bytes:
        """The text, readable only with the key, for this field of this row."""
        ...

    def open(self, sealed: bytes, field: str, row: UUID) -> str:
        """The text again; raises `SealBroken`."""
        ...

    def index(self, text: str, field: str) -> bytes:
        """The same for equal texts of a field, and useless without the key."""
        ...


class AesGcmCipher:
    """AES-256-GCM with a random nonce; field and row are authenticated, so values cannot be swapped between rows."""

    def __init__(self, keys: Keys, *, look_again: Callable[[], None] | None = None) -> None:
        """``look_again`` is called when a value names a key that is not here: the key file may have a new one."""
        self._look_again = look_again
        self.use(keys)

    def use(self, keys: Keys) -> None:
        """Take these keys from now on."""
        self._ciphers = {id.encode(): AESGCM(key) for id, key in keys.field_keys.items()}
        self._current = keys.current.encode()
        self._index_key = keys.index_key

    def seal(self, text: str, field: str, row: UUID) -> bytes:
        """See `FieldCipher.seal`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, text.encode(), _bound_to(field, row))
        return FORMAT + self._current + nonce + sealed

    def open(self, sealed: bytes, field: str, row: UUID) -> str:
        """See `FieldCipher.open`."""
        key_id = sealed[1 : 1 + KEY_ID_BYTES]
        cipher = self._ciphers.get(key_id)
        if cipher is None and sealed[:1] == FORMAT and self._look_again is not None:
            self._look_again()
            cipher = self._ciphers.get(key_id)
        if sealed[:1] != FORMAT or cipher is None:
            raise SealBroken(f"{field} of {row} was sealed with key {key_id!r}, which is not in the key file")
        rest = sealed[1 + KEY_ID_BYTES :]
        try:
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _bound_to(field, row)).decode()
        except InvalidTag:
            raise SealBroken(f"{field} of {row} was changed outside this program, or moved from another row") from None

    def index(self, text: str, field: str) -> bytes:
        """See `FieldCipher.index`."""
        return hmac.new(self._index_key, f"{field}\0{normal(text)}".encode(), hashlib.sha256).digest()


def key_of(sealed: bytes) -> str:
    """The id of the key a value was sealed with."""
    return sealed[1 : 1 + KEY_ID_BYTES].decode("ascii", "replace")


def normal(text: str) -> str:
    """One form for texts that read the same: width, case and spaces do not count."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()


def _bound_to(field: str, row: UUID) -> bytes:
    return f"{field}\0{row}".encode()
