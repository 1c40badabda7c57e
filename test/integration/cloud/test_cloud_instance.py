"""The metadata of a cloud's instance, from real servers that answer rightly, oddly, slowly or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable

import pytest

from hysds.lib import cloud_instance
from hysds.lib.cloud_instance import CloudInstance
from services.web import WebServer, answer

_DOCUMENT = {
    "instanceId": "i-0abc",
    "instanceType": "p4d.24xlarge",
    "region": "us-west-2",
    "pendingTime": "x",
}


def _say(request: bytes) -> Iterable[bytes]:
    head = request.partition(b"\r\n")[0]
    if head.startswith(b"PUT /latest/api/token "):
        assert b"x-aws-ec2-metadata-token-ttl-seconds: 60" in request.lower()
        return answer(body=b"t0ken")
    if b"x-aws-ec2-metadata-token: t0ken" not in request.lower():
        return answer("401 Unauthorized")
    if b"/instance-identity/document " in head:
        return answer(body=json.dumps(_DOCUMENT).encode())
    return answer(body=b"spot\n")


def test_an_instance_knows_what_it_is_and_is_asked_once() -> None:
    """By the protocol with a token; asked again, what is known is told."""
    with WebServer(_say) as server:
        instance = CloudInstance(f"http://127.0.0.1:{server.port}")
        facts = instance.wait(60)

        assert facts == {
            "instance_id": "i-0abc",
            "instance_type": "p4d.24xlarge",
            "region": "us-west-2",
            "life_cycle": "spot",
        }
        assert instance.wait(60) == instance.facts() == facts
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"7", b"no json", b"{}", b'{"instanceId": 7}', b"x" * 100_000, b"\xff"]
)
def test_an_answer_that_is_no_instances_tells_nothing(document: bytes) -> None:
    """Whoever else may listen at that address; nothing but text that we know by name is taken over."""

    def say(request: bytes) -> Iterable[bytes]:
        return (
            answer(body=b"x") if b"document" not in request.partition(b"\r\n")[0] else answer(body=document)
        )

    with WebServer(say) as server:
        assert set(cloud_instance.asked(f"http://127.0.0.1:{server.port}", 30)) <= {"life_cycle"}


def test_who_does_not_answer_in_time_is_not_waited_for() -> None:
    """A host that takes connections and says nothing; the asking ends by itself."""
    silent = threading.Event()

    def say(request: bytes) -> Iterable[bytes]:
        silent.wait(60)
        return ()

    with WebServer(say) as server:
        assert cloud_instance.asked(f"http://127.0.0.1:{server.port}", 0.2) == {}
        silent.set()


def test_nobody_is_asked_where_no_url_is_named() -> None:
    """And nothing listens: no facts, and no error."""
    assert CloudInstance(None).wait(60) == {}
    assert CloudInstance("http://127.0.0.1:1").wait(60) == {}
