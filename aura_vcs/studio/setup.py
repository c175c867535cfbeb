"""The first-run wizard: who you are, where exports go, whether FFmpeg is there, which edition.

Each answer is stored when it is given, so the wizard can be left at any time and goes on where
it was. Asking is the caller's business; this module says what is next and takes the answers.
"""

import os
from shutil import which
from typing import Any

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.ids import new_uuid
from aura_vcs.plain_text import now
from aura_vcs.studio.action_log import ActionDraft, act, acting, changed
from aura_vcs.studio.configuration import SettingRequest, get_configuration, set_configuration
from aura_vcs.studio.folder import SETUP
from aura_vcs.studio.studio import Studio

SETUP_VERSION = 1


class SetupStep(msgspec.Struct, frozen=True):
    """One question of the wizard, and the configuration key that its answer goes to."""

    name: str
    key: str
    question: str


STEPS = (
    SetupStep("identity", "identity.name", "Your name, as it stands in the versions you make"),
    SetupStep("output", "general.output_directory", "The folder that exports go to"),
    SetupStep("ffmpeg", "media.ffmpeg_path", "Where FFmpeg is, if other tools are to use it"),
    SetupStep("tier", "general.tier", "The studio's edition (Free or Pro)"),
)


def find_step(name: str) -> SetupStep:
    """Return the step of that name.

    Raises:
        UnknownName: there is none.
    """
    for step in STEPS:
        if step.name == name:
            return step
    raise UnknownName("step of the setup", name, [step.name for step in STEPS])


class UserSetup(msgspec.Struct, frozen=True):
    """`setup.json`: how far the wizard came. `wizard_state` has the answers of the steps done."""

    user_id: str
    completed: bool = False
    completed_at: str | None = None
    version: int = SETUP_VERSION
    last_step: str | None = None
    selected_tier: str | None = None
    wizard_state: dict[str, Any] = {}
    updated_at: str = ""
    id: str = ""

    @property
    def next_step(self) -> SetupStep | None:
        """What is to be asked next; None when all is answered."""
        return next((step for step in STEPS if step.name not in self.wizard_state), None)


class SystemConfiguration(msgspec.Struct, frozen=True):
    """What holds for the whole studio, as one record."""

    is_setup_complete: bool
    ffmpeg_path: str | None
    output_directory: str | None
    created_at: str | None
    updated_at: str | None
    created_by: str | None
    modified_by: str | None


def setup_state(studio: Studio) -> UserSetup:
    """Read the state of the wizard."""
    return studio.folder.load(SETUP, UserSetup) or UserSetup(studio.folder.user)


def suggestion(step: SetupStep, *, user: str, home: str, search_path: str | None) -> str | None:
    """Suggest what the answer to a step would most likely be; None where nothing is found.

    `search_path` is the folders in which programs are looked for, as the system writes them.
    """
    if step.name == "identity":
        return user
    if step.name == "output":
        return os.path.join(home, "Videos")
    if step.name == "ffmpeg":
        return find_ffmpeg(search_path)
    return "Free"


def find_ffmpeg(search_path: str | None) -> str | None:
    """Find the FFmpeg program in the given folders, None if there is none; exports do not need it."""
    return which("ffmpeg", path=search_path or "")


def answer(studio: Studio, step: SetupStep, text: str | None, *, correlation_id: str | None = None) -> UserSetup:
    """Store the answer to a step; None or empty skips it, which leaves the key as it is.

    One action; answers with the same `correlation_id` are taken back together.

    Raises:
        SettingInvalid, InputError: the answer cannot be; the wizard stays where it was.
    """
    given = (text or "").strip() or None
    if given is not None and step.name == "output":
        given = os.path.abspath(given)
        if os.path.exists(given) and not os.path.isdir(given):
            raise InputError(f"{given} is a file", hint="Name a folder; it is made when something is exported.")
    if given is not None and step.name == "ffmpeg" and not os.path.isfile(given):
        raise InputError(f"{given} is not a program", hint="Leave it empty; exports bring their own FFmpeg.")
    together = correlation_id or new_uuid()
    if given is not None:
        set_configuration(studio, step.key, given, request=SettingRequest(correlation_id=together))
    with acting(studio.folder):
        before = setup_state(studio)
        state = msgspec.structs.replace(
            before,
            last_step=step.name,
            wizard_state={**before.wizard_state, step.name: given},
            selected_tier=given if step.name == "tier" and given else before.selected_tier,
            updated_at=now(),
            id=before.id or new_uuid(),
        )
        if state.next_step is None and not state.completed:
            state = msgspec.structs.replace(state, completed=True, completed_at=now())
        change = changed(studio.folder, SETUP, state)
        act(studio.folder, ActionDraft("setup.answer", f"Answered {step.name}", (change,), correlation_id=together))
    return state


def start_over(studio: Studio, *, correlation_id: str | None = None) -> UserSetup:
    """Ask everything again; what is configured stays until it is answered anew."""
    with acting(studio.folder):
        fresh = UserSetup(studio.folder.user, updated_at=now(), id=setup_state(studio).id or new_uuid())
        change = changed(studio.folder, SETUP, fresh)
        draft = ActionDraft("setup.start_over", "Started the setup over", (change,), correlation_id=correlation_id)
        act(studio.folder, draft)
    return fresh


def system_configuration(studio: Studio) -> SystemConfiguration:
    """Return the studio's one record of system configuration."""
    state = setup_state(studio)
    ffmpeg = get_configuration(studio, "media.ffmpeg_path")
    output = get_configuration(studio, "general.output_directory")
    known = [item for item in (ffmpeg, output) if item.updated_at is not None]
    oldest = min(known, key=lambda item: item.created_at or "", default=None)
    newest = max(known, key=lambda item: item.updated_at or "", default=None)
    return SystemConfiguration(
        is_setup_complete=state.completed,
        ffmpeg_path=ffmpeg.value,
        output_directory=output.value,
        created_at=oldest.created_at if oldest is not None else state.updated_at or None,
        updated_at=newest.updated_at if newest is not None else state.updated_at or None,
        created_by=oldest.created_by if oldest is not None else state.user_id,
        modified_by=newest.modified_by if newest is not None else state.user_id,
    )
