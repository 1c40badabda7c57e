"""Reads a HySDS `celeryconfig.py` as it is: executes it, finds each name's place, refuses what is unsafe.

Unsafe is what would let another side run code here (pickle, YAML) or pass with a wrong certificate; such a name
stops the start wherever it stands, honoured or not.
"""

import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hysds.settings import celery, environment, fields, urls
from hysds.settings.celeryconfig_names import TABLE, Fate, Place
from hysds.settings.sources import Given, Reading

OWN = "HYSDS_SETTINGS"
"""A dict of settings by the names of `hysds config show`, for those that have no name of their own in such a file."""

_CODE_FORMATS = ("pickle", "yaml", "python-serialize")
_TLS_KEYS = {"ca_certs": "ca_file", "certfile": "cert_file", "keyfile": "key_file", "ciphers": "ciphers"}
_REQUIRED = (2, "2", "required", "cert_required")


def read(path: Path, content: bytes, reading: Reading) -> None:
    """Take what the file says; what was given before it is of a higher rank."""
    above = dict(reading.given)
    names = _executed(path, content, reading)
    own = _own(path, names.pop(OWN, None), reading)
    for name, value in sorted(names.items()):
        origin = f"{path}: {name}"
        if complaint := _unsafe(name, value):
            reading.complain(origin, complaint)
        elif name not in TABLE:
            reading.complain(
                origin,
                f"no such setting{environment.nearest(name, TABLE)} (a variable of your own begins with _)",
            )
        elif value is not None and not _is_celerys(value, TABLE[name].target in own):
            _place(name, value, Given(value, origin, path.parent), reading)
    if names.get("broker_use_ssl"):
        _speak_tls(reading)
    for name, given in own.items():
        before = reading.given.get(name)
        if before is not None and before is not above.get(name):
            reading.complain(given.origin, f"given twice, there and as {before.origin}: keep one of them")
        reading.given[name] = given
    _tls_without_use(above, reading)


def _own(path: Path, settings: object, reading: Reading) -> dict[str, Given]:
    """The settings that a file names as HySDS does."""
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        reading.complain(f"{path}: {OWN}", "is a dict of settings by their names in `hysds config show`")
        return {}
    known = fields.table()
    given = {}
    for name, value in settings.items():
        origin = f"{path}: {OWN}[{name!r:.60}]"
        if name in known:
            given[str(name)] = Given(value, origin, path.parent)
        else:
            reading.complain(origin, f"no such setting{environment.nearest(str(name), known)}")
    return given


def _is_celerys(value: object, is_named: bool) -> bool:
    """Whether only Celery understands this URL: of a service behind Sentinels, which HySDS is told in its own form."""
    return is_named and isinstance(value, str) and value.startswith("sentinel://")


def _executed(path: Path, content: bytes, reading: Reading) -> dict[str, Any]:
    """The names that the file defines; not the modules, functions and classes that it imports for itself.

    The file runs in a namespace of its own, and what goes wrong in it is told by line, never by value.
    """
    namespace: dict[str, Any] = {"__name__": "celeryconfig", "__file__": str(path)}
    try:
        exec(compile(content, str(path), "exec", dont_inherit=True), namespace)  # noqa: S102  the operator's own
    except SyntaxError as error:
        reading.complain(
            f"{path}: line {error.lineno}", f"not Python ({error.msg}); is it an unrendered template?"
        )
        return {}
    except (Exception, SystemExit) as error:  # noqa: BLE001  an operator's file may raise anything
        reading.complain(f"{path}: line {_line(error, path)}", f"stopped with {type(error).__name__}")
        return {}
    return {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and not callable(value)
    }


