"""Results that come from the rooms below as they are, under the names that programs know them by."""

from aura_vcs.compare.diff.document import DocumentDiff
from aura_vcs.compare.diff.text import TextDiff
from aura_vcs.compare.timeline.diff import TimelineDiff
from aura_vcs.formats.media.findings import MediaDiff
from aura_vcs.history.file_edits import Removed as CleanedAssets
from aura_vcs.history.merge import Merged, MergePlan
from aura_vcs.history.merging.conflicts import OpenConflict
from aura_vcs.history.resolve import Decision, Resolved
from aura_vcs.maintenance.disk_usage import StorageReport
from aura_vcs.maintenance.fsck import Report as FsckReport
from aura_vcs.maintenance.gc import Collected
from aura_vcs.maintenance.gc import Plan as GcPlan
from aura_vcs.maintenance.retention import PrunePlan
from aura_vcs.maintenance.retention import Rules as RetentionRules
from aura_vcs.project.documents.problems import Problem as DocumentProblem
from aura_vcs.project.scenes.actions import Changed as SceneChanged
from aura_vcs.sync.fetch import Fetched
from aura_vcs.sync.maintenance.repair_local import Repaired
from aura_vcs.sync.offload.fetch_content import Brought
from aura_vcs.sync.pull import Pulled, Synced
from aura_vcs.sync.push import PushPlan as Pushed
from aura_vcs.sync.remotes.add import Checked as CheckedRemote

__all__ = [
    "Brought",
    "CheckedRemote",
    "CleanedAssets",
    "Collected",
    "Decision",
    "DocumentDiff",
    "DocumentProblem",
    "Fetched",
    "FsckReport",
    "GcPlan",
    "MediaDiff",
    "MergePlan",
    "Merged",
    "OpenConflict",
    "PrunePlan",
    "Pulled",
    "Pushed",
    "Repaired",
    "Resolved",
    "RetentionRules",
    "SceneChanged",
    "StorageReport",
    "Synced",
    "TextDiff",
    "TimelineDiff",
]
