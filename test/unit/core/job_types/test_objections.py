"""Why jobs of a registered type can't be submitted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hysds.core.errors import Complaint
from hysds.core.job_types.interfaces import Destination, Interface, JobFile, Parameter
from hysds.core.job_types.objections import objections

_PLAIN = Interface("hysds-io-x:1", JobFile("true"))


def test_a_plain_type_has_none() -> None:
    """Also one with a known conversion, and one that leaves out processors, of which there are none."""
    params = (Parameter("a", Destination.CONTEXT, conversion="lambda x: int(x)"),)
    job = JobFile("true", disable_pre_builtins=True, disable_post_builtins=True)

    assert objections(replace(_PLAIN, job=job, params=params)) == ()


@pytest.mark.parametrize(
    ("interface", "said"),
    [
        (replace(_PLAIN, image="crop:v1"), '--image: jobs can\'t run in the image "crop:v1" yet'),
        (
            replace(_PLAIN, job=JobFile("true", imported_worker_files={"$HOME/.netrc": "/x"})),
            'job-spec $.imported_worker_files: "$HOME/.netrc" can\'t be mounted yet',
        ),
        (
            replace(_PLAIN, job=JobFile("true", dependency_images=({"container_image_name": "i:2"}, {}))),
            'job-spec $.dependency_images: "i:2", "?" can\'t be loaded yet',
        ),
        (replace(_PLAIN, job=JobFile("true", pre=("a.b",))), 'job-spec $.pre: "a.b" can\'t be called yet'),
        (replace(_PLAIN, job=JobFile("true", post=("a.b",))), 'job-spec $.post: "a.b" can\'t be called yet'),
        (
            replace(_PLAIN, params=(Parameter("u", Destination.LOCALIZE),)),
            'job-spec $.params: "u" can\'t be localized yet',
        ),
        (
            replace(_PLAIN, params=(Parameter("u", Destination.CONTEXT, conversion="lambda x: best(x)"),)),
            'hysds-io $.params: the lambda of "u": best(x) is not among the conversions that are known',
        ),
        (replace(_PLAIN, doubts=(Complaint("hysds-io $.a", "twice"),)), "hysds-io $.a: twice"),
    ],
)
def test_each_reason_is_told_with_its_place(interface: Interface, said: str) -> None:
    """What can't be honoured yet is never left out silently."""
    (found,) = objections(interface)

    assert str(found).startswith(said)
