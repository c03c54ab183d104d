"""The experiments that come with samcli, which may be called by their names."""

from __future__ import annotations

import re
from pathlib import Path

from samcli.errors import ConfigError, nearest

HERE = Path(__file__).parent
SUFFIX = ".yaml"


def folder() -> Path:
    """Where they lie: `experiments/` of a checkout, and within the package where that was installed from a wheel.

    The build puts the one folder into the wheel; in a checkout a folder of that name in the package counts for nothing.
    """
    checkout = HERE.parent / "experiments"
    return checkout if (HERE.parent / "pyproject.toml").is_file() and checkout.is_dir() else HERE / "experiments"


def names() -> list[str]:
    """Their names: those of the files, with the folder and with hyphens.

    >>> {"quickstart", "label-noise"} <= set(names())
    True
    """
    files = (file.relative_to(folder()) for file in folder().rglob(f"*{SUFFIX}"))
    return sorted(file.with_suffix("").as_posix().replace("_", "-") for file in files)


def path_of(name: str) -> Path | None:
    """The file of an experiment; a hyphen is as good as an underscore. None if there is none of that name.

    >>> path_of("label_noise") == path_of("label-noise"), path_of("label-nose")
    (True, None)
    """
    wanted = name.replace("_", "-")
    for file in folder().rglob(f"*{SUFFIX}"):
        if file.relative_to(folder()).with_suffix("").as_posix().replace("_", "-") == wanted:
            return file
    return None


def experiment_file(given: Path) -> Path:
    """The file that a user means: one that is there, else the experiment of that name, whatever folder has it too.

    Raises:
        ConfigError: it can be no file of an experiment, and none has that name.

    >>> experiment_file(Path("quickstart")).name, experiment_file(Path("grid.yaml"))
    ('quickstart.yaml', PosixPath('grid.yaml'))
    """
    if given.suffix or given.is_file():
        return given
    found = path_of(str(given))
    if found is None and given.exists():  # whoever reads it says what is wrong with a folder
        return given
    if found is None:
        raise ConfigError(
            f"There is neither a file {given} nor an experiment of that name; {nearest(str(given), names())} "
            "See samcli list experiments."
        )
    return found


def question(file: Path) -> str:
    r"""What an experiment asks: the first sentence of the comment at the head of its file; empty without one.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.yaml").write_text("# Does SAM help? After Foret et al.\nname: a")
    ...     question(Path(folder, "a.yaml"))
    'Does SAM help?'
    """
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    found = re.match(r".*?[.?](?=\s|$)(?<!et al\.)", " ".join(lines))
    return found[0] if found else " ".join(lines)
