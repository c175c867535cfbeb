"""What is imported later is there when it is asked for, as if it had been imported at once."""

import inspect
import subprocess
import sys

import pytest

BEFORE = "import sys\nfrom aura_vcs.cli.lazy_import import import_later\nimport_later()\n"


def run(code: str) -> str:
    """What a fresh Python prints that puts imports off."""
    done = subprocess.run([sys.executable, "-c", BEFORE + code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("import inspect\nprint(inspect.signature(len))", str(inspect.signature(len))),
        ("from inspect import signature\nprint(signature(len))", str(inspect.signature(len))),
        ("import textwrap\nprint(textwrap.fill('a b', 1))", "a\nb"),
        ("import difflib\nprint(difflib.get_close_matches('statsu', ['status', 'log']))", "['status']"),
        ("import gettext\nprint(gettext.NullTranslations().gettext('Help'))", "Help"),
        ("import msgspec\nprint(msgspec.json.schema(int))", "{'type': 'integer'}"),
        ("import msgspec\nprint(msgspec.json.schema_components([int])[0])", "({'type': 'integer'},)"),
        ("import msgspec\nprint(msgspec.inspect.type_info(int).ge)", "None"),
        ("import msgspec.inspect as told\nprint(told.type_info(bool))", "BoolType()"),
        ("from msgspec import toml\nprint(toml.decode('a = 1'))", "{'a': 1}"),
        ("import platform\nprint(platform.python_version())", ".".join(map(str, sys.version_info[:3]))),
        (
            "from gettext import ngettext\nprint(ngettext('file', 'files', 1), ngettext('file', 'files', 2))",
            "file files",
        ),
    ],
)
def test_what_is_used_is_imported(code: str, printed: str) -> None:
    assert run(code) == printed


@pytest.mark.parametrize("text", ["", "One line", "  One line", "Two\n  lines\n    here\n", "\ttab", "\n\n  Late\n"])
def test_help_is_cleaned_as_inspect_does(text: str) -> None:
    expected = inspect.cleandoc(text)
    assert run(f"import inspect\nprint(repr(inspect.cleandoc({text!r})))") == repr(expected)


def test_what_was_taken_before_it_was_imported_stays_whole() -> None:
    code = "import inspect as early\nearly.signature\nimport inspect\nprint(early.cleandoc is inspect.cleandoc)"
    assert run(code) == "True"


def test_what_is_imported_already_stays() -> None:
    code = "import inspect\nbefore = inspect\n" + BEFORE + "import inspect\nprint(inspect is before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
