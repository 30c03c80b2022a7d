"""The checks: each takes a source tree and says what it objects to, one line an objection.

They are functions of the tree, so that the same code judges the real tree and a copy with a
fault planted in it. What stands in both is judged once.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from .source import Module, modules

EDGES = {"routes", "jobs"}  # of a context: they ask what time it is and pass it on

# Who may end a transaction: `db.begin()`, and the migrations that make its tables.
COMMITTERS = ("platform/db/", "platform/migrate.py")

SQL_TAKERS = {
    "DDL",
    "exec_driver_sql",
    "execute",
    "executemany",
    "executescript",
    "fetch",
    "fetchrow",
    "fetchval",
    "literal_column",
    "prepare",
    "text",
}


def unplaced_files(source: Path, allowed: Mapping[str, set[str]]) -> list[str]:
    """Files of a context whose name is neither one of the fixed ones nor a noun listed for it."""
    found = []
    for context, names in allowed.items():
        for path in sorted((source / "lendery" / context).glob("*")):
            placed = path.is_dir() or path.suffix == ".py"
            if path.name != "__pycache__" and not (placed and path.stem in names | {"__init__"}):
                found.append(f"{context}/{path.name} has no place in {context}")
    return found


def strange_tables(part: str, tables: Mapping[str, list[str]]) -> list[str]:
    """Tables without their context's prefix, and foreign keys that leave it."""
    found = []
    for table, targets in sorted(tables.items()):
        if not table.startswith(f"{part}_"):
            found.append(f"{table} is defined by {part}")
        for target in targets:
            if not target.startswith(f"{part}_"):
                found.append(f"{table} refers to {target}")
    return found


def strange_migrations(source: Path) -> list[str]:
    """Tables that a context's migrations make or refer to without its prefix."""
    made = (module for module in modules(source) if "/migrations/" in module.path)
    return [each for module in made for each in _strange_in(module)]


@cache
def _strange_in(module: Module) -> list[str]:
    return [
        _at(module, node, f"names {name}")
        for node in ast.walk(module.tree)
        for name in _tables_named(node)
        if not name.startswith(f"{module.part}_")
    ]


TABLE_IN_SQL = re.compile(
    r"""create\s+(?:virtual\s+|unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?"?(\w+)
    | references\s+"?(\w+)"?\s*\(""",
    re.IGNORECASE | re.VERBOSE,
)


def _tables_named(node: ast.AST) -> list[str]:
    """In SQL, in `op.create_table("name", ...)`, in `ForeignKey("name.column")`."""
    if text := _text(node):
        return [made or referred for made, referred in TABLE_IN_SQL.findall(text)]
    if isinstance(node, ast.Call) and node.args:
        names = _last_name(node.func) in ("create_table", "ForeignKey")
        return [text.split(".")[0]] if names and (text := _text(node.args[0])) else []
    return []


def commits(source: Path) -> list[str]:
    """Whoever ends a transaction without being allowed to."""
    others = (each for each in modules(source) if not each.path.startswith(COMMITTERS))
    return [each for module in others for each in _commits_in(module)]


@cache
def _commits_in(module: Module) -> list[str]:
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr == "commit":
            found.append(_at(module, node, "commits"))
        if _text(node).strip(" ;").upper() in ("BEGIN", "BEGIN IMMEDIATE", "COMMIT", "END"):
            found.append(_at(module, node, f"says {_text(node)}"))
    return found


# -- Clocks ----------------------------------------------------------------------------------------

CLOCKS = {
    "date": {"today"},
    "datetime": {"now", "today", "utcnow"},
    "func": {"current_date", "current_timestamp", "now"},
    "time": {"localtime", "monotonic", "monotonic_ns", "perf_counter", "time", "time_ns"},
}
SQL_CLOCK = re.compile(r"\bcurrent_(?:date|timestamp)\b|\bnow\(\)|\('now'", re.IGNORECASE)


def clocks(source: Path, contexts: Mapping[str, object]) -> list[str]:
    """Where the inside of a context asks for the time instead of being told it."""
    found = []
    for module in modules(source):
        if module.part in contexts and Path(module.path).parts[1].split(".")[0] not in EDGES:
            found += _clocks_in(module)
    return found


