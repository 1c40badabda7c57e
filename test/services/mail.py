"""A mail server that takes messages and keeps them, with TLS and a password if wanted, and refusals if told."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
from dataclasses import dataclass, field

from services.loopback import LoopbackServer


@dataclass(frozen=True)
class Manners:
    """How the server behaves. `replies`: by the first word of a command, what it says instead of its own answer, once
    each, first to last."""

    tls: ssl.SSLContext | None = None
    is_tls_from_start: bool = False
    password: tuple[str, str] | None = None
    replies: dict[str, list[str]] = field(default_factory=dict)
    breaks_off_after_data: bool = False


@dataclass
class Taken:
    """One message as it was handed in."""

    sender: str
    recipients: list[str]
    text: str
    was_encrypted: bool
    was_authenticated: bool


class MailServer(LoopbackServer):
    """What it was handed stands in `taken`."""

    def __init__(self, manners: Manners | None = None) -> None:
        super().__init__()
        self._manners = Manners() if manners is None else manners
        self.taken: list[Taken] = []
        self.connections = 0

    def talk(self, connection: socket.socket) -> None:
        self.connections += 1
        session = _Session(connection, self._manners, self.taken)
        with contextlib.suppress(OSError, EOFError), contextlib.closing(session):
            session.talk()


class _Session:
    """One connection, by RFC 5321 as far as a client of ours goes."""

    def __init__(self, connection: socket.socket, manners: Manners, taken: list[Taken]) -> None:
        self._wire = connection
        self._manners = manners
        self._taken = taken
        self._buffer = b""
        self._is_encrypted = self._is_authenticated = False
        self._sender, self._recipients = "", list[str]()

    def close(self) -> None:
        self._wire.close()

    def talk(self) -> None:
        """To the end of the connection, one way or the other."""
        if self._manners.is_tls_from_start:
            self._encrypt()
        self._say("220 mail.test")
        while True:
            line = self._line()
            word = line.split(" ")[0].upper()
            if planned := self._manners.replies.get(word):
                self._say(planned.pop(0))
            elif not self._act(word, line):
                return

    def _act(self, word: str, line: str) -> bool:
        """Carry out a command; False: it was the last."""
        if word in ("EHLO", "HELO"):
            self._greet()
        elif word == "STARTTLS" and self._manners.tls is not None:
            self._say("220 go on")
            self._encrypt()
        elif word == "AUTH":
            self._authenticate(line)
        elif word == "MAIL":
            self._sender = line.split("<")[1].split(">", maxsplit=1)[0]
            self._recipients = []
            self._say("250 ok")
        elif word == "RCPT":
            self._recipients.append(line.split("<")[1].split(">", maxsplit=1)[0])
            self._say("250 ok")
        elif word == "DATA":
            return self._take()
        else:
            self._say("221 bye" if word == "QUIT" else "250 ok")
            return word != "QUIT"
        return True

    def _greet(self) -> None:
        offers = ["mail.test"]
        if self._manners.tls is not None and not self._is_encrypted:
            offers.append("STARTTLS")
        if self._manners.password is not None:
            offers.append("AUTH PLAIN")
        for number, offer in enumerate(offers):
            self._say(f"250{' ' if number == len(offers) - 1 else '-'}{offer}")

    def _authenticate(self, line: str) -> None:
        _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
        self._is_authenticated = (user, password) == self._manners.password
        self._say("235 welcome" if self._is_authenticated else "535 who are you?")

    def _take(self) -> bool:
        self._say("354 go on")
        lines = []
        while (line := self._line()) != ".":
            lines.append(line.removeprefix(".") if line.startswith("..") else line)
        text = "\n".join(lines)
        self._taken.append(
            Taken(self._sender, self._recipients, text, self._is_encrypted, self._is_authenticated)
        )
        if self._manners.breaks_off_after_data:
            return False
        self._say("250 taken")
        return True

    def _encrypt(self) -> None:
        assert self._manners.tls is not None
        self._wire = self._manners.tls.wrap_socket(self._wire, server_side=True)
        self._is_encrypted = True

    def _say(self, line: str) -> None:
        self._wire.sendall(f"{line}\r\n".encode())

    def _line(self) -> str:
        while b"\r\n" not in self._buffer:
            if not (part := self._wire.recv(65536)):
                raise EOFError
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line.decode(errors="replace")
