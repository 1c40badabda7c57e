"""A real Elasticsearch of one node, plain or with TLS and users; root's runs as the system user hysds-test."""

from __future__ import annotations

import base64
import hashlib
import os
import pwd
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services import required
from services.authority import Certificate
from services.elastic_node import ElasticNode
from services.ports import Reservation
from services.process import ServerProcess, own_directory

_NAME = "elasticsearch-8.19.21"  # scripts/elasticsearch.sh puts it there
_SYSTEM_USER = "hysds-test"
_READY_WITHIN_S = 240.0  # a start is 7 s of processor time, and the machine may be busy
_ADMIN = "elastic-admin"
_PASSWORD = "c0rrect horse: ü"
STRANGER = "stranger"
"""A user of a server with TLS who has the same password and no right at all."""


@dataclass(frozen=True, slots=True)
class ElasticOptions:
    """How a server is configured.

    With a `certificate` it speaks TLS alone and knows two users, `node`'s and `STRANGER`. `settings` are lines of
    `elasticsearch.yml` as names and values. Without the compiler's second stage a start costs half as much, and a
    server that works for minutes is slower: benchmarks leave `java_options` empty.
    """

    certificate: Certificate | None = None
    authority: Path | None = None
    heap_mb: int = 512
    java_options: str = "-XX:TieredStopAtLevel=1"
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ElasticProgram:
    """Where the unpacked server and a Java for it lie, and who runs it; None: whoever runs the tests."""

    home: Path
    java: Path
    user: pwd.struct_passwd | None


def elastic_program() -> ElasticProgram:
    """The server that `scripts/test` fetches; the test is skipped (CI=true: fails) where it did not."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    places = [Path("/var/cache")] if os.getuid() == 0 else [own, Path("/var/cache")]
    homes = [cache / "hysds-test" / _NAME for cache in places if (cache / "hysds-test" / _NAME).is_dir()]
    if not homes:
        required.missing("Elasticsearch", "maven unzip default-jre-headless, then ./scripts/test")
    javas = [java for number in (17, 21) for java in Path("/usr/lib/jvm").glob(f"java-{number}-openjdk-*")]
    if not javas:
        required.missing("a Java 17 or 21", "default-jre-headless")
    return ElasticProgram(homes[0], javas[0], _system_user() if os.getuid() == 0 else None)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        required.missing(f"the system user {_SYSTEM_USER}", "maven unzip, then ./scripts/test")


class ElasticServer(ServerProcess):
    """One server with its data in its own directory, on 127.0.0.1; ready in 10 to 20 s, 0.7 GB: share it."""

    def __init__(self, program: ElasticProgram, options: ElasticOptions | None = None) -> None:
        self.options = options or ElasticOptions()
        directory = own_directory("elastic")
        self._http, self._transport = Reservation(), Reservation()
        self._configure(program, directory / "config")
        for name in ("data", "log", "tmp"):
            (directory / name).mkdir()
        command = [str(program.home / "bin" / "elasticsearch")]
        if program.user is not None:
            _give(directory, program.user)
            command = [*_as_user(program.user), *command]
        variables = self._variables(program, directory)
        super().__init__(directory, command, variables, self._greet, _READY_WITHIN_S)

    @property
    def node(self) -> ElasticNode:
        """How to reach it."""
        if self.options.certificate is None:
            return ElasticNode(f"http://127.0.0.1:{self._http.port}")
        url = f"https://127.0.0.1:{self._http.port}"
        return ElasticNode(url, _ADMIN, _PASSWORD, self.options.authority)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return self.node.url

    @property
    def port(self) -> int:
        """The port of its HTTP layer."""
        return self._http.port

    def hang(self) -> None:
        """Stop it where it stands: connections are taken, and nobody answers."""
        os.kill(self._server_pid(), signal.SIGSTOP)

    def go_on(self) -> None:
        """Undo `hang`."""
        os.kill(self._server_pid(), signal.SIGCONT)

    def remove(self) -> None:
        """Kill the server, delete its directory and give its ports back."""
        super().remove()
        for reservation in (self._http, self._transport):
            reservation.close()

    def _server_pid(self) -> int:
        # The process that was started is a launcher; its one child is the server.
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        return next(int(child) for task in tasks for child in task.read_text().split())

    def _greet(self) -> None:
        self.node.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=30s")

    def _configure(self, program: ElasticProgram, config: Path) -> None:
        shutil.copytree(program.home / "config", config)
        settings = {**self._settings(config), **self.options.settings}
        (config / "elasticsearch.yml").write_text(
            "".join(f"{key}: {told}\n" for key, told in settings.items())
        )
        # Two processors and half a gigabyte: no collector of many threads, and no log of it.
        lines = (config / "jvm.options").read_text().replace("UseG1GC", "UseSerialGC").splitlines()
        kept = [line for line in lines if not line.startswith("-Xlog:gc")]
        (config / "jvm.options").write_text("\n".join(kept))
        if self.options.certificate is not None:
            shutil.copy(self.options.certificate.chain, config / "chain.pem")
            shutil.copy(self.options.certificate.key, config / "key.pem")
            entries = [f"{name}:{_password_hash(_PASSWORD)}\n" for name in (_ADMIN, STRANGER)]
            (config / "users").write_text("".join(entries))
            (config / "users_roles").write_text(f"superuser:{_ADMIN}\n")

    def _settings(self, config: Path) -> dict[str, str]:
        settings = {
            "discovery.type": "single-node",
            "network.host": "127.0.0.1",
            "http.port": str(self._http.port),
            "transport.port": str(self._transport.port),
            "path.data": str(config.parent / "data"),
            "path.logs": str(config.parent / "log"),
            "action.destructive_requires_name": "false",
            "cluster.max_shards_per_node": "10000",
            # How full the disk of this machine is decides no test.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            "xpack.security.enabled": "false",
        }
        if self.options.certificate is not None:
            tls = "xpack.security.http.ssl"
            settings["xpack.security.enabled"] = settings[f"{tls}.enabled"] = "true"
            settings[f"{tls}.key"], settings[f"{tls}.certificate"] = "key.pem", "chain.pem"
        return settings

    def _variables(self, program: ElasticProgram, directory: Path) -> dict[str, str]:
        heap = f"-Xms{self.options.heap_mb}m -Xmx{self.options.heap_mb}m"
        return {
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "HOME": str(directory),
            "ES_JAVA_HOME": str(program.java),
            "ES_PATH_CONF": str(directory / "config"),
            "ES_TMPDIR": str(directory / "tmp"),
            "ES_JAVA_OPTS": f"{heap} {self.options.java_options}",
            "CLI_JAVA_OPTS": "-XX:TieredStopAtLevel=1",
        }


def _give(directory: Path, user: pwd.struct_passwd) -> None:
    for path in (directory, *directory.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)


def _as_user(user: pwd.struct_passwd) -> list[str]:
    # A change of user takes the watchdog's death signal away: it is set again.
    program = str(required.program("setpriv", "util-linux"))
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--no-new-privs"]
    return [program, *identity, "--pdeathsig=KILL", "--"]


def _password_hash(password: str) -> str:
    """As `elasticsearch-users` with PBKDF2 would write it, without another Java's start."""
    salt, rounds = os.urandom(32), 10_000
    derived = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, dklen=32)
    return f"{{PBKDF2}}{rounds}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"
