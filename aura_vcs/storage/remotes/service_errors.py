"""What a bucket's service says when it refuses: its code, its own words, and what a person can do.

obstore gives one text: the request, the status, the body of the answer, and a dump. Of a body only
code and message are taken: other parts of it repeat what was signed.
"""

import json
import re
from datetime import UTC, datetime

import msgspec

from aura_vcs.errors.remotes import RemoteDenied, RemoteError, RemoteFull, RemoteUnreachable

MESSAGE_LIMIT = 300
_DUMP = "\n\nDebug source:"
_STATUS = re.compile(r"non-2xx status code: (\d{3})[^:\n]*: ?(.*)", re.DOTALL)
_ELEMENT = re.compile(r"<(Code|Message|RequestTime|ServerTime|Region)>([^<]{0,2000})</\1>")
_CAUSES = re.compile(
    r'InvalidCertificate\((\w+)|message: "([^"]{1,200})"|error: "([^"]{1,200})"|"(failed to lookup[^"]*)"'
)
_PASSING = frozenset({408, 425, 429})

_CLOCK = frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"})
_CHECK_KEYS = "Check the access key and the secret key that are in the environment or the usual files."
_HINTS = {
    "InvalidAccessKeyId": "That access key is not known there. " + _CHECK_KEYS,
    "SignatureDoesNotMatch": "The secret key does not belong to the access key. " + _CHECK_KEYS,
    "ExpiredToken": "Sign in again (`aws sso login`, …): temporary keys have ended.",
    "InvalidToken": "Sign in again (`aws sso login`, …): the temporary keys are not valid.",
    "TokenRefreshRequired": "Sign in again (`aws sso login`, …): temporary keys have ended.",
    "AuthenticationFailed": "Check the account's key, and this machine's clock.",
    "invalid_grant": "Sign in again (`gcloud auth application-default login`), and check this machine's clock.",
    "AuthorizationHeaderMalformed": "Name the bucket's region in the address: `?region=…`.",
    "PermanentRedirect": "Name the bucket's region in the address: `?region=…`.",
}
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound", "notFound"})
_FULL = frozenset({"XMinioStorageFull", "InsufficientStorage", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded"})


class ServiceAnswer(msgspec.Struct, frozen=True):
    """What a service answered; "" and 0 for what it did not say."""

    status: int = 0
    code: str = ""
    message: str = ""
    request_time: str = ""
    server_time: str = ""

    @property
    def is_no_bucket(self) -> bool:
        """Whether the bucket itself is not there, not only what was looked for in it."""
        return self.code in _NO_BUCKET

    @property
    def is_clock(self) -> bool:
        """Whether the two clocks are too far apart."""
        return self.code in _CLOCK


def read_answer(text: str) -> ServiceAnswer:
    """Take an error of obstore apart."""
    told, _, dump = text.partition(_DUMP)
    match = _STATUS.search(told)
    if match is None:
        return ServiceAnswer(message=_plain(_cause(told, dump)))
    status, body = int(match[1]), match[2].strip()
    found = dict(_ELEMENT.findall(body))
    if not found:
        found = _from_json(body)
    if not (found.get("Code") or found.get("Message")):
        first = "" if body.startswith("<") else body.partition("\n")[0]
        found["Message"] = first
    return ServiceAnswer(
        status=status,
        code=re.sub(r"[^A-Za-z0-9_.]", "", found.get("Code", ""))[:60],
        message=_plain(_unescaped(found.get("Message", "")).partition("\n")[0]),
        request_time=_plain(found.get("RequestTime", "")),
        server_time=_plain(found.get("ServerTime", "")),
    )


def remote_error(place: str, said: ServiceAnswer, *, server_time: str = "") -> RemoteError:
    """Make the error that says it; `server_time` where the service did not tell it with its words."""
    words = ": ".join(part for part in (said.code, said.message) if part)
    words = words or (f"it answers {said.status}" if said.status else "no answer")
    if said.is_clock:
        return RemoteDenied(
            place, f"{words} ({_clocks(said, server_time)})", hint="Set this machine's clock, then run it again."
        )
    if said.status == 507 or said.code in _FULL:
        return RemoteFull(place, f"the place is full ({words})")
    if said.is_no_bucket:
        return no_bucket(place, words)
    if said.code in _HINTS or said.status in {401, 403}:
        return RemoteDenied(place, words, hint=_HINTS.get(said.code))
    if 400 <= said.status < 500 and said.status not in _PASSING:
        return RemoteError(place, words, hint="`aura remote show` prints the address that is used.")
    return RemoteUnreachable(place, words)


def no_bucket(place: str, words: str = "") -> RemoteError:
    """Make the error for a bucket that is not there."""
    return RemoteError(
        place,
        f"there is no such bucket{f' ({words})' if words else ''}",
        hint="Make it with your provider's own tools first.",
    )


def _clocks(said: ServiceAnswer, server_time: str) -> str:
    ours = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    theirs = _readable(said.server_time or server_time)
    return f"the clock here says {ours}" + (f", the service's {theirs}" if theirs else "")


def _readable(time: str) -> str:
    for form in ("%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%a, %d %b %Y %H:%M:%S GMT"):
        try:
            return datetime.strptime(time, form).strftime("%Y-%m-%d %H:%M:%S UTC")
        except ValueError:
            continue
    return time


def _from_json(body: str) -> dict[str, str]:
    """Read the code and message of Google's errors, and of its and others' sign-in."""
    try:
        found = json.loads(body[:100_000]) if body.startswith("{") else {}
    except (ValueError, RecursionError):
        return {}
    error = found.get("error", found)
    if isinstance(error, str):
        return {"Code": error, "Message": str(found.get("error_description", ""))}
    if not isinstance(error, dict):
        return {}
    return {"Code": str(error.get("status", "")), "Message": str(error.get("message", ""))}


def _cause(told: str, dump: str) -> str:
    """Find the reason why there was no answer: the innermost that the dump has, behind the first line."""
    first = told.strip().partition("\n")[0]
    causes = ["".join(groups) for groups in _CAUSES.findall(dump)]
    if causes and "error sending request" in first:
        return f"no connection: {causes[-1]}"
    return first


def _unescaped(text: str) -> str:
    from html import unescape

    return unescape(text)


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text.strip())[:MESSAGE_LIMIT]
