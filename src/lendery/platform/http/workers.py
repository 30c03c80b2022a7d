"""Several processes that serve one address, each started again when it ended."""

from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import Multiprocess


class Workers(Multiprocess):
    """uvicorn's, but that a worker ended is heard at once.

    uvicorn asks each in turn whether it is well, and waits up to five seconds for one that fell
    just then, and as long for none of the others: it keeps the worker's end of the pipe open
    itself, so the pipe never breaks.
    """

    def keep_subprocess_alive(self) -> None:
        for worker in self.processes:
            worker.child_conn.close()
        super().keep_subprocess_alive()


def serve_by_workers(config: Config) -> int:
    """Until it is told to stop; 0, or STARTUP_FAILURE where a worker could not start."""
    workers = Workers(config, sockets=[config.bind_socket()])
    workers.run()
    failed = any(worker.exitcode == STARTUP_FAILURE for worker in workers.processes)
    return STARTUP_FAILURE if failed else 0
