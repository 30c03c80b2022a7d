"""Nobody but `db.begin()` ends a transaction."""

from pathlib import Path

from .checks import commits
from .source import SOURCE, copy, plant


def test_nobody_commits() -> None:
    assert commits(SOURCE) == []


def test_a_commit_is_refused(tmp_path: Path) -> None:
    source = copy(tmp_path)
    plant(
        source,
        "lendery.circulation.planted",
        "async def lend(tx):\n    await tx.commit()\n    await tx.execute('commit;')",
    )
    assert sorted(set(commits(source)) - set(commits(SOURCE))) == [
        "circulation/planted.py:3 commits",
        "circulation/planted.py:4 says commit;",
    ]
