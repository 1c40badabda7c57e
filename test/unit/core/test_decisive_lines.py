"""The lines that say why a command failed, chosen from outputs as real programs write them."""

from __future__ import annotations

import pytest

from hysds.core.decisive_lines import MAX_LINES, Line, Sign, decisive

_PYTHON = """\
2030-01-31 18:00:00 INFO reading scene 12
Traceback (most recent call last):
  File "/opt/app/run.py", line 88, in <module>
    main()
  File "/opt/app/run.py", line 41, in main
    crop = scene[bounds["west"]]
           ~~~~~^^^^^^^^^^^^^^^^
KeyError: 'west'
"""

_CHAINED = """\
Traceback (most recent call last):
  File "a.py", line 2, in <module>
    open("missing.tif")
FileNotFoundError: [Errno 2] No such file or directory: 'missing.tif'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "a.py", line 4, in <module>
    raise RuntimeError("no input") from error
RuntimeError: no input
"""

_TORCH = """\
Traceback (most recent call last):
  File "train.py", line 210, in step
    loss.backward()
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB
"""

_SHELL_KILLED = """\
processing tile 1 of 40
processing tile 2 of 40
./run.sh: line 12: 31337 Killed                  python3 mosaic.py --tiles 40
"""

_NOT_FOUND = """\
+ gdalwarp -t_srs EPSG:4326 in.tif out.tif
/bin/sh: 3: gdalwarp: not found
"""

_SEGFAULT = """\
loading libnetcdf
WARNING: deprecated option --fast
./run.sh: line 4:   812 Segmentation fault      (core dumped) ./solver input.nc
"""

_DISK = """\
Traceback (most recent call last):
  File "write.py", line 9, in <module>
    handle.write(block)
OSError: [Errno 28] No space left on device
"""

_JAVA = """\
Exception in thread "main" java.lang.IllegalStateException: no orbit file
\tat org.example.Main.main(Main.java:17)
Caused by: java.io.FileNotFoundException: /data/orbits/S1A.EOF
\t... 3 more
"""

_GCC = """\
solver.c: In function 'main':
solver.c:12:5: error: 'nsteps' undeclared (first use in this function)
make: *** [Makefile:9: solver] Error 1
"""

_RUST = """\
thread 'main' panicked at src/main.rs:14:10:
called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""

_CURL = """\
  % Total    % Received % Xferd  Average Speed   Time
