"""Which command lines look as if a shell should read them."""

from __future__ import annotations

import pytest

from hysds.core import shell_signs


@pytest.mark.parametrize(
    ("command", "sign"),
    [
        ("cat in.txt | sort", "|"),
        ("make; make install", "make;"),
        ("make && make install", "&&"),
        ("make&&make install", "make&&make"),
        ("false || true", "||"),
        ("sleep 5 &", "&"),
        ("echo hello > out.txt", ">"),
        ("echo hello >out.txt", ">out.txt"),
        ("prog 2>&1", "2>&1"),
        ("prog 2>>err.txt", "2>>err.txt"),
        ("prog &> all.txt", "&>"),
        ("sort < in.txt", "<"),
        ("echo $HOME", "$HOME"),
        ("ls ${HOME}/data", "${HOME}/data"),
        ("echo $(date)", "$(date)"),
        ("echo `date`", "`date`"),
        ("prog --out=$DIR/x", "--out=$DIR/x"),
        ("echo 'a b'; ls", "'a b';"),
    ],
)
def test_what_only_a_shell_understands_is_found(command: str, sign: str) -> None:
    """The first word that has it, as it was written."""
    assert shell_signs.first(command) == sign


@pytest.mark.parametrize(
    "command",
    [
        "echo hello",
        "sh -c 'cat in.txt | sort > out.txt && echo $HOME'",
        'bash -c "for n in 1 2; do echo $n; done"',
        "grep 'a;b' file",
        r"echo \$HOME \; \|",
        "curl https://example.org/?a=1&b=2;c",
        "awk '{print $1}' in.txt",
        "gdal_translate -co COMPRESS=LZW in.tif out.tif",
        "prog --price=5$ a$",
        "find . -name x -exec rm {} ';'",
        "",
        "it's",
        "prog --opt='a; b' --other=\"c && $d\"",
        r"echo \" a \"",
    ],
)
def test_what_is_quoted_or_means_nothing_to_a_shell_is_not(command: str) -> None:
    """Nor a URL, nor what can't be split: a note that is often wrong would not be read."""
    assert shell_signs.first(command) is None


def test_a_word_that_is_filled_in_is_no_sign() -> None:
    """`$array_index` is replaced in an array; within a longer word it is not."""
    assert shell_signs.first("run $array_index", ("$array_index",)) is None
    assert shell_signs.first("run out-$array_index", ("$array_index",)) == "out-$array_index"
