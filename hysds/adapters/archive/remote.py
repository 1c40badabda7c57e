"""An archive in any place that fsspec reaches, such as `s3://bucket/path`.

Nothing can be appended to an object there. Where writing one replaces the old one as a whole, a segment is written anew
with each append until it is large; elsewhere each append is a segment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import fsspec

from hysds.adapters.archive import members
from hysds.core.errors import InvalidSettings, Unreachable
from hysds.lib import clocks
from hysds.ports.store import Document

_SEGMENT_BYTES = 512_000
"""A larger segment is not written anew."""
_REPLACING = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "adl", "oss", "oci", "tos", "memory"})
"""Whoever reads an object of these while it is written, or after its writer died, finds the old one whole."""


class RemoteArchive:
    """The archive at `url`; `shown` is that without secrets. Credentials are what fsspec finds in the environment and
    its own files.

    Raises: InvalidSettings where fsspec knows no such place, or the package for it is not installed.
    """

    def __init__(
        self,
        url: str,
        shown: str,
        wall_ms: Callable[[], int] = clocks.wall_ms,
        segment_bytes: int = _SEGMENT_BYTES,
    ) -> None:
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise InvalidSettings("archive.url", f"{shown} can't be used: {error}") from error
        except Exception as error:
            raise _away(shown, error) from error
        self._shown = shown
        self._names = members.Names(wall_ms)
        self._segment_bytes = segment_bytes if url.partition("://")[0] in _REPLACING else 0
        self._name = ""
        self._held = b""
        self._lock = threading.Lock()

    def append(self, documents: Sequence[Document]) -> None:
        data = members.packed(documents)
        if not data:
            return
        with self._lock:
            name = self._name or self._names.next()
            held, self._name, self._held = self._held, "", b""
            self._write(name, held + data)
            if len(held) + len(data) < self._segment_bytes:
                self._name, self._held = name, held + data

    def _write(self, name: str, data: bytes) -> None:
        try:
            if not self._segment_bytes:
                self._files.makedirs(self._root, exist_ok=True)
            self._files.pipe_file(f"{self._root}/{name}", data)
        except Exception as error:
            raise _away(self._shown, error) from error

    def read(self, note: Callable[[str], None]) -> Iterator[dict[str, Any]]:
        for path in self._segments():
            try:
                data = self._files.cat_file(path)
            except Exception as error:
                raise _away(self._shown, error) from error
            yield from members.unpacked(data, path.rpartition("/")[2], note)

    def segments(self) -> int:
        """How many there are. Raises: Unreachable"""
        return len(self._segments())

    def _segments(self) -> Sequence[str]:
        try:
            self._files.invalidate_cache()
            found = self._files.ls(self._root, detail=False)
        except FileNotFoundError:
            return ()
        except Exception as error:
            raise _away(self._shown, error) from error
        return sorted(str(path) for path in found if str(path).endswith(members.ENDING))

    def describe(self) -> str:
        return self._shown

    def close(self) -> None:
        with self._lock:
            self._name, self._held = "", b""


def _away(shown: str, error: Exception) -> Unreachable:
    """Whatever the package for a place raises: fsspec's file systems have no error in common."""
    # The message of another package may show what the URL says: only what kind of error it is, is told.
    return Unreachable("archive", f"{shown}: {type(error).__name__}")
