"""RabbitMQ, from the system's package.

On Debian it is 60 MB with Erlang, takes 10 to 20 s to install and 5 to start.
"""

import shutil
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from parts.yard import PATIENCE, Process, Unable, Yard, free_port, say

PROGRAMS = (Path("/usr/lib/rabbitmq/bin"), Path("/usr/local/lib/rabbitmq/bin"))
GREETING = b"AMQP\x00\x00\x09\x01"
LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"


class RabbitMQ:
    """RabbitMQ with the user guest on loopback, no plugins, and an epmd of its own.

    Erlang's nodes find each other through epmd, which stays behind when they stop; this one is
    started beside the node, and stopped by its pid like it.
    """

    name = "rabbitmq"
    variable = "LENDERY_TEST_RABBITMQ"
    packages: tuple[str, ...] = ("rabbitmq-server",)
    otherwise = "RabbitMQ 3.10 or newer"

    def find(self) -> Path | None:
        """Not the one in the PATH: on Debian that runs as a user of its own."""
        found = (folder / "rabbitmq-server" for folder in PROGRAMS)
        return next((each for each in found if each.exists() and shutil.which("epmd")), None)

    def start(self, yard: Yard) -> dict[str, str]:
        program, epmd = self.find(), shutil.which("epmd")
        assert program is not None and epmd is not None
        home = yard.directory(self.name)
        for attempt in (1, 2, 3):  # another process may take a port that was free
            port, control, names = free_port(), free_port(), free_port()
            yard.spawn("epmd", epmd, "-address", "127.0.0.1", "-port", str(names))
            settings = self._settings(home, port, control, names)
            # Nothing is to be kept, so it need not say goodbye.
            process = yard.spawn(self.name, "env", *settings, program, stop=signal.SIGKILL)
            if self._ready(process, port):
                break
            for _ in range(2):
                _, dead, _ = yard.servers.pop()
                dead.kill()
                dead.wait()
            if attempt == 3:
                raise Unable(f"RabbitMQ did not start:\n{yard.last_words(self.name)}")
        say(f"rabbitmq on 127.0.0.1:{port} from {program}")
        return {self.variable: f"amqp://guest:guest@127.0.0.1:{port}//"}

    def _settings(self, home: Path, port: int, control: int, names: int) -> list[str]:
        chosen = {
            "HOME": home,
            "RABBITMQ_NODENAME": f"lendery{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": port,
            "RABBITMQ_DIST_PORT": control,
            "RABBITMQ_MNESIA_BASE": home / f"data-{port}",
            "RABBITMQ_LOG_BASE": home / "log",
            "RABBITMQ_PID_FILE": home / "pid",
            "RABBITMQ_CONFIG_FILE": home / "none",
            "RABBITMQ_CONF_ENV_FILE": home / "none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": home / "plugins",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": LOOPBACK,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": names,
            "RUNNING_UNDER_SYSTEMD": "yes",  # the node takes the place of the script
        }
        return [f"{name}={value}" for name, value in chosen.items()]

    def _ready(self, process: Process, port: int) -> bool:
        deadline = time.monotonic() + 4 * PATIENCE
        while process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as link:
                link.sendall(GREETING)
                if link.recv(1) == b"\x01":
                    return True
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.05)
        return False
