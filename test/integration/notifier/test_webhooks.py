"""Webhooks are called through the guard, signed, and again where the receiver may take them later."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from hysds.adapters.notifier.webhooks import DELIVERY, SIGNATURE, TIMESTAMP, Webhooks
from hysds.core.errors import Refused, Unreachable
from hysds.lib.egress import Guard, Policy
from hysds.lib.transport_retry import Persistence
from hysds.ports.notifier import Hook
from services.web import WebServer, answer

DOCUMENT = {"job": "7f3", "status": "job-completed", "text": "ä"}
SECRET = b"0123456789abcdef"


def _webhooks(secret: bytes | None = None, policy: Policy | None = None) -> Webhooks:
    guard = Guard(Policy(allow=("127.0.0.1",)) if policy is None else policy)
    ids = iter(f"delivery-{number}" for number in range(9))
    return Webhooks(guard, secret, lambda: next(ids), lambda: 1700000000.9, Persistence(3, first_wait_s=0.0))


def _parts(request: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return {name: text for name, _, text in (line.partition(": ") for line in lines)}, body


def _statuses(*statuses: str) -> Callable[[bytes], list[bytes]]:
    left = iter(statuses)
    return lambda request: answer(next(left))


def test_the_document_arrives_as_json_and_signed() -> None:
    """Whoever knows the secret can prove that it is ours, and how old it is."""
    with WebServer(lambda request: answer("202 Accepted")) as server:
        _webhooks(SECRET).hook(Hook(f"http://127.0.0.1:{server.port}/in?key=1", DOCUMENT))

    [request] = server.requests
    headers, body = _parts(request)
    signed = hmac.new(SECRET, b"1700000000." + body, hashlib.sha256).hexdigest()
    assert request.startswith(b"POST /in?key=1 HTTP/1.1\r\n")
    assert json.loads(body) == DOCUMENT
    assert headers["Content-Type"] == "application/json"
    assert (headers[TIMESTAMP], headers[SIGNATURE]) == ("1700000000", f"sha256={signed}")


def test_without_a_secret_it_is_not_signed() -> None:
    """No signature is better than one that proves nothing."""
    with WebServer(lambda request: answer()) as server:
        _webhooks().hook(Hook(f"http://127.0.0.1:{server.port}/", DOCUMENT))

    assert SIGNATURE not in _parts(server.requests[0])[0]


@pytest.mark.parametrize("status", ["500 Oh", "503 Later", "429 Slowly", "408 Late"])
def test_a_receiver_that_fails_for_now_is_called_again_with_the_same_delivery(status: str) -> None:
    """So it can tell the repeat from another call."""
    with WebServer(_statuses(status, "200 OK")) as server:
        _webhooks().hook(Hook(f"http://127.0.0.1:{server.port}/", DOCUMENT))

    assert [_parts(request)[0][DELIVERY] for request in server.requests] == ["delivery-0"] * 2


def test_a_receiver_that_keeps_failing_is_unreachable() -> None:
    """After some tries."""
    with (
        WebServer(_statuses("500 Oh", "500 Oh", "500 Oh")) as server,
        pytest.raises(Unreachable, match="status 500"),
    ):
        _webhooks().hook(Hook(f"http://127.0.0.1:{server.port}/", DOCUMENT))

    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "why"),
    [("400 Bad", "does not take"), ("404 Gone", "does not take"), ("301 Moved", "has moved")],
)
def test_a_receiver_that_says_no_is_not_called_again(status: str, why: str) -> None:
    """The message names its origin; the rest of its URL may be a secret."""
    with (
        WebServer(lambda request: answer(status, Location="http://127.0.0.1/")) as server,
        pytest.raises(Refused, match=why) as caught,
    ):
        _webhooks().hook(Hook(f"http://127.0.0.1:{server.port}/token-in-path", DOCUMENT))

    assert len(server.requests) == 1
    assert "token-in-path" not in str(caught.value)


def test_a_url_that_the_guard_refuses_is_not_called() -> None:
    """This host is not the internet."""
    with (
        WebServer(lambda request: answer()) as server,
        pytest.raises(Refused, match=r"is not called: 127\.0\.0\.1 is no public address"),
    ):
        _webhooks(policy=Policy()).hook(Hook(f"http://127.0.0.1:{server.port}/", DOCUMENT))

    assert server.requests == []


@pytest.mark.parametrize("document", [{"x": float("nan")}, {"x": b""}, {"x": "y" * 1_000_001}])
def test_a_document_that_can_not_be_sent_is_refused(document: dict[str, Any]) -> None:
    """What JSON can't hold, and what is too large."""
    with pytest.raises(Refused, match="the document for the webhook"):
        _webhooks().hook(Hook("http://127.0.0.1/", document))
