"""A question in the language of each database. Every word is quoted, so none is an operator."""

from lendery.catalog.rules.query import WITHDRAWN, Asked, Term

_WEIGHTS = {"title": "A", "author": "B", "subject": "C", "other": "D", "": ""}


def fts5(asked: Asked, *, withdrawn: bool = False) -> str:
    """The question for SQLite."""
    found = " AND ".join(map(_fts5_term, asked.terms))
    without = [_fts5_term(each) for each in asked.without]
    if withdrawn:
        found += f' AND "{WITHDRAWN}"'
    else:
        without.append(f'"{WITHDRAWN}"')
    return f"({found}) NOT ({' OR '.join(without)})" if without else found


def _fts5_term(term: Term) -> str:
    field = f"{term.field} : " if term.field else ""
    if term.instead:
        choices = " OR ".join(f'"{word}"' for word in term.choices)
        return f"{field}({choices})"
    return f'{field}"{" ".join(term.words)}"' + (" *" if term.begun else "")


def tsquery(asked: Asked, *, withdrawn: bool = False) -> str:
    """The question for PostgreSQL, as a tsquery literal."""
    parts = [_ts_term(each) for each in asked.terms]
    parts += [f"!{_ts_term(each)}" for each in asked.without]
    parts.append(f"'{WITHDRAWN}'" if withdrawn else f"!'{WITHDRAWN}'")
    return " & ".join(parts)


def _ts_term(term: Term) -> str:
    weight = _WEIGHTS[term.field]
    end = f":{weight}" if weight else ""
    if term.instead:
        return f"({' | '.join(_quoted(word, end) for word in term.choices)})"
    ends = [end] * len(term.words)
    if term.begun:
        ends[-1] = f":*{weight}"
    quoted = [_quoted(word, end) for word, end in zip(term.words, ends, strict=True)]
    return quoted[0] if len(quoted) == 1 else f"({' <-> '.join(quoted)})"


def _quoted(word: str, end: str) -> str:
    return f"'{word}'{end}"
