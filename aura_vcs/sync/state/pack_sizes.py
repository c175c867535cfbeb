"""How large the packs of a remote should be: where small ones are wanted, they grow with the remote.

Small packs lose less where a line breaks, and make a longer list, which everybody who comes there reads.
"""

from aura_vcs.objects.packs.format import PACK_BYTES
from aura_vcs.sync.state.manifest import Manifest

PACKS_OF_A_SIZE = 4096
"""When a remote holds so many packs of a size, new ones are twice as large."""
LARGEST = PACK_BYTES // 2 * 3
"""Then packs of the store, which end with the object that fills them, go there as they are."""


def pack_bytes(wanted: int | None, manifest: Manifest) -> int | None:
    """Return how large new packs should be where a remote wants them of `wanted` bytes; None: as large as they come."""
    if wanted is None:
        return None
    total = sum(pack.size for pack in manifest.packs)
    while wanted < LARGEST and total > wanted * PACKS_OF_A_SIZE:
        wanted = 2 * wanted if 2 * wanted < PACK_BYTES else LARGEST
    return wanted
