"""How the system calls what lies outside: URLs that users name, the operator's mail server."""

from dataclasses import dataclass, field
from pathlib import Path

from hysds.core.errors import InvalidSettings
from hysds.lib import addresses
from hysds.settings.declaring import bounded, names

_ADDRESS = names(
    r"[^@\s<>,]{1,64}@[A-Za-z0-9.-]{1,253}", "sender", "a bare mail address, such as hysds@example.org"
)

_LEAST_KEY = 16


@dataclass(frozen=True)
class Egress:
    """Where calls to a user's URL may go, and what they may take."""

    schemes: tuple[str, ...] = field(default=("https", "http"), metadata={"choices": ("https", "http")})
    """The schemes that a user's URL may have."""

    allow: tuple[str, ...] | None = field(default=None, metadata={"complaint": addresses.entry_problem})
    """Networks (`10.1.0.0/16`) and hosts (`hooks.example.org`) that users' URLs may name although their addresses are
    not public. None: public addresses alone."""

    timeout_s: float = bounded(30.0, least=0.1, most=3_600)
    """How long one call may take, with all its redirects."""

    answer_bytes: int = bounded(10**6, least=1_000, most=10**9)
    """A larger answer is refused."""

    ca_file: Path | None = None
    """The authorities that may vouch for hosts of users' URLs (PEM). None: those of the operating system."""


@dataclass(frozen=True)
class Notifier:
    """How people and programs are told."""

    mail_url: str | None = field(default=None, repr=False)  # it may hold a password
    """The mail server: `smtps://user:password@host`, `smtp+starttls://user:password@host`, or `smtp://host` without TLS
    and password. None: no mail is sent."""

    mail_sender: str | None = field(default=None, metadata=_ADDRESS)
    """The address that mail comes from. None: no mail is sent."""

    mail_ca_file: Path | None = None
    """The authorities that may vouch for the mail server (PEM). None: those of the operating system."""

    webhook_key_file: Path | None = None
    """A file with the key that signs calls of webhooks (HMAC-SHA256). None: they are not signed."""


def key(path: Path | None) -> bytes | None:
    """The key in a file, without blanks around it; None: there is no file.

    Raises: InvalidSettings
    """
    if path is None:
        return None
    try:
        found = path.read_bytes().strip()
    except OSError as error:
        raise InvalidSettings(str(path), f"can't be read: {error.strerror}") from error
    if len(found) < _LEAST_KEY:
        raise InvalidSettings(str(path), f"holds no key of at least {_LEAST_KEY} bytes")
    return found
