"""`check_project`: what is wrong with a project, for a person to read. Nothing is ever refused here.

Errors are fields that mean nothing, files that are no JSON, and media that is not there. Warnings
are what is probably a mistake: scenes without sound or picture, durations that do not add up.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator

from aura_vcs.errors import AuraError
from aura_vcs.formats.media.wav_png import read_header
from aura_vcs.history.sources.content_source import ContentSource, unsafe_reason
from aura_vcs.plain_text import is_text
from aura_vcs.project.documents.assets import asset_type, is_temporary
from aura_vcs.project.documents.load import (
    OTIO_NAME,
    PROJECT_NAME,
    SCENES_FOLDER,
    TIMELINE_NAME,
    ProjectView,
    is_scene_file,
    load_project,
)
from aura_vcs.project.documents.problems import DocumentProblem
from aura_vcs.project.documents.timeline import TimelineScene
from aura_vcs.project.documents.validate import MAX_PROBLEMS_PER_FILE

TOLERANCE_SECONDS = 0.01
"""Times that differ by less are the same: a frame lasts longer."""
PLAN_TOLERANCE = 0.1
"""A film may be this share longer or shorter than planned without a word."""
DOCUMENTS = (".json", ".otio")
"""How the names of documents beside the scenes end."""
_TYPE_WORDS = {"Audio": "a sound", "Image": "a picture", "Video": "a clip", "Subtitle": "subtitles"}


def check_project(source: ContentSource) -> tuple[DocumentProblem, ...]:
    """Check the documents of `source`; return all that is wrong, sorted by file and place, at most
    `MAX_PROBLEMS_PER_FILE` for each file.

    Documents of any content, however broken, give problems, not exceptions. Media files are
    only looked at by name, except the headers of WAV narration.
    """
    return _check(load_project(source), source)


def check_and_name(source: ContentSource) -> tuple[tuple[DocumentProblem, ...], tuple[str, ...]]:
    """Return what `check_project` and `named_files` do, from documents that are read once."""
    view = load_project(source)
    return _check(view, source), _named(view)


def _check(view: ProjectView, source: ContentSource) -> tuple[DocumentProblem, ...]:
    found = sorted({*view.problems, *_cross_checks(view, source)}, key=_place)
    kept: list[DocumentProblem] = []
    for file, group in itertools.groupby(found, key=lambda problem: problem.file):
        problems = list(group)
        kept += problems[:MAX_PROBLEMS_PER_FILE]
        if len(problems) > MAX_PROBLEMS_PER_FILE:
            more = len(problems) - MAX_PROBLEMS_PER_FILE
            kept.append(_warn(file, "", f"{more:,} more problems are not listed"))
    return tuple(kept)


def missing_media(source: ContentSource) -> tuple[DocumentProblem, ...]:
    """List the files that documents of `source` name and that are not there, sorted by file and place."""
    found = {problem for problem in _references(load_project(source)) if problem.severity == "error"}
    return tuple(sorted(found, key=_place))


def named_files(source: ContentSource) -> tuple[str, ...]:
    """List the documents of `source`, the files that they name, and those that may have been meant instead."""
    return _named(load_project(source))


def _named(view: ProjectView) -> tuple[str, ...]:
    by_fold = {name.casefold(): name for name in view.names}
    by_name = {name.rpartition("/")[2]: name for name in sorted(view.names, reverse=True)}
    found = {name for name in view.names if is_scene_file(name) or ("/" not in name and name.endswith(DOCUMENTS))}
    for reference in view.references:
        near = by_fold.get(reference.path.casefold()) or by_name.get(reference.path.rpartition("/")[2])
        found |= {reference.path, near or reference.path}
    return tuple(sorted(path for path in found if is_text(path) and not unsafe_reason(path)))


def _place(problem: DocumentProblem) -> tuple[str, list[str], DocumentProblem]:
    """Build a sort key for places in a person's order: /scenes/2 before /scenes/10."""
    return problem.file, [f"{part:0>9}" if part.isdigit() else part for part in problem.pointer.split("/")], problem


def _cross_checks(view: ProjectView, source: ContentSource) -> Iterator[DocumentProblem]:
    checks: tuple[Callable[[ProjectView], Iterator[DocumentProblem]], ...] = (
        _presence,
        _references,
        _identities,
        _completeness,
        _scene_count,
        _timeline_order,
        _timeline_scenes,
        _timeline_against_scenes,
        _total_duration,
    )
    for check in checks:
        yield from check(view)
    yield from _narration(view, source)


def _warn(file: str, pointer: str, message: str, expected: str = "") -> DocumentProblem:
    return DocumentProblem(file, pointer, "warning", message, expected)


