"""Print how many primes lie in one stretch of 100,000 numbers: that with the number of the argument, from 0."""

from __future__ import annotations

import sys

WIDTH = 100_000


def primes(first: int, end: int) -> int:
    """How many primes p there are with first <= p < end, by a sieve over the stretch."""
    is_prime = bytearray(b"\1") * (end - first)
    for number in range(2, int(end**0.5) + 1):
        start = max(number * number, (first + number - 1) // number * number)
        is_prime[start - first :: number] = bytes(len(range(start - first, end - first, number)))
    for small in range(first, min(2, end)):
        is_prime[small - first] = 0
    return sum(is_prime)


stretch = int(sys.argv[1])
sys.stdout.write(f"{primes(stretch * WIDTH, (stretch + 1) * WIDTH)}\n")
