"""URLs of servers, of which one may name several hosts (`scheme://host:1,[::1]:2/path`), taken apart.

`urllib` refuses such a URL where any host but the first stands in brackets (since CPython 3.11.10, 3.12.4 and in what
distributions took back from them).
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

_PLACE = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<place>[^/?#]*,[^/?#]*)")


def split(url: str) -> SplitResult:
    """As `urlsplit`; of a URL with several hosts, `netloc`, `username` and `password` can be asked, no single host.

    Raises: ValueError
    """
    found = _PLACE.match(url)
    if found is None:
        return urlsplit(url)
    rest = urlsplit(f"{found['scheme']}://several{url[found.end() :]}")
    return rest._replace(netloc=found["place"])
