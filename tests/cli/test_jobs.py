"""How many runs train at once, and how many processes share each, from what was asked for."""

import pytest

from samcli.cli.jobs import MOST_JOBS, jobs_of, sharing_of
from samcli.errors import ConfigError


@pytest.mark.parametrize("text", ["", "-1", "2.0", "two", "²", "٣", str(MOST_JOBS + 1), "9" * 5000])
def test_no_number_of_jobs(text: str) -> None:
    with pytest.raises(ConfigError, match=rf"^--jobs must be auto or a whole number from 0 to {MOST_JOBS}, not "):
        jobs_of(text)


@pytest.mark.parametrize(
    ("started", "processes", "jobs", "expected"),
    [(1, None, None, (1, None)), (1, 2, None, (2, 1)), (1, 2, 0, (2, 0)), (1, 1, 4, (1, 4)), (2, None, None, (2, 0))],
)
def test_processes_share_one_run_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
    started: int,
    processes: int | None,
    jobs: int | None,
    expected: tuple[int, int | None],
) -> None:
    monkeypatch.setenv("WORLD_SIZE", str(started))
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    assert sharing_of(processes, jobs, None) == expected


def test_processes_beside_jobs_are_refused() -> None:
    for jobs, per_gpu in ((2, None), (None, 1)):
        with pytest.raises(ConfigError, match="2 processes share one run after the other: leave out --jobs and"):
            sharing_of(2, jobs, per_gpu)
