"""Who we are to S3 where the environment gives no keys: what AWS's own tools were told, by botocore.

That is `~/.aws/credentials` and `~/.aws/config` with their profiles, logins by SSO, roles that are
assumed, programs that give keys, and what a machine in the cloud is given.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from aura_vcs.errors.remotes import RemoteDenied

RENEWED_SECONDS = 600
"""So often keys that expire are asked for anew; botocore renews them a quarter of an hour before their end."""
_HOW = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`."
_AGAIN = "Sign in again (`aws sso login`, …), or look at the profile in ~/.aws/config."


def sign_in(place: str) -> dict[str, Any]:
    """Return the options for obstore's S3Store: where keys come from, and the region of the profile, if it has one.

    Nothing, where botocore is not installed. In a cloud this may ask the machine's own service.

    Raises:
        RemoteDenied: there are no keys, they cannot be had any more, or the profile is broken.
    """
    try:
        import botocore.session  # type: ignore[import-untyped]  # slow to import
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
        from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]
    except ImportError:
        return {}
    try:
        session = botocore.session.Session()
        credentials = session.get_credentials()
        if credentials is None:
            raise RemoteDenied(place, "there are no keys for it", hint=_HOW)
        credentials.get_frozen_credentials()  # now, while somebody can be told what to do
        region = session.get_config_variable("region")
    except (BotoCoreError, ClientError, ResponseParserError, OSError, ValueError) as error:  # also of programs
        said = str(error).partition("\n")[0]
        raise RemoteDenied(place, f"no keys for it can be had: {said}", hint=_AGAIN) from error
    return {"credential_provider": _Keys(credentials)} | ({"region": region} if region else {})


class _Keys:
    """Gives obstore keys whenever it asks."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials
        self.has_token = bool(credentials.get_frozen_credentials().token)

    def __call__(self) -> dict[str, Any]:
        """Return the keys of now."""
        keys = self._credentials.get_frozen_credentials()
        expires = hasattr(self._credentials, "refresh_needed")
        return {
            "access_key_id": keys.access_key,
            "secret_access_key": keys.secret_key,
            "token": keys.token,
            "expires_at": datetime.now(UTC) + timedelta(seconds=RENEWED_SECONDS) if expires else None,
        }
