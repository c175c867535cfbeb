"""What is installed with the program may be passed on, and `docs/licences.md` lists all of it."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "licences.md"
EXTRAS = ("aaf", "agents", "buckets", "c2pa", "keyring", "media", "ui")
PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "Zlib",
    "MIT",
    "MIT-0",
    "MIT-CMU",
    "MPL-2.0",
    "PSF-2.0",
}
CLASSIFIED = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
}
"""How older packages say it; the last one is what python-dateutil says, whose LICENSE names the two."""


def _installed_with_us() -> set[str]:
    """Return every package that an installation with all extras for users asks for here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    own = [*project["dependencies"], *(line for extra in EXTRAS for line in project["optional-dependencies"][extra])]
    found: set[str] = set()
    waiting = [("", "")]
    seen = set(waiting)
    while waiting:
        name, extra = waiting.pop()
        for line in _asked_for(name) if name else own:
            wanted = Requirement(line)
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
                continue
            package = canonicalize_name(wanted.name)
            found.add(package)
            more = {(package, inner) for inner in ("", *wanted.extras)} - seen
            seen |= more
            waiting += more
    return found


def _asked_for(package: str) -> list[str]:
    try:
        return requires(package) or []
    except PackageNotFoundError:
        return []  # its extra is not installed here


def _said_by(package: str) -> str:
    """Return the licence that the package's own metadata says, as an SPDX expression."""
    says = metadata(package)
    if says.get("License-Expression"):
        return str(says.get("License-Expression"))
    free = str(says.get("License") or "").strip()
    if free and "\n" not in free and len(free) < 60:
        return CLASSIFIED.get(free, free)
    words = [line.rpartition("::")[2].strip() for line in says.get_all("Classifier") or [] if line[:7] == "License"]
    return " OR ".join(CLASSIFIED.get(word, word) for word in words)


def _listed() -> dict[str, str]:
    rows = re.findall(r"^\| ([a-z][\w-]*) \| ([^|]+) \|", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return {name: licence for name, licence in rows if name != "package"}


def test_every_installed_package_is_listed_with_its_licence() -> None:
    """The closure of the wheel and its extras is in the table, each with the licence that it says itself."""
    listed, wrong = _listed(), []
    for package in sorted(_installed_with_us()):
        try:
            said = _said_by(package)
        except PackageNotFoundError:
            continue  # its extra is not installed here
        if listed.get(package) != said:
            wrong.append(f"{package}: says {said!r}, the page {listed.get(package)!r}")
    assert wrong == []


def test_every_licence_is_permissive() -> None:
    """A licence that would bind whoever passes the program on is refused."""
    for package, licence in _listed().items():
        assert set(re.split(r" OR | AND ", licence)) <= PERMISSIVE, f"{package}: {licence}"


@pytest.mark.parametrize("name", ["patiencediff", "opentimelineio", "gitpython"])
def test_what_is_not_needed_is_not_installed(name: str) -> None:
    """Neither users nor the table have it."""
    assert name not in _installed_with_us() | set(_listed())
