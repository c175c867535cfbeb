"""Addresses: the forms that are known, and everything else refused."""

import os

import pytest
from aura_vcs.errors.remotes import InvalidUrl
from aura_vcs.sync.remotes.url import parse_address, redacted
from hypothesis import given, strategies as st


@pytest.mark.parametrize(
    ("url", "kind", "host", "user", "port", "path"),
    [
        ("/mnt/nas/film", "folder", "", "", None, "/mnt/nas/film"),
        ("../film", "folder", "", "", None, "/films/film"),
        ("film.aura", "folder", "", "", None, "/films/here/film.aura"),
        ("file:///mnt/my%20nas", "folder", "", "", None, "/mnt/my nas"),
        ("ssh://anna@studio:2222/srv/film", "ssh", "studio", "anna", 2222, "/srv/film"),
        ("ssh://studio/~/film", "ssh", "studio", "", None, "film"),
        ("ssh://[::1]/srv/film", "ssh", "::1", "", None, "/srv/film"),
        ("anna@studio.local:films/a b", "ssh", "studio.local", "anna", None, "films/a b"),
        ("studio:/srv/film", "ssh", "studio", "", None, "/srv/film"),
        ("s3://films/my/video", "s3", "films", "", None, "my/video"),
        ("gs://films", "gs", "films", "", None, ""),
        ("az://films/x?account=studio", "az", "films", "", None, "x"),
        ("https://example.org/films/x/", "http", "example.org", "", None, "films/x"),
    ],
)
def test_known_forms(url: str, kind: str, host: str, user: str, port: int | None, path: str) -> None:
    """Each form is taken apart as documented."""
    found = parse_address(url, "/films/here")
    assert (found.kind, found.host, found.user, found.port, found.path) == (kind, host, user, port, path)
    assert parse_address(found.text, "/elsewhere") == found


@pytest.mark.parametrize(
    "url", ["nas:a%20b", "nas:/films/who?", "nas:take#2", "nas:f\udce9te", "ssh://nas/f%E9te", "ssh://nas/~/100%25"]
)
def test_what_is_kept_of_an_address_leads_to_the_same_place(url: str) -> None:
    """Whatever is in a path, the text that a project keeps of it is text, and read again it is the same."""
    found = parse_address(url)
    assert found.text.isascii()
    again = parse_address(found.text)
    assert (again.text, again.path, again.host) == (found.text, found.path, found.host)


def test_parameters_of_buckets() -> None:
    """Endpoint, region and path style are settings; nothing else is."""
    found = parse_address("s3://films/x?endpoint=http://127.0.0.1:9000&region=eu-1")
    assert found.parameters == {"endpoint": "http://127.0.0.1:9000", "region": "eu-1"}


@pytest.mark.parametrize(
    "url",
    [
        "", "-oProxyCommand=touch /tmp/x", "ssh://-oProxyCommand=touch/x", "ssh://a@-x/y", "ssh://-x@host/y",
        "-x@host:path", "host:-path", "ssh://host/", "host:", "ssh://host:99999/x", "ssh://host/x?y", "ssh://host/x#y",
        "ssh://ho st/x", "ssh://host\n/x", "host:a\nb", "ssh://host/a%0ab", "ext::sh -c id", "fd::17", "ftp://host/x",
        "javascript://x", "ssh://anna:secret@host/x", "https://anna:secret@host/x", "https://token@host/x",
        "https://host/x?token=1", "s3://a/x?access_key_id=AKIA", "s3://a/x?endpoint=file:///etc", "s3://Films/x",
        "s3:///x", "s3://films/../x", "s3://films:80/x", "s3://films/x?endpoint=http://a b", "file://host/x",
        "file://rel", " /mnt/x", "/mnt/\0x", "x" * 3000, "s3://films//x/y",
    ],
)  # fmt: skip
def test_everything_else_is_refused(url: str) -> None:
    """Options, helpers, passwords, control characters and unknown schemes."""
    if url == "s3://films//x/y":
        assert parse_address(url).path == "x/y"
        return
    with pytest.raises(InvalidUrl):
        parse_address(url)


def test_a_refused_password_is_not_repeated() -> None:
    """Neither message nor hint has it."""
    urls = (
        "ssh://anna:secret@host/x",
        "https://anna:secret@host/x",
        "s3://a/x?secret_access_key=secret",
        "anna:secret@host:x",
    )
    for url in urls:
        with pytest.raises(InvalidUrl) as caught:
            parse_address(url)
        assert "secret" not in str(caught.value).replace("secret_access_key", "") + caught.value.hint
        assert "***" in redacted(url)


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """No text makes anything but an address that names no option, or one clear error."""
    try:
        found = parse_address(text)
    except InvalidUrl:
        return
    assert not found.host.startswith("-")
    assert not found.user.startswith("-")
    assert not found.path.startswith("-")
    assert found.kind != "folder" or os.path.isabs(found.path)
