"""The templates' language: a small part of Jinja2, in a sandbox.

A template writes plain text from the facts of one notice. So it needs names, conditions, loops
and a few filters, and nothing else: what could call, reach into Python or work for long is
refused with its line, as is any name that the sample of its kind does not have. Nothing that was
let in here fails at night.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lendery.contracts.notices import (
    Medium,
    Preview,
    TemplateKey,
    TemplateKind,
    TemplateRefused,
    TemplateText,
)
from lendery.notices.built_in import TEMPLATES
from lendery.notices.built_in.samples import samples
from lendery.notices.built_in.spelling import spelled

FILTERS = ("capitalize", "default", "first", "join", "last", "length", "lower", "title", "trim",
           "upper")  # fmt: skip
TESTS = ("defined", "eq", "ge", "gt", "in", "le", "lt", "ne", "none", "undefined")
DEEPEST = 2  # loops within each other
ALLOWED = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const),
    *(nodes.If, nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or),
    *(nodes.Not, nodes.Filter, nodes.Test, nodes.Concat, nodes.Keyword),
)
NAMES: Mapping[str, str] = {
    "Call": "a call",
    "Macro": "a macro",
    "Assign": "an assignment",
    "Include": "an include",
    "Import": "an import",
    "Extends": "an extends",
}


class _Sandbox(ImmutableSandboxedEnvironment):
    """Without attributes: `item.title` is a key of the facts and never one of Python's."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return False

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return self.undefined(obj=obj, name=attribute)


def _sandbox() -> _Sandbox:
    made = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in FILTERS}
    made.tests = {name: made.tests[name] for name in TESTS}
    return made


_ENVIRONMENT = _sandbox()


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a template, and in which line."""

    line: int
    says: str


def checked(key: TemplateKey, text: TemplateText) -> Preview:
    """The template filled with its sample. Raises TemplateRefused."""
    full, sparse = (spelled(each, key.language) for each in samples(key.kind, key.medium))
    for field in ("subject", "body"):
        wrong = _first_wrong(getattr(text, field), full, sparse)
        if wrong is not None:
            errors = [{"pointer": f"#/{field}", "says": f"Line {wrong.line}: {wrong.says}"}]
            says = f"The {field} has an error in line {wrong.line}: {wrong.says}"
            raise TemplateRefused(
                says, field=field, line=wrong.line, says=wrong.says, errors=errors
            )
    return filled(text, full)


def filled(text: TemplateText, facts: Mapping[str, Any]) -> Preview:
    """The words for these facts, which are spelled already. The subject is one line."""
    subject, body = (_compiled(each).render(facts) for each in (text.subject, text.body))
    return Preview(subject=" ".join(subject.split()), body=body.strip() + "\n")


Edited = Mapping[TemplateKey, TemplateText]


def worded(
    edited: Edited,
    kind: TemplateKind,
    medium: Medium,
    languages: Sequence[str],
    facts: Mapping[str, Any],
) -> tuple[Preview, str]:
    """The words for these facts in the first of the languages that has some, and in which.

    The library's own words come before those built in. Words that fail after all, because the
    facts are of an older kind say, are not used.
    """
    for language in languages:
        key = TemplateKey(kind=kind, language=language, medium=medium)
        for texts in (edited, TEMPLATES):
            if key in texts:
                try:
                    return filled(texts[key], spelled(facts, language)), language
                except TemplateError:
                    continue
    raise LookupError(f"there are no words for {kind}")


def languages_of(*wanted: str | None) -> list[str]:
    """What to look for, in order: de-AT, then de; English at the end."""
    found: dict[str, None] = {}
    for each in filter(None, wanted):
        found |= {each: None, each.split("-")[0]: None}
    return list(found | {"en": None})


@lru_cache(maxsize=500)
def _compiled(source: str) -> Any:
    return _ENVIRONMENT.from_string(source)


def _first_wrong(source: str, full: dict[str, Any], sparse: dict[str, Any]) -> Wrong | None:
    try:
        tree = _ENVIRONMENT.parse(source)
        found = [*_strange(tree), *_unknown(tree, full)]
        if found:
            return min(found, key=lambda each: each.line)
        compiled = _ENVIRONMENT.from_string(source)
    except TemplateSyntaxError as error:
        return Wrong(error.lineno, _sentence(error.message or "This cannot be read."))
    except RecursionError:
        return Wrong(1, "This is nested too deeply.")
    for facts in (full, sparse):
        try:
            compiled.render(facts)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            return Wrong(_line_of(error), _sentence(str(error)))
    return None


def _strange(tree: nodes.Template) -> Iterator[Wrong]:
    for each, loops in _all(tree):
        if not isinstance(each, ALLOWED):
            kind = type(each).__name__
            yield Wrong(
                each.lineno, f"{_sentence(NAMES.get(kind, kind))[:-1]} is not allowed here."
            )
        if isinstance(each, nodes.For) and loops >= DEEPEST:
            yield Wrong(each.lineno, f"No more than {DEEPEST} loops within each other.")


def _unknown(tree: nodes.Template, known: Mapping[str, Any]) -> Iterator[Wrong]:
    """Names that nothing gives a value; in branches that the sample does not take, too."""
    own = {each.name for each in tree.find_all(nodes.Name) if each.ctx != "load"}
    for each in tree.find_all(nodes.Name):
        if each.ctx == "load" and each.name not in own | known.keys() | {"loop"}:
            there = ", ".join(sorted(known))
            yield Wrong(each.lineno, f"There is no {each.name!r} here. There are: {there}.")


def _all(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    """Each node, and how many loops it is in."""
    ahead: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while ahead:
        node, loops = ahead.pop()
        yield node, loops
        inside = loops + isinstance(node, nodes.For)
        ahead += [(each, inside) for each in node.iter_child_nodes()]


def _line_of(error: Exception) -> int:
    """The line of the template, which Jinja2 writes into the traceback."""
    line, step = 1, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == "<template>":
            line = step.tb_lineno
        step = step.tb_next
    return line


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."