def _presence(view: ProjectView) -> Iterator[DocumentProblem]:
    if PROJECT_NAME not in view.names:
        yield _warn(PROJECT_NAME, "", "the project has no project.json", "a file with id and title")
    if TIMELINE_NAME in view.names and OTIO_NAME in view.names:
        yield _warn(OTIO_NAME, "", "there is a timeline.json too; exports follow timeline.json")


def _references(view: ProjectView) -> Iterator[DocumentProblem]:
    by_fold: dict[str, str] = {}
    by_name: dict[str, str] = {}
    if any(reference.path not in view.names for reference in view.references):
        names = sorted(view.names, reverse=True)
        by_fold = {name.casefold(): name for name in names}
        by_name = {name.rpartition("/")[2]: name for name in names}
    for reference in view.references:
        file, pointer, path = reference.file, reference.pointer, reference.path
        if path not in view.names:
            near = by_fold.get(path.casefold()) or by_name.get(path.rpartition("/")[2])
            expected = f"a file of the project; there is {near}" if near else "a file of the project"
            yield DocumentProblem(file, pointer, "error", f"{path} does not exist", expected)
            continue
        kind = asset_type(path)
        if kind not in reference.types:
            what = _TYPE_WORDS[kind] if kind else "no media file by its name"
            expected = " or ".join(_TYPE_WORDS[wanted] for wanted in reference.types)
            yield _warn(file, pointer, f"{path} is {what}", expected)
        if is_temporary(path):
            yield _warn(file, pointer, f"{path} is a temporary file, which versions leave out")


def _identities(view: ProjectView) -> Iterator[DocumentProblem]:
    first_by_id: dict[str, str] = {}
    first_by_index: dict[int, str] = {}
    for scene in sorted(view.scenes, key=lambda scene: scene.name):
        identity, index = scene.document.id, scene.document.index
        if identity and first_by_id.setdefault(identity, scene.name) != scene.name:
            message = f"the id {identity!r} is that of {first_by_id[identity]} too"
            yield DocumentProblem(scene.name, "/id", "error", message, "an id of its own")
        if first_by_index.setdefault(index, scene.name) != scene.name:
            message = f"the index {index} is that of {first_by_index[index]} too"
            yield DocumentProblem(scene.name, "/index", "error", message, "a place of its own in the film")
    places = sorted(first_by_index)
    missing = next((place for place in range(len(places)) if places[place] != place), None)
    if missing is not None:
        yield _warn(SCENES_FOLDER, "", f"no scene has the index {missing}", f"indices 0 to {len(view.scenes) - 1}")


def _completeness(view: ProjectView) -> Iterator[DocumentProblem]:
    placed = {scene.index: scene for scene in view.timeline.scenes} if view.timeline else {}
    for scene in view.scenes:
        document = scene.document
        place = placed.get(document.index, TimelineScene())
        if not document.audio_file_path and not place.narration_audio_path:
            yield _warn(scene.name, "/audio_file_path", "the scene has no narration", "a sound file")
        if not document.image_file_path and not place.visual_assets:
            yield _warn(scene.name, "/image_file_path", "the scene has no picture", "a picture file")
        if document.is_completed and not document.complete:
            yield _warn(scene.name, "/is_completed", "marked complete without both narration and picture", "false")


def _scene_count(view: ProjectView) -> Iterator[DocumentProblem]:
    plan = view.plan
    if plan is None:
        return
    lowest, highest = plan.min_scene_count, plan.max_scene_count
    if lowest is not None and highest is not None and lowest > highest:
        message = f"the fewest scenes ({lowest}) are more than the most ({highest})"
        yield DocumentProblem("plan.json", "/min_scene_count", "error", message, f"at most {highest}")
    wanted = plan.scene_count()
    if wanted is None or not view.scenes or wanted == len(view.scenes):
        return
    pointer = "/target_scene_count" if plan.target_scene_count is not None else "/target_duration"
    yield _warn("plan.json", pointer, f"the plan makes {wanted} scenes, there are {len(view.scenes)}")


def _timeline_order(view: ProjectView) -> Iterator[DocumentProblem]:
    now = 0.0
    seen: Counter[int] = Counter()
    for place, scene in enumerate(view.timeline.scenes if view.timeline else []):
        pointer = f"/scenes/{place}"
        seen[scene.index] += 1
        if seen[scene.index] > 1:
            message = f"the index {scene.index} occurs before"
            yield DocumentProblem(TIMELINE_NAME, f"{pointer}/index", "error", message, f"{place}")
        if scene.start is not None and abs(scene.start - now) > TOLERANCE_SECONDS:
            what = "leaves a gap" if scene.start > now else "overlaps the scene before"
            message = f"the scene starts at {scene.start:g} s and {what}, which ends at {now:g} s"
            yield _warn(TIMELINE_NAME, f"{pointer}/start", message, f"{now:g} s")
            now = scene.start
        now += scene.duration


