"""Who talks with the warden can't hold it up."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hysds.embedded.warden.peers import Door, Peer


@pytest.fixture
def pair() -> Iterator[tuple[Peer, socket.socket]]:
    """The warden's side, and the other."""
    ours, theirs = socket.socketpair()
    peer = Peer(ours, is_listener=True)
    yield peer, theirs
    peer.let_go()
    theirs.close()


def test_what_is_said_may_be_cut_anywhere(pair: tuple[Peer, socket.socket]) -> None:
    """Byte by byte it is the same messages; the end of the connection is seen."""
    peer, other = pair
    heard = []
    for byte in b'{"tell": "state"}\n{"stop": true}\n':
        other.send(bytes([byte]))
        heard += peer.hear()

    assert heard == [{"tell": "state"}, {"stop": True}]
    assert peer.hear() == []
    assert not peer.is_over
    other.close()
    assert peer.hear() == []
    assert peer.is_over


@pytest.mark.parametrize("nonsense", [b"hello\n", b"[1]\n", b"\xff\n", b"x" * 70_000])
def test_who_talks_nonsense_is_let_go(pair: tuple[Peer, socket.socket], nonsense: bytes) -> None:
    """No message of it is taken, however long it goes on."""
    peer, other = pair
    other.sendall(nonsense)
    while not peer.is_over:
        assert peer.hear() == []


def test_who_does_not_read_gets_it_later_and_nobody_waits(pair: tuple[Peer, socket.socket]) -> None:
    """More than the connection holds: `say` returns, and all comes through once it is read."""
    peer, other = pair
    other.settimeout(10)
    messages = [{"number": number, "text": "x" * 1_000} for number in range(500)]
    for message in messages:
        peer.say(message)
    assert peer.events & select.POLLOUT
    text = b""
    while text.count(b"\n") < len(messages):
        text += other.recv(65536)
        peer.send()

    assert [json.loads(line) for line in text.splitlines()] == messages
    assert not peer.events & select.POLLOUT


def test_who_never_reads_is_let_go(pair: tuple[Peer, socket.socket]) -> None:
    """What waits for it is bounded."""
    peer, _ = pair
    for _ in range(3_000):
        peer.say({"text": "x" * 1_000})
        if peer.is_over:
            break

    assert peer.is_over


def test_the_last_words_are_not_waited_for_without_an_end(pair: tuple[Peer, socket.socket]) -> None:
    """A side that does not read: the time is over, the connection closed."""
    peer, _ = pair
    for _ in range(500):
        peer.say({"text": "x" * 1_000})
    peer.finish(time.monotonic() + 0.01)

    assert peer.is_over


def test_a_door_has_room_for_some(tmp_path: Path) -> None:
    """Only its owner may come; beyond the most the newest is sent away; a closed one leaves no socket behind."""
    path = tmp_path / "door"
    door = Door(str(path))
    assert path.stat().st_mode & 0o077 == 0
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        first.connect(str(path))
        second.connect(str(path))
        peer = door.admit(present=0)
        assert peer is not None
        assert door.admit(present=1_000) is None
        assert second.recv(1) == b""
        assert door.admit(present=0) is None
        peer.let_go()
    door.close()

    assert not path.exists()
