"""What must hold between settings: values that are good alone and make no sense together."""

import os
import re
from pathlib import Path

from hysds.lib import units
from hysds.settings import model, search_url, servers, urls
from hysds.settings.sources import DEFAULT, Origins, Remark

_VISIBLE = re.compile(r"[!-~]+")


def found(settings: model.Settings, origins: Origins) -> list[Remark]:
    """All contradictions; each is put to the account of a value that somebody set, if there is one."""
    ledger, worker, logs = settings.ledger, settings.worker, settings.logs
    least_lease_s = 5 * ledger.renew_interval_s + 2 * model.CLOCK_CAP_S
    least_lease = units.format_duration(least_lease_s)
    socket_problem = None if ledger.url else urls.problem(settings.ledger_url, urls.REDIS_SCHEMES)
    rules = [
        (
            ledger.lease_s >= least_lease_s,
            ("ledger.lease", "ledger.renew_interval"),
            f"ledger.lease must hold five of ledger.renew_interval and 4 s: at least {least_lease}",
        ),
        (
            ledger.timeout_s is None or 4 * ledger.timeout_s <= ledger.worker_lease_s,
            ("ledger.timeout", "ledger.lease"),
            "ledger.lease must hold four of ledger.timeout and 4 s: a worker whose calls hang would lose its leases",
        ),
        (
            worker.isolation_limit_s >= ledger.lease_s,
            ("worker.isolation_limit", "ledger.lease"),
            "worker.isolation_limit must not be shorter than ledger.lease",
        ),
        (
            logs.memory_bytes >= logs.per_job_bytes,
            ("logs.memory", "logs.per_job"),
            "logs.memory must not be less than logs.per_job",
        ),
        (
            socket_problem is None,
            ("home",),
            f"{socket_problem}: run/valkey.sock below home; take a shorter home, or set ledger.url",
        ),
    ]
    notifier = settings.notifier
    rules.append(
        (
            (notifier.mail_url is None) == (notifier.mail_sender is None),
            ("notifier.mail_url", "notifier.mail_sender"),
            "notifier.mail_url and notifier.mail_sender need each other: a mail has a server and a sender",
        )
    )
    rules.append(
        (
            settings.watchdogs.mail_to is None or notifier.mail_url is not None,
            ("watchdogs.mail_to",),
            "watchdogs.mail_to needs notifier.mail_url and notifier.mail_sender: no mail is sent without a server",
        )
    )
    complaints = [Remark(_account(names, origins), text) for holds, names, text in rules if not holds]
    complaints += _about_tls("ledger", ledger.tls, ledger.url, origins)
    complaints += _about_tls("broker", settings.broker.tls, settings.broker.url, origins)
    return complaints + _about_search(settings, origins)


def _about_search(settings: model.Settings, origins: Origins) -> list[Remark]:
    """What is said of an Elasticsearch store and would not be honoured, or would show a password on the network."""
    store, is_search = settings.store, settings.is_searched_by_elasticsearch
    given = [
        name
        for name in ("username", "password", "api_key", "ca_file", "index_prefix")
        if getattr(store, name)
    ]
    upkeep = {
        "rollover_size": store.rollover_size_bytes != servers.Store.rollover_size_bytes,
        "rollover_age": store.rollover_age_s != servers.Store.rollover_age_s,
        "retention": store.retention_s is not None,
    }
    if not is_search:
        given += [name for name, is_given in upkeep.items() if is_given]
        text = "has no use, as store.url names no Elasticsearch"
        return [Remark(_account((f"store.{name}",), origins), f"store.{name} {text}") for name in given]
    cluster = search_url.read(store.url or "")
    in_url, is_shown = cluster.user is not None, not (cluster.is_tls or cluster.is_here)
    wrong = {
        "store.username and store.password need each other": (store.username is None)
        != (store.password is None),
        "store.username and store.url name a user: take one out": in_url and store.username is not None,
        "store.username holds a colon, which would end it": ":" in (store.username or cluster.user or ""),
        "store.api_key is no key: letters, digits and signs without blanks": store.api_key is not None
        and not _VISIBLE.fullmatch(store.api_key),
        "store.api_key stands in place of a user: take one of them out": store.api_key is not None
        and (in_url or store.username is not None),
        "store.ca_file has no use, as store.url asks for no TLS": store.ca_file is not None
        and not cluster.is_tls,
        f"store.ca_file: {store.ca_file} can't be read": store.ca_file is not None
        and not os.access(store.ca_file, os.R_OK),
        "store.url: http:// to another host would send the password in the clear: take https://": is_shown
        and bool(in_url or store.username or store.api_key),
    }
    return [
        Remark(_account((text.split()[0].removesuffix(":"),), origins), text)
        for text, is_wrong in wrong.items()
        if is_wrong
    ]


def _about_tls(section: str, tls: servers.Tls, url: str | None, origins: Origins) -> list[Remark]:
    """TLS options that nothing would honour, and files that can't be read."""
    asked = url is not None and urls.is_tls(url)
    complaints = []
    for option in ("ca_file", "cert_file", "key_file", "ciphers"):
        value, name = getattr(tls, option), f"{section}.{option}"
        if value is not None and not asked:
            text = f"{name} has no use, as {section}.url asks for no TLS"
        elif isinstance(value, Path) and not os.access(value, os.R_OK):
            text = f"{name}: {value} can't be read"
        elif option == "key_file" and value is not None and tls.cert_file is None:
            text = f"{name} needs {section}.cert_file"
        else:
            continue
        complaints.append(Remark(_account((name,), origins), text))
    return complaints


def _account(names: tuple[str, ...], origins: Origins) -> str:
    """The origin of the first of these values that somebody set."""
    return next((origins[name] for name in names if origins[name] != DEFAULT), f"{names[0]} ({DEFAULT})")
