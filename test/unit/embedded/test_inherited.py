"""What a system takes along from where it was started."""

from __future__ import annotations

from hysds.embedded import inherited

_SHELL = {
    "PATH": "/bin",
    "LANG": "C.UTF-8",
    "HOME": "/home/u",
    "TERM": "xterm",
    "SSH_AUTH_SOCK": "/tmp/agent",
    "PWD": "/somewhere",
    "_": "/bin/hysds",
    "NOTIFY_SOCKET": "/run/systemd/notify",
    "HYSDS_HOME": "/h",
    "HYSDS_BROKER_URL": "amqp://user:secret@host",
    "HYSDS_JOBS_DEFAULT_TIME_LIMIT": "1h",
    "HYSDS_JOB_ID": "x",
    "HYSDS_SUBMIT_DIR": "/d",
    "HYSDS_READY_FD": "7",
}


def test_roles_know_nothing_of_the_login_that_started_them() -> None:
    """Neither of its terminal and agent, nor of the shell, the service or the job that it was in; settings stay."""
    assert inherited.by_roles(_SHELL) == {
        "PATH": "/bin",
        "LANG": "C.UTF-8",
        "HOME": "/home/u",
        "HYSDS_HOME": "/h",
        "HYSDS_BROKER_URL": "amqp://user:secret@host",
        "HYSDS_JOBS_DEFAULT_TIME_LIMIT": "1h",
    }


def test_the_server_gets_no_setting_and_no_password() -> None:
    """All that is HySDS's own is left out."""
    environ = inherited.by_server(_SHELL)

    assert "PATH" in environ
    assert not any(name.startswith("HYSDS_") for name in environ)
