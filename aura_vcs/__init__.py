"""Version control for video projects.

    import aura_vcs as aura

    with aura.open("my-video", create=True) as project:
        project.commit("First cut")
        project.diff("HEAD~1", "HEAD")

`open`, `init` and `clone` return a `Project`, whose methods are the commands. Errors are subclasses of
`AuraError`; nothing here prints or exits. docs/api.md is the guide.
"""

_FRONT = {  # `__init__.pyi` has the same names
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
    "api.remotes": ("CheckedRemote Remote RemoteGcPlan RemoteGcResult RemoteRepaired Remotes UnsentVersions "),
    "api.reporting": ("Call CancelToken Listener Step "),
    "api.results": (
        "AudioDiff AudioFacts Decision ExportPreset FsckProblem FsckReport MediaDiff MediaEntry MediaEntryHead "
        "MediaEntrySection MediaFacts MediaHeader MediaStretch PictureFacts RemoteFsckReport RetentionRules "
        "SequenceFacts Sizes "
        "SpaceFreed SpaceItem SpacePlan StripFacts TextHunk TextLine TimelineChange TrackFacts VideoDiff VideoFacts "
        "Waveform "
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
        "ObjectEvicted ObjectMissing ObjectOffloaded ObjectPurged RecordCorrupt RecordUnreadable StorageDenied "
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
__all__ = sorted([*_MODULES, "__version__"])  # noqa: PLE0605 (of names)


def __dir__() -> list[str]:
    """List all there is, imported or not."""
    return sorted({*(name for name in globals() if name[:1] != "_" or name[:2] == "__"), *__all__})


def __getattr__(name: str) -> object:
    """Import what is asked for."""
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        found: object = version("aura-vcs")
    elif name in _MODULES:
        found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found
