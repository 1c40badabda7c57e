"""Functions that the example calls as tasks."""

import os


def vowels(word: str) -> int:
    """How many there are."""
    return sum(letter in "aeiou" for letter in word.lower())


def die(code: int) -> None:
    """End the process that runs this, as a crash would."""
    os._exit(code)


def spin() -> int:
    """Stay in C code for ever: no exception reaches it."""
    return sum(range(10**12))
