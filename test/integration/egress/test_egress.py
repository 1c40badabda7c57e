"""Calls to users' URLs, against real servers on loopback that play the other side's tricks."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Sequence

import pytest
import trustme

from hysds.lib.egress import Failed, Forbidden, Guard, Policy, Request
from services.web import WebServer, answer

HERE = {"ok.test": ["127.0.0.1"], "other.test": ["127.0.0.1"], "public.test": ["203.0.113.7"]}
POLICY = Policy(allow=("ok.test",), timeout_s=20)


class Names:
    """A resolver that knows a few names, and remembers how often it was asked."""

    def __init__(self, **more: list[str]) -> None:
        self._known = HERE | {name.replace("_", "."): found for name, found in more.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self._known:
            raise OSError("no such name")
        return self._known[host]


def _guard(policy: Policy = POLICY, names: Names | None = None) -> Guard:
    return Guard(policy, names or Names())


def test_an_allowed_host_is_called() -> None:
    """With the name that the URL has, its path and query, and what it answers."""
    with WebServer(lambda request: answer("201 Created", b"done", X_Told="yes")) as server:
        found = _guard().call(Request(f"http://ok.test:{server.port}/a/b?c=d#e", headers={"X-Mine": "1"}))

    assert (found.status, found.body, found.headers["x-told"]) == (201, b"done", "yes")
    head = server.requests[0].decode()
    assert head.startswith("GET /a/b?c=d HTTP/1.1\r\n")
    assert f"Host: ok.test:{server.port}\r\n" in head
    assert "X-Mine: 1\r\n" in head


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "localhost",
    ],
)
def test_no_notation_of_this_host_is_called(host: str) -> None:
    """The system's resolver turns all of them into loopback, and the address is what counts."""
    with (
        WebServer(lambda request: answer()) as server,
        pytest.raises((Forbidden, Failed)) as caught,
    ):
        Guard(Policy()).call(Request(f"http://{host}:{server.port}/"))

    assert server.requests == []
    assert isinstance(caught.value, Forbidden) or "has no address" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://ok.test/", "begins with none of https://, http://"),
        ("file:///etc/passwd", "begins with none"),
        ("//ok.test/", "begins with none"),
        ("http:///nowhere", "names no host"),
        ("http://user:secret@ok.test/", "user or a password"),
        ("http://ok.test:99999/", "can't be read"),
        ("http://[::1/", "can't be read"),
        ("http://ok.test/\r\nX-Evil: 1", "characters that no URL can"),
        ("http://ok.test/a b", "characters that no URL can"),
        ("http://ök.test/", "characters that no URL can"),
        ("http://ok.test/" + "x" * 8000, "more than 8,000"),
        ("http://public.test/", "is no public address (203.0.113.7)"),
    ],
)
def test_a_url_that_may_not_be_called_is_told_without_its_secrets(url: str, why: str) -> None:
    """Nothing is sent."""
    with pytest.raises(Forbidden) as caught:
        _guard().call(Request(url))

    assert why in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_name_is_resolved_once_and_called_at_the_address_that_was_checked() -> None:
    """A name that answers otherwise a moment later gains nothing."""

    class Rebinding(Names):
        def __call__(self, host: str, port: int) -> Sequence[str]:
            self.asked.append(host)
            return ["127.0.0.1"] if len(self.asked) == 1 else ["127.0.0.2"]

    names = Rebinding()
    policy = Policy(allow=("127.0.0.1/32",))
    with WebServer(lambda request: answer(body=b"checked")) as server:
        found = _guard(policy, names).call(Request(f"http://turn.test:{server.port}/"))

    assert found.body == b"checked"
    assert names.asked == ["turn.test"]


def test_of_several_addresses_only_those_that_may_be_called_are() -> None:
    """The first answers of a name do not carry the others along."""
    names = Names(mixed_test=["192.168.0.1", "127.0.0.1"])
    with WebServer(lambda request: answer(body=b"here")) as server:
        found = _guard(Policy(allow=("127.0.0.1",)), names).call(Request(f"http://mixed.test:{server.port}/"))

    assert found.body == b"here"


def test_a_redirect_to_a_private_address_is_not_followed() -> None:
    """Each hop is checked like the first: a good host may send us anywhere."""
    with WebServer(lambda request: answer()) as inner:
        location = f"http://other.test:{inner.port}/secrets"
        with (
            WebServer(lambda request: answer("302 Found", Location=location)) as outer,
            pytest.raises(Forbidden, match=r"other\.test is no public address"),
        ):
            _guard().call(Request(f"http://ok.test:{outer.port}/"))

    assert inner.requests == []


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://ok.test/", "http://u:p@ok.test/"])
def test_a_redirect_to_what_no_url_may_be_is_not_followed(location: str) -> None:
    """Scheme and credentials count on every hop."""
    with (
        WebServer(lambda request: answer("301 Moved", Location=location)) as server,
        pytest.raises(Forbidden),
    ):
        _guard().call(Request(f"http://ok.test:{server.port}/"))


def test_headers_stay_with_the_host_that_they_were_meant_for() -> None:
    """Within one origin they are sent again; to another go only those that hold no secret."""
    policy = Policy(allow=("ok.test", "other.test"))
    headers = {"Authorization": "secret", "Cookie": "secret", "X-Token": "secret", "Accept": "text/plain"}
    with WebServer(lambda request: answer(body=b"end")) as elsewhere:

        def say(request: bytes) -> list[bytes]:
            if request.startswith(b"GET /first"):
                return answer("302 Found", Location="/second")
            return answer("302 Found", Location=f"http://other.test:{elsewhere.port}/third")

        with WebServer(say) as server:
            found = _guard(policy).call(Request(f"http://ok.test:{server.port}/first", headers=headers))

    assert found.url == f"http://other.test:{elsewhere.port}/third"
    assert all(b"Authorization: secret" in request for request in server.requests)
    assert len(server.requests) == 2
    assert b"secret" not in elsewhere.requests[0]
    assert b"Accept: text/plain" in elsewhere.requests[0]


