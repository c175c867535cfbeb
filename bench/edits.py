"""Rows about what people do all day in projects of many files: go to a version that differs a little, commit, begin."""

import os
from functools import partial

from bench.data import edit_small_files, write_small_files
from bench.measure import Sample, Times, run
from bench.resident import has_watcher, helped, room_for_watches, watched
from bench.setting import Setting
from bench.table import Check, Row, ratio
from bench.tools import Tool

NAMES = (
    "switch", "switch-watched", "switch-helped", "commit-watched", "init-files", "status-many", "status-many-watched",
    "switch-many", "switch-many-watched", "commits-in-a-row",
)  # fmt: skip
EDITS = 100
ROUNDS = 8
"""The first is a warm-up, and is not counted."""
MEMORY_MB = 150
IN_A_ROW = 10
INIT_MS = 60
WATCHED_STATUS_MS = 60
WATCHED_SWITCH_MS = 300


def measure(setting: Setting) -> None:
    """All rows of NAMES that are wanted."""
    tools = {name: tool for name, tool in setting.tools.items() if name in {"aura", "git"}}
    if setting.wants("switch", "switch-watched", "switch-helped", "commit-watched", "init-files"):
        _few(setting, tools, setting.count(20_000, 200))
    if setting.wants("status-many", "status-many-watched", "switch-many", "switch-many-watched", "commits-in-a-row"):
        _many(setting, tools, setting.count(200_000, 300))


def _few(setting: Setting, tools: dict[str, Tool], count: int) -> None:
    projects = {name: _Project(setting, tool, count) for name, tool in tools.items()}
    if setting.wants("init-files"):
        row = Row("init-files", f"a project begun in {count:,} files")
        row.times = setting.rounds({name: project.begin for name, project in projects.items()}, ROUNDS)
        row.checks.append(Check("time", _counted(row.times["aura"]).median * 1000, INIT_MS, unit=" ms"))
        setting.add(row)
    if setting.wants("switch", "switch-watched", "switch-helped", "commit-watched"):
        for project in projects.values():
            project.two_versions()
    if setting.wants("switch"):
        _switch(setting, "switch", projects, count, bound=2)
    if setting.wants("switch-helped"):
        with helped(setting) as env:
            projects["aura"].env = env
            _switch(setting, "switch-helped", projects, count, bound=2)
        projects["aura"].env = setting.aura.env
    if setting.wants("switch-watched", "commit-watched") and has_watcher():
        with watched(setting, projects["aura"].folder):
            if setting.wants("switch-watched"):
                _switch(setting, "switch-watched", projects, count, bound=1)
            if setting.wants("commit-watched"):
                _commit_watched(setting, projects, count)


def _many(setting: Setting, tools: dict[str, Tool], count: int) -> None:
    projects = {name: _Project(setting, tool, count) for name, tool in tools.items()}
    for project in projects.values():
        project.two_versions()
    if setting.wants("status-many"):
        _status(setting, projects, count)
    if setting.wants("switch-many"):
        row = _switch(setting, "switch-many", projects, count, bound=2)
        row.checks.append(Check("memory", row.times["aura"].peak_bytes / 1e6, MEMORY_MB, unit=" MB"))
        setting.say(f"    {row.checks[-1].text()}")
    if setting.wants("status-many-watched", "switch-many-watched") and has_watcher():
        with watched(setting, projects["aura"].folder):
            _many_watched(setting, projects["aura"], count)
    if setting.wants("commits-in-a-row"):
        _in_a_row(setting, projects, count)


def _status(setting: Setting, projects: "dict[str, _Project]", count: int) -> None:
    """Nothing changed; the first one refreshes what the tool remembers of the files."""
    row = Row("status-many", f"clean status of {count:,} files, a new process each time")
    row.times = setting.rounds({tool: project.status for tool, project in projects.items()}, ROUNDS)
    row.times = {tool: _counted(times) for tool, times in row.times.items()}
    ratio(row, "of git's time", "aura", "git", 1.5)
    setting.add(row)


def _many_watched(setting: Setting, project: "_Project", count: int) -> None:
    """The same, and going to and fro, with a watcher that has seen all files."""
    note = f"the system lets {room_for_watches():,} files be watched"
    if setting.wants("status-many-watched"):
        row = Row("status-many-watched", f"clean status of {count:,} files, of which a watcher knows")
        row.times = setting.rounds({"aura": project.status, "python -c pass": lambda _: setting.bare()}, ROUNDS)
        beyond = _counted(row.times["aura"]).median - row.times["python -c pass"].median
        row.checks.append(Check("beyond `python -c pass`", beyond * 1000, WATCHED_STATUS_MS, unit=" ms"))
        row.notes.append(note)
        setting.add(row)
    if setting.wants("switch-many-watched"):
        row = Row("switch-many-watched", f"checkout of a version in which {project.edits} of {count:,} files differ")
        row.times = {"aura": _counted(setting.rounds({"aura": project.switch}, 2 * ROUNDS)["aura"])}
        row.checks.append(Check("time", row.times["aura"].median * 1000, WATCHED_SWITCH_MS, unit=" ms"))
        row.notes.append(note)
        setting.add(row)


