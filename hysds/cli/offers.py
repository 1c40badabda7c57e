"""What a shell offers for the values of options and arguments: names that a system which answers at once knows.

Whoever presses Tab is not kept waiting: what has not answered within a moment offers nothing, and no error is shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from hysds.core.errors import HysdsError
from hysds.sdk.client import Client

_MOMENT_S = 0.8

Question = Callable[[Client], Iterable[str]]


def workers(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of workers, in the form that tells them apart; shells split words at an @."""
    return _offered(_worker_names, incomplete)


def queues(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Queues that have work or a worker; of a list with commas, its last one."""
    before, comma, last = incomplete.rpartition(",")
    return [CompletionItem(f"{before}{comma}{item.value}") for item in _offered(_queue_names, last)]


def types(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of registered job types."""
    return _offered(lambda client: client.types(), incomplete)


def files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files: the shell itself knows them."""
    return [CompletionItem(incomplete, type="file")]


def _worker_names(client: Client) -> list[str]:
    names = {worker.name for worker in client.workers()} | {order.name for order in client.drains()}
    short = [name.partition("@")[2] or name for name in names]
    return [part if short.count(part) == 1 else name for name, part in zip(names, short, strict=True)]


def _queue_names(client: Client) -> set[str]:
    return {queue.name for queue in client.queues()}


def _offered(question: Question, incomplete: str) -> list[CompletionItem]:
    found: list[str] = []

    def ask() -> None:
        try:
            with Client() as client:
                found.extend(question(client))
        except HysdsError:
            pass  # there is nothing to offer, and nobody to tell

    asking = threading.Thread(target=ask, name="hysds-offers", daemon=True)
    asking.start()
    asking.join(_MOMENT_S)
    return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete)]