def _timeline_scenes(view: ProjectView) -> Iterator[DocumentProblem]:
    before = 0.0
    for place, scene in enumerate(view.timeline.scenes if view.timeline else []):
        pointer = f"/scenes/{place}"
        if not scene.duration:
            yield _warn(TIMELINE_NAME, f"{pointer}/duration", "the scene lasts no time", "more than 0 s")
        length = scene.transition_duration or 0.0
        room = min(scene.duration, before) if place else scene.duration
        if scene.transition_type not in (None, "None") and length > room + TOLERANCE_SECONDS:
            message = f"the transition lasts {length:g} s, longer than the scenes it joins"
            yield _warn(TIMELINE_NAME, f"{pointer}/transition_duration", message, f"at most {room:g} s")
        for number, asset in enumerate(scene.visual_assets or []):
            end = asset.start + (asset.duration or 0.0)
            if end > scene.duration + TOLERANCE_SECONDS:
                message = f"it ends {end:g} s after the scene's start, the scene lasts {scene.duration:g} s"
                yield _warn(TIMELINE_NAME, f"{pointer}/visual_assets/{number}/duration", message)
        before = scene.duration


def _timeline_against_scenes(view: ProjectView) -> Iterator[DocumentProblem]:
    if view.timeline is None or not view.scenes:
        return
    if len(view.timeline.scenes) != len(view.scenes):
        message = f"the timeline has {len(view.timeline.scenes)} scenes, the project {len(view.scenes)}"
        yield _warn(TIMELINE_NAME, "/scenes", message, f"{len(view.scenes)} scenes")
    files = {scene.document.index: scene for scene in reversed(view.scenes)}
    for place, scene in enumerate(view.timeline.scenes):
        file = files.get(scene.index)
        if file is None:
            continue
        stated = file.document.duration_seconds
        if stated is not None and abs(stated - scene.duration) > TOLERANCE_SECONDS:
            message = f"the scene lasts {scene.duration:g} s here and {stated:g} s in {file.name}"
            yield _warn(TIMELINE_NAME, f"/scenes/{place}/duration", message, f"{stated:g} s")
        sound = file.document.audio_file_path
        if sound and scene.narration_audio_path and sound != scene.narration_audio_path:
            message = f"the narration is {scene.narration_audio_path} here and {sound} in {file.name}"
            yield _warn(TIMELINE_NAME, f"/scenes/{place}/narration_audio_path", message, sound)


def _total_duration(view: ProjectView) -> Iterator[DocumentProblem]:
    lengths = [scene.document.duration_seconds for scene in view.scenes]
    if view.timeline and view.timeline.scenes:
        lengths = [scene.duration for scene in view.timeline.scenes]
    if not lengths or None in lengths:
        return
    total = sum(length for length in lengths if length is not None)
    stated = view.project.duration_seconds if view.project else None
    if stated is not None and abs(stated - total) > TOLERANCE_SECONDS:
        message = f"the project is said to last {stated:g} s, its scenes last {total:g} s"
        yield _warn(PROJECT_NAME, "/duration_seconds", message, f"{total:g}")
    planned = view.plan.target_duration if view.plan else None
    if planned and abs(planned - total) > planned * PLAN_TOLERANCE:
        message = f"{planned:g} s are planned, the scenes last {total:g} s"
        yield _warn("plan.json", "/target_duration", message)


def _narration(view: ProjectView, source: ContentSource) -> Iterator[DocumentProblem]:
    """Narration that is longer than its scene would be cut off."""
    for scene in view.scenes:
        path, room = scene.document.audio_file_path, scene.document.duration_seconds
        if not path or room is None or path not in view.names or not path.lower().endswith(".wav"):
            continue
        try:
            with source.open(path) as stream:
                facts = read_header(stream)
        except (AuraError, OSError) as error:
            yield DocumentProblem(scene.name, "/audio_file_path", "error", f"{path} cannot be read: {error}")
            continue
        if facts is None:
            yield _warn(scene.name, "/audio_file_path", f"{path} is not a WAV file that a player would open")
        elif facts.duration_seconds is not None and facts.duration_seconds > room + TOLERANCE_SECONDS:
            length = f"{facts.duration_seconds:.2f}"
            message = f"the narration lasts {length} s, the scene {room:g} s: its end is cut off"
            yield _warn(scene.name, "/duration_seconds", message, f"at least {length}")
