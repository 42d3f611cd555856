"""What the app counts about itself, as Prometheus reads it; nothing personal is in it."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Meters:
    """Counters and times of one running app."""

    def __init__(self) -> None:
        """Start at zero."""
        self._registry = CollectorRegistry()
        self._analyses = Counter(
            "liftcoach_analyses", "Analyses that ended, by outcome.", ["outcome"], registry=self._registry
        )
        self._analysis_s = Histogram(
            "liftcoach_analysis_seconds",
            "Time of an analysis that was done.",
            buckets=(5, 10, 20, 40, 80, 160, 320, 640, 1280),
            registry=self._registry,
        )
        self._waiting = Gauge("liftcoach_analyses_waiting", "Analyses in the queue.", registry=self._registry)
        self._answers = Counter("liftcoach_answers", "Answers, by outcome.", ["outcome"], registry=self._registry)
        self._answer_s = Histogram("liftcoach_answer_seconds", "Time of a whole answer.", registry=self._registry)

    def analysis_ended(self, outcome: str, time_s: float) -> None:
        """Count an analysis."""
        self._analyses.labels(outcome).inc()
        if outcome == "done":
            self._analysis_s.observe(time_s)

    def answer_ended(self, outcome: str, time_s: float) -> None:
        """Count an answer."""
        self._answers.labels(outcome).inc()
        self._answer_s.observe(time_s)

    def watch_queue(self, n_waiting: Callable[[], int]) -> None:
        """Ask this function for the length of the queue."""
        self._waiting.set_function(n_waiting)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
