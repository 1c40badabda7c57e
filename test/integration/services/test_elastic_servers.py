"""The Elasticsearch that other tests rely on is real, is shared, and is gone when its owner is."""

from __future__ import annotations

from urllib.error import HTTPError, URLError

import pytest

from services.elastic_node import ElasticNode
from services.elasticsearch import STRANGER


def test_what_is_written_is_found_under_a_prefix_of_ones_own(elastic_server: ElasticNode) -> None:
    """The shared server is the real one: it keeps the newer of two versions, and wipes a prefix alone."""
    with elastic_server.own_prefix() as other, elastic_server.own_prefix() as prefix:
        for name in (prefix, other):
            elastic_server.request("PUT", f"/{name}jobs/_doc/1?version=7&version_type=external", {"at": 7})
        with pytest.raises(HTTPError) as refused:
            elastic_server.request("PUT", f"/{prefix}jobs/_doc/1?version=6&version_type=external", {"at": 6})
        refused.value.close()

        assert refused.value.code == 409
        assert elastic_server.search(f"{prefix}jobs") == [{"at": 7}]

        elastic_server.wipe(prefix)
        assert elastic_server.search(f"{prefix}*") == []
        assert elastic_server.search(f"{other}jobs") == [{"at": 7}]


def test_the_server_with_users_lets_in_whom_it_knows(tls_elastic_server: ElasticNode) -> None:
    """Its user works; a wrong password is 401, a user without rights 403, and without the authority there is no TLS."""
    node = tls_elastic_server
    assert node.request("GET", "/_cluster/health")["number_of_nodes"] == 1

    for name, password, code in ((node.username, "wrong", 401), (STRANGER, node.password, 403)):
        other = ElasticNode(node.url, name, password, node.authority)
        with pytest.raises(HTTPError) as refused:
            other.request("GET", "/_cluster/health")
        refused.value.close()
        assert refused.value.code == code
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        ElasticNode(node.url, node.username, node.password).request("GET", "/")
