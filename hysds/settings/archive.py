"""Where documents of ended jobs are kept for good."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


def _problem(url: str) -> str | None:
    """What is wrong with a place, None where nothing is. Shows nothing of it: a password may stand anywhere."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return None if url.startswith("/") else "is neither an absolute path nor a URL"
    if not _SCHEME.fullmatch(scheme) or "::" in url:
        return "is no URL of one place: scheme://place"
    if not rest.strip("/"):
        return "names no place after its scheme"
    if scheme == "file" and not rest.startswith("/"):
        return "a file:// URL names a directory by its absolute path: file:///path"
    return None


@dataclass(frozen=True)
class Archive:
    """Where each ended job's document goes before the ledger may forget the job."""

    url: str | None = field(default=None, repr=False, metadata={"complaint": _problem})
    """A directory by its absolute path, or any URL that fsspec knows (`s3://bucket/path`; the package for it must be
    installed, and credentials are what that finds in the environment). One system an archive. None: there is none, and
    a store that is lost can't be made again from it."""

    @property
    def directory(self) -> Path | None:
        """The directory, where it is one of this host's."""
        if self.url is None or self.url.startswith("/"):
            return Path(self.url) if self.url else None
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None
