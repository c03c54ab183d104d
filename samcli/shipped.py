"""The experiments that come with samcli, which may be called by their names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from samcli.errors import ConfigError
from samcli.words import joined

HERE = Path(__file__).parent
SUFFIX = ".yaml"
LIKE = 0.6  # from this share of common letters on a name is taken for a slip of another; difflib's own choice
NEARLY = 0.85  # of the likeness of the nearest name: those below it are not meant where that one may be
SHORTEST = 3  # characters of a part of a name that tells which


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
        ConfigError: it can be no file of an experiment, and none has that name; or it is no file, and an experiment
            has its name.

    >>> experiment_file(Path("quickstart")).name, experiment_file(Path("grid.yaml"))
    ('quickstart.yaml', PosixPath('grid.yaml'))
    """
    if given.is_file():
        return given
    found = path_of(given.as_posix())
    if found is not None:
        return found
    if given.exists():  # whoever reads it says what is wrong with a folder
        return given
    if (name := _without_file(given)) is not None:
        raise ConfigError(
            f"There is no file {given}; the one that comes with samcli is named {name}, without {given.suffix}."
        )
    if given.suffix:
        return given
    near = nearest_names(given.as_posix(), names(), "samcli list experiments")
    raise ConfigError(f"There is neither a file {given} nor an experiment of that name; {near}.")


def _without_file(given: Path) -> str | None:
    """The name of an experiment that is given as the file it has in a checkout, wherever that is; None if it is not."""
    if given.suffix.lower() not in (SUFFIX, ".yml"):
        return None
    *_, wanted = f"/{given.with_suffix('').as_posix()}".replace("_", "-").split("/experiments/")
    return wanted.removeprefix("/") if wanted.removeprefix("/") in names() else None


def nearest_names(name: str, known: Sequence[str], shown_by: str, most: int = 3) -> str:
    """A clause that names those most like a mistyped name, or that contain it, and the command that shows all.

    The part of a name after its folder counts for itself too.

    >>> nearest_names("lable-noise", ["label-noise", "claims/noise", "mnist"], "samcli claims")
    'did you mean label-noise? See samcli claims'
    >>> nearest_names("noise", ["label-noise", "claims/noise", "mnist"], "samcli claims")
    'did you mean claims/noise or label-noise? See samcli claims'
    >>> nearest_names("x", ["mnist"], "samcli claims")
    'see samcli claims'
    """
    wanted = name.lower().replace("_", "-")

    def likeness(one: str) -> float:
        return max(difflib.SequenceMatcher(None, wanted, part).ratio() for part in (one, one.rpartition("/")[2]))

    least = max(LIKE, NEARLY * max(map(likeness, known), default=0.0))
    near = [one for one in known if likeness(one) >= least or (len(wanted) >= SHORTEST and wanted in one)]
    near = sorted(near, key=likeness, reverse=True)[:most]
    return f"did you mean {joined(near, 'or')}? See {shown_by}" if near else f"see {shown_by}"


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
