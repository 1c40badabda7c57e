"""What this host says of itself, from files alone; what is not there is left out."""

from __future__ import annotations

from pathlib import Path

from hysds.lib import host_facts


def test_this_host_has_memory_a_disk_and_a_kernel(tmp_path: Path) -> None:
    """Whatever it is."""
    facts = host_facts.passing(tmp_path)

    assert 0 < facts["memory"]["free_bytes"] <= facts["memory"]["total_bytes"]
    assert 0 <= facts["disk"]["free_bytes"] <= facts["disk"]["total_bytes"]
    assert {"cpus", "kernel", "arch", "python"} <= set(host_facts.lasting())


def test_what_can_not_be_read_is_left_out(tmp_path: Path) -> None:
    """No file, an odd file, a directory that is gone."""
    odd = tmp_path / "odd"
    odd.write_bytes(b"MemTotal: many kB\nMemTotal 5\n\xff\xfe:\nSwapTotal:  0 kB\nSwapFree:  0 kB\n")

    assert host_facts.passing(tmp_path / "gone", tmp_path / "none") == {}
    assert list(host_facts.passing(tmp_path, odd)) == ["disk"]
    assert "gpus" not in host_facts.lasting(tmp_path / "none", tmp_path / "none")


def test_sizes_are_bytes_and_gpus_are_named(tmp_path: Path) -> None:
    """The kernel counts in KiB; the driver has a folder a GPU."""
    memory, gpus, release = tmp_path / "meminfo", tmp_path / "gpus", tmp_path / "os-release"
    memory.write_text(
        "MemTotal:   1000 kB\nMemFree: 1 kB\nMemAvailable:  600 kB\nSwapTotal: 8 kB\nSwapFree: 4 kB\n"
    )
    (gpus / "0000:01:00.0").mkdir(parents=True)
    (gpus / "0000:01:00.0" / "information").write_text("Model: \t\t NVIDIA H100\nIRQ: 1\n")
    (gpus / "0000:02:00.0").mkdir()
    release.write_text('NAME="x"\nPRETTY_NAME="Some Linux 12"\n')

    facts = host_facts.passing(tmp_path, memory)
    assert facts["memory"] == {"total_bytes": 1_024_000, "free_bytes": 614_400}
    assert facts["swap"] == {"total_bytes": 8_192, "free_bytes": 4_096}
    lasting = host_facts.lasting(release, gpus)
    assert (lasting["gpus"], lasting["os"]) == (["NVIDIA H100", "unknown"], "Some Linux 12")
