"""SIGTERM as Ctrl-C, for commands that clear away what is half done."""

import signal


def stop_as_after_ctrl_c() -> None:
    """asyncio cancels its main task then, at an `await` and never between two statements."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
