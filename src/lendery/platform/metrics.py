"""What Lendery counts, in Prometheus' form, at /metrics."""

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Cell:
    """A number that is added to. On one thread: a lock would cost more than a finished answer."""

    __slots__ = ("n",)

    def __init__(self) -> None:
        self.n = 0


class Cells(Collector):
    """A counter with one label."""

    def __init__(self, name: str, says: str, label: str) -> None:
        self.name, self.says, self.label = name, says, label
        self.cells: dict[str, Cell] = {}
        REGISTRY.register(self)

    def cell(self, value: str) -> Cell:
        return self.cells.setdefault(value, Cell())

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self.name, self.says, labels=[self.label])
        for value, cell in self.cells.items():
            family.add_metric([value], cell.n)
        yield family


class Tally:
    """The answers of one route with one status: how many, and how long they took."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(FAST) + 1)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.seconds += seconds
        self.buckets[0 if seconds <= 0.0005 else bisect_left(FAST, seconds)] += 1


class Requests(Collector):
    """Every request answered: a counter, and a histogram of the time it took."""

    def __init__(self) -> None:
        self.tallies: dict[tuple[str, str, int], Tally] = {}
        REGISTRY.register(self)

    def of(self, method: str, route: str, status: int) -> Tally:
        found = self.tallies.get((method, route, status))
        if found is None:
            found = self.tallies[method, route, status] = Tally()
        return found

    def collect(self) -> Iterator[Metric]:
        counted = CounterMetricFamily(
            "lendery_requests", "Requests answered.", labels=["method", "route", "status"]
        )
        timed = HistogramMetricFamily(
            "lendery_request_seconds", "Time to answer, in seconds.", labels=["method", "route"]
        )
        together: dict[tuple[str, str], tuple[list[int], float]] = {}
        for (method, route, status), tally in list(self.tallies.items()):
            counted.add_metric([method, route, str(status)], sum(tally.buckets))
            before, seconds = together.get((method, route), ([0] * len(tally.buckets), 0.0))
            buckets = [a + b for a, b in zip(before, tally.buckets, strict=True)]
            together[method, route] = buckets, seconds + tally.seconds
        for labels, (buckets, seconds) in together.items():
            so_far = [sum(buckets[: at + 1]) for at in range(len(buckets))]
            bounds = [*(str(float(each)) for each in FAST), "+Inf"]
            timed.add_metric(list(labels), list(zip(bounds, so_far, strict=True)), seconds)
        yield counted
        yield timed


REQUESTS = Requests()
EVENTS_PUBLISHED = Counter("lendery_events_published_total", "Events delivered.", ["name"])
EVENTS_PARKED = Counter("lendery_events_parked_total", "Events given up on for now.", ["name"])
EVENT_LAG = Histogram(
    "lendery_event_lag_seconds", "From happening to delivered, in seconds.", buckets=FAST
)
CACHE = Cells("lendery_cache", "Kept answers: given, shared, made, thrown away.", "result")
CACHE_LEASE = Gauge(
    "lendery_cache_lease", "1 while answers come from memory without asking.", ["context"]
)
CACHE_SETTLE = Histogram(
    "lendery_cache_settle_seconds", "Until every reader knew of a change, in seconds.", buckets=FAST
)
CACHE_LAG = Histogram(
    "lendery_cache_projection_age_seconds",
    "Age of kept answers that show what circulation or readers told, when given, in seconds.",
    buckets=FAST,
)
SHARED_CACHE = Counter("lendery_shared_cache_total", "Questions to Redis.", ["result"])
JOBS = Counter(
    "lendery_jobs_total", "Jobs run here, by the clock or asked for.", ["name", "result"]
)
JOB_FAILURES = Counter("lendery_job_failures_total", "Runs of jobs that failed.", ["name", "error"])
JOB_FAILING = Gauge(
    "lendery_job_failing", "1 while the last slot of a job failed.", ["context", "name", "error"]
)
JOB_DONE_AT = Gauge(
    "lendery_job_done_timestamp_seconds",
    "When a job was last done, in seconds since 1970; seen while no failure came after.",
    ["context", "name"],
)
JOB_SECONDS = Histogram(
    "lendery_job_seconds",
    "Time a run of a job took, in seconds.",
    ["name"],
    buckets=(0.01, 0.1, 1, 10, 60, 300, 1200),
)
LIMITED = Counter("lendery_rate_limited_total", "Requests refused for coming too often.")
BREAKER = Gauge("lendery_breaker_open", "1 while calls to a neighbour are held back.", ["peer"])
