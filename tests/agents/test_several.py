"""Several agents at one project at once, each on a pipe of its own, with a person and a sync beside them."""

import sys
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import aura_vcs as aura
import pytest
from aura_vcs.agents.tools import TOOLS
from aura_vcs.annotations.notes import notes
from aura_vcs.errors import AuraError
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.repository.repository import Repository

from tests.helpers.check import saved_contents
from tests.helpers.project import contents, look
from tests.helpers.sampling import chance

mcp = pytest.importorskip("mcp")
anyio = pytest.importorskip("anyio")

ROUNDS = 12


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A project with a version and a remote."""
    with aura.init(tmp_path / "film", title="Comet", author="Mara") as project:
        (project.path / "script.txt").write_text("One.\n")
        project.commit("First")
        (tmp_path / "remote").mkdir()
        project.remotes.add("origin", str(tmp_path / "remote"))
        project.push("origin")
    return tmp_path / "film"


def server(folder: Path, agent: str) -> Any:
    """How an agent's program starts the server."""
    code = "from aura_vcs.cli.entry import run; run()"
    home = str(folder.parent)
    return mcp.StdioServerParameters(
        command=sys.executable,
        args=["-c", code, "-C", str(folder), "mcp", "--agent", agent],
        env={"HOME": home, "AURA_HOME": f"{home}/studio", "AURA_AUTHOR": "Mara", "AURA_NO_WATCHER": "1"},
    )


def test_two_agents_a_person_and_a_sync(film: Path) -> None:
    """All of them save, say something and sync at the same time: everything is there afterwards, one session each."""

    async def agent(name: str) -> None:
        async with mcp.Client(server(film, name)) as client:
            for number in range(ROUNDS // 3):
                (film / f"{name}.txt").write_text(f"{name} {number}\n")
                await client.call_tool("commit", {"name": f"{name} {number}", "prompt": f"do {number}"})
                await client.call_tool("note_add", {"where": f"{name}.txt", "text": f"{name} says {number}"})

    def person() -> None:
        with aura.open(film, author="Mara") as project:
            for number in range(ROUNDS // 3):
                (film / "mine.txt").write_text(f"mine {number}\n")
                with suppress(AuraError):  # somebody saved that meanwhile
                    project.commit(f"mine {number}")
                project.notes.add("HEAD", f"Mara says {number}")

    def syncing() -> None:
        with aura.open(film, author="Mara") as project:
            for _ in range(ROUNDS // 4):
                with suppress(AuraError):
                    project.sync("origin")

    async def together() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(agent, "Robi")
            group.start_soon(agent, "Ada")
            group.start_soon(anyio.to_thread.run_sync, person)
            group.start_soon(anyio.to_thread.run_sync, syncing)

    anyio.run(together)
    with Repository.open(str(film)) as repo:
        saved = saved_contents(repo) | contents(look(film).values())
        for name in ("Robi", "Ada", "mine"):
            for number in range(ROUNDS // 3):
                assert f"{name} {number}\n".encode() in saved
        wanted = {f"{who} says {n}" for who in ("Robi", "Ada", "Mara") for n in range(ROUNDS // 3)}
        assert {note.text for note in notes(repo)} == wanted
        assert fsck(repo).problems == ()
    with aura.open(film, author="Mara") as project:
        names = [(film / f"{name}.txt").read_text() for name in ("Robi", "Ada", "mine")]
        done = project.undo_session()
        assert done.undone
        assert "mine" in names[2]
        assert (film / "mine.txt").read_text() == names[2]


def test_a_random_client_on_a_pipe(film: Path) -> None:
    """Whatever comes down the pipe, with whatever arguments: nothing is lost, and it goes on answering."""
    random = chance("client")
    values: list[Any] = [
        "v1",
        "HEAD",
        "main",
        "script.txt",
        "",
        "\x1b[31m",
        "../x",
        0,
        -1,
        True,
        None,
        ["script.txt"],
        {},
    ]

    async def talk() -> None:
        async with mcp.Client(server(film, "Robi")) as client:
            for number in range(ROUNDS):
                (film / "draft.txt").write_text(f"work {number}")
                tool = random.choice([tool for tool in TOOLS if tool.name != "export"])
                await client.call_tool(tool.name, _given(tool, random, values))
            answer = await client.call_tool("status", {})
            assert not answer.is_error

    def _given(tool: Any, random: Random, values: list[Any]) -> dict[str, Any]:
        return {name: random.choice(values) for name in tool.properties if random.random() < 0.7}

    seen = contents(look(film).values())
    anyio.run(talk)
    with Repository.open(str(film)) as repo:
        assert seen <= contents(look(film).values()) | saved_contents(repo)
        assert fsck(repo).problems == ()
