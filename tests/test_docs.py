"""What the documents show is what runs."""

import re
from pathlib import Path

import pytest

from samcli.config import Draft, read
from samcli.train import CATALOGUE

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for document in DOCUMENTS:
        for text in re.findall(rf"```{language}\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL):
            found.append((document.name, text))
    return found


@pytest.mark.parametrize(("name", "text"), blocks("yaml"))
def test_experiments_in_documents_are_valid(name: str, text: str, tmp_path: Path):
    for _, other in blocks("yaml"):  # a base lies beside the file, under the name of its experiment
        if named := re.match(r"name: (\S+)", other):
            (tmp_path / f"{named[1]}.yaml").write_text(other)
    (tmp_path / name).write_text(text)
    assert Draft.of(read(tmp_path / name), CATALOGUE).expand()


@pytest.mark.parametrize(("name", "text"), blocks("python"))
def test_programs_in_documents_run(name: str, text: str):
    exec(compile(text, name, "exec"), {})


def test_links_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_files_that_are_named_exist() -> None:
    """Whole paths, and in docs/architecture.md those within samcli/."""
    for document in DOCUMENTS:
        for file in re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|yaml|md))`", document.read_text(encoding="utf-8")):
            assert (ROOT / file).exists() or (ROOT / "samcli" / file).exists(), f"{document.name}: {file}"
