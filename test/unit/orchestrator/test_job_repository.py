"""Directories of job and interface files, read as HySDS's container builder reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.core.errors import InvalidSpec, NotFound
from hysds.orchestrator import job_repository
from hysds.orchestrator.job_repository import Told

_FILES = Path(__file__).parents[2] / "job_files"
_IO = '{"params": []}'
_JOB = '{"command": "true"}'


def _write(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        path = directory / name.replace("__", "/", 1).replace("_json_", ".json.").replace("_", "-")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return directory


def _shown(told: tuple[Told, ...], is_refused: bool) -> list[str]:
    return [f"{Path(one.file).name}: {one.what}" for one in told if one.is_refused is is_refused]


def test_every_pair_of_a_repository_is_a_type() -> None:
    """Those in `docker` too, under one version, each with the files that say so."""
    found = job_repository.read(_FILES, "v1.2")

    assert [
        f"job-{name}:v1.2" for name in ("again", "hello", "interferogram", "report", "scene-crop", "tally")
    ] == [one.name for one in found.types]
    assert [str(_FILES / "docker" / f"{kind}.json.hello") for kind in ("job-spec", "hysds-io")] == list(
        found.types[1].sources
    )


def test_what_cannot_be_honoured_is_told_per_file() -> None:
    """The key and the reason, and the type remembers them."""
    found = job_repository.read(_FILES, "v1")
    by_name = {one.name: one for one in found.types}

    assert [": ".join(one.split(": ")[:2]) for one in _shown(found.told, is_refused=True)] == [
        "job-spec.json.interferogram: $.dependency_images",
        "job-spec.json.interferogram: $.pre",
        "job-spec.json.interferogram: $.post",
        "job-spec.json.scene-crop: $.imported_worker_files",
        "job-spec.json.scene-crop: $.imported_worker_files",
        "job-spec.json.scene-crop: $.params",
        "hysds-io.json.scene-crop: $.params",
    ]
    assert tuple(
        len(by_name[f"job-{name}:v1"].refusals) for name in ("interferogram", "scene-crop", "hello")
    ) == (3, 4, 0)
    assert {
        "job-spec.json.scene-crop: $.time_limit",
        "hysds-io.json.report: $.params[5].type",
    } == {": ".join(one.split(": ")[:2]) for one in _shown(found.told, is_refused=False)}


def test_with_an_image_every_type_waits_for_containers() -> None:
    """It is registered with it, and explained."""
    found = job_repository.read(_FILES, "v1", "crop:v1")

    assert all("crop:v1" in one.refusals[0] and one.image is not None for one in found.types)
    assert len(found.types) == sum(one.what.path == "--image" for one in found.told)


def test_a_file_without_its_other_half_is_told(tmp_path: Path) -> None:
    """A job without an interface asks its submitter for everything; an interface without a job is none."""
    _write(tmp_path, job_spec_json_a=_JOB, hysds_io_json_b=_IO)
    found = job_repository.read(tmp_path, "v1")

    assert [one.name for one in found.types] == ["job-a:v1"]
    assert _shown(found.told, is_refused=False) == [
        "job-spec.json.a: $: there is no hysds-io.json.a beside it: all its parameters are the submitter's",
        "hysds-io.json.b: $: there is no job-spec.json.b beside it: it describes no job, and is left out",
    ]


def test_editors_copies_are_left_out_and_told(tmp_path: Path) -> None:
    """What ends with ~ is nobody's type."""
    (_write(tmp_path, job_spec_json_a=_JOB, hysds_io_json_a=_IO) / "job-spec.json.a~").write_text("{")
    found = job_repository.read(tmp_path, "v1")

    assert (
        len(found.types),
        _shown(found.told, is_refused=False),
    ) == (1, ["job-spec.json.a~: $: is an editor's copy, and left out"])


def test_one_wrong_file_stops_all_and_all_complaints_are_told(tmp_path: Path) -> None:
    """Each with its file: what is in it, that it can't be read, that it is there twice, that its name won't do."""
    _write(
        tmp_path,
        job_spec_json_a="{",
        job_spec_json_b='{"command": "true", "params": 3}',
        hysds_io_json_b='{"component": "x"}',
        job_spec_json_c=_JOB,
        docker__job_spec_json_c=_JOB,
        job_spec_json_d=_JOB,
    )
    (tmp_path / "job-spec.json.").write_text(_JOB)
    (tmp_path / "job-spec.json.e").mkdir()
    (tmp_path / "job-spec.json.f").symlink_to(tmp_path / "nowhere")

    with pytest.raises(InvalidSpec) as refusal:
        job_repository.read(tmp_path, "a b")
    said = sorted(str(one).replace(f"{tmp_path}/", "") for one in refusal.value.complaints)
    wanted = [
        "--version: must be letters",
        "docker/job-spec.json.c: job-spec.json.c is of the same name",
        "hysds-io.json.b: $.component: must be one of",
        "job-spec.json.: the NAME of its type must be",
        "job-spec.json.a: $: not JSON",
        "job-spec.json.b: $.params: must be a list",
        "job-spec.json.e: is no file",
        "job-spec.json.f: can't be read: No such file",
    ]
    assert len(wanted) == len(said)
    assert all(one.startswith(start) for one, start in zip(said, wanted, strict=True)), said


def test_a_directory_without_job_files_is_not_found(tmp_path: Path) -> None:
    """It says where was looked."""
    with pytest.raises(NotFound, match=r"no job-spec\.json\.NAME there"):
        job_repository.read(tmp_path, "v1")
    with pytest.raises(InvalidSpec, match="can't be read: No such file or directory"):
        job_repository.read(tmp_path / "nowhere", "v1")
