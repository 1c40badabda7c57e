"""What a user gets from the wheel is what stands in the repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_INPUTS = ("setup.py", "setup.cfg", "requirements.in", "README.md", "LICENSE")
_BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the build reads, so that no build folder is left in the checkout."""
    source = tmp_path_factory.mktemp("source")
    for name in _INPUTS:
        shutil.copy(_ROOT / name, source)
    shutil.copytree(_ROOT / "hysds", source / "hysds", ignore=shutil.ignore_patterns("__pycache__"))
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of these sources."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-c", _BUILD, str(out)], cwd=source, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def fresh_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python whose environment holds the wheel and nothing else."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    return python


def test_every_file_of_the_package_is_in_the_wheel(source: Path, wheel: Path) -> None:
    """No module, script or data file of `hysds/` is lost on the way, and nothing else of the tree comes along."""
    expected = {str(file.relative_to(source)) for file in (source / "hysds").rglob("*") if file.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert packed == expected


def test_the_wheel_imports_without_its_dependencies(fresh_python: Path) -> None:
    """`import hysds` works in an environment that has none of the clients, and says its version."""
    code = "import hysds; print(hysds.__file__); print(hysds.__version__)"
    run = subprocess.run([fresh_python, "-I", "-c", code], check=True, capture_output=True, text=True)
    file, version = run.stdout.split()

    assert Path(file).is_relative_to(fresh_python.parents[1])
    assert f"hysds-{version}" in _distribution(fresh_python)


def test_every_module_of_the_wheel_imports(fresh_python: Path) -> None:
    """With the dependencies of this environment at hand, each installed module loads from the wheel."""
    code = (
        "import hysds, importlib, pkgutil\n"
        "for found in pkgutil.walk_packages(hysds.__path__, 'hysds.'):\n"
        "    print(importlib.import_module(found.name).__file__)\n"
    )
    environment = {"PYTHONPATH": sysconfig.get_path("purelib")}
    command = [str(fresh_python), "-P", "-c", code]
    run = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)

    assert run.returncode == 0, run.stderr
    assert run.stdout
    assert all(Path(file).is_relative_to(fresh_python.parents[1]) for file in run.stdout.split())


def _distribution(python: Path) -> str:
    (installed,) = python.parents[1].glob("lib/python*/site-packages/hysds-*.dist-info")
    return installed.name
