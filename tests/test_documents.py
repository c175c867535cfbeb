"""The pages say what is so: commands exist, sessions run, links lead somewhere."""

import re
import shlex
import sys
from pathlib import Path

import click
import pytest
from aura_vcs.cli.main import cli

from tests.helpers.scripts import load_script

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MACHINE_PATHS = re.compile(r"(?<![\w~.])/(?:home/(?!ada/)|root/|tmp/|work/|Users/|private/|var/)|[A-Z]:\\")
"""Ada and her NAS are examples."""
PLACEHOLDERS = re.compile(r"[|…<>\[\]]|\.\.\.|\bDIR\b|\bNAME\b|\bVERSION\b|\bPATH\b|\bCOMMAND\b")


TRANSCRIPTS = load_script("transcripts")


def _command_lines(page: Path) -> list[str]:
    """Lines that call `aura` in blocks and in running text, without placeholders and redirections."""
    text = page.read_text("utf-8")
    found = re.findall(r"^\$ (aura\b.*)$", text, flags=re.MULTILINE)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    found += re.findall(r"(?<!`)`(aura [^`]+)`(?!`)", prose)
    for block in re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        found += [line for line in block.splitlines() if line.startswith("aura ")]
    bare = [re.split(r" [|>&#] ?|; ", line)[0].strip() for line in found]
    return [line for line in bare if not PLACEHOLDERS.search(line)]


RUN_ELSEWHERE = "json-studio.md"
"""Every line of this page is run, in tests/cli/test_json_story.py."""
LINES = [
    (page.relative_to(ROOT).as_posix(), line)
    for page in PAGES
    if page.name != RUN_ELSEWHERE
    for line in _command_lines(page)
]


def parse(line: str) -> click.Context:
    """Parse a command line as `aura` would, and run nothing.

    Raises:
        click.UsageError: there is no such command or option, or an argument is missing.
    """
    command: click.Command = cli
    context = cli.make_context("aura", shlex.split(line)[1:])
    while isinstance(command, click.Group) and (rest := [*context._protected_args, *context.args]):
        name, found, rest = command.resolve_command(context, rest)
        if found is None or name is None:
            raise click.UsageError(f"no command in {line!r}")
        command = found
        context = found.make_context(name, rest, parent=context)
    return context


@pytest.mark.parametrize(("page", "line"), sorted(set(LINES)))
def test_command_lines_are_understood(page: str, line: str) -> None:
    """Every `aura …` line of the page has a command, options and arguments that exist."""
    bare_names = {f"aura {word}" for word in cli.list_commands(click.Context(cli))}
    try:
        parse(line)
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        words = shlex.split(line)
        assert len(words) <= 3, f"{page}: {line}"  # a command that is only mentioned
        assert " ".join(words[:2]) in bare_names, f"{page}: {line}"
    except click.exceptions.Exit:
        return  # --help and --version
    except click.ClickException as error:
        pytest.fail(f"{page}: {line}: {error.format_message()}")


def test_the_checker_notices_what_does_not_exist() -> None:
    """A command or option that does not exist is an error, so the test above means something."""
    wrong = (
        "aura comit -m x",
        "aura commit --no-such-option",
        "aura version vanish v1",
        "aura restore",
        "aura redo x",
    )
    understood = []
    for line in wrong:
        try:
            understood.append(parse(line) and line)
        except click.UsageError:
            continue
    assert understood == []


def test_readme_lists_every_command() -> None:
    """The table in the README and the command line have the same commands."""
    text = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (`aura .*?`) \|", text, flags=re.MULTILINE)
    listed = re.findall(r"`aura ([a-z-]+)`", " ".join(rows))
    assert sorted(listed) == sorted(cli.list_commands(click.Context(cli)))


@pytest.mark.skipif(sys.platform == "win32", reason="the sessions are for a POSIX shell")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "README.md" else pytest.mark.slow) for name in TRANSCRIPTS.PAGES]
)
def test_sessions_run(name: str) -> None:
    """Every command of the page's sessions ends well, in the order in which they stand there."""
    text = (ROOT / name).read_text("utf-8")
    commands = TRANSCRIPTS.commands_of(text)
    outputs = TRANSCRIPTS.run(commands)
    assert len(outputs) == len(commands) > 0
    assert TRANSCRIPTS.commands_of(TRANSCRIPTS.renewed(text, outputs)) == commands


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_has_paths_of_somebodys_machine(page: Path) -> None:
    """What a page shows was made somewhere, but does not say where."""
    assert MACHINE_PATHS.findall(page.read_text("utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """A link to a file of ours leads to one, and to a heading that it has."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        path, _, heading = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (heading and heading not in _headings(file)):
            broken.append(target)
    assert broken == []


def _headings(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_page_is_listed() -> None:
    """A page that docs/README.md does not lead to is found by nobody: add it there."""
    text = (ROOT / "docs/README.md").read_text("utf-8")
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert pages - {"README.md"} - set(re.findall(r"\]\(([^)#]+)\)", text)) == set()


def test_documents_name_files_that_exist() -> None:
    """A module, test or script that a page points at is there, and a test function is in its file."""
    missing = []
    for page in PAGES:
        text = page.read_text("utf-8")
        for name, function in re.findall(r"`((?:aura_vcs|tests|scripts|fixtures)/[\w/.-]+)(?:::(\w+))?`", text):
            file = ROOT / name
            if not file.exists() or (function and f"def {function}(" not in file.read_text("utf-8")):
                missing.append(f"{page.name}: {name}::{function}" if function else f"{page.name}: {name}")
    assert missing == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_begins_with_what_was_decided(page: Path) -> None:
    """Under the title stands one sentence, so that nobody has to read a page to know whether to read it."""
    first = page.read_text("utf-8").split("\n\n")[1]
    assert re.fullmatch(r"\*\*In short\.\*\* [A-Z`][^\n]{40,260}\.", first), first
