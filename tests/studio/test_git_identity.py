"""The name that a person gave git, read from its files."""

from pathlib import Path

import pytest
from aura_vcs.studio.git_identity import LIMIT_BYTES, GitIdentity, git_identity


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[user]\n\tname = Mara Lind\n\temail = mara@example.org\n", GitIdentity("Mara Lind", "mara@example.org")),
        ('[User]\nName = "Mara # Lind" ; or so\n', GitIdentity("Mara # Lind")),
        ("[user] name = Mara\n", GitIdentity("Mara")),
        ('[user "work"]\nname = Other\n[core]\nname = Other\n', GitIdentity()),
        ("[user]\nname = Mara # a comment\nname = Mira\n", GitIdentity("Mira")),
        ("[user\nname = Mara\n", GitIdentity()),
        ("", GitIdentity()),
    ],
)
def test_the_section_of_the_user_is_read(tmp_path: Path, text: str, expected: GitIdentity) -> None:
    """Quotes, comments, case and sections as git's documentation has them."""
    file = tmp_path / "config"
    file.write_text(text)
    assert git_identity([str(tmp_path / "none"), str(file)]) == expected


def test_what_cannot_be_settings_is_passed_over(tmp_path: Path) -> None:
    """Too large, not text, a folder; and a later file counts more."""
    large, bytes_, last = tmp_path / "large", tmp_path / "bytes", tmp_path / "last"
    large.write_text("[user]\nname = Large\n" + "#" * LIMIT_BYTES)
    bytes_.write_bytes(b"[user]\nname = \xff\x00Mara\n")
    last.write_text("[user]\nemail = m@example.org\n")
    found = git_identity([str(large), str(tmp_path), str(bytes_), str(last), "\0"])
    assert found == GitIdentity("\ufffdMara", "m@example.org")
