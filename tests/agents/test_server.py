"""An agent at a project: over a real pipe with the protocol's own client, and at random, without losing anything."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import aura_vcs as aura
import pytest
from aura_vcs.agents.plain import ENTRIES, TEXT_BYTES, as_text, plain
from aura_vcs.agents.server import AgentSession, file_address
from aura_vcs.agents.tools import TOOLS
from aura_vcs.errors import AuraError, InputError
from aura_vcs.errors.input import NothingToUndo, UnknownName
from aura_vcs.history.undo_session import undo_session
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.repository.repository import Repository

from tests.helpers.check import saved_contents
from tests.helpers.project import contents, look
from tests.helpers.sampling import chance
from tests.helpers.scripts import load_script

mcp = pytest.importorskip("mcp")
anyio = pytest.importorskip("anyio")


@pytest.fixture
def film(tmp_path: Path) -> Iterator[aura.Project]:
    """A project with two versions and unsaved work."""
    with aura.init(tmp_path / "film", title="Comet", author="Mara") as project:
        (project.path / "script.txt").write_text("One.\n")
        project.commit("First")
        (project.path / "script.txt").write_text("One.\nTwo.\n")
        (project.path / "brief.json").write_text('{"tone": "calm"}')
        project.commit("Second")
        (project.path / "draft.txt").write_text("unsaved")
        yield project


def speak(folder: Path, *options: str, talk: Any) -> None:
    """Start the server as a program of its own and talk to it with the protocol's client."""
    code = "from aura_vcs.cli.entry import run; run()"
    home = str(folder.parent)
    server = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-c", code, "-C", str(folder), "mcp", "--agent", "Robi", *options],
        env={"HOME": home, "AURA_HOME": f"{home}/studio", "AURA_AUTHOR": "Mara"},
    )

    async def run() -> None:
        async with mcp.Client(server) as client:
            await talk(client)

    anyio.run(run)


def test_over_a_pipe(film: aura.Project) -> None:
    """Looking, saving with the prompt, a note, an error with the way out, resources; and one line in the list."""
    film.close()

    async def talk(client: Any) -> None:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names == {tool.name for tool in TOOLS}

        async def call(tool: str, /, **given: Any) -> Any:
            result = await client.call_tool(tool, given)
            return result.is_error, json.loads(result.content[0].text)

        failed, found = await call("status")
        assert not failed
        assert [change["path"] for change in found["status"]["changes"]] == ["draft.txt"]
        failed, found = await call("commit", name="Draft", prompt="write a draft", model="m-1")
        assert (failed, found["version"]["author"]) == (False, "Robi for Mara")
        assert (await call("provenance", where="v3"))[1]["facts"]["prompt"] == "write a draft"
        failed, found = await call("note_add", where="v3:draft.txt", text="short")
        assert (await call("notes", state="open"))[1][0]["id"] == found["id"]
        failed, found = await call("diff", old="v1", new="v2")
        assert {change["path"] for change in found["changes"]} == {"brief.json", "script.txt"}
        for wrong in ({"path": "../secret"}, {"path": ".aura/format.json"}, {}, {"path": 3}, {"path": "a", "more": 1}):
            failed, found = await call("read_file", **wrong)
            assert failed
            assert found["error"]
        versions = (await client.list_resources()).resources
        assert "v3 Draft" in {item.name for item in versions}
        read = await client.read_resource(file_address("v2", "script.txt"))
        assert json.loads(read.contents[0].text)["text"] == "One.\nTwo.\n"
        with pytest.raises(mcp.MCPError, match="not a resource"):
            await client.read_resource("aura://elsewhere/x")

    speak(film.path, talk=talk)
    with Repository.open(str(film.path)) as repo:
        sessions = {action.session for action in repo.queries.actions() if action.session}
        assert len(sessions) == 1
        assert len(undo_session(repo).undone) == 3
        assert (Path(repo.root) / "draft.txt").read_text() == "unsaved"
        with pytest.raises(NothingToUndo):
            undo_session(repo)


def test_read_only(film: aura.Project) -> None:
    """A session that may only look has no tool that writes, and nothing changes."""
    film.close()
    before = look(film.path)

    async def talk(client: Any) -> None:
        tools = (await client.list_tools()).tools
        assert all(tool.annotations.read_only_hint for tool in tools)
        result = await client.call_tool("commit", {"name": "x"})
        assert result.is_error
        assert not (await client.call_tool("log", {})).is_error

    speak(film.path, "--read-only", talk=talk)
    assert look(film.path) == before


