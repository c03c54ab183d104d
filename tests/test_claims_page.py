"""docs/claims.md is what its script makes of the numbers, and nobody typed any of them."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_page_is_the_one_that_the_script_prints(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("claims_page", ROOT / "benchmarks" / "claims_page.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main([])
    assert capsys.readouterr().out == (ROOT / "docs" / "claims.md").read_text(), "python benchmarks/claims_page.py"
