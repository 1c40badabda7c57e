"""How indices come to be and go: templates first, an index a generation, aliases over them.

The template of a resource holds all that its indices have in common, so that one which somebody else makes by its name
is right too. All is done by names that say the same to every process: whoever comes second finds it done.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from elasticsearch import ApiError

from hysds.adapters.store.elasticsearch import mapping, server
from hysds.adapters.store.elasticsearch.names import JOBS, Names
from hysds.adapters.store.elasticsearch.server import Server
from hysds.core.errors import Refused, Unreachable
from hysds.core.generations import FIRST
from hysds.core.searched import Term
from hysds.core.status import Status
from hysds.ports.indices import ROLLED, Index, Resource

_PRIORITY = 500
_ENDED = sorted(status.value for status in Status if status.is_terminal)
_IF_ANY = {"ignore_unavailable": "true", "allow_no_indices": "true"}


class ElasticIndices:
    """The indices of one system in one cluster."""

    def __init__(self, server: Server, names: Names) -> None:
        self._server = server
        self._names = names

    def init(self, oldest: int, current: int) -> tuple[str, ...]:
        templates = self._templates()
        made = [name for resource in Resource if (name := self._template(resource, templates))]
        there, aliases = self._versions(), self._standing(self._names.patterns(*Resource))
        for resource in Resource:
            for generation in range(oldest, current + 1) if resource in ROLLED else (FIRST,):
                name = self._names.index(resource, generation)
                lacks = self._all_aliases(resource, generation).keys() - aliases.get(name, ())
                if self._mended(name, resource, generation, there.get(name), lacks):
                    made.append(name)
        return tuple(made)

    def all(self) -> tuple[Index, ...]:
        which = self._names.patterns(*Resource)
        born = self._ask(
            "GET", f"/{which}/_settings/index.creation_date", params={**_IF_ANY, "flat_settings": "true"}
        )
        sizes = self._ask(
            "GET", f"/{which}/_stats/store", params={**_IF_ANY, "filter_path": "indices.*.primaries.store"}
        ).get("indices", {})
        aliases, counts = self._standing(which), self._counts()
        asked_ms, found = self._server.now_ms(), []
        for name, told in born.items():
            of = self._names.of_index(name)
            if of is None or not self._names.is_ours(name, aliases.get(name, ())):
                continue
            documents, live = counts.get(name, (0, 0))
            size = sizes.get(name, {}).get("primaries", {}).get("store", {}).get("size_in_bytes", 0)
            born_ms = int(told["settings"]["index.creation_date"])
            found.append(Index(*of, documents, size, born_ms, live if of[0] in JOBS else 0, asked_ms))
        order = list(Resource)
        return tuple(sorted(found, key=lambda index: (order.index(index.resource), index.generation)))

    def drop(self, resource: Resource, generation: int) -> bool:
        if resource not in ROLLED:
            raise Refused(
                f"the index of {resource.value} does not roll over, so no generation of it is dropped"
            )
        try:
            self._ask("DELETE", f"/{self._names.index(resource, generation)}")
        except ApiError as error:
            if error.meta.status != 404:
                raise
            return False
        return True

    def close(self) -> None:
        """Let go of the connections."""
        self._server.close()

    def _templates(self) -> dict[str, int]:
        """The versions of those that there are."""
        parts = ("name", "index_template.version")
        said = self._ask(
            "GET",
            "/_index_template",
            params={"filter_path": ",".join(f"index_templates.{part}" for part in parts)},
        )
        return {
            one["name"]: one["index_template"].get("version", 0) for one in said.get("index_templates", ())
        }

    def _template(self, resource: Resource, there: Mapping[str, int]) -> str:
        """The name of the template, if it was made or changed."""
        name = self._names.template(resource)
        if there.get(name, 0) >= mapping.VERSION:
            return ""
        template = {
            "index_patterns": [self._names.pattern(resource)],
            "priority": _PRIORITY,
            "version": mapping.VERSION,
            "_meta": {"made_by": mapping.MAKER},
            "template": {
                "settings": mapping.settings(),
                "mappings": mapping.mapping(resource),
                "aliases": self._aliases(resource),
            },
        }
        self._ask("PUT", f"/_index_template/{name}", template)
        return name

    def _standing(self, which: str) -> dict[str, Collection[str]]:
        """The aliases of each index."""
        said = self._ask("GET", f"/{which}/_alias", params={**_IF_ANY, "filter_path": "*.aliases"})
        return {name: told["aliases"] for name, told in said.items()}

    def _aliases(self, resource: Resource) -> dict[str, Any]:
        """By which its documents are read. A fence is in the place of a deleted document, and read by nobody."""
        if resource not in JOBS:
            return {self._names.reading(resource): {}}
        seen = {"bool": {"must_not": [{"exists": {"field": "searched.fence"}}]}}
        aliases: dict[str, Any] = {self._names.reading(resource): {"filter": seen}}
        if resource is Resource.JOB:
            aliases[self._names.failed] = {"filter": {"term": {"status": Status.FAILED.value}}}
        return aliases

    def _all_aliases(self, resource: Resource, generation: int) -> dict[str, Any]:
        return {self._names.writing(resource, generation): {}, **self._aliases(resource)}

    def _versions(self) -> dict[str, int]:
        """Our indices, with the version of their mappings."""
        said = self._ask(
            "GET",
            f"/{self._names.patterns(*Resource)}/_mapping",
            params={**_IF_ANY, "filter_path": "*.mappings._meta"},
        )
        told = ((name, one["mappings"]["_meta"]) for name, one in said.items())
        return {name: meta.get("version", 0) for name, meta in told if meta.get("made_by") == mapping.MAKER}

    def _mended(
        self, name: str, resource: Resource, generation: int, version: int | None, lacks: Collection[str]
    ) -> bool:
        """Whether an index was made, learnt new fields, or got aliases that it lacked: what is put back from a
        snapshot may have none, and is neither written nor found then. `version`: None, it is not there."""
        if version is None:
            return self._made(name, resource, generation)
        try:
            self._mend(name, resource, generation, version, lacks)
        except ApiError as error:
            if error.meta.status != 404:
                raise
            return False  # dropped meanwhile
        return version < mapping.VERSION or bool(lacks)

    def _mend(
        self, name: str, resource: Resource, generation: int, version: int, lacks: Collection[str]
    ) -> None:
        if version < mapping.VERSION:
            self._ask("PUT", f"/{name}/_mapping", mapping.mapping(resource))
        wanted = self._all_aliases(resource, generation)
        if lacks:
            actions = [{"add": {"index": name, "alias": alias, **wanted[alias]}} for alias in sorted(lacks)]
            self._ask("POST", "/_aliases", {"actions": actions})

    def _made(self, name: str, resource: Resource, generation: int) -> bool:
        # The mappings again: whatever template of the operator's comes before ours, these are what is asked by.
        body = {
            "mappings": mapping.mapping(resource),
            "aliases": self._all_aliases(resource, generation),
        }
        try:
            self._ask("PUT", f"/{name}", body)
        except ApiError as error:
            if server.kind(error) != "resource_already_exists_exception":
                raise
            self._check_ours(name)
            return False
        return True

    def _check_ours(self, name: str) -> None:
        """Another process was faster; or somebody made an index of that name, in which every document would be odd."""
        told = self._ask("GET", f"/{name}/_mapping", params={"filter_path": "*.mappings._meta.made_by"})
        if not told:
            raise Unreachable(
                "store",
                f"{self._server.access.where} has an index {name} that HySDS did not make: delete it, or take "
                "another store.index_prefix",
            )

    def _counts(self) -> dict[str, tuple[int, int]]:
        """Documents, and those that have not ended, by index."""
        live = {"bool": {"must_not": [{"terms": {f"searched.{Term.STATUS}": _ENDED}}]}}
        body = {
            "size": 0,
            "track_total_hits": False,
            "aggs": {
                "index": {"terms": {"field": "_index", "size": 10_000}, "aggs": {"live": {"filter": live}}}
            },
        }
        said = self._ask(
            "POST",
            f"/{self._names.readings(*Resource)}/_search",
            body,
            {**_IF_ANY, "allow_partial_search_results": "false"},
        )
        buckets = said.get("aggregations", {}).get("index", {}).get("buckets", ())
        return {one["key"]: (one["doc_count"], one["live"]["doc_count"]) for one in buckets}

    def _ask(self, method: str, path: str, body: object = None, params: dict[str, str] | None = None) -> Any:
        """What the server refuses here is nothing that a caller could have asked otherwise."""
        try:
            return self._server.ask(method, path, body, params)
        except ApiError as error:
            if error.meta.status == 404 or server.kind(error) == "resource_already_exists_exception":
                raise
            raise Unreachable("store", f"{method} {path}: {server.reason(error)}") from error