def test_redirects_that_go_round_come_to_an_end() -> None:
    """After a few hops."""
    with (
        WebServer(lambda request: answer("302 Found", Location="/again")) as server,
        pytest.raises(Forbidden, match="more than 5 redirects"),
    ):
        _guard().call(Request(f"http://ok.test:{server.port}/"))

    assert len(server.requests) == 6


def test_what_is_posted_goes_to_the_named_url_alone() -> None:
    """A redirect is an answer like any other."""
    with WebServer(lambda request: answer("307 Moved", Location="http://other.test/")) as server:
        found = _guard().call(Request(f"http://ok.test:{server.port}/", "POST", body=b"{}"))

    assert found.status == 307
    assert server.requests[0].endswith(b"\r\n\r\n{}")


def _drip(first: bytes, part: bytes, ended: threading.Event) -> Iterator[bytes]:
    """A server that always has one more byte to say."""
    yield first
    while not ended.wait(0.01):
        yield part


@pytest.mark.parametrize(
    ("first", "part"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_slow_drip_ends_with_the_time(first: bytes, part: bytes) -> None:
    """Each byte comes in time, the whole never does."""
    ended = threading.Event()
    with WebServer(lambda request: _drip(first, part, ended)) as server:
        try:
            with pytest.raises(Failed, match=r"no whole answer within 0\.3 s"):
                _guard(Policy(allow=("ok.test",), timeout_s=0.3)).call(
                    Request(f"http://ok.test:{server.port}/")
                )
        finally:
            ended.set()


def test_a_resolver_that_hangs_ends_with_the_time() -> None:
    """It has no time limit of its own."""
    ended = threading.Event()

    def hanging(host: str, port: int) -> Sequence[str]:
        ended.wait()
        return []

    try:
        with pytest.raises(Failed, match="no whole answer within"):
            Guard(Policy(timeout_s=0.2), hanging).call(Request("http://slow.test/"))
    finally:
        ended.set()


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n"]
)
def test_an_endless_body_is_refused_at_the_bound(head: bytes) -> None:
    """Whether it says its length or not."""

    def say(request: bytes) -> Iterator[bytes]:
        yield head
        while True:
            yield b"x" * 65536

    policy = Policy(allow=("ok.test",), answer_bytes=100_000)
    with (
        WebServer(say) as server,
        pytest.raises(Forbidden, match="more than 100,000 bytes"),
    ):
        _guard(policy).call(Request(f"http://ok.test:{server.port}/"))


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"]
)
def test_what_is_no_answer_is_a_failure(said: bytes) -> None:
    """Nothing at all, no HTTP, headers without end."""
    with WebServer(lambda request: [said]) as server, pytest.raises(Failed):
        _guard().call(Request(f"http://ok.test:{server.port}/"))


def test_a_body_that_breaks_off_is_a_failure() -> None:
    """A part is not taken for the whole."""
    with (
        WebServer(lambda request: [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"]) as server,
        pytest.raises(Failed),
    ):
        _guard().call(Request(f"http://ok.test:{server.port}/"))


def test_nobody_there_is_a_failure() -> None:
    """A host without a name, and one without a server."""
    with pytest.raises(Failed, match=r"absent\.test has no address"):
        _guard().call(Request("http://absent.test/"))
    with WebServer(lambda request: answer()) as server:
        port = server.port
    with pytest.raises(Failed, match="Connection refused"):
        _guard().call(Request(f"http://ok.test:{port}/"))


def test_no_proxy_of_the_environment_sees_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would resolve the name again, and go wherever that leads."""
    with (
        WebServer(lambda request: answer()) as proxy,
        WebServer(lambda request: answer(body=b"direct")) as server,
    ):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        found = _guard().call(Request(f"http://ok.test:{server.port}/"))

    assert (found.body, proxy.requests) == (b"direct", [])


def test_certificates_are_verified_for_the_name_of_the_url(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The connection goes to an address, the certificate must be the name's."""
    authority = trustme.CA()
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("ok.test").configure_cert(tls)
    policy = Policy(allow=("ok.test", "other.test"), ca_file=ca_file)
    with WebServer(lambda request: answer(body=b"secured"), tls) as server:
        assert _guard(policy).call(Request(f"https://ok.test:{server.port}/")).body == b"secured"
        with pytest.raises(Forbidden, match="certificate is not valid"):
            _guard(policy).call(Request(f"https://other.test:{server.port}/"))
        with pytest.raises(Forbidden, match="certificate is not valid"):
            _guard().call(Request(f"https://ok.test:{server.port}/"))

    assert len(server.requests) == 1


def test_no_redirect_leads_from_tls_to_plain_text(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What was asked for in secret is not asked for in public."""
    authority = trustme.CA()
    ca_file = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("ok.test").configure_cert(tls)
    with (
        WebServer(lambda request: answer("302 Found", Location="http://ok.test/"), tls) as server,
        pytest.raises(Forbidden, match="from https to something else"),
    ):
        _guard(Policy(allow=("ok.test",), ca_file=ca_file)).call(Request(f"https://ok.test:{server.port}/"))
