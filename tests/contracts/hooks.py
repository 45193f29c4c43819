"""What schemathesis cannot know from the document: who calls, how a request is signed, what a wallet is.

The environment says it: TWIST_CONTRACTS_SESSIONS names a file with access tokens of sessions that may be ended, one
in each line; TWIST_CONTRACTS_KEY_ID and TWIST_CONTRACTS_SECRET are the shared secret of the internal routes.
"""

import hashlib
import hmac
import itertools
import os
import time
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import strategies as st

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


# The pattern of an address admits texts that are not 32 bytes; this makes addresses only.
schemathesis.openapi.format("solana-address", st.binary(min_size=32, max_size=32).map(base58))


def sessions():
    with open(os.environ["TWIST_CONTRACTS_SESSIONS"], encoding="ascii") as file:
        return itertools.cycle(file.read().split())


SESSIONS = sessions()


def policy(ctx):
    return ctx.operation.definition.raw.get("x-twist-policy")


def signed_in(ctx):
    return policy(ctx) not in ("public", "service")


def signed(ctx):
    return policy(ctx) == "service"


# Operations end sessions: after a 401 the next session is taken.
@schemathesis.auth(refresh_interval=600, retry_on=[401]).apply_to(signed_in)
class Bearer:
    def get(self, case, ctx):
        return next(SESSIONS)

    def set(self, case, data, ctx):
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


class SharedSecret(requests.auth.AuthBase):
    """docs/reference/http-hmac.md, over the bytes that are sent."""

    def __call__(self, request):
        timestamp = str(int(time.time() * 1000))
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        path = urlsplit(request.url).path
        message = f"{request.method}\n{path}\n{timestamp}\n".encode() + body
        secret = os.environ["TWIST_CONTRACTS_SECRET"].encode()
        request.headers["X-Key-Id"] = os.environ["TWIST_CONTRACTS_KEY_ID"]
        request.headers["X-Timestamp"] = timestamp
        request.headers["X-HMAC-Signature"] = hmac.new(secret, message, hashlib.sha256).hexdigest()
        return request


schemathesis.auth.set_from_requests(SharedSecret()).apply_to(signed)
