"""The key that pseudonyms are made with. It is read from a file or the environment, and never shown."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from auditor.errors import UsageError
from auditor.records import field, record

LEAST = 16
"""Bytes of a key: fewer could be tried out."""

_MOST = 1 << 16
_SALT = b"auditor pseudonyms 1"
_MAKE_ONE = "make one and keep it: openssl rand -hex 32 > secret.key"


@record
class Key:
    """``addresses``: 32 bytes for Crypto-PAn; ``names``: 32 bytes for HMAC-SHA256."""

    addresses: bytes = field(repr=False)
    names: bytes = field(repr=False)

    def pseudonym(self, text: str) -> str:
        """Return the word that stands for a word, whatever its case: ``n`` and eight hexadecimal digits."""
        return f"n{hmac.digest(self.names, text.casefold().encode('utf-8', 'backslashreplace'), 'sha256').hex()[:8]}"


def read_key(source: str) -> Key:
    """Return the key in a file, or in the environment for ``env:NAME``. Raises UsageError where there is none to use."""
    name = source.removeprefix("env:")
    if name != source:
        secret = os.environ.get(name, "").encode("utf-8", "surrogateescape").strip()
        where = f"the environment variable {name}"
    else:
        where = f"the file {source}"
        try:
            with Path(source).open("rb") as file:
                secret = file.read(_MOST).strip()
        except OSError as error:
            raise UsageError(f"--anonymize: cannot read {where}: {error.strerror or error}", fix=_MAKE_ONE) from None
    if len(secret) < LEAST:
        raise UsageError(f"--anonymize: {where} holds no key of at least {LEAST} characters", fix=_MAKE_ONE)
    # Slow on purpose: a key that a person thought up cannot be tried out a million times a second.
    derived = hashlib.scrypt(secret, salt=_SALT, n=1 << 14, r=8, p=1, maxmem=1 << 26, dklen=64)
    return Key(derived[:32], derived[32:])