curl: (6) Could not resolve host: data.example.org
"""


@pytest.mark.parametrize(
    ("stderr", "code", "sign", "last"),
    [
        (_PYTHON, 1, Sign.PYTHON, "KeyError: 'west'"),
        (_CHAINED, 1, Sign.PYTHON, "RuntimeError: no input"),
        (_TORCH, 1, Sign.GPU_MEMORY, None),
        (_SHELL_KILLED, 137, Sign.MEMORY, None),
        (_NOT_FOUND, 127, Sign.NOT_FOUND, "/bin/sh: 3: gdalwarp: not found"),
        (_SEGFAULT, 139, Sign.CRASH, None),
        (_DISK, 1, Sign.DISK, "OSError: [Errno 28] No space left on device"),
        (_JAVA, 1, Sign.EXCEPTION, "Caused by: java.io.FileNotFoundException: /data/orbits/S1A.EOF"),
        (_GCC, 2, Sign.ERROR, "make: *** [Makefile:9: solver] Error 1"),
        (_RUST, 101, Sign.EXCEPTION, None),
        (_CURL, 6, Sign.NETWORK, "curl: (6) Could not resolve host: data.example.org"),
        ("terminate called after throwing an instance of 'std::bad_alloc'\n", 134, Sign.MEMORY, None),
        ("bash: line 1: frobnicate: command not found\n", 127, Sign.NOT_FOUND, None),
        ("open /data/x: permission denied\n", 1, Sign.PERMISSION, None),
        ("MemoryError\n", 1, Sign.MEMORY, "MemoryError"),
        ("julia> ERROR: LoadError: DomainError with -1.0:\n", 1, Sign.ERROR, None),
    ],
)  # fmt: skip
def test_the_line_that_says_why_is_chosen(stderr: str, code: int, sign: Sign, last: str | None) -> None:
    """From what programs of many kinds write when they fail."""
    found = decisive("progress: 100 %\n", stderr, code)

    assert found.sign is sign
    assert {line.stream for line in found.lines} == {"stderr"}
    assert len(found.lines) <= MAX_LINES
    if last is not None:
        assert found.lines[-1].text == last


def test_an_exception_comes_with_the_place_where_it_was_raised() -> None:
    """The innermost frame and its code, without the marks under it."""
    found = decisive("", _PYTHON, 1)

    assert [line.text for line in found.lines] == [
        'File "/opt/app/run.py", line 41, in main',
        'crop = scene[bounds["west"]]',
        "KeyError: 'west'",
    ]


def test_a_traceback_inside_of_log_lines_is_found_by_its_margin() -> None:
    """As a supervisor writes it that prefixes each line."""
    text = "".join(f"[worker 3] {line}\n" for line in _PYTHON.splitlines())

    assert decisive("", text, 1).lines[-1].text == "KeyError: 'west'"


def test_the_last_sign_stands_beside_the_most_telling_one() -> None:
    """What came later may be the true cause of the end."""
    found = decisive("", _PYTHON + "ERROR: the upload of the log failed\n", 1)

    assert found.sign is Sign.PYTHON
    assert found.lines[-1] == Line("stderr", "ERROR: the upload of the log failed")
    assert "KeyError: 'west'" in [line.text for line in found.lines]


def test_a_sign_that_agrees_with_the_exit_code_comes_first() -> None:
    """127 is a missing command, whatever crashed before and was survived."""
    text = "step 1: Segmentation fault (ignored)\nrun.sh: line 9: gdalinfo: command not found\n"

    assert decisive("", text, 127).sign is Sign.NOT_FOUND
    assert decisive("", text, 1).sign is Sign.CRASH


def test_what_is_written_on_stdout_counts_too() -> None:
    """Many programs write their errors there."""
    found = decisive("start\nERROR 4: in.tif: not recognised as a supported file format\n", "done\n", 1)

    assert found.lines == (Line("stdout", "ERROR 4: in.tif: not recognised as a supported file format"),)


@pytest.mark.parametrize(
    "text",
    [
        "finished with 0 errors\n",
        "errors: 0\n",
        "INFO checking error handling\n",
        "[WARNING] this may become an error\n",
        "no failures\n",
        "--on-error=stop\n",
    ],
)
def test_a_word_alone_is_no_error(text: str) -> None:
    """Of summaries and options nothing is made: the last lines are shown as they are."""
    found = decisive("", f"one\ntwo\n{text}", 1)

    assert found.sign is Sign.LAST
    assert [line.text for line in found.lines] == ["one", "two", text.rstrip("\n")]


def test_of_no_output_nothing_is_shown() -> None:
    """Nor of blank lines."""
    assert decisive("", " \n\n", 1).lines == ()
    assert decisive("", "", None).sign is None


def test_progress_bars_and_endless_lines_are_survived() -> None:
    """A line that was overwritten counts as lines; one without an end is cut."""
    found = decisive("", "10 %\r20 %\rError: disk\r" + "x" * 10_000, 1)

    assert found.lines[0].text == "Error: disk"
    assert len(decisive("", "x" * 10_000, 1).lines[0].text) <= 401


def test_every_hint_belongs_to_a_sign() -> None:
    """Of signs that need none, the hint is empty."""
    assert decisive("", _DISK, 1).hint
    assert decisive("", _PYTHON, 1).hint == ""
    assert decisive("", "", 1).hint == ""
