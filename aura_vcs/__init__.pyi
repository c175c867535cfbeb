"""What type checkers and editors know of the front door; at run time `__init__.py` imports a name when it is used."""

from aura_vcs.agents.server import (
    serve_agents as serve_agents,
)
from aura_vcs.api.branches import (
    Branch as Branch,
    Branches as Branches,
    Tag as Tag,
    Tags as Tags,
)
from aura_vcs.api.comparing import (
    Diff as Diff,
    FieldEdit as FieldEdit,
    FileChange as FileChange,
    FileDiff as FileDiff,
    diff_files as diff_files,
)
from aura_vcs.api.contents import (
    Asset as Asset,
    AssetFacts as AssetFacts,
    Assets as Assets,
    Cleaned as Cleaned,
    CleaningPlan as CleaningPlan,
    Edited as Edited,
    Scene as Scene,
    Scenes as Scenes,
)
from aura_vcs.api.credentials import (
    Credentials as Credentials,
)
from aura_vcs.api.databases import (
    DatabaseImport as DatabaseImport,
    DatabaseProject as DatabaseProject,
    LeftRows as LeftRows,
    import_database as import_database,
)
from aura_vcs.api.debugging import (
    Debug as Debug,
    ObjectDetails as ObjectDetails,
    StoredContent as StoredContent,
    StoredRef as StoredRef,
)
from aura_vcs.api.derived import (
    DerivedFile as DerivedFile,
    DerivedFiles as DerivedFiles,
    Evicted as Evicted,
    MadeAgain as MadeAgain,
)
from aura_vcs.api.front import (
    clone as clone,
    init as init,
    init_bare as init_bare,
    make_key_file as make_key_file,
    open as open,
    serve as serve,
    studio_home as studio_home,
    verify_bundle as verify_bundle,
)
from aura_vcs.api.git_drivers import (
    GitMerge as GitMerge,
    install_git_driver as install_git_driver,
    merge_for_git as merge_for_git,
    text_for_git as text_for_git,
)
from aura_vcs.api.interchange import (
    ExportedTimeline as ExportedTimeline,
    ExportedVersion as ExportedVersion,
    FolderImport as FolderImport,
    FolderPlan as FolderPlan,
    GitExport as GitExport,
    GitImport as GitImport,
    ImportedRef as ImportedRef,
    LeftOut as LeftOut,
    PlannedCopy as PlannedCopy,
)
from aura_vcs.api.jsons import (
    Json as Json,
)
from aura_vcs.api.linking import (
    CollectedMedia as CollectedMedia,
    CollectPlan as CollectPlan,
    LostMedia as LostMedia,
    OutsideMedia as OutsideMedia,
    Relinked as Relinked,
    RelinkPlan as RelinkPlan,
    UnusedMedia as UnusedMedia,
)
from aura_vcs.api.locks import (
    Locks as Locks,
    LocksReleased as LocksReleased,
    LocksTaken as LocksTaken,
    NewerFile as NewerFile,
    PathLock as PathLock,
)
from aura_vcs.api.lookup import (
    Blamed as Blamed,
    ClipChange as ClipChange,
    FieldChange as FieldChange,
    Found as Found,
)
from aura_vcs.api.making import (
    DocumentProblem as DocumentProblem,
    NamedMedia as NamedMedia,
    ProjectInfo as ProjectInfo,
    ProjectMedia as ProjectMedia,
    ProjectPurgePlan as ProjectPurgePlan,
    ValuesSet as ValuesSet,
)
from aura_vcs.api.media import (
    IndexedMedia as IndexedMedia,
    MediaIndex as MediaIndex,
    MediaRoom as MediaRoom,
)
from aura_vcs.api.merging import (
    Conflict as Conflict,
    Merged as Merged,
    MergePlan as MergePlan,
    Resolved as Resolved,
)
from aura_vcs.api.notes import (
    Note as Note,
    NotePlace as NotePlace,
    NotePlaceNow as NotePlaceNow,
    NoteReply as NoteReply,
    Notes as Notes,
)
from aura_vcs.api.opened import (
    Options as Options,
    StrPath as StrPath,
)
from aura_vcs.api.operations import (
    Action as Action,
    Operations as Operations,
)
from aura_vcs.api.project import (
    Project as Project,
)
from aura_vcs.api.provenance import (
    Cost as Cost,
    Facts as Facts,
    LicenceProblem as LicenceProblem,
    Provenance as Provenance,
    Provenances as Provenances,
)
from aura_vcs.api.records import (
    Checkpoint as Checkpoint,
    Checkpoints as Checkpoints,
    Export as Export,
    Exports as Exports,
    Recovery as Recovery,
)
from aura_vcs.api.remotes import (
    CheckedRemote as CheckedRemote,
    Remote as Remote,
    RemoteGcPlan as RemoteGcPlan,
    RemoteGcResult as RemoteGcResult,
    RemoteRepaired as RemoteRepaired,
    Remotes as Remotes,
    UnsentVersions as UnsentVersions,
)
from aura_vcs.api.reporting import (
    Call as Call,
    CancelToken as CancelToken,
    Listener as Listener,
    Step as Step,
)
from aura_vcs.api.results import (
    AudioDiff as AudioDiff,
    AudioFacts as AudioFacts,
    Decision as Decision,
    ExportPreset as ExportPreset,
    FsckProblem as FsckProblem,
    FsckReport as FsckReport,
    MediaDiff as MediaDiff,
    MediaEntry as MediaEntry,
    MediaEntryHead as MediaEntryHead,
    MediaEntrySection as MediaEntrySection,
    MediaFacts as MediaFacts,
    MediaHeader as MediaHeader,
    MediaStretch as MediaStretch,
    PictureFacts as PictureFacts,
    RemoteFsckReport as RemoteFsckReport,
    RetentionRules as RetentionRules,
    SequenceFacts as SequenceFacts,
    Sizes as Sizes,
    SpaceFreed as SpaceFreed,
    SpaceItem as SpaceItem,
    SpacePlan as SpacePlan,
    StripFacts as StripFacts,
    TextHunk as TextHunk,
    TextLine as TextLine,
    TimelineChange as TimelineChange,
    TrackFacts as TrackFacts,
    VideoDiff as VideoDiff,
    VideoFacts as VideoFacts,
    Waveform as Waveform,
)
from aura_vcs.api.settings import (
    ProjectSettings as ProjectSettings,
    Setting as Setting,
    SettingValue as SettingValue,
    StudioSettings as StudioSettings,
)
from aura_vcs.api.studio import (
    InterruptedWork as InterruptedWork,
    ListedProject as ListedProject,
    ListedProjects as ListedProjects,
    Setup as Setup,
    SetupState as SetupState,
    Studio as Studio,
    StudioUndo as StudioUndo,
)
from aura_vcs.api.templates import (
    Template as Template,
    Templates as Templates,
)
from aura_vcs.api.transfers import (
    Bundle as Bundle,
    BundleReport as BundleReport,
    Fetched as Fetched,
    FetchedContent as FetchedContent,
    Pulled as Pulled,
    Pushed as Pushed,
    RemoteComparison as RemoteComparison,
    StoredFile as StoredFile,
    Synced as Synced,
)
from aura_vcs.api.upkeep import (
    GcPlan as GcPlan,
    GcResult as GcResult,
    LargeFile as LargeFile,
    MendedRecord as MendedRecord,
    Offloaded as Offloaded,
    OffloadedFile as OffloadedFile,
    OffloadPlan as OffloadPlan,
    PrunePlan as PrunePlan,
    PurgePlan as PurgePlan,
    Repaired as Repaired,
    StorageReport as StorageReport,
    VersionShare as VersionShare,
)
from aura_vcs.api.values import (
    Autosaved as Autosaved,
    Change as Change,
    Committed as Committed,
    FileInfo as FileInfo,
    Moved as Moved,
    Operation as Operation,
    SessionUndone as SessionUndone,
    Status as Status,
    Undone as Undone,
    Version as Version,
    VersionLike as VersionLike,
    VersionType as VersionType,
)
from aura_vcs.api.versions import (
    Versions as Versions,
)
from aura_vcs.errors import (
    AuraError as AuraError,
    ExtraMissing as ExtraMissing,
    InputError as InputError,
    Interrupted as Interrupted,
    MediaUnreadable as MediaUnreadable,
    OutputLost as OutputLost,
    Problems as Problems,
    Unfinished as Unfinished,
)
from aura_vcs.errors.compare import (
    ChoiceImpossible as ChoiceImpossible,
    CompareError as CompareError,
    ConflictUnknown as ConflictUnknown,
    NotStructural as NotStructural,
    PatchFailed as PatchFailed,
    PatchInvalid as PatchInvalid,
    PointerError as PointerError,
    PointerInvalid as PointerInvalid,
    PointerUnknown as PointerUnknown,
)
from aura_vcs.errors.documents import (
    DocumentMalformed as DocumentMalformed,
    EncoderMissing as EncoderMissing,
    ExportCancelled as ExportCancelled,
    ExportFailed as ExportFailed,
    InvalidTransition as InvalidTransition,
    InvalidValue as InvalidValue,
    ProjectError as ProjectError,
    RecipeFailed as RecipeFailed,
    UnknownField as UnknownField,
)
from aura_vcs.errors.input import (
    AmbiguousVersion as AmbiguousVersion,
    ConcurrencyError as ConcurrencyError,
    ForeignOwner as ForeignOwner,
    FormatUnsupported as FormatUnsupported,
    InvalidFact as InvalidFact,
    InvalidName as InvalidName,
    InvalidTarget as InvalidTarget,
    LockBusy as LockBusy,
    NameTaken as NameTaken,
    NotAProject as NotAProject,
    NothingToUndo as NothingToUndo,
    NoVersions as NoVersions,
    OperationExpired as OperationExpired,
    PlanStale as PlanStale,
    ProjectExists as ProjectExists,
    RefMoved as RefMoved,
    UnknownName as UnknownName,
    UnknownVersion as UnknownVersion,
    VersionInUse as VersionInUse,
)
from aura_vcs.errors.integrity import (
    IndexDamaged as IndexDamaged,
    IntegrityError as IntegrityError,
    LimitExceeded as LimitExceeded,
    LinkedPath as LinkedPath,
    NotArrived as NotArrived,
    ObjectCorrupt as ObjectCorrupt,
    ObjectEvicted as ObjectEvicted,
    ObjectMalformed as ObjectMalformed,
    ObjectMissing as ObjectMissing,
    ObjectOffloaded as ObjectOffloaded,
    ObjectPurged as ObjectPurged,
    RecordCorrupt as RecordCorrupt,
    RecordUnreadable as RecordUnreadable,
    StorageDenied as StorageDenied,
    StorageError as StorageError,
    StorageFull as StorageFull,
    UnsafePath as UnsafePath,
)
from aura_vcs.errors.interchange import (
    GitDamaged as GitDamaged,
    GitUnavailable as GitUnavailable,
    InterchangeError as InterchangeError,
    NotADatabase as NotADatabase,
    NotAGitRepository as NotAGitRepository,
    TargetExists as TargetExists,
)
from aura_vcs.errors.remotes import (
    HelperMissing as HelperMissing,
    InvalidUrl as InvalidUrl,
    LocksUnsupported as LocksUnsupported,
    PathLocked as PathLocked,
    PushRejected as PushRejected,
    RemoteCorrupt as RemoteCorrupt,
    RemoteDenied as RemoteDenied,
    RemoteError as RemoteError,
    RemoteFull as RemoteFull,
    RemoteLocked as RemoteLocked,
    RemoteMismatch as RemoteMismatch,
    RemoteRewound as RemoteRewound,
    RemoteUnreachable as RemoteUnreachable,
    RemoteUnsafe as RemoteUnsafe,
    RemoteUntrusted as RemoteUntrusted,
)
from aura_vcs.errors.studio import (
    ActionBlocked as ActionBlocked,
    EditedSince as EditedSince,
    NothingToRecover as NothingToRecover,
    ProjectDeleted as ProjectDeleted,
    SecretUnavailable as SecretUnavailable,
    SettingInvalid as SettingInvalid,
    StudioError as StudioError,
    TemplateProtected as TemplateProtected,
    TemplateUnusable as TemplateUnusable,
    UnknownSetting as UnknownSetting,
)
from aura_vcs.errors.worktree import (
    FileHeld as FileHeld,
    FileUnreadable as FileUnreadable,
    FileUnstable as FileUnstable,
    NameUnfit as NameUnfit,
    PathCollision as PathCollision,
    ProjectGone as ProjectGone,
    WorktreeError as WorktreeError,
)
from aura_vcs.repository.repository import (
    Repository as Repository,
)

__version__: str
