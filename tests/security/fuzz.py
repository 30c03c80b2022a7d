"""Schemathesis, told what to send and what to look at."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "allow_header_conformance",
)
# Other checks judge what an API ought to be like, not whether it keeps its word.
NOT_ASKED = (
    "negative_data_rejection",
    "positive_data_acceptance",
    "missing_required_header",
    "unsupported_method",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
    "object_level_authorization",
)


@dataclass
class Findings:
    """What came back, and what should not have."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        return self.statuses.total()

    def take(self, event: object) -> None:
        if isinstance(event, events.ScenarioFinished):
            self._read(event.label or "", event.recorder)
        elif isinstance(event, events.NonFatalError):
            self.wrong.append(f"{event.label}: {event.value}")
        elif isinstance(event, events.FatalError):
            self.wrong.append(str(event.exception))

    def _read(self, label: str, recorder: ScenarioRecorder) -> None:
        for each in recorder.interactions.values():
            self.statuses[each.response.status_code if each.response else 0] += 1
        for checks in recorder.checks.values():
            for check in checks:
                if check.failure_info is not None:
                    failure, how = check.failure_info.failure, check.failure_info.code_sample
                    self.wrong.append(
                        f"{check.name}, {label}: {failure.message[:500]}\n{how[:500]}"
                    )


def fuzz(
    url: str,
    token: str | None,
    *,
    keep: set[str],
    many: int,
    coverage: bool,
    seed: int,
    without: str = "",
) -> Findings:
    """`many` examples of each operation; with `coverage` every boundary of every field too.

    `keep` are people who must stay as they are: those who speak here. `without` strikes a status
    out of the document, so that a test can see this harness fail.
    """
    schema = schemathesis.openapi.from_url(
        f"{url}/openapi.json", config=_config(many, coverage, seed)
    )
    for operations in schema.raw_schema["paths"].values():
        for operation in operations.values():
            operation["responses"].pop(without, None)
    if token:
        schema.config.update(headers={"Authorization": f"Bearer {token}"})

    @schema.hook("filter_case")
    def _not_oneself(context: Any, case: Any) -> bool:
        whom = (case.path_parameters or {}).get("user_id")
        changes = case.method in ("PATCH", "DELETE") or case.path.endswith("/erase")
        return not (changes and whom in keep)

    findings = Findings()
    for event in from_schema(schema).execute():
        findings.take(event)
    return findings


def _config(many: int, coverage: bool, seed: int) -> schemathesis.Config:
    return schemathesis.Config.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "request-timeout": 20,
            "generation": {"max-examples": many, "no-shrink": True, "database": ":memory:"},
            # A wrong version ends every change before its body is looked at; test_raw_bytes.py
            # sends those.
            "parameters": {"header.if-match": "*"},
            "checks": {
                **{name: {"enabled": True} for name in CHECKS},
                **{name: {"enabled": False} for name in NOT_ASKED},
            },
            "phases": {
                "coverage": {"enabled": coverage},
                "stateful": {"enabled": coverage, "max-steps": 6},
            },
        }
    )