@cache
def _clocks_in(module: Module) -> list[str]:
    aliases = _aliases(module.tree)
    return [
        _at(module, node, f"asks {asked}")
        for node in ast.walk(module.tree)
        if (asked := _clock(node, aliases))
    ]


def _clock(node: ast.AST, aliases: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Attribute):
        owner = _last_name(node.value)
        owner = aliases.get(owner, owner)
        return f"{owner}.{node.attr}" if node.attr in CLOCKS.get(owner, ()) else None
    if isinstance(node, ast.ImportFrom) and node.module == "time":
        return next((f"time.{a.name}" for a in node.names if a.name in CLOCKS["time"]), None)
    if isinstance(node, ast.Call):
        texts = map(_text, [*node.args, *(keyword.value for keyword in node.keywords)])
        return next((text for text in texts if SQL_CLOCK.search(text)), None)
    return None


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Local name -> last name of what it stands for, for every `import ... as`."""
    return {
        alias.asname: alias.name.split(".")[-1]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }


# -- SQL from strings ------------------------------------------------------------------------------


def built_sql(source: Path) -> list[str]:
    """Where SQL is put together from strings: f-strings, format, join, + and %."""
    return [each for module in modules(source) for each in _built_in(module)]


@cache
def _built_in(module: Module) -> list[str]:
    found = []
    outer: set[str] = set()  # what the module builds, its functions may use
    for scope, nodes in _scopes(module.tree):
        built = outer | _built_names(nodes, outer)
        outer = outer or built
        found += [
            _at(module, node, f"builds SQL in {scope}")
            for node in nodes
            if isinstance(node, ast.Call) and _last_name(node.func) in SQL_TAKERS
            if node.args and _is_built(node.args[0], built)
        ]
    return found


def _scopes(tree: ast.Module) -> Iterator[tuple[str, list[ast.AST]]]:
    """The module, then each function, with the nodes that are its own."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        scope = waiting.pop(0)
        nodes: list[ast.AST] = []
        inner = list(ast.iter_child_nodes(scope))
        while inner:
            node = inner.pop(0)
            nodes.append(node)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                waiting.append(node)
            else:
                inner += ast.iter_child_nodes(node)
        yield getattr(scope, "name", "the module"), nodes


def _built_names(nodes: list[ast.AST], outer: set[str]) -> set[str]:
    """Names that a scope gives a built string to; a second pass follows one name to another."""
    built, literal = set(outer), set[str]()
    for node in [*nodes, *nodes]:
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            name = _last_name(node.target)
            built |= {name} if name in literal or _has_text(node.value) else set()
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {target.id for target in targets if isinstance(target, ast.Name)}
            built |= names if _is_built(node.value, built) else set()
            literal |= names if _is_literal(node.value) else set()
    return built


def _is_built(node: ast.AST, built: set[str]) -> bool:
    """Whether a string is put together from something that is not a literal."""
    if isinstance(node, ast.JoinedStr):
        return not _is_literal(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        parts = _has_text(node) or _is_built(node.left, built) or _is_built(node.right, built)
        return parts and not _is_literal(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "format" or (node.func.attr == "join" and _has_text(node.func))
    if isinstance(node, ast.IfExp):
        return _is_built(node.body, built) or _is_built(node.orelse, built)
    return isinstance(node, ast.Name) and node.id in built


def _is_literal(node: ast.AST) -> bool:
    """Whether a text is all written out, be it in pieces."""
    if isinstance(node, ast.BinOp):
        return _is_literal(node.left) and _is_literal(node.right)
    if isinstance(node, ast.JoinedStr):
        return not any(isinstance(value, ast.FormattedValue) for value in node.values)
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _has_text(node: ast.AST) -> bool:
    """Whether any piece of the expression is a text."""
    return any(_is_literal(inner) or isinstance(inner, ast.JoinedStr) for inner in ast.walk(node))


# -- Small readers ---------------------------------------------------------------------------------


def _text(node: ast.AST) -> str:
    """The text of a literal; nothing of anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _last_name(node: ast.AST) -> str:
    """`c` of `a.b.c`, `a` of `a`; nothing of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _at(module: Module, node: ast.AST, says: str) -> str:
    return f"{module.path}:{getattr(node, 'lineno', 0)} {says}"
