"""Results that come from the rooms below as they are, under the names that programs know them by."""

from aura_vcs.compare.diff.text import Hunk as TextHunk, TextLine
from aura_vcs.compare.timeline.changes import TimelineChange
from aura_vcs.formats.media.findings import (
    AudioDiff,
    AudioFacts,
    MediaDiff,
    MediaFacts,
    MediaStretch,
    PictureFacts,
    SequenceFacts,
    TrackFacts,
    VideoDiff,
    VideoFacts,
)
from aura_vcs.formats.media.index_entry import (
    EntryHead as MediaEntryHead,
    EntrySection as MediaEntrySection,
    MediaEntry,
    StripFacts,
    Waveform,
)
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.history.resolve import Decision
from aura_vcs.maintenance.disk_usage import Sizes
from aura_vcs.maintenance.findings import Finding as FsckProblem
from aura_vcs.maintenance.fsck import FsckReport
from aura_vcs.maintenance.retention import RetentionRules
from aura_vcs.project.render.presets import ExportPreset
from aura_vcs.sync.maintenance.fsck import VerifyReport as RemoteFsckReport
from aura_vcs.sync.offload.space_plan import SpaceFreed, SpaceItem, SpacePlan

__all__ = [
    "AudioDiff",
    "AudioFacts",
    "Decision",
    "ExportPreset",
    "FsckProblem",
    "FsckReport",
    "MediaDiff",
    "MediaEntry",
    "MediaEntryHead",
    "MediaEntrySection",
    "MediaFacts",
    "MediaHeader",
    "MediaStretch",
    "PictureFacts",
    "RemoteFsckReport",
    "RetentionRules",
    "SequenceFacts",
    "Sizes",
    "SpaceFreed",
    "SpaceItem",
    "SpacePlan",
    "StripFacts",
    "TextHunk",
    "TextLine",
    "TimelineChange",
    "TrackFacts",
    "VideoDiff",
    "VideoFacts",
    "Waveform",
]
