"""How to reach a running Elasticsearch: a value that other processes may be given, with plain requests."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class ElasticNode:
    """Where a server answers. `username` "" is a server without users; `authority` None one without TLS."""

    url: str
    username: str = ""
    password: str = ""
    authority: Path | None = None

    def request(self, method: str, path: str, body: object = None) -> Any:
        """What the server answers to `path` ("/_bulk" takes lines as bytes); None for an empty answer.

        Raises:
            OSError: it can't be reached; HTTPError, one of them, where it refuses.
        """
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/x-ndjson" if isinstance(body, bytes) else "application/json"}
        if self.username:
            pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        context = None if self.authority is None else ssl.create_default_context(cafile=self.authority)
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=context) as answer:
            told = answer.read()
        return json.loads(told) if told else None

    def search(self, index: str, body: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """The `_source` of what is found now: the index is refreshed first."""
        self.request("POST", f"/{index}/_refresh")
        found = self.request("POST", f"/{index}/_search", body or {"size": 10000})
        return [hit["_source"] for hit in found["hits"]["hits"]]

    def wipe(self, prefix: str) -> None:
        """Delete indices and templates whose names begin so."""
        self.request("DELETE", f"/{prefix}*?expand_wildcards=all&ignore_unavailable=true")
        # An index template first: none may name a component that is gone.
        for kind in ("index_template", "component_template"):
            for entry in self.request("GET", f"/_{kind}")[f"{kind}s"]:
                if entry["name"].startswith(prefix):
                    self.request("DELETE", f"/_{kind}/{entry['name']}")

    @contextlib.contextmanager
    def own_prefix(self) -> Iterator[str]:
        """Index names that begin with this are nobody else's; they are deleted at the end, templates too."""
        prefix = f"t{uuid.uuid4().hex[:12]}-"
        try:
            yield prefix
        finally:
            self.wipe(prefix)
