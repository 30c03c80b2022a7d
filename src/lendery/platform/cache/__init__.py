"""What makes a kept answer safe: a context's changes, numbered, and every reader told in time.

changes.py   the numbered changes of a context, written with each change
feed.py      what has changed since, as this process knows it
shared.py    finished answers that several processes share, in Redis
"""

from lendery.platform.cache.changes import ChangeLog, Turn

__all__ = ["ChangeLog", "Turn"]
