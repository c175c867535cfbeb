"""What stands for an id in a row: its bytes, half as many as its digits."""

from aura_vcs import layout
from aura_vcs.ids import OperationId

_LABEL = f"{layout.VERSIONS}/"
_ENDING = ".json"
_ID_BYTES = 32
_OPERATION_BYTES = 16


def digest_of(text: str) -> bytes:
    """Return the bytes of an id; b"" for what is none, which no row has."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def bounds_of(prefix: str, length: int) -> tuple[bytes, bytes] | None:
    """Return the lowest and the highest id of `length` bytes that begin with these digits; None where none does."""
    if not prefix or len(prefix) > 2 * length or set(prefix) - set("0123456789abcdef"):
        return None
    return bytes.fromhex(prefix.ljust(2 * length, "0")), bytes.fromhex(prefix.ljust(2 * length, "f"))


def operation_key(operation: str) -> bytes | str:
    """Return what an operation's row has for its id: its bytes, or the text where that is not as we choose them."""
    digest = digest_of(operation) if len(operation) == 2 * _OPERATION_BYTES else b""
    return digest if digest.hex() == operation else operation


def operation_id(key: bytes | str) -> OperationId:
    """Return the id that `operation_key` was made of."""
    return OperationId(key.hex() if isinstance(key, bytes) else key)


def file_key(path: str) -> bytes | str:
    """Return what stands for the file of a ref: the version's id, for that of one label, which nearly all are."""
    digest = digest_of(path[len(_LABEL) : -len(_ENDING)]) if path.startswith(_LABEL) else b""
    return digest if len(digest) == _ID_BYTES and path == f"{_LABEL}{digest.hex()}{_ENDING}" else path
