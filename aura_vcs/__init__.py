"""Version control for video projects.

    import aura_vcs as aura

    with aura.open("my-video", create=True) as project:
        project.commit("First cut")
        project.diff("HEAD~1", "HEAD")

`open`, `init` and `clone` give a `Project`, whose methods are the commands. Errors are children of
`AuraError`; nothing here prints or exits. docs/api.md is the guide.
"""

TYPE_CHECKING = False  # as `typing` has it, whose import takes time
if TYPE_CHECKING:
    from aura_vcs.agents.server import serve_agents
    from aura_vcs.api.branches import Branch, Branches, Tag, Tags
    from aura_vcs.api.comparing import Diff, FieldEdit, FileChange, FileDiff, diff_files
    from aura_vcs.api.contents import Asset, AssetFacts, Assets, Cleaned, CleaningPlan, Edited, Scene, Scenes
    from aura_vcs.api.credentials import Credentials
    from aura_vcs.api.databases import DatabaseImport, DatabaseProject, LeftRows, import_database
    from aura_vcs.api.debugging import Debug, ObjectDetails, StoredContent, StoredRef
    from aura_vcs.api.derived import DerivedFile, DerivedFiles, Evicted, MadeAgain
    from aura_vcs.api.front import clone, init, init_bare, make_key_file, open, serve, studio_home, verify_bundle
    from aura_vcs.api.git_drivers import GitMerge, install_git_driver, merge_for_git, text_for_git
    from aura_vcs.api.interchange import (
        ExportedTimeline,
        ExportedVersion,
        FolderImport,
        FolderPlan,
        GitExport,
        GitImport,
        ImportedRef,
        LeftOut,
        PlannedCopy,
    )
    from aura_vcs.api.jsons import Json
    from aura_vcs.api.linking import (
        CollectedMedia,
        CollectPlan,
        LostMedia,
        OutsideMedia,
        Relinked,
        RelinkPlan,
        UnusedMedia,
    )
    from aura_vcs.api.locks import Locks, LocksReleased, LocksTaken, NewerFile, PathLock
    from aura_vcs.api.lookup import Blamed, ClipChange, FieldChange, Found
    from aura_vcs.api.making import (
        DocumentProblem,
        NamedMedia,
        ProjectInfo,
        ProjectMedia,
        ProjectPurgePlan,
        ValuesSet,
    )
    from aura_vcs.api.media import IndexedMedia, MediaIndex, MediaRoom
    from aura_vcs.api.merging import Conflict, Merged, MergePlan, Resolved
    from aura_vcs.api.notes import Note, NotePlace, NotePlaceNow, NoteReply, Notes
    from aura_vcs.api.opened import Options, StrPath
    from aura_vcs.api.operations import Action, Operations
    from aura_vcs.api.project import Project
    from aura_vcs.api.provenance import Cost, Facts, LicenceProblem, Provenance, Provenances
    from aura_vcs.api.records import Checkpoint, Checkpoints, Export, Exports, Recovery
    from aura_vcs.api.remotes import CheckedRemote, Remote, RemoteGcPlan, RemoteGcResult, RemoteRepaired, Remotes
    from aura_vcs.api.reporting import Call, CancelToken, Listener, Step
    from aura_vcs.api.results import (
        AudioDiff,
        AudioFacts,
        Decision,
        ExportPreset,
        FsckProblem,
        FsckReport,
        MediaDiff,
        MediaEntry,
        MediaEntryHead,
        MediaEntrySection,
        MediaFacts,
        MediaHeader,
        MediaStretch,
        PictureFacts,
        RemoteFsckReport,
        RetentionRules,
        Sizes,
        SpaceFreed,
        SpaceItem,
        SpacePlan,
        StripFacts,
        TextHunk,
        TextLine,
        TimelineChange,
        VideoDiff,
        VideoFacts,
        Waveform,
    )
    from aura_vcs.api.settings import ProjectSettings, Setting, SettingValue, StudioSettings
    from aura_vcs.api.studio import (
        InterruptedWork,
        ListedProject,
        ListedProjects,
        Setup,
        SetupState,
        Studio,
        StudioUndo,
    )
    from aura_vcs.api.templates import Template, Templates
    from aura_vcs.api.transfers import (
        Bundle,
        BundleReport,
        Fetched,
        FetchedContent,
        Pulled,
        Pushed,
        RemoteComparison,
        StoredFile,
        Synced,
    )
    from aura_vcs.api.upkeep import (
        GcPlan,
        GcResult,
        LargeFile,
        MendedRecord,
        Offloaded,
        OffloadedFile,
        OffloadPlan,
        PrunePlan,
        PurgePlan,
        Repaired,
        StorageReport,
        VersionShare,
    )
    from aura_vcs.api.values import (
        Autosaved,
        Change,
        Committed,
        FileInfo,
        Moved,
        Operation,
        SessionUndone,
        Status,
        Undone,
        Version,
        VersionLike,
        VersionType,
    )
    from aura_vcs.api.versions import Versions
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
        RecipeFailed,
        UnknownField,
    )
    from aura_vcs.errors.input import (
        AmbiguousVersion,
        ConcurrencyError,
        ForeignOwner,
        FormatUnsupported,
        InvalidFact,
        InvalidName,
        InvalidTarget,
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
    from aura_vcs.errors.interchange import (
        GitDamaged,
        GitUnavailable,
        InterchangeError,
        NotADatabase,
        NotAGitRepository,
        TargetExists,
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
    "agents.server": ("serve_agents "),
    "api.branches": ("Branch Branches Tag Tags "),
    "api.comparing": ("Diff FieldEdit FileChange FileDiff diff_files "),
    "api.contents": ("Asset AssetFacts Assets Cleaned CleaningPlan Edited Scene Scenes "),
    "api.credentials": ("Credentials "),
    "api.debugging": ("Debug StoredContent ObjectDetails StoredRef "),
    "api.derived": ("DerivedFile DerivedFiles Evicted MadeAgain "),
    "api.front": ("clone init init_bare make_key_file open serve studio_home verify_bundle "),
    "api.databases": ("DatabaseImport DatabaseProject LeftRows import_database "),
    "api.git_drivers": ("GitMerge install_git_driver merge_for_git text_for_git "),
    "api.interchange": (
        "ExportedTimeline ExportedVersion FolderImport FolderPlan GitExport GitImport ImportedRef LeftOut PlannedCopy "
    ),
    "api.jsons": ("Json "),
    "api.linking": ("CollectedMedia CollectPlan OutsideMedia Relinked RelinkPlan LostMedia UnusedMedia "),
    "api.locks": ("Locks LocksReleased LocksTaken NewerFile PathLock "),
    "api.lookup": ("Blamed ClipChange FieldChange Found "),
    "api.making": ("DocumentProblem NamedMedia ProjectInfo ProjectMedia ProjectPurgePlan ValuesSet "),
    "api.media": ("IndexedMedia MediaIndex MediaRoom "),
    "api.merging": ("Conflict MergePlan Merged Resolved "),
    "api.notes": ("Note NotePlace NotePlaceNow NoteReply Notes "),
    "api.opened": ("Options StrPath "),
    "api.operations": ("Action Operations "),
    "api.project": ("Project "),
    "api.provenance": ("Cost Facts LicenceProblem Provenance Provenances "),
    "api.records": ("Checkpoint Checkpoints Export Exports Recovery "),
    "api.remotes": ("CheckedRemote Remote RemoteGcPlan RemoteGcResult RemoteRepaired Remotes "),
    "api.reporting": ("Call CancelToken Listener Step "),
    "api.results": (
        "AudioDiff AudioFacts Decision ExportPreset FsckProblem FsckReport MediaDiff MediaEntry MediaEntryHead "
        "MediaEntrySection MediaFacts MediaHeader MediaStretch PictureFacts RemoteFsckReport RetentionRules Sizes "
        "SpaceFreed SpaceItem SpacePlan StripFacts TextHunk TextLine TimelineChange VideoDiff VideoFacts Waveform "
    ),
    "api.settings": ("ProjectSettings Setting SettingValue StudioSettings "),
    "api.studio": ("InterruptedWork ListedProject ListedProjects Setup SetupState Studio StudioUndo "),
    "api.templates": ("Template Templates "),
    "api.transfers": ("Bundle BundleReport Fetched FetchedContent Pulled Pushed RemoteComparison StoredFile Synced "),
    "api.upkeep": (
        "GcPlan GcResult LargeFile MendedRecord OffloadPlan Offloaded OffloadedFile PrunePlan PurgePlan "
        "Repaired StorageReport VersionShare "
    ),
    "api.values": (
        "Autosaved Change Committed FileInfo Moved Operation SessionUndone Status "
        "Undone Version VersionLike VersionType "
    ),
    "api.versions": ("Versions "),
    "errors": ("AuraError ExtraMissing InputError Interrupted MediaUnreadable OutputLost Problems Unfinished "),
    "errors.compare": (
        "ChoiceImpossible CompareError ConflictUnknown NotStructural PatchFailed PatchInvalid "
        "PointerError PointerInvalid PointerUnknown "
    ),
    "errors.documents": (
        "DocumentMalformed EncoderMissing ExportCancelled ExportFailed InvalidTransition InvalidValue "
        "ProjectError RecipeFailed UnknownField "
    ),
    "errors.input": (
        "AmbiguousVersion ConcurrencyError ForeignOwner FormatUnsupported InvalidFact InvalidName InvalidTarget "
        "LockBusy NameTaken NoVersions NotAProject NothingToUndo OperationExpired PlanStale ProjectExists RefMoved "
        "UnknownName UnknownVersion VersionInUse "
    ),
    "errors.integrity": (
        "IndexDamaged IntegrityError LimitExceeded LinkedPath NotArrived ObjectCorrupt ObjectMalformed "
        "ObjectMissing ObjectOffloaded ObjectPurged RecordCorrupt RecordUnreadable StorageDenied "
        "StorageError StorageFull UnsafePath "
    ),
    "errors.interchange": ("GitDamaged GitUnavailable InterchangeError NotADatabase NotAGitRepository TargetExists "),
    "errors.remotes": (
        "HelperMissing InvalidUrl LocksUnsupported PathLocked PushRejected RemoteCorrupt RemoteDenied "
        "RemoteError RemoteFull RemoteLocked RemoteMismatch RemoteRewound RemoteUnreachable RemoteUnsafe "
        "RemoteUntrusted "
    ),
    "errors.studio": (
        "ActionBlocked EditedSince NothingToRecover ProjectDeleted SecretUnavailable SettingInvalid "
        "StudioError TemplateProtected TemplateUnusable UnknownSetting "
    ),
    "errors.worktree": ("FileHeld FileUnreadable FileUnstable NameUnfit PathCollision ProjectGone WorktreeError "),
    "repository.repository": ("Repository "),
}
_MODULES = {name: module for module, names in _FRONT.items() for name in names.split()}
"""Where each name comes from. It is imported when it is asked for: a command that needs less starts sooner."""
__all__ = [
    "Action",
    "ActionBlocked",
    "AmbiguousVersion",
    "Asset",
    "AssetFacts",
    "Assets",
    "AudioDiff",
    "AudioFacts",
    "AuraError",
    "Autosaved",
    "Blamed",
    "Branch",
    "Branches",
    "Bundle",
    "BundleReport",
    "Call",
    "CancelToken",
    "Change",
    "CheckedRemote",
    "Checkpoint",
    "Checkpoints",
    "ChoiceImpossible",
    "Cleaned",
    "CleaningPlan",
    "ClipChange",
    "CollectPlan",
    "CollectedMedia",
    "Committed",
    "CompareError",
    "ConcurrencyError",
    "Conflict",
    "ConflictUnknown",
    "Cost",
    "Credentials",
    "DatabaseImport",
    "DatabaseProject",
    "Debug",
    "Decision",
    "DerivedFile",
    "DerivedFiles",
    "Diff",
    "DocumentMalformed",
    "DocumentProblem",
    "Edited",
    "EditedSince",
    "EncoderMissing",
    "Evicted",
    "Export",
    "ExportCancelled",
    "ExportFailed",
    "ExportPreset",
    "ExportedTimeline",
    "ExportedVersion",
    "Exports",
    "ExtraMissing",
    "Facts",
    "Fetched",
    "FetchedContent",
    "FieldChange",
    "FieldEdit",
    "FileChange",
    "FileDiff",
    "FileHeld",
    "FileInfo",
    "FileUnreadable",
    "FileUnstable",
    "FolderImport",
    "FolderPlan",
    "ForeignOwner",
    "FormatUnsupported",
    "Found",
    "FsckProblem",
    "FsckReport",
    "GcPlan",
    "GcResult",
    "GitDamaged",
    "GitExport",
    "GitImport",
    "GitMerge",
    "GitUnavailable",
    "HelperMissing",
    "ImportedRef",
    "IndexDamaged",
    "IndexedMedia",
    "InputError",
    "IntegrityError",
    "InterchangeError",
    "Interrupted",
    "InterruptedWork",
    "InvalidFact",
    "InvalidName",
    "InvalidTarget",
    "InvalidTransition",
    "InvalidUrl",
    "InvalidValue",
    "Json",
    "LargeFile",
    "LeftOut",
    "LeftRows",
    "LicenceProblem",
    "LimitExceeded",
    "LinkedPath",
    "ListedProject",
    "ListedProjects",
    "Listener",
    "LockBusy",
    "Locks",
    "LocksReleased",
    "LocksTaken",
    "LocksUnsupported",
    "LostMedia",
    "MadeAgain",
    "MediaDiff",
    "MediaEntry",
    "MediaEntryHead",
    "MediaEntrySection",
    "MediaFacts",
    "MediaHeader",
    "MediaIndex",
    "MediaRoom",
    "MediaStretch",
    "MediaUnreadable",
    "MendedRecord",
    "MergePlan",
    "Merged",
    "Moved",
    "NameTaken",
    "NameUnfit",
    "NamedMedia",
    "NewerFile",
    "NoVersions",
    "NotADatabase",
    "NotAGitRepository",
    "NotAProject",
    "NotArrived",
    "NotStructural",
    "Note",
    "NotePlace",
    "NotePlaceNow",
    "NoteReply",
    "Notes",
    "NothingToRecover",
    "NothingToUndo",
    "ObjectCorrupt",
    "ObjectDetails",
    "ObjectMalformed",
    "ObjectMissing",
    "ObjectOffloaded",
    "ObjectPurged",
    "OffloadPlan",
    "Offloaded",
    "OffloadedFile",
    "Operation",
    "OperationExpired",
    "Operations",
    "Options",
    "OutputLost",
    "OutsideMedia",
    "PatchFailed",
    "PatchInvalid",
    "PathCollision",
    "PathLock",
    "PathLocked",
    "PictureFacts",
    "PlanStale",
    "PlannedCopy",
    "PointerError",
    "PointerInvalid",
    "PointerUnknown",
    "Problems",
    "Project",
    "ProjectDeleted",
    "ProjectError",
    "ProjectExists",
    "ProjectGone",
    "ProjectInfo",
    "ProjectMedia",
    "ProjectPurgePlan",
    "ProjectSettings",
    "Provenance",
    "Provenances",
    "PrunePlan",
    "Pulled",
    "PurgePlan",
    "PushRejected",
    "Pushed",
    "RecipeFailed",
    "RecordCorrupt",
    "RecordUnreadable",
    "Recovery",
    "RefMoved",
    "RelinkPlan",
    "Relinked",
    "Remote",
    "RemoteComparison",
    "RemoteCorrupt",
    "RemoteDenied",
    "RemoteError",
    "RemoteFsckReport",
    "RemoteFull",
    "RemoteGcPlan",
    "RemoteGcResult",
    "RemoteLocked",
    "RemoteMismatch",
    "RemoteRepaired",
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
    "Scenes",
    "SecretUnavailable",
    "SessionUndone",
    "Setting",
    "SettingInvalid",
    "SettingValue",
    "Setup",
    "SetupState",
    "Sizes",
    "SpaceFreed",
    "SpaceItem",
    "SpacePlan",
    "Status",
    "Step",
    "StorageDenied",
    "StorageError",
    "StorageFull",
    "StorageReport",
    "StoredContent",
    "StoredFile",
    "StoredRef",
    "StrPath",
    "StripFacts",
    "Studio",
    "StudioError",
    "StudioSettings",
    "StudioUndo",
    "Synced",
    "Tag",
    "Tags",
    "TargetExists",
    "Template",
    "TemplateProtected",
    "TemplateUnusable",
    "Templates",
    "TextHunk",
    "TextLine",
    "TimelineChange",
    "Undone",
    "Unfinished",
    "UnknownField",
    "UnknownName",
    "UnknownSetting",
    "UnknownVersion",
    "UnsafePath",
    "UnusedMedia",
    "ValuesSet",
    "Version",
    "VersionInUse",
    "VersionLike",
    "VersionShare",
    "VersionType",
    "Versions",
    "VideoDiff",
    "VideoFacts",
    "Waveform",
    "WorktreeError",
    "__version__",
    "clone",
    "diff_files",
    "import_database",
    "init",
    "init_bare",
    "install_git_driver",
    "make_key_file",
    "merge_for_git",
    "open",
    "serve",
    "serve_agents",
    "studio_home",
    "text_for_git",
    "verify_bundle",
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
