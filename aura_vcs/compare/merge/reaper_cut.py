"""REAPER projects as files that merge by clip."""

from collections.abc import Sequence

from aura_vcs.compare.merge.cut_model import MergedCut
from aura_vcs.compare.merge.reaper_lines import ReaperLines
from aura_vcs.compare.merge.reaper_write import write_reaper


class ReaperFile(ReaperLines):
    """One project."""

    def write(self, merged: MergedCut, names: dict[str, str]) -> bytes:
        """See CutFile."""
        return write_reaper(self, merged, names)

    def complete(self, merged: MergedCut, _sides: Sequence[object]) -> MergedCut:
        """See CutFile."""
        return merged

    def check(self, _sides: Sequence[object]) -> str:
        """See CutFile: that ids are there once is seen while it is read."""
        return ""
