"""What may be wrong with a cluster as the store of one system. A look makes no index and writes no document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from hysds.adapters.store.elasticsearch import mapping
from hysds.adapters.store.elasticsearch.indices import ElasticIndices
from hysds.adapters.store.elasticsearch.names import Names
from hysds.adapters.store.elasticsearch.server import Server
from hysds.adapters.store.elasticsearch.store import ElasticStore
from hysds.lib import units
from hysds.ports import findings
from hysds.ports.findings import Finding
from hysds.ports.indices import Index, Resource

_LETTERS = 1_000
_LITTLE_DISK = 0.10
"""The share of a disk below which the server soon moves or refuses indices: its own bounds are 15, 10 and 5 %."""
_IF_ANY = {"ignore_unavailable": "true", "allow_no_indices": "true"}


def check(server: Server, names: Names) -> Iterator[Finding]:
    """All that was found; the server's connections are ended.

    Raises: Unreachable
    """
    with closing(server):
        yield from _found(server, names)


def _found(server: Server, names: Names) -> Iterator[Finding]:
    where = server.access.where
    version = server.version()
    yield findings.ok(
        "store.version", f"Elasticsearch {version or 'of a version that we may not know'}", where
    )
    if not server.access.is_tls and not _is_here(server):
        mend = "use https://, and let the cluster ask who comes"
        yield findings.warning("store.open", "documents travel readably, and anyone may ask", where, mend)
    yield from _disks(server)
    shards = list(_shards(server, names))
    yield from shards
    if any(one.severity is findings.Severity.ERROR for one in shards):
        return  # no question is answered
    found = ElasticIndices(server, names).all()
    if not any(index.resource is Resource.JOB for index in found):
        yield findings.note("store.new", "no document was written yet: the indexer makes the indices", where)
        return
    yield _size(found, where)
    yield from _closed(server, names)
    yield from _blocks(server, names)
    yield from _mappings(server, names)
    yield from _hidden(server, names)
    yield from _strangers(server, names)
    yield from _letters(server, names)


def _is_here(server: Server) -> bool:
    return all(host in ("localhost", "::1") or host.startswith("127.") for host, _ in server.access.hosts)


def _size(found: tuple[Index, ...], where: str) -> Finding:
    documents, size = sum(index.documents for index in found), sum(index.size_bytes for index in found)
    generations = {index.generation for index in found if index.resource is Resource.JOB}
    shown = units.counted(len(generations), "generation")
    text = f"{units.counted(documents, 'document')}, {units.format_size(size)}, {shown} of jobs"
    return findings.ok("store.size", text, where)


def _disks(server: Server) -> Iterator[Finding]:
    part = "nodes.*.name,nodes.*.fs.total"
    for node in server.ask("GET", "/_nodes/stats/fs", params={"filter_path": part}).get("nodes", {}).values():
        total = node.get("fs", {}).get("total", {})
        size, free = total.get("total_in_bytes", 0), total.get("available_in_bytes", 0)
        if size and free / size < _LITTLE_DISK:
            yield findings.warning(
                "store.disk",
                f"{units.format_size(free)} of {units.format_size(size)} are free: with too little the server moves "
                "indices away, and at last takes no writes",
                node.get("name", ""),
                "free space there, or shorten store.retention",
            )


def _shards(server: Server, names: Names) -> Iterator[Finding]:
    which = names.patterns(*Resource)
    health = server.ask("GET", f"/_cluster/health/{which}", params={"expand_wildcards": "open"})
    if health["status"] == "red":
        yield findings.error(
            "store.red",
            f"indices are not whole: {health['unassigned_shards']} shards have no place",
            server.access.where,
            "see the cluster's allocation (GET /_cluster/allocation/explain)",
        )
    elif health["status"] == "yellow":
        text = f"{health['unassigned_shards']} copies of indices have no place: the loss of a node loses documents"
        yield findings.note("store.yellow", text, server.access.where)


def _closed(server: Server, names: Names) -> Iterator[Finding]:
    said = server.ask(
        "GET",
        f"/{names.patterns(*Resource)}/_settings/index.verified_before_close",
        params={**_IF_ANY, "expand_wildcards": "closed"},
    )
    for name in sorted(filter(names.of_index, said)):
        text = (
            "is closed: its documents are found by nobody, and what is to be written there holds up the rest"
        )
        yield findings.error("store.closed", text, name, f"open it: POST /{name}/_open")


def _blocks(server: Server, names: Names) -> Iterator[Finding]:
    said = server.ask(
        "GET",
        f"/{names.patterns(*Resource)}/_settings/index.blocks.*",
        params={**_IF_ANY, "flat_settings": "true"},
    )
    for name, told in sorted(said.items()):
        on = [block for block, is_on in told["settings"].items() if is_on == "true"]
        if names.of_index(name) and on:
            yield findings.error(
                "store.blocked",
                f"takes no writes ({', '.join(on)}): its disk ran full, or someone said so",
                name,
                "free disk space: the server then takes its own block away; or set it to null",
            )


def _mappings(server: Server, names: Names) -> Iterator[Finding]:
    said = server.ask(
        "GET",
        f"/{names.patterns(*Resource)}/_mapping",
        params={**_IF_ANY, "filter_path": "*.mappings._meta,*.mappings.dynamic"},
    )
    for name, told in sorted(said.items()):
        version = told["mappings"].get("_meta", {}).get("version", 0)
        if names.of_index(name) and version < mapping.VERSION:
            mend = "run `hysds index init`"
            yield findings.warning("store.mapping", f"has the fields of version {version}", name, mend)


def _hidden(server: Server, names: Names) -> Iterator[Finding]:
    """Indices of ours behind no alias of readers: what is in them is found by nobody."""
    which = names.patterns(*Resource)
    said = server.ask("GET", f"/{which}/_alias", params={**_IF_ANY, "filter_path": "*.aliases"})
    for name, told in sorted(said.items()):
        of = names.of_index(name)
        if of and names.is_ours(name, told["aliases"]) and names.reading(of[0]) not in told["aliases"]:
            text = f"lacks the alias {names.reading(of[0])}: no search finds what is in it"
            yield findings.error("store.hidden", text, name, "run `hysds index init`")


def _strangers(server: Server, names: Names) -> Iterator[Finding]:
    """Indices of somebody else behind our aliases: their documents have no values that we ask by."""
    which = ",".join(f"{names.reading(resource)}" for resource in Resource)
    said: dict[str, Any] = server.ask(
        "GET", f"/{which}/_alias", params={**_IF_ANY, "filter_path": "*.aliases"}
    )
    strange = sorted(name for name, told in said.items() if not names.is_ours(name, told["aliases"]))
    if strange:
        yield findings.error(
            "store.strangers",
            f"our aliases stand for indices that are not ours: {', '.join(strange[:5])}; no question is answered",
            server.access.where,
            "take the aliases off them, or give this system a store.index_prefix",
        )


def _letters(server: Server, names: Names) -> Iterator[Finding]:
    letters = ElasticStore(server, names).dead_letters(_LETTERS)
    if letters:
        count = f"{_LETTERS} or more" if len(letters) == _LETTERS else str(len(letters))
        yield findings.warning(
            "store.dead_letters",
            f"{count} jobs have no document of their last revision; the newest: {letters[0].reason:.200}",
            server.access.where,
            "see the reasons in the indexer's log; the jobs themselves are not lost",
        )
