"""Why no job of a registered type can be submitted: what its files ask that this release does not do, and what they
say that can't be meant.

Computed from what the files say, so that a type needs no second registration once a release does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hysds.core import json_text
from hysds.core.errors import Complaint
from hysds.core.job_types import conversions
from hysds.core.job_types.interfaces import Destination, Interface, JobFile


def objections(interface: Interface) -> tuple[Complaint, ...]:
    """The reasons, each with the place in the files; none: its jobs can be submitted."""
    found = [*_of_image(interface), *_of_job_file(interface.job), *_of_params(interface), *interface.doubts]
    return tuple(found)


def _of_image(interface: Interface) -> Iterator[Complaint]:
    if interface.image:
        yield Complaint(
            "--image",
            f"jobs can't run in the image {json_text.shown(interface.image)} yet, as there are no containers; without "
            "an image the command runs on the worker itself",
        )


def _of_job_file(job: JobFile) -> Iterator[Complaint]:
    if job.imported_worker_files:
        yield _later("imported_worker_files", f"{_listed(job.imported_worker_files)} can't be mounted yet")
    if job.dependency_images:
        names = [str(image.get("container_image_name", "?")) for image in job.dependency_images]
        yield _later("dependency_images", f"{_listed(names)} can't be loaded yet")
    for key, functions in (("pre", job.pre), ("post", job.post)):
        if functions:
            yield _later(key, f"{_listed(functions)} can't be called yet: there are no processors")


def _of_params(interface: Interface) -> Iterator[Complaint]:
    for param in interface.params:
        if param.destination is Destination.LOCALIZE:
            yield _later("params", f"{json_text.shown(param.name)} can't be localized yet")
        if param.conversion:
            try:
                conversions.parsed(param.conversion)
            except ValueError as error:
                yield Complaint("hysds-io $.params", f"the lambda of {json_text.shown(param.name)}: {error}")


def _later(key: str, message: str) -> Complaint:
    return Complaint(f"job-spec $.{key}", message)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(json_text.shown(name) for name in names)
