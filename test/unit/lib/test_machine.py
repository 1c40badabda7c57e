"""Which machine a process is on, and whose processes it can see."""

from __future__ import annotations

from dataclasses import replace

from hysds.lib import machine


def test_this_machine_is_its_own_host_and_can_tell_of_itself() -> None:
    """Whoever asks, twice: the answer does not depend on the moment."""
    here = machine.this()

    assert here == machine.this()
    assert here.host
    assert here.boot_id
    assert here.pid_namespace.startswith("pid:[")
    assert here.is_host_of(here)
    assert here.can_tell_of(here)


def test_from_one_container_nothing_can_be_told_of_another() -> None:
    """But the first namespace sees all, and of the boot before everybody knows."""
    here = replace(machine.this(), pid_namespace="pid:[1]")
    other = replace(here, pid_namespace="pid:[2]")
    first = replace(here, pid_namespace="pid:[4026531836]")

    assert not here.can_tell_of(other)
    assert not here.can_tell_of(first)
    assert first.can_tell_of(here)
    assert here.can_tell_of(replace(other, boot_id="the one before"))
