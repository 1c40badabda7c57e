"""What may be wrong with the metrics of this host's processes: nobody answers, or another program does."""

from __future__ import annotations

import http.client
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from hysds.adapters.metrics.targets import living
from hysds.ports import findings
from hysds.ports.findings import Finding
from hysds.ports.metrics import Address
from hysds.settings.metrics import Metrics, Role

_ANSWER_S = 1.0
_MOST = 4_000_000


def check(of: Metrics, targets: Path) -> Iterator[Finding]:
    """Of each process that says it answers, and of each port that a role of this host would take."""
    if of.port is None:
        yield findings.ok("metrics.off", "no process tells metrics (metrics.port)")
        return
    told = {target: role for role, target in _told(targets)}
    for target, role in told.items():
        yield _of_process(role, target)
    if of.port:
        for one in Role:
            target = (
                Address(of.bind, of.port + one.value).url.removeprefix("http://").removesuffix("/metrics")
            )
            if target not in told and (found := _of_port(one.word, target)):
                yield found


def _told(targets: Path) -> Iterator[tuple[str, str]]:
    """Role and target of each process that lives; a file that is none of ours is none."""
    for path in living(targets):
        try:
            for group in json.loads(path.read_text()):
                yield from ((str(group["labels"]["role"]), str(one)) for one in group["targets"])
        except (OSError, ValueError, TypeError, LookupError):
            continue


def _of_process(role: str, target: str) -> Finding:
    text = _read(target)
    if text is not None and f'hysds_role_info{{role="{role}"' in text:
        return findings.ok("metrics.told", f"{role} answers", f"http://{target}/metrics")
    mend = f"look at the log of this {role}; does another program filter connections to this address?"
    return findings.warning("metrics.silent", f"{role} does not answer", f"http://{target}/metrics", mend)


def _of_port(role: str, target: str) -> Finding | None:
    """Of a port that no process of ours has; None where nobody has it."""
    text = _read(target)
    if text is None or "hysds_role_info" in text:
        return None
    mend = "set metrics.port so that this port and the next ones are free, or to 0"
    return findings.warning("metrics.taken", f"the port of the {role} is another program's", target, mend)


def _read(target: str) -> str | None:
    """What is said there; None: nobody listens. "" of one that does not speak HTTP, or refuses."""
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://{target}/metrics", timeout=_ANSWER_S) as answer:
            return str(answer.read(_MOST).decode(errors="replace"))
    except ConnectionRefusedError:
        return None
    except (OSError, http.client.HTTPException, ValueError) as error:
        return None if isinstance(getattr(error, "reason", None), ConnectionRefusedError) else ""