def _line(error: BaseException, path: Path) -> int:
    """The last line of the file itself that the error passed."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _unsafe(name: str, value: object) -> str | None:
    """Why this name may not have this value; None if it may."""
    texts = [
        text
        for text in (value if isinstance(value, list | tuple | set) else [value])
        if isinstance(text, str)
    ]
    if any("{{" in text for text in texts):
        return "a {{ placeholder }} was not filled in"
    if name.endswith(("_serializer", "accept_content")) and any(
        form in text.lower() for text in texts for form in _CODE_FORMATS
    ):
        return "unsafe: pickle and YAML can run code of whoever sends a message; only JSON travels"
    if any(urls.turns_verification_off(text) for text in texts):
        return (
            "unsafe: ssl_cert_reqs and ssl_check_hostname must not turn verification off; give ssl_ca_certs"
        )
    if name.endswith("_use_ssl") and isinstance(value, dict):
        return _unsafe_tls(value)
    return None


def _unsafe_tls(options: Mapping[object, object]) -> str | None:
    bare = {key.removeprefix("ssl_"): value for key, value in options.items() if isinstance(key, str)}
    required = bare.get("cert_reqs", "required")
    if (required.lower() if isinstance(required, str) else required) not in _REQUIRED:
        return "unsafe: cert_reqs other than CERT_REQUIRED turns verification off; give ca_certs"
    if not bare.get("check_hostname", True):
        return "unsafe: check_hostname must not be off"
    return None


def _place(name: str, value: object, given: Given, reading: Reading) -> None:
    place = TABLE[name]
    if place.fate is Fate.MAPPED:
        _map(name, place, given, reading)
    elif place.fate is not Fate.DECIDED:
        reading.notice(given.origin, f"not honoured: {place.note}")
    elif name not in celery.FIXED:
        reading.notice(given.origin, f"decided by HySDS: {place.note}")
    elif value != celery.FIXED[name]:
        reading.notice(given.origin, f"HySDS takes {celery.FIXED[name]!r}: {place.note}")


def _map(name: str, place: Place, given: Given, reading: Reading) -> None:
    if name.endswith("_use_ssl"):
        _map_tls(place.target.partition(".")[0], given, reading)
    elif place.target.endswith(".url"):
        _map_url(place.target, given, reading)
    elif name == "task_default_queue":
        reading.given[place.target] = Given((given.raw,), given.origin, given.base)
    elif not (name == "worker_concurrency" and given.raw == "auto"):
        reading.given[place.target] = given


def _map_url(target: str, given: Given, reading: Reading) -> None:
    """A URL, or a list of one; the TLS files that it carries become settings of their own."""
    raw = given.raw[0] if isinstance(given.raw, list | tuple) and len(given.raw) == 1 else given.raw
    if not isinstance(raw, str) or ";" in raw:
        reading.complain(given.origin, "one URL is needed: several brokers are not supported")
        return
    bare, options = urls.without_tls_options(raw)
    reading.given[target] = Given(bare, given.origin, given.base)
    _give_tls(target.partition(".")[0], options, given, reading)


def _map_tls(section: str, given: Given, reading: Reading) -> None:
    """`True` asks for TLS with the system's authorities, as the URL's scheme does; a dict names files."""
    if not isinstance(given.raw, dict):
        return
    bare = {str(key).removeprefix("ssl_"): value for key, value in given.raw.items()}
    for key in sorted(set(bare) - {*_TLS_KEYS, "cert_reqs", "check_hostname", "server_hostname"}):
        reading.notice(
            given.origin, f"{key} is not honoured: TLS 1.2 or later, verified by the name in the URL"
        )
    _give_tls(section, bare, given, reading)


def _give_tls(section: str, options: Mapping[str, object], given: Given, reading: Reading) -> None:
    for theirs, ours in _TLS_KEYS.items():
        if options.get(theirs):
            reading.given[f"{section}.{ours}"] = Given(options[theirs], given.origin, given.base)


def _speak_tls(reading: Reading) -> None:
    """Celery speaks TLS to `amqp://` and `redis://` too if broker_use_ssl says so; here the URL says it."""
    given = reading.given.get("broker.url")
    if given is not None and isinstance(given.raw, str):
        url = re.sub(r"^(?:py)?amqp://", "amqps://", re.sub(r"^redis://", "rediss://", given.raw))
        reading.given["broker.url"] = Given(url, given.origin, given.base)


def _tls_without_use(above: dict[str, Given], reading: Reading) -> None:
    """HySDS's one file serves machines with and without TLS: files for a URL that asks for none are left out."""
    for section in ("ledger", "broker"):
        url = (reading.given | above).get(f"{section}.url")
        if url is not None and isinstance(url.raw, str) and urls.is_tls(url.raw):
            continue
        for name in (f"{section}.{option}" for option in _TLS_KEYS.values()):
            if name not in above and (left := reading.given.pop(name, None)):
                reading.notice(left.origin, f"no use for {name}: the URL asks for no TLS")
