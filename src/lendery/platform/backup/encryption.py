"""A backup sealed with a passphrase.

The key is made from the passphrase by scrypt (RFC 7914), with a salt of its own for each file.
The content is sealed in pieces of 64 KiB with AES-256-GCM, by the STREAM construction (Hoang,
Reyhanitabar, Rogaway, Vizar, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance", CRYPTO 2015), as in Tink and age: the nonce of a piece is a prefix of the
file, the number of the piece, and whether it is the last. So a piece that was changed, moved,
left out or put last is noticed when it is opened, and no piece is used before that. The header
of the file is associated data of every piece.
"""

import os
import struct
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from lendery.platform.backup import Refused

CIPHER = "AES-256-GCM STREAM"
PIECE, TAG, PREFIX, SALT = 64 * 1024, 16, 7, 16
STRENGTH = {"n": 2**17, "r": 8, "p": 1}  # 128 MiB and 0.4 s for each guess (OWASP's advice)
STRONGEST = 2**20  # a header may not ask for more than 1 GiB


def new_seal() -> dict[str, Any]:
    """What the header of a new file says of its encryption."""
    return {
        "cipher": CIPHER,
        "scrypt": dict(STRENGTH),
        "salt": os.urandom(SALT).hex(),
        "prefix": os.urandom(PREFIX).hex(),
    }


def key_of(passphrase: str, seal: dict[str, Any]) -> bytes:
    """Raises ValueError, KeyError or TypeError when the header asks for what nobody writes."""
    n, r, p = (int(seal["scrypt"][name]) for name in "nrp")
    salt, prefix = bytes.fromhex(seal["salt"]), bytes.fromhex(seal["prefix"])
    usual = seal["cipher"] == CIPHER and (r, p) == (STRENGTH["r"], STRENGTH["p"])
    if not usual or not 2 <= n <= STRONGEST or len(salt) != SALT or len(prefix) != PREFIX:
        raise ValueError("unknown encryption")
    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(passphrase.encode())


def _nonce(seal: dict[str, Any], number: int, last: bool) -> bytes:
    return bytes.fromhex(seal["prefix"]) + struct.pack(">I?", number, last)


class Sealer:
    """Seals what is written, piece by piece; `close` writes the last."""

    def __init__(
        self, write: Callable[[bytes], Any], *, key: bytes, seal: dict[str, Any], header: bytes
    ) -> None:
        self._write, self._box = write, AESGCM(key)
        self._seal, self._header = seal, header
        self._waiting, self._number = bytearray(), 0

    def write(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) > PIECE:  # a full piece may still be the last
            self._put(last=False)

    def close(self) -> None:
        self._put(last=True)

    def _put(self, *, last: bool) -> None:
        piece = bytes(self._waiting[:PIECE])
        del self._waiting[:PIECE]
        nonce = _nonce(self._seal, self._number, last)
        self._write(self._box.encrypt(nonce, piece, self._header))
        self._number += 1


def opened(file: BinaryIO, *, key: bytes, seal: dict[str, Any], header: bytes) -> Iterator[bytes]:
    """The content, piece by piece, each as it was written. Raises Refused."""
    box, number = AESGCM(key), 0
    piece = file.read(PIECE + TAG)
    while True:
        following = file.read(PIECE + TAG)
        try:
            yield box.decrypt(_nonce(seal, number, not following), piece, header)
        except InvalidTag as error:
            what = "The file was" if number else "The passphrase is wrong, or the file was"
            raise Refused(f"{what} changed or cut short after it was written.") from error
        if not following:
            return
        piece, number = following, number + 1