def _commit_watched(setting: Setting, projects: "dict[str, _Project]", count: int) -> None:
    edits = next(iter(projects.values())).edits
    row = Row("commit-watched", f"commit after editing {edits} of {count:,} files, of which a watcher knows")
    row.times = setting.rounds({name: partial(_edited, project) for name, project in projects.items()}, ROUNDS)
    row.times = {tool: _counted(times) for tool, times in row.times.items()}
    ratio(row, "of git's time", "aura", "git", 0.8)
    setting.add(row)


def _switch(setting: Setting, name: str, projects: "dict[str, _Project]", count: int, *, bound: float) -> Row:
    """Go to one version and back: files differ that were edited between the two."""
    edits = next(iter(projects.values())).edits
    row = Row(name, f"checkout of a version in which {edits} of {count:,} files differ, to and fro")
    row.times = setting.rounds({tool: project.switch for tool, project in projects.items()}, 2 * ROUNDS)
    row.times = {tool: _counted(times) for tool, times in row.times.items()}
    ratio(row, "of git's time", "aura", "git", bound)
    return setting.add(row)


def _in_a_row(setting: Setting, projects: "dict[str, _Project]", count: int) -> None:
    """Commits one after the other: none pays for those before it."""
    edits = next(iter(projects.values())).edits
    row = Row("commits-in-a-row", f"{IN_A_ROW} commits in a row, {edits} of {count:,} files edited before each")
    tasks = {name: partial(_edited, project) for name, project in projects.items()}
    row.times = setting.rounds(tasks, IN_A_ROW + 1)
    row.times = {tool: _counted(times) for tool, times in row.times.items()}
    ratio(row, "of git's time", "aura", "git", 1.2)
    ours = row.times["aura"]
    worst = max(sample.seconds for sample in ours.samples)
    row.checks.append(Check("the worst over the median", worst / ours.median, 2))
    setting.add(row)


def _edited(project: "_Project", number: int) -> Sample:
    project.edit(f"in a row {number}")
    return project.commit()


def _counted(times: Times) -> Times:
    """The samples without those of the warm-up."""
    return Times(times.samples[1:]) if len(times.samples) > 1 else times


class _Project:
    """The same files, under version control of one tool, in a folder of their own."""

    def __init__(self, setting: Setting, tool: Tool, count: int) -> None:
        self.env, self._tool = tool.env, tool
        self.folder = setting.place("edits", f"{count}-{tool.name}")
        self._paths = write_small_files(self.folder, count, "edits")
        self.edits = min(EDITS, max(1, count // 3))
        setting.settle()

    def _run(self, command: str) -> Sample:
        aura = getattr(self._tool, "command", "aura")
        words = [aura if word == "aura" else word for word in command.split(" ")]
        return run(words, self.folder, self.env)

    def begin(self, number: int) -> Sample:
        """Make the folder a project; the one that was there is moved aside."""
        inside = os.path.join(self.folder, self._tool.inside or "")
        if os.path.isdir(inside):
            os.rename(inside, f"{self.folder}-aside-{number}")
        return self._run("aura init --title bench" if self._tool.name == "aura" else "git init -q")

    def commit(self) -> Sample:
        """Save all files as the next version."""
        if self._tool.name == "aura":
            return self._run("aura commit -m bench")
        return run(["sh", "-c", "git add -A && git commit -q -m bench"], self.folder, self.env)

    def status(self, _: int) -> Sample:
        """Say what is not as in the last version."""
        return self._run("aura status" if self._tool.name == "aura" else "git status --short")

    def edit(self, seed: str) -> None:
        """Change some of the files."""
        edit_small_files(self._paths, self.edits, seed)

    def two_versions(self) -> None:
        """Make a project with two versions, between which some files were edited, and one that is at the second."""
        if not os.path.isdir(os.path.join(self.folder, self._tool.inside or "")):
            self.begin(0)
        for name in ("v1", "v2"):
            self.edit(name)
            self.commit()
            if self._tool.name == "git":
                self._run(f"git tag {name}")

    def switch(self, number: int) -> Sample:
        """Go to the other of the two versions."""
        name = "v1" if number % 2 == 0 else "v2"
        return self._run(f"aura checkout {name}" if self._tool.name == "aura" else f"git checkout -q {name}")