def test_arguments_are_checked(film: aura.Project) -> None:
    """What is missing, unknown, of another type or too long is refused by its name."""
    session = AgentSession(film.path)
    for name, given in (
        ("commit", {}), ("commit", {"name": 1}), ("commit", {"name": "x" * 201}), ("log", {"limit": -1}),
        ("log", {"limit": True}), ("log", {"limit": 10**9}), ("notes", {"state": "gone"}), ("status", {"a": 1}),
        ("restore", {"version": "v1", "paths": "script.txt"}), ("restore", {"version": "v1", "paths": [1]}),
    ):  # fmt: skip
        with pytest.raises(InputError):
            session.call(name, given)
    with pytest.raises(UnknownName):
        session.call("purge", {})
    session.close()


def test_answers_are_limited() -> None:
    """Long lists and texts are cut, and say so; what is not public stays inside."""
    assert len(plain(range(ENTRIES * 2))) == ENTRIES + 1
    assert len(as_text("x" * TEXT_BYTES * 2)) < TEXT_BYTES + 200
    assert plain({"path": Path("a/b"), "bytes": b"x"}) == {"path": "a/b", "bytes": "b'x'"}


def test_an_agent_and_a_person(film: aura.Project) -> None:
    """What the person did after the agent stays, and what it builds on is left, and said."""
    session = AgentSession(film.path, agent="Robi")
    session.call("commit", {"name": "By the agent"})
    session.call("note_add", {"where": "script.txt", "text": "short"})
    session.close()
    (film.path / "draft.txt").write_text("mine")
    film.commit("By me")
    done = film.undo_session()
    assert [line.split()[0] for line in done.undone] == ["Noted"]
    assert len(done.left) == 1
    assert film.log()[0].name == "By me"
    assert film.operations.list(session=done.session)[0].session == done.session


def test_the_page_for_agents(film: aura.Project) -> None:
    """It is written once, never over a file of somebody's, and taken back."""
    assert film.write_agents_page()
    assert "aura mcp" in (film.path / "AGENTS.md").read_text()
    assert not film.write_agents_page()
    film.undo()
    assert not (film.path / "AGENTS.md").exists()


def test_the_session_on_the_page() -> None:
    """The agent of the page does what it says there."""
    transcripts = load_script("transcripts")
    text = (Path(__file__).parent.parent.parent / "docs/agents.md").read_text("utf-8")
    printed = "".join(transcripts.run(transcripts.commands_of(text)))
    assert "Robi for Mara: 3 operations in a session" in printed
    assert "Undid: Committed v2" in printed


def _given(tool: Any, random: Random) -> dict[str, Any]:
    """Arguments that may or may not make sense."""
    texts = [
        "v1",
        "v2",
        "HEAD",
        "main",
        "idea",
        "script.txt",
        "draft.txt",
        "v2:script.txt",
        "",
        "\x1b[31m",
        "../x",
        "é",
    ]
    given: dict[str, Any] = {}
    for name, shape in tool.properties.items():
        if name not in tool.required and random.random() < 0.6:
            continue
        choices = {"string": texts, "integer": [0, 1, 7, -1], "boolean": [True, False],
                   "array": [["script.txt"], [], ["nothing"], ["draft.txt"]]}  # fmt: skip
        given[name] = random.choice(choices[shape["type"]])
    return given


def test_a_random_agent_loses_nothing(film: aura.Project) -> None:
    """Whatever an agent calls, with whatever arguments: every content that was ever there is in a version or here."""
    film.close()
    random = chance("agent")
    session = AgentSession(film.path, agent="Robi")
    tools = [tool for tool in TOOLS if tool.name != "export"]
    for number in range(60):
        if random.random() < 0.5:
            path = film.path / random.choice(["draft.txt", "script.txt", "new/a.txt"])
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"work {number}")
        seen = contents(look(film.path).values())
        tool = random.choice(tools)
        given = _given(tool, random)
        with suppress(AuraError):
            as_text(session.call(tool.name, given).value)
        with Repository.open(str(film.path)) as repo:
            there = contents(look(film.path).values()) | saved_contents(repo)
            assert seen <= there, f"{tool.name} {given} lost {seen - there}"
    session.close()
    with Repository.open(str(film.path)) as repo:
        assert fsck(repo).problems == ()


_HELLO = (
    b'{"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-06-18", '
    b'"capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}}\n'
)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, None])
def test_it_ends_when_it_is_told_to(film: aura.Project, end: signal.Signals | None) -> None:
    """A signal ends it at once, though nothing comes in; so does whoever no longer reads what it says, quietly."""
    command = [sys.executable, "-m", "aura_vcs", "-C", str(film.path), "mcp"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        server.stdin.write(_HELLO)
        server.stdout.read(1)
        if end is None:
            server.stdout.close()
            server.stdin.write(_HELLO)
            server.stdin.close()
        else:
            server.send_signal(end)
        assert server.wait(30) == (0 if end is None else 130)
        assert server.stderr.read() == b""
