"""Keys for S3 from where AWS's own tools keep them: files, profiles, programs, logins."""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aura_vcs.cli.remote_environment import surroundings
from aura_vcs.errors.remotes import RemoteDenied
from aura_vcs.sync.remotes.connect import UNKNOWN, Surroundings, open_remote
from aura_vcs.sync.remotes.url import parse_address

from .test_cloud_requests import Cloud, cloud

pytest.importorskip("botocore", reason="the extra 'buckets' is not installed")
__all__ = ["cloud"]
TOLD = {"ETag": '"1"', "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT"}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home folder, and an environment that says nothing; no machine in the cloud is asked."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    return tmp_path


def _write(home: Path, name: str, text: str) -> None:
    (home / ".aws" / name).write_text(text)


def _asked(cloud: Cloud, given: Surroundings = UNKNOWN) -> dict[str, str]:
    """The headers of a request to the server. Where there is a token, one without keys goes before it."""
    cloud.answers += [(200, TOLD)] * 2
    remote = open_remote(parse_address(f"s3://films/solar?endpoint={cloud.endpoint}"), surroundings=given)
    assert remote.size("manifest.json") == 0
    cloud.answers.clear()
    return cloud.requests[-1][2]


def test_keys_and_region_come_from_the_files(home: Path, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default profile, or the one that AWS_PROFILE names."""
    _write(home, "credentials", "[default]\naws_access_key_id = ONE\naws_secret_access_key = secret\n")
    _write(home, "config", "[default]\nregion = eu-central-1\n[profile studio]\nregion = eu-west-3\n")
    assert "Credential=ONE/" in (signed := _asked(cloud)["authorization"])
    assert "/eu-central-1/s3/" in signed
    with (home / ".aws/credentials").open("a") as file:
        file.write("[studio]\naws_access_key_id = TWO\naws_secret_access_key = secret\naws_session_token = word\n")
    monkeypatch.setenv("AWS_PROFILE", "studio")
    headers = _asked(cloud)
    assert "Credential=TWO/" in headers["authorization"]
    assert "/eu-west-3/s3/" in headers["authorization"]
    assert headers["x-amz-security-token"] == "word"


def test_a_region_in_the_address_counts_more(home: Path, cloud: Cloud) -> None:
    """Who names it there means it."""
    _write(home, "credentials", "[default]\naws_access_key_id = ONE\naws_secret_access_key = secret\n")
    _write(home, "config", "[default]\nregion = eu-central-1\n")
    cloud.answers.append((200, TOLD))
    open_remote(parse_address(f"s3://films/x?endpoint={cloud.endpoint}&region=us-west-2")).size("manifest.json")
    assert "/us-west-2/s3/" in cloud.requests[-1][2]["authorization"]


def test_keys_in_the_environment_need_no_files(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever says so spares the import of what reads the files; the command line does."""
    assert not surroundings().has_keys
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "THREE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert "Credential=THREE/" in _asked(cloud)["authorization"]
    for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert "Credential=THREE/" in _asked(cloud, surroundings())["authorization"]
    assert "Credential=THREE/" in _asked(cloud)["authorization"]


def test_keys_that_expire_are_asked_for_anew(home: Path, cloud: Cloud) -> None:
    """A program gives keys for a few minutes: the next request has the next ones."""
    ends = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    program = home / "keys.py"
    program.write_text(
        "import json, os, sys\n"
        f"path = {str(home / 'count')!r}\n"
        "count = int(open(path).read()) + 1 if os.path.exists(path) else 1\n"
        "open(path, 'w').write(str(count))\n"
        f"keys = dict(Version=1, AccessKeyId='KEY%d' % count, SecretAccessKey='secret', Expiration={ends!r})\n"
        "print(json.dumps(keys))\n"
    )
    _write(home, "config", f"[default]\ncredential_process = {sys.executable} {program}\nregion = eu-north-1\n")
    from aura_vcs.storage.remotes.aws_credentials import sign_in

    told = sign_in("here")
    assert told["region"] == "eu-north-1"
    first, second = told["credential_provider"](), told["credential_provider"]()
    assert first["expires_at"] is not None
    assert first["access_key_id"] != second["access_key_id"]
    assert _asked(cloud)["authorization"].partition("Credential=KEY")[1]


@pytest.mark.parametrize(
    ("config", "environment", "says", "hint"),
    [
        ("", {}, "there are no keys", "AWS_ACCESS_KEY_ID"),
        ("", {"AWS_PROFILE": "nobody"}, "nobody", "profile"),
        ("[default\nbroken", {}, "config", "profile"),
        (
            "[default]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n"
            "[sso-session s]\nsso_start_url = https://example.com\nsso_region = eu-west-1\n",
            {},
            "no keys for it can be had",
            "aws sso login",
        ),
        ("[default]\ncredential_process = false\n", {}, "no keys for it can be had", "Sign in again"),
        ("[default]\ncredential_process = no-such-program\n", {}, "no keys for it can be had", "Sign in again"),
        ("[default]\ncredential_process = echo nothing\n", {}, "no keys for it can be had", "Sign in again"),
        ('[default]\ncredential_process = echo "open\n', {}, "no keys for it can be had", "Sign in again"),
    ],
    ids=["none", "unknown", "broken file", "no login", "it fails", "it is not there", "no JSON", "a quote"],
)
def test_without_keys_it_is_said_how_to_get_some(
    home: Path, monkeypatch: pytest.MonkeyPatch, config: str, environment: dict[str, str], says: str, hint: str
) -> None:
    """One line that names the trouble, and what to do."""
    _write(home, "config", config)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RemoteDenied) as caught:
        open_remote(parse_address("s3://films/solar"))
    assert says in caught.value.message
    assert "\n" not in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_role_that_is_refused(home: Path, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may be assumed is somebody else's matter; that it was refused is said."""
    _write(home, "credentials", "[me]\naws_access_key_id = ONE\naws_secret_access_key = secret\n")
    _write(
        home, "config", "[default]\nrole_arn = arn:aws:iam::1:role/cutter\nsource_profile = me\nregion = eu-west-3\n"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", cloud.endpoint)
    cloud.answers += [(403, {})] * 5
    with pytest.raises(RemoteDenied, match="no keys for it can be had"):
        open_remote(parse_address("s3://films/solar"))


def test_keys_never_show_up_in_errors(home: Path, cloud: Cloud) -> None:
    """A server that refuses is quoted without what was sent to it."""
    _write(home, "credentials", "[default]\naws_access_key_id = ONE\naws_secret_access_key = very-secret\n")
    cloud.answers.append((403, {}))
    remote = open_remote(parse_address(f"s3://films/solar?endpoint={cloud.endpoint}"))
    with pytest.raises(RemoteDenied) as caught:
        remote.load("manifest.json")
    assert "very-secret" not in json.dumps([caught.value.message, caught.value.hint, str(caught.value)])
