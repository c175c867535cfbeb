"""Version control for video projects.

    import aura_vcs as aura

    with aura.open("my-video", create=True) as project:
        project.commit("First cut")
        project.diff("HEAD~1", "HEAD")

`open`, `init` and `clone` give a `Project`, whose methods are the commands. Errors are children of
`AuraError`; nothing here prints or exits. docs/api.md is the guide.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aura_vcs.api.branches import Branch, Branches, Tag, Tags
    from aura_vcs.api.contents import Asset, Assets, Scene, Scenes
    from aura_vcs.api.credentials import Credentials
    from aura_vcs.api.front import clone, init, open
    from aura_vcs.api.opened import Options, StrPath
    from aura_vcs.api.project import Project
    from aura_vcs.api.records import Checkpoint, Checkpoints, Export, Exports, Json
    from aura_vcs.api.remotes import Remote, Remotes
    from aura_vcs.api.reporting import Listener, Step
    from aura_vcs.api.results import (
        Brought,
        CheckedRemote,
        CleanedAssets,
        Collected,
        Decision,
        DocumentDiff,
        DocumentProblem,
        Fetched,
        FsckReport,
        GcPlan,
        MediaDiff,
        Merged,
        MergePlan,
        OpenConflict,
        PrunePlan,
        Pulled,
        Pushed,
        Repaired,
        Resolved,
        RetentionRules,
        SceneChanged,
        StorageReport,
        Synced,
        TextDiff,
        TimelineDiff,
    )
    from aura_vcs.api.search import SearchHit
    from aura_vcs.api.templates import Template, Templates
    from aura_vcs.api.values import (
        Autosaved,
        Change,
        Committed,
        FileInfo,
        Moved,
        Operation,
        Status,
        Undone,
        Version,
        VersionLike,
    )
    from aura_vcs.api.versions import Diff, FileChange, FileDiff, Versions
    from aura_vcs.errors import (
        AuraError,
        ExtraMissing,
        InputError,
        Interrupted,
        MediaUnreadable,
        OutputLost,
        Problems,
        Unfinished,
    )
    from aura_vcs.errors.compare import (
        ChoiceImpossible,
        CompareError,
        ConflictUnknown,
        NotStructural,
        PatchFailed,
        PatchInvalid,
        PointerError,
        PointerInvalid,
        PointerUnknown,
    )
    from aura_vcs.errors.documents import (
        DocumentMalformed,
        EncoderMissing,
        ExportCancelled,
        ExportFailed,
        InvalidTransition,
        InvalidValue,
        ProjectError,
        UnknownField,
    )
    from aura_vcs.errors.input import (
        AmbiguousVersion,
        ConcurrencyError,
        ForeignOwner,
        FormatUnsupported,
        InvalidName,
        LockBusy,
        NameTaken,
        NotAProject,
        NothingToUndo,
        NoVersions,
        OperationExpired,
        PlanStale,
        ProjectExists,
        RefMoved,
        UnknownName,
        UnknownVersion,
        VersionInUse,
    )
    from aura_vcs.errors.integrity import (
        IndexDamaged,
        IntegrityError,
        LimitExceeded,
        LinkedPath,
        NotArrived,
        ObjectCorrupt,
        ObjectMalformed,
        ObjectMissing,
        ObjectOffloaded,
        ObjectPurged,
        RecordCorrupt,
        RecordUnreadable,
        StorageDenied,
        StorageError,
        StorageFull,
        UnsafePath,
    )
    from aura_vcs.errors.remotes import (
        HelperMissing,
        InvalidUrl,
        LocksUnsupported,
        PathLocked,
        PushRejected,
        RemoteCorrupt,
        RemoteDenied,
        RemoteError,
        RemoteFull,
        RemoteLocked,
        RemoteMismatch,
        RemoteRewound,
        RemoteUnreachable,
        RemoteUnsafe,
        RemoteUntrusted,
    )
    from aura_vcs.errors.studio import (
        ActionBlocked,
        EditedSince,
        NothingToRecover,
        ProjectDeleted,
        SecretUnavailable,
        SettingInvalid,
        StudioError,
        TemplateProtected,
        TemplateUnusable,
        UnknownSetting,
    )
    from aura_vcs.errors.worktree import (
        FileHeld,
        FileUnreadable,
        FileUnstable,
        NameUnfit,
        PathCollision,
        ProjectGone,
        WorktreeError,
    )
    from aura_vcs.repository.repository import Repository

    __version__: str

_FRONT = {
    "api.branches": "Branch Branches Tag Tags",
    "api.contents": "Asset Assets Scene Scenes",
    "api.credentials": "Credentials",
    "api.front": "clone init open",
    "api.opened": "Options StrPath",
    "api.project": "Project",
    "api.records": "Checkpoint Checkpoints Export Exports Json",
    "api.remotes": "Remote Remotes",
    "api.reporting": "Listener Step",
    "api.results": (
        "Brought CheckedRemote CleanedAssets Collected Decision DocumentDiff DocumentProblem "
        "Fetched FsckReport GcPlan MediaDiff MergePlan Merged OpenConflict PrunePlan Pulled Pushed "
        "Repaired Resolved RetentionRules SceneChanged StorageReport Synced TextDiff TimelineDiff"
    ),
    "api.search": "SearchHit",
    "api.templates": "Template Templates",
    "api.values": ("Autosaved Change Committed FileInfo Moved Operation Status Undone Version VersionLike"),
    "api.versions": "Diff FileChange FileDiff Versions",
    "errors": ("AuraError ExtraMissing InputError Interrupted MediaUnreadable OutputLost Problems Unfinished"),
    "errors.compare": (
        "ChoiceImpossible CompareError ConflictUnknown NotStructural PatchFailed PatchInvalid "
        "PointerError PointerInvalid PointerUnknown"
    ),
    "errors.documents": (
        "DocumentMalformed EncoderMissing ExportCancelled ExportFailed InvalidTransition "
        "InvalidValue ProjectError UnknownField"
    ),
    "errors.input": (
        "AmbiguousVersion ConcurrencyError ForeignOwner FormatUnsupported InvalidName LockBusy "
        "NameTaken NoVersions NotAProject NothingToUndo OperationExpired PlanStale ProjectExists "
        "RefMoved UnknownName UnknownVersion VersionInUse"
    ),
    "errors.integrity": (
        "IndexDamaged IntegrityError LimitExceeded LinkedPath NotArrived ObjectCorrupt "
        "ObjectMalformed ObjectMissing ObjectOffloaded ObjectPurged RecordCorrupt RecordUnreadable "
        "StorageDenied StorageError StorageFull UnsafePath"
    ),
    "errors.remotes": (
        "HelperMissing InvalidUrl LocksUnsupported PathLocked PushRejected RemoteCorrupt "
        "RemoteDenied RemoteError RemoteFull RemoteLocked RemoteMismatch RemoteRewound "
        "RemoteUnreachable RemoteUnsafe RemoteUntrusted"
    ),
    "errors.studio": (
        "ActionBlocked EditedSince NothingToRecover ProjectDeleted SecretUnavailable SettingInvalid "
        "StudioError TemplateProtected TemplateUnusable UnknownSetting"
    ),
    "errors.worktree": ("FileHeld FileUnreadable FileUnstable NameUnfit PathCollision ProjectGone WorktreeError"),
    "repository.repository": "Repository",
}
_MODULES = {name: module for module, names in _FRONT.items() for name in names.split()}
"""Where each name comes from. It is imported when it is asked for: a command that needs less starts sooner."""
__all__ = [
    "ActionBlocked",
    "AmbiguousVersion",
    "Asset",
    "Assets",
    "AuraError",
    "Autosaved",
    "Branch",
    "Branches",
    "Brought",
    "Change",
    "CheckedRemote",
    "Checkpoint",
    "Checkpoints",
    "ChoiceImpossible",
    "CleanedAssets",
    "Collected",
    "Committed",
    "CompareError",
    "ConcurrencyError",
    "ConflictUnknown",
    "Credentials",
    "Decision",
    "Diff",
    "DocumentDiff",
    "DocumentMalformed",
    "DocumentProblem",
    "EditedSince",
    "EncoderMissing",
    "Export",
    "ExportCancelled",
    "ExportFailed",
    "Exports",
    "ExtraMissing",
    "Fetched",
    "FileChange",
    "FileDiff",
    "FileHeld",
    "FileInfo",
    "FileUnreadable",
    "FileUnstable",
    "ForeignOwner",
    "FormatUnsupported",
    "FsckReport",
    "GcPlan",
    "HelperMissing",
    "IndexDamaged",
    "InputError",
    "IntegrityError",
    "Interrupted",
    "InvalidName",
    "InvalidTransition",
    "InvalidUrl",
    "InvalidValue",
    "Json",
    "LimitExceeded",
    "LinkedPath",
    "Listener",
    "LockBusy",
    "LocksUnsupported",
    "MediaDiff",
    "MediaUnreadable",
    "MergePlan",
    "Merged",
    "Moved",
    "NameTaken",
    "NameUnfit",
    "NoVersions",
    "NotAProject",
    "NotArrived",
    "NotStructural",
    "NothingToRecover",
    "NothingToUndo",
    "ObjectCorrupt",
    "ObjectMalformed",
    "ObjectMissing",
    "ObjectOffloaded",
    "ObjectPurged",
    "OpenConflict",
    "Operation",
    "OperationExpired",
    "Options",
    "OutputLost",
    "PatchFailed",
    "PatchInvalid",
    "PathCollision",
    "PathLocked",
    "PlanStale",
    "PointerError",
    "PointerInvalid",
    "PointerUnknown",
    "Problems",
    "Project",
    "ProjectDeleted",
    "ProjectError",
    "ProjectExists",
    "ProjectGone",
    "PrunePlan",
    "Pulled",
    "PushRejected",
    "Pushed",
    "RecordCorrupt",
    "RecordUnreadable",
    "RefMoved",
    "Remote",
    "RemoteCorrupt",
    "RemoteDenied",
    "RemoteError",
    "RemoteFull",
    "RemoteLocked",
    "RemoteMismatch",
    "RemoteRewound",
    "RemoteUnreachable",
    "RemoteUnsafe",
    "RemoteUntrusted",
    "Remotes",
    "Repaired",
    "Repository",
    "Resolved",
    "RetentionRules",
    "Scene",
    "SceneChanged",
    "Scenes",
    "SearchHit",
    "SecretUnavailable",
    "SettingInvalid",
    "Status",
    "Step",
    "StorageDenied",
    "StorageError",
    "StorageFull",
    "StorageReport",
    "StrPath",
    "StudioError",
    "Synced",
    "Tag",
    "Tags",
    "Template",
    "TemplateProtected",
    "TemplateUnusable",
    "Templates",
    "TextDiff",
    "TimelineDiff",
    "Undone",
    "Unfinished",
    "UnknownField",
    "UnknownName",
    "UnknownSetting",
    "UnknownVersion",
    "UnsafePath",
    "Version",
    "VersionInUse",
    "VersionLike",
    "Versions",
    "WorktreeError",
    "__version__",
    "clone",
    "init",
    "open",
]


def __dir__() -> list[str]:
    """List all there is, imported or not."""
    return sorted({*globals(), *__all__})


if not TYPE_CHECKING:  # a checker sees the names themselves, and refuses others

    def __getattr__(name):
        """Import what is asked for."""
        from importlib import import_module

        if name == "__version__":
            from importlib.metadata import version

            found = version("aura-vcs")
        elif name in _MODULES:
            found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = found
        return found
