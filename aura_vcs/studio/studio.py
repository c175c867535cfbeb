"""A person's studio, opened: its folder and the index beside it."""

from aura_vcs.progress import SILENT, Progress
from aura_vcs.studio.folder import StudioFolder
from aura_vcs.studio.index import StudioIndex


class Studio:
    """The studio in the folder `path`; `user` goes into what is recorded. For one thread.

    Looking creates nothing: the folder comes into being when something is stored.
    """

    def __init__(self, path: str, *, user: str, progress: Progress = SILENT) -> None:
        self.folder = StudioFolder(path, user=user, progress=progress)
        self._index: StudioIndex | None = None

    @property
    def index(self) -> StudioIndex:
        """The index, opened when it is first asked."""
        if self._index is None:
            self._index = StudioIndex(self.folder)
        return self._index

    def close(self) -> None:
        """Let go of the files."""
        if self._index is not None:
            self._index.close()
            self._index = None

    def __enter__(self) -> "Studio":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
