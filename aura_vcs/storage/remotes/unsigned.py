"""Requests to a bucket's service without keys: where it would send us on to, and what time it is there.

The program that talks to buckets follows redirects, and takes along the token of temporary keys for
S3, and as the place that it comes from (`Referer`) an address with Azure's shared access signature.
So one request without keys goes first, where there may be such a thing and the service is not
Amazon's or Microsoft's own.
"""

import http.client
import urllib.error
import urllib.request
from urllib.parse import urljoin, urlsplit

from aura_vcs.errors.remotes import RemoteDenied

WAIT_SECONDS = 20


class _Nowhere(urllib.request.HTTPRedirectHandler):
    """Follow nothing."""

    def redirect_request(self, *_: object) -> None:
        """Make the answer an error, which says where it would have gone."""


def check_stays(url: str, place: str) -> None:
    """Refuse a service that sends `url` on to another scheme, host or port.

    Any other answer, and none, is for the request that follows to report.

    Raises:
        RemoteDenied.
    """
    request = urllib.request.Request(url, method="GET")  # noqa: S310 (http and https only)
    try:
        urllib.request.build_opener(_Nowhere).open(request, timeout=WAIT_SECONDS).close()
    except urllib.error.HTTPError as error:
        target = error.headers.get("Location", "")
        error.close()
        if error.code // 100 == 3 and target and urlsplit(urljoin(url, target))[:2] != urlsplit(url)[:2]:
            host = urlsplit(urljoin(url, target))
            raise RemoteDenied(
                place,
                f"the service there sends requests on to {host.scheme}://{host.hostname}, which gets no keys of yours",
                hint="If that is the right one, name it as the endpoint yourself.",
            ) from None
    except (OSError, http.client.HTTPException, ValueError):
        return


def time_there(url: str) -> str:
    """Return what time the service at `url` says it is (as in RFC 9110), "" if it does not."""
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 (http and https only)
    try:
        with urllib.request.build_opener(_Nowhere).open(request, timeout=WAIT_SECONDS) as answer:
            return str(answer.headers.get("Date", ""))
    except urllib.error.HTTPError as error:
        error.close()
        return str(error.headers.get("Date", ""))
    except (OSError, http.client.HTTPException, ValueError):
        return ""
