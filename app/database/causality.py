"""Read your own writes: the position of a client's last write, signed, travels with the client."""

from itsdangerous import BadSignature, URLSafeTimedSerializer

MAX_AGE_SECONDS = 60
COOKIE = "causality"
HEADER = "X-Causality-Token"


class CausalityTokens:
    """Signs GTID sets, so that a client cannot make a reader wait for a made-up one."""

    def __init__(self, secret_key: str) -> None:
        self._serializer = URLSafeTimedSerializer(secret_key, salt="causality")

    def issue(self, position: str) -> str:
        """Return the token of a position."""
        return self._serializer.dumps(position)

    def read(self, token: str | None) -> str | None:
        """Return the position of a token; None if it is absent, forged or older than a minute."""
        if not token:
            return None
        try:
            return str(self._serializer.loads(token, max_age=MAX_AGE_SECONDS))
        except BadSignature:
            return None


def cookie(token: str) -> str:
    """Return the Set-Cookie header by which browsers bring the token back."""
    return f"{COOKIE}={token}; Path=/; Max-Age={MAX_AGE_SECONDS}; HttpOnly; SameSite=Lax"
