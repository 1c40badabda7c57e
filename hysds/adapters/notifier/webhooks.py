"""Calls of webhooks: a JSON document posted to a URL that a user named, through the guard on such calls.

Each call names its delivery, so that a receiver can tell a repeat, and is signed where a secret is set:
`X-HySDS-Signature: sha256=HEX` is the HMAC of `TIMESTAMP.BODY`, with `X-HySDS-Timestamp: TIMESTAMP`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable

from hysds.core.errors import Refused, Unreachable
from hysds.lib import egress
from hysds.lib.transport_retry import Persistence, insist
from hysds.ports.notifier import Hook

DELIVERY, TIMESTAMP, SIGNATURE = "X-HySDS-Delivery", "X-HySDS-Timestamp", "X-HySDS-Signature"
_MOST_BYTES = 1_000_000
_PERSISTENCE = Persistence()
_FOR_NOW = frozenset({408, 425, 429})
"""Refusals that speak of the moment and not of the call; all of 500 and above do too."""


class _NotNow(Exception):
    """The receiver did not take the call, and may take it later."""


class Webhooks:
    """Posts documents. `secret`: None leaves calls unsigned; `new_id` and `now_s` (since 1970) are of each call."""

    def __init__(
        self,
        guard: egress.Guard,
        secret: bytes | None,
        new_id: Callable[[], str],
        now_s: Callable[[], float],
        persistence: Persistence = _PERSISTENCE,
    ) -> None:
        self._guard = guard
        self._secret = secret
        self._new_id = new_id
        self._now_s = now_s
        self._persistence = persistence

    def hook(self, hook: Hook) -> None:
        """See `ports.notifier`."""
        request = self._request(hook)
        where = egress.origin(hook.url)
        try:
            insist(lambda: self._posted(request, where), (_NotNow,), self._persistence)
        except _NotNow as failure:
            raise Unreachable("webhook", str(failure)) from failure

    def _posted(self, request: egress.Request, where: str) -> None:
        try:
            status = self._guard.call(request).status
        except egress.Forbidden as refusal:
            raise Refused(f"the webhook is not called: {refusal}") from refusal
        except egress.Failed as failure:
            raise _NotNow(str(failure)) from failure
        if 200 <= status < 300:
            return
        if status >= 500 or status in _FOR_NOW:
            raise _NotNow(f"{where} answered with status {status}")
        if 300 <= status < 400:
            raise Refused(f"the webhook at {where} has moved (status {status}): name its new URL")
        raise Refused(f"the webhook at {where} does not take the call (status {status})")

    def _request(self, hook: Hook) -> egress.Request:
        try:
            body = json.dumps(hook.document, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError) as error:
            raise Refused(f"the document for the webhook holds what JSON can't: {error}") from error
        if len(body) > _MOST_BYTES:
            raise Refused(
                f"the document for the webhook has {len(body):,} bytes; at most {_MOST_BYTES:,} are sent"
            )
        timestamp = str(int(self._now_s()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "hysds",
            DELIVERY: self._new_id(),
            TIMESTAMP: timestamp,
        }
        if self._secret is not None:
            signed = hmac.new(self._secret, f"{timestamp}.".encode() + body, hashlib.sha256)
            headers[SIGNATURE] = f"sha256={signed.hexdigest()}"
        return egress.Request(hook.url, "POST", headers, body, reads_body=False)
