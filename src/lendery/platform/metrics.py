"""What Lendery counts, in Prometheus' form, at /metrics."""

from prometheus_client import Counter, Gauge, Histogram

FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

REQUESTS = Counter("lendery_requests_total", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "lendery_request_seconds", "Time to answer, in seconds.", ["method", "route"], buckets=FAST
)
EVENTS_PUBLISHED = Counter("lendery_events_published_total", "Events delivered.", ["name"])
EVENTS_PARKED = Counter("lendery_events_parked_total", "Events given up on for now.", ["name"])
EVENT_LAG = Histogram(
    "lendery_event_lag_seconds", "From happening to delivered, in seconds.", buckets=FAST
)
CACHE = Counter("lendery_cache_total", "Answers from the cache and not.", ["result"])
JOBS = Counter("lendery_jobs_total", "Jobs run by the clock.", ["name", "result"])
LIMITED = Counter("lendery_rate_limited_total", "Requests refused for coming too often.")
BREAKER = Gauge("lendery_breaker_open", "1 while calls to a neighbour are held back.", ["peer"])
