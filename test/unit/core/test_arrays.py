"""How arrays are written, and what their members are."""

from __future__ import annotations

import pytest

from hysds.core import arrays
from hysds.core.spec import After, JobSpec, dedup_digest


@pytest.mark.parametrize(
    ("text", "indices", "places"),
    [
        ("7", [7], None),
        ("0-3", [0, 1, 2, 3], None),
        ("0-9:4", [0, 4, 8], None),
        ("12,0-4:2%2", [12, 0, 2, 4], 2),
        ("1, 3-4 ,9", [1, 3, 4, 9], None),
        ("1000000000", [10**9], None),
    ],
)
def test_an_array_is_indices_ranges_and_steps(text: str, indices: list[int], places: int | None) -> None:
    """In the order given; behind a percent sign how many may run at once."""
    array = arrays.parse(text)

    assert (list(array.indices()), len(array), array.places) == (indices, len(indices), places)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no index"),
        ("a-b", "is no index"),
        ("1-2-3", "is no index"),
        ("-1", "is no index"),
        ("٣", "is no index"),
        ("5-3", "ends before it begins"),
        ("0-9:0", "has a step of 0"),
        ("1-3,2", "names index 2 twice"),
        ("0-100000", "has 100,001 members; at most 100,000"),
        ("0-9999999999", "index 9999999999 is above 1000000000"),
        ("0-9%", "is no number of members"),
        ("0-9%0", "is no number of members"),
        ("0-9%x", "is no number of members"),
        ("0-9%5%6", "is no number of members"),
    ],
)
def test_what_is_no_array_is_said_to_be_none(text: str, says: str) -> None:
    """Before anything is made of it, however large it would be."""
    with pytest.raises(ValueError, match=says):
        arrays.parse(text)


def test_a_member_has_its_index_and_its_own_command() -> None:
    """Only a whole word is the index; what the array waits for as a whole is no member's."""
    command = "run $array_index x$array_index 'a b' ${array_index} '$array_index'"
    spec = JobSpec("job:x", {"_command": command, "n": 1}, array="4-5", after=After(("one",)))

    four, five = arrays.members(spec, arrays.parse("4-5"))

    assert four.argv == ("run", "4", "x$array_index", "a b", "${array_index}", "4")
    assert (five.argv[1], five.payload["n"]) == ("5", 1)
    assert (four.array, four.array_index, four.after) == (None, 4, None)


def test_a_command_without_the_word_stays_as_it_is() -> None:
    """Its index is in the environment alone."""
    spec = JobSpec("job:x", {"_command": "echo  '$array_index2'"}, array="0")

    [member] = arrays.members(spec, arrays.parse("0"))

    assert member.payload is spec.payload


@pytest.mark.parametrize("payload_hash", [None, "given"])
def test_no_member_is_a_duplicate_of_another(payload_hash: str | None) -> None:
    """Their index counts, beside a hash of the caller's too; the same member of the same array does the same."""
    spec = JobSpec("job:x", {"_command": "true"}, array="0-2", payload_hash=payload_hash)

    digests = [dedup_digest(member) for member in arrays.members(spec, arrays.parse("0-2"))]

    assert len(set(digests)) == 3
    assert digests == [dedup_digest(member) for member in arrays.members(spec, arrays.parse("0-2"))]


def test_a_job_may_run_as_one_member_alone() -> None:
    """With the index that it names."""
    alone = arrays.alone(JobSpec("job:x", {"_command": "echo $array_index"}, array_index=7))

    assert alone.argv == ("echo", "7")
    assert arrays.alone(JobSpec("job:x", {"_command": "echo $array_index"})).argv == ("echo", "$array_index")
