"""The settings at hand as a celeryconfig.py, made from the template that HySDS ships.

Two programs read such a file: plain Celery takes the names that are its own, HySDS all of them. What has a name in the
template is written there; every other setting that somebody set stands in HYSDS_SETTINGS, and what nobody set is left
out, so that the file means the same on another host.
"""

import hashlib
import re
from collections.abc import Mapping
from importlib import resources
from urllib.parse import urlencode

import hysds
from hysds.settings import celery, celeryconfig, fields, model, sentinels, urls
from hysds.settings.sources import DEFAULT, Origins

_TEMPLATE = "celeryconfig.py.tmpl"
_LINE = re.compile(r"(?:# )?([A-Za-z_]+) = .*")
_MARK = re.compile(r"# Rendered by hysds \S+; sha256 of all that follows this line: ([0-9a-f]{64})")
_HEADER = """\
#
# Celery reads it with `celery --config {stem}` from this directory, HySDS from its path in HYSDS_CONFIG, or as
# ./celeryconfig.py. It may hold passwords: keep its mode at 600. Edited, it is not rendered over again.
"""
_TLS = {"ca_file": "ca_certs", "cert_file": "certfile", "key_file": "keyfile", "ciphers": "ciphers"}
_SECRETS = frozenset({"password", "sentinel_password", "store.password", "store.api_key"})
_BY_NAME = {
    "broker.url": "broker_url",
    "broker.connect_timeout": "broker_connection_timeout",
    "broker.heartbeat": "broker_heartbeat",
    "ledger.url": "REDIS_JOB_STATUS_URL",
    "ledger.record_retention": "HYSDS_JOB_STATUS_EXPIRES",
    "jobs.hard_time_limit_gap": "HARD_TIME_LIMIT_GAP",
    "worker.work_dir": "ROOT_WORK_DIR",
}


def template() -> str:
    """The template, as it stands in the package and at the root of the repository."""
    return resources.files("hysds.settings").joinpath(_TEMPLATE).read_text(encoding="utf-8")


def rendered(settings: model.Settings, origins: Origins, stem: str, masks: bool) -> str:
    """The file's text. `stem` is the name of its module; `masks`: passwords are replaced by `***`."""
    values = _values(settings, origins)
    if masks:
        values = {name: _masked(value) for name, value in values.items()}
    _, _, body = template().partition("\n\n")
    text = (
        _HEADER.format(stem=stem)
        + "\n"
        + "\n".join(_filled(line, values) for line in body.splitlines())
        + "\n"
    )
    return f"{_mark(text)}\n{text}"


def holds_secrets(settings: model.Settings, origins: Origins) -> bool:
    """Whether a password stands in the file."""
    return any(_masked(value) != value for value in _values(settings, origins).values())


def is_rendered(text: str) -> bool:
    """Whether a file's text was rendered, and is as it was then."""
    first, _, rest = text.partition("\n")
    return _MARK.fullmatch(first) is not None and first.endswith(_digest(rest))


def _values(settings: model.Settings, origins: Origins) -> dict[str, object]:
    """What the names of the template mean; None: nothing, so that the line stays a comment."""
    image = celery.celery_config(settings)
    is_kombus = sentinels.is_sentinel(settings.broker_url)
    own = _own(settings, origins)
    return {
        "broker_url": image["broker_url"],
        "broker_use_ssl": image["broker_use_ssl"],
        "broker_transport_options": image["broker_transport_options"] if is_kombus else None,
        "broker_connection_timeout": settings.broker.connect_timeout_s,
        "broker_heartbeat": settings.broker.heartbeat_s,
        "REDIS_JOB_STATUS_URL": _ledger_url(settings),
        "HYSDS_JOB_STATUS_EXPIRES": settings.ledger.record_retention_s,
        "HARD_TIME_LIMIT_GAP": settings.jobs.hard_time_limit_gap_s,
        "ROOT_WORK_DIR": None if settings.worker.work_dir is None else str(settings.worker.work_dir),
        celeryconfig.OWN: own or None,
    }


def _ledger_url(settings: model.Settings) -> str | None:
    """The ledger's URL with its TLS, as HySDS has it; None where the embedded one is meant, or Sentinels."""
    url, tls = settings.ledger.url, settings.ledger.tls
    if url is None or sentinels.is_sentinel(url):
        return None
    options = {f"ssl_{theirs}": str(value) for ours, theirs in _TLS.items() if (value := getattr(tls, ours))}
    return f"{url}{'&' if '?' in url else '?'}{urlencode(options)}" if options else url


def _own(settings: model.Settings, origins: Origins) -> dict[str, str]:
    """What somebody set and the other names can't say."""
    said = set(_BY_NAME) | {f"broker.{option}" for option in _TLS}
    if settings.ledger.url is not None and sentinels.is_sentinel(settings.ledger.url):
        said.discard("ledger.url")
    else:
        said |= {f"ledger.{option}" for option in _TLS}
    own = {
        name: _written(row, row.value_in(settings))
        for name, row in fields.table().items()
        if name not in said and origins[name] != DEFAULT
    }
    return own | ({"broker.url": settings.broker_url} if sentinels.is_sentinel(settings.broker_url) else {})


def _written(row: fields.Setting, value: object) -> str:
    """The value as the file's reader takes it; a duration with its unit."""
    return row.show(value) if isinstance(value, float) else row.write(value)


def _filled(line: str, values: Mapping[str, object]) -> str:
    match = _LINE.fullmatch(line)
    if match is None or match[1] not in values:
        return line
    value = values[match[1]]
    if value is None:
        return line if line.startswith("# ") else f"# {line}"
    return f"{match[1]} = {_shown(value)}"


def _shown(value: object) -> str:
    """A value as Python reads it, a long dict one entry a line."""
    if not isinstance(value, dict) or len(repr(value)) <= 100:
        return repr(value)
    return "\n".join(["{", *(f"    {name!r}: {one!r}," for name, one in value.items()), "}"])


def _masked(value: object) -> object:
    if isinstance(value, dict):
        return {name: "***" if name in _SECRETS else _masked(one) for name, one in value.items()}
    if not isinstance(value, str):
        return value
    return ";".join(urls.masked(one) for one in value.split(";")) if "://" in value else value


def _mark(text: str) -> str:
    return f"# Rendered by hysds {hysds.__version__}; sha256 of all that follows this line: {_digest(text)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
