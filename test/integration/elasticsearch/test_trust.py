"""Who we are to Elasticsearch, and whom we take for it: the wrong ones are told, without a secret."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hysds.bootstrap import System
from hysds.core.errors import Unreachable
from hysds.ports.store import Writing
from services.authority import Certificate, Certificates
from services.elastic_node import ElasticNode
from services.elasticsearch import STRANGER
from services.http_proxy import HttpProxy
from services.web import WebServer, answer
from worlds import searching
from worlds.searching import document, make_indices

Systems = Callable[..., System]


@pytest.fixture
def prefix(tls_elastic_server: ElasticNode) -> Iterator[str]:
    """Index names of this test on the server with users."""
    with tls_elastic_server.own_prefix() as prefix:
        yield prefix


def test_a_user_with_the_right_password_writes_over_tls(
    tls_elastic_server: ElasticNode, prefix: str, tmp_path: Path
) -> None:
    """With user, password and the authority's certificate the store works, odd characters in the password or not."""
    system = searching.system(tmp_path, tls_elastic_server, prefix)
    make_indices(system)

    assert [one.how for one in system.store.write([document(1)])] == [Writing.WRITTEN]
    assert system.store.get([document(1)["id"]]) == (document(1),)
    system.close()


@pytest.mark.parametrize(
    ("username", "password", "told"),
    [(None, "wr0ng-secret", "refuses our credentials"), (STRANGER, None, "does not allow")],
    ids=["wrong password", "no rights"],
)
def test_a_user_who_may_not_is_told_and_no_secret_is(
    tls_elastic_server: ElasticNode,
    prefix: str,
    tmp_path: Path,
    username: str | None,
    password: str | None,
    told: str,
) -> None:
    """A wrong password, and a user without rights, are outages with their reason; passwords are in no message."""
    node = tls_elastic_server
    node = replace(node, username=username or node.username, password=password or node.password)
    system = searching.system(tmp_path, node, prefix)

    for call in (lambda: system.store.write([document(1)]), lambda: make_indices(system)):
        with pytest.raises(Unreachable, match=told) as error:
            call()
        assert node.password not in str(error.value)
    system.close()


def test_a_server_whose_authority_is_not_ours_is_not_trusted(
    tls_elastic_server: ElasticNode, prefix: str, tmp_path: Path, certificates: Certificates
) -> None:
    """Neither the system's authorities nor another one of our own vouch for it: the message names the setting."""
    for ca_file in (None, certificates.other_authority):
        system = searching.system(tmp_path, replace(tls_elastic_server, authority=ca_file), prefix)
        with pytest.raises(Unreachable, match=r"store\.ca_file"):
            system.store.write([document(1)])
        system.close()


@pytest.mark.parametrize("which", ["wrong_name", "expired"])
def test_a_certificate_that_does_not_hold_gets_no_password(
    certificates: Certificates, tmp_path: Path, which: str
) -> None:
    """A server of another name, or of yesterday, is not spoken to: it reads no request, so no credentials."""
    wrong: Certificate = getattr(certificates, which)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(wrong.chain, wrong.key)
    with WebServer(lambda _: answer(), tls) as server:
        node = ElasticNode(f"https://localhost:{server.port}", "somebody", "secret", certificates.authority)
        system = searching.system(tmp_path, node, "t-")
        with pytest.raises(Unreachable, match="certificate"):
            system.store.write([document(1)])
        system.close()

    assert server.requests == []


def test_what_we_say_who_we_are_is_what_was_set(
    elastic_server: ElasticNode, index_prefix: str, proxy: HttpProxy, tmp_path: Path
) -> None:
    """A recording proxy sees a user's header, an API key's, or none, in every single request."""
    said = {
        "": {},
        f"Basic {base64.b64encode('ann:päss'.encode()).decode()}": {"username": "ann", "password": "päss"},
        "ApiKey a2V5": {"api_key": "a2V5"},
    }
    for header, settings in said.items():
        proxy.requests.clear()
        system = searching.system(tmp_path, elastic_server, index_prefix, proxy.url, **settings)
        make_indices(system)
        system.store.write([document(1)])
        system.close()

        assert len(proxy.requests) > 3
        assert {asked.headers.get("authorization", "") for asked in proxy.requests} == {header}
