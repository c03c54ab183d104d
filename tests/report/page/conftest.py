"""Pages without the bundle of Plotly, which is the same in all and takes long to read."""

from collections.abc import Callable, Sequence

import pytest
from page_reader import Page

from samcli.report import compare
from samcli.report.page import page as make
from samcli.runs import Run

MakePage = Callable[..., Page]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> MakePage:
    monkeypatch.setattr("samcli.report.page.document._plotly", lambda: "var Plotly;")

    def made(runs: Sequence[Run], **settings: object) -> Page:
        chosen = {key: settings.pop(key) for key in ("baseline", "margin", "budget", "select") if key in settings}
        return Page(make(runs, compare(runs, **chosen), **settings))  # type: ignore[arg-type]

    return made
