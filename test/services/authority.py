"""Self-made certificates, right and wrong ones, for servers that speak TLS."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import trustme

_NAME = "localhost"


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files of one server: its certificate with chain, and its private key."""

    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """An authority and what it signed. A client that trusts `authority` accepts `right` and nothing else.

    All are for clients that connect to `localhost` or 127.0.0.1: `wrong_name` is another host's, `expired`
    ended yesterday, and `other` is signed by `other_authority`.
    """

    authority: Path
    other_authority: Path
    right: Certificate
    wrong_name: Certificate
    expired: Certificate
    other: Certificate


def issue(directory: Path) -> Certificates:
    """Make both authorities and all certificates as files in `directory`."""
    ours, theirs = trustme.CA(), trustme.CA(organization_name="somebody else")
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    names = (_NAME, "127.0.0.1")
    ours.cert_pem.write_to_path(directory / "authority.pem")
    theirs.cert_pem.write_to_path(directory / "other-authority.pem")
    return Certificates(
        authority=directory / "authority.pem",
        other_authority=directory / "other-authority.pem",
        right=_write(ours.issue_cert(*names), directory, "right"),
        wrong_name=_write(ours.issue_cert("elsewhere.example"), directory, "wrong-name"),
        expired=_write(
            ours.issue_cert(*names, not_before=yesterday - dt.timedelta(days=2), not_after=yesterday),
            directory,
            "expired",
        ),
        other=_write(theirs.issue_cert(*names), directory, "other"),
    )


def _write(certificate: trustme.LeafCert, directory: Path, name: str) -> Certificate:
    files = Certificate(chain=directory / f"{name}.pem", key=directory / f"{name}.key")
    for number, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(files.chain, append=number > 0)
    certificate.private_key_pem.write_to_path(files.key)
    return files
