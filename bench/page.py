"""Rows about the page: its first view of a large project, comparing, following the command line, seeking in a clip."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection

from bench.data import write_media, write_small_files
from bench.measure import Sample, Times, run
from bench.past import build, new_project
from bench.setting import Setting
from bench.table import Check, Row

NAMES = ("page-first", "page-compare", "page-follow", "page-seek")
ROUNDS = 7
SEEKS = 60


def measure(setting: Setting) -> None:
    """All rows of NAMES that are wanted and whose command there is."""
    if not setting.has_command("ui"):
        return
    if setting.wants("page-first", "page-compare", "page-follow"):
        _large(setting)
    if setting.wants("page-seek"):
        _seek(setting)


class RunningPage:
    """A server that was started for a project, and requests to it."""

    def __init__(self, process: "subprocess.Popen[str]", address: str) -> None:
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", address)
        assert found is not None
        self.process = process
        self._port, self._headers = int(found[1]), {"Authorization": f"Bearer {found[2]}"}
        self.base = self._redirect()

    def get(self, path: str, **headers: str) -> tuple[float, bytes]:
        """Ask for something of the project; returns the seconds that took, and what came."""
        start = time.perf_counter()
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=120)) as connection:
            connection.request("GET", path, headers={**self._headers, **headers})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status in (200, 206), (path, answer.status, body[:500])
        return time.perf_counter() - start, body

    def follow(self) -> "HTTPConnection":
        """Listen to what happens."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=120)
        connection.request("GET", f"/api{self.base}/events", headers=self._headers)
        return connection

    def peak_bytes(self) -> int:
        """The most memory that the server ever had."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            found = re.search(r"VmHWM:\s+(\d+) kB", file.read())
        return int(found[1]) * 1024 if found is not None else 0

    def _redirect(self) -> str:
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
            connection.request("GET", "/", headers=self._headers)
            return str(connection.getresponse().getheader("location"))


@contextmanager
def served(setting: Setting, folder: str) -> Iterator[RunningPage]:
    """Start a server for a project, and end it."""
    arguments = [setting.aura.command, "ui", "--no-browser", "--read-only", "--json"]
    process = subprocess.Popen(arguments, cwd=folder, env=setting.aura.env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        text = ""
        while not text.rstrip().endswith("}"):
            text += process.stdout.readline()
        yield RunningPage(process, json.loads(text)["address"])
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def _large(setting: Setting) -> None:
    """A project of many versions and files, looked at by a server that was started just now."""
    versions, files = setting.count(10_000, 50), setting.count(20_000, 100)
    setting.say(f"  making {versions:,} versions")
    folder = _past(setting, versions)
    write_small_files(os.path.join(folder, "frames"), files, "page")
    run([setting.aura.command, "commit", "-m", "Frames"], folder, setting.aura.env)
    run([setting.aura.command, "status"], folder, setting.aura.env)
    first = Row("page-first", f"first view of {versions:,} versions and {files:,} files, on the server")
    compared = Row("page-compare", "the page that compares two versions that differ in a timeline of 40 clips")
    views, comparisons = [], []
    for number in range(ROUNDS):
        with served(setting, folder) as page:
            views.append(Sample(page.get(page.base)[0], peak_bytes=page.peak_bytes()))
            new = versions - number
            seconds, body = page.get(f"{page.base}/compare?old=v{new - 1}&new=v{new}&path=timeline.json")
            assert b'class="clip ' in body
            comparisons.append(Sample(seconds))
    first.times["aura ui"], compared.times["aura ui"] = Times(views), Times(comparisons)
    first.checks.append(Check("median", first.times["aura ui"].median * 1000, 300, unit=" ms"))
    compared.checks.append(Check("median", compared.times["aura ui"].median * 1000, 150, unit=" ms"))
    setting.add(first)
    setting.add(compared)
    setting.add(_follow(setting, folder))


def _past(setting: Setting, versions: int) -> str:
    """A project with so many versions; by way of git, which is quickest, where that is installed."""
    folder = new_project(setting, "page", "many")
    if "git" not in setting.tools:
        build(setting, "versions", folder, 1, versions)
        return folder
    source = setting.place("page", "git")
    env = setting.aura.env
    run(["git", "init", "-q", "."], source, env)
    lines = []
    for number in range(1, versions + 1):
        brief = json.dumps({"topic": "The page", "tone": f"calm {number}", "take": number % 7})
        lines += [
            "commit refs/heads/main",
            f"mark :{number}",
            f"committer Ada <a@b> {1_700_000_000 + number * 60} +0000",
        ]
        lines += [f"data <<END\nEdit {number}\nEND"] + ([f"from :{number - 1}"] if number > 1 else [])
        lines += ["M 100644 inline brief.json", f"data <<END\n{brief}\nEND"]
        lines += ["M 100644 inline timeline.json", f"data <<END\n{_timeline(number)}\nEND", ""]
    command = ["git", "fast-import", "--quiet"]
    subprocess.run(command, input="\n".join(lines), cwd=source, env=env, text=True, check=True)
    run([setting.aura.command, "import", "git", source], folder, env)
    run([setting.aura.command, "checkout", "main"], folder, env)
    return folder


def _timeline(number: int) -> str:
    """A timeline of 40 clips, of which each version trims another one."""
    scenes, start = list[dict[str, object]](), 0.0
    for index in range(40):
        duration = 4.0 + (1.5 if index == number % 40 else 0.0)
        media = [{"type": "Image", "file_path": f"assets/{index:03}.png"}]
        scenes.append(
            {"id": f"scene-{index}", "index": index, "start": start, "duration": duration, "visual_assets": media}
        )
        start += duration
    return json.dumps({"scenes": scenes})


def _follow(setting: Setting, folder: str) -> Row:
    """From the end of a commit on the command line to the event that tells a page."""
    row = Row("page-follow", "from a commit made on the command line to what the page hears")
    found = []
    with served(setting, folder) as page, closing(page.follow()) as connection:
        stream = connection.getresponse()
        time.sleep(2)
        for number in range(ROUNDS):
            with open(os.path.join(folder, "brief.json"), "w", encoding="utf-8") as file:
                json.dump({"topic": "The page", "tone": f"seen {number}"}, file)
            run([setting.aura.command, "commit", "-m", f"Seen {number}", "brief.json"], folder, setting.aura.env)
            start = time.perf_counter()
            while f"Seen {number}".encode() not in stream.readline():
                pass
            found.append(Sample(time.perf_counter() - start))
    row.times["aura ui"] = Times(found)
    row.checks.append(Check("longest", max(sample.seconds for sample in found) * 1000, 500, unit=" ms"))
    return row


def _seek(setting: Setting) -> None:
    """A player that jumps about in a large clip of a version, which is not in the folder any more."""
    size = setting.bytes(4 << 30, 64 << 20)
    folder = new_project(setting, "page", "seek")
    clip = os.path.join(folder, "clip.mp4")
    write_media(clip, size, "seek")
    run([setting.aura.command, "commit", "-m", "Clip"], folder, setting.aura.env)
    os.unlink(clip)
    row = Row("page-seek", f"jumping about in a clip of {size >> 20:,} MiB, straight from the store")
    times, most = [], 0
    with served(setting, folder) as page:
        version = json.loads(page.get(f"/api{page.base}/show?version=v1")[1])["version"]["id"]  # as pages name it
        for number in range(SEEKS):
            at = (number * 7_919_317 * 1009) % (size - 1)
            seconds, body = page.get(f"{page.base}/raw/{version}/clip.mp4", Range=f"bytes={at}-")
            times.append(Sample(seconds, peak_bytes=page.peak_bytes()))
            most = max(most, len(body))
        row.times["aura ui"] = Times(times)
        row.checks.append(Check("memory", page.peak_bytes() / 1e6, 200, unit=" MB"))
        row.checks.append(Check("most that one seek is sent", most / 1e6, 4, unit=" MB"))
    setting.add(row)
