"""What a cloud says of the machine that this process runs on: its instance's metadata, by the second version of the
protocol, with a token (Amazon's IMDSv2; others answer alike).

It is asked once a process, on a thread of its own, for a second at most. On a machine that is no instance nobody
answers, and nothing is known.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from hysds.lib import egress

URL = "http://169.254.169.254"
"""Where instances find their own metadata: a link-local address, which leads to no other machine."""

WITHIN_S = 1.0
_TOKEN, _TOKEN_TTL_S = "/latest/api/token", 60
_DOCUMENT, _LIFE_CYCLE = "/latest/dynamic/instance-identity/document", "/latest/meta-data/instance-life-cycle"
_NAMES = {
    "instanceId": "instance_id",
    "instanceType": "instance_type",
    "region": "region",
    "availabilityZone": "availability_zone",
    "imageId": "image_id",
    "accountId": "account_id",
}
_MOST = 200


class CloudInstance:
    """Any thread may ask. `url`: where the metadata is; None: nobody is asked."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._facts: Mapping[str, str] = {}

    def facts(self) -> Mapping[str, str]:
        """What is known by now; the first call has the metadata asked for. Never waits."""
        if self._url is not None and self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._ask, name="cloud-instance", daemon=True)
                    self._thread.start()
        return self._facts

    def wait(self, timeout_s: float) -> Mapping[str, str]:
        """The same, but the answer is waited for."""
        self.facts()
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._facts

    def _ask(self) -> None:
        assert self._url is not None
        self._facts = asked(self._url)


def asked(url: str, within_s: float = WITHIN_S) -> dict[str, str]:
    """The instance's facts; none where nobody answers in time, or nothing that could be them."""
    until_s = time.monotonic() + within_s
    lasts = {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_TTL_S)}
    try:
        token = _answer(url, _TOKEN, until_s, "PUT", lasts)
        shown = {"X-aws-ec2-metadata-token": token}
        told = json.loads(_answer(url, _DOCUMENT, until_s, "GET", shown))
        life_cycle = _answer(url, _LIFE_CYCLE, until_s, "GET", shown)
    except (egress.Failed, egress.Forbidden, ValueError):
        return {}
    if not isinstance(told, dict):
        return {}
    facts = {ours: told.get(theirs) for theirs, ours in _NAMES.items()} | {"life_cycle": life_cycle}
    return {name: text[:_MOST] for name, text in facts.items() if isinstance(text, str) and text}


def _answer(url: str, path: str, until_s: float, method: str, headers: Mapping[str, str]) -> str:
    """Raises: egress.Failed, egress.Forbidden; ValueError for an answer that is none."""
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise ValueError("no time is left")
    host = urlsplit(url).hostname or ""
    policy = egress.Policy(schemes=("http",), allow=(host,), timeout_s=left_s, answer_bytes=65_536, hops=0)
    answer = egress.Guard(policy).call(egress.Request(url + path, method, headers))
    if answer.status != 200:
        raise ValueError(f"status {answer.status}")
    return answer.body.decode().strip()
