"""Watching one job to its end, live where it lives, from what is left of it where it ended before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hysds.cli import live, words
from hysds.cli.live import Machines, Screen, Watcher
from hysds.core.errors import NotFound, Unreachable
from hysds.core.status import ENDED
from hysds.sdk.client import Client
from hysds.sdk.following import Place


def has_ended(document: Mapping[str, Any]) -> bool:
    """Whether the job's status will never change."""
    return document["status"] in ENDED


def to_its_end(client: Client, job_id: str, watcher: Watcher, place: Place) -> dict[str, Any]:
    """Show what a live job writes from `place` on; answers its document once it has ended.

    Raises: NotFound, Unreachable.
    """
    live.pass_on(client.follow(job_id, place), watcher)
    return client.wait(job_id)


def what_is_left(client: Client, document: dict[str, Any], watcher: Watcher, screen: Screen) -> None:
    """Show what there is now of a job's output: the live log, else the files of an ended job if they are here."""
    if _log(client, document["id"], watcher) or isinstance(watcher, Machines):
        return
    id_ = document["id"]
    if document.get("children"):
        screen.say(f"job {id_} is a group, which runs nothing itself; its members: hysds jobs --parent {id_}")
    elif not document.get("attempts"):
        screen.say(f"job {id_} has not run")
    elif document.get("resource") == "task":
        _of_task(document, screen)
    elif not has_ended(document):
        screen.say(f"job {id_} has written nothing yet, or nothing that is still kept")
    elif (size_bytes := live.from_files(document, screen)) == 0:
        screen.say(f"job {id_} wrote nothing")
    elif size_bytes is None:
        info = document["job"]["job_info"]
        where = f"{info.get('execute_node', 'its worker')}:{info.get('job_dir', 'its work directory')}"
        screen.say(f"no live output is kept of job {id_}; its files: {words.clean(where)}")


def _of_task(document: dict[str, Any], screen: Screen) -> None:
    """Its children keep nothing: of one that failed the document has the end of what it printed."""
    id_, printed = document["id"], document["attempts"][-1].get("stdout_tail")
    if printed:
        screen.show("stdout", str(printed).encode())
    else:
        screen.say(f"job {id_} is a task: what one prints is kept where it fails; see hysds status {id_}")


def _log(client: Client, job_id: str, watcher: Watcher) -> bool:
    """Show the live log; False where it has nothing, or is not to be had, as of a job that ended long ago."""
    try:
        return live.pass_on(client.follow(job_id).so_far(), watcher)
    except (NotFound, Unreachable):
        return False
