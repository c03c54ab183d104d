"""The command as a whole."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from command import Samcli

from samcli import __version__


def test_help_has_an_example_for_each_command(samcli: Samcli) -> None:
    called = samcli("--help")
    for command in (
        "train",
        "tune",
        "compare",
        "plot",
        "report",
        "sharpness",
        "landscape",
        "list",
        "runs",
        "runs rm",
        "export",
    ):
        assert command in called.out
        assert f"Example: samcli {command}" in " ".join(samcli(*command.split(), "--help").out.split())


def test_version(samcli: Samcli) -> None:
    assert samcli("--version").out == f"samcli {__version__}\n"


def test_no_arguments_show_help(samcli: Samcli) -> None:
    called = samcli()
    assert "Usage" in called.out + called.err


def test_unknown_command(samcli: Samcli) -> None:
    called = samcli("trian")
    assert called.code == 2
    assert "trian" in called.err
    assert "Traceback" not in called.err


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom samcli.cli.app import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = ('torch', 'pandas', 'scipy', 'numpy', 'pydantic', 'matplotlib', 'plotly')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


COMMANDS = (
    "train",
    "tune",
    "compare",
    "plot",
    "report",
    "sharpness",
    "landscape",
    "list",
    "check",
    "runs",
    "runs rm",
    "export",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_no_types_of_python(samcli: Samcli, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    called = samcli(*command.split(), "-h")
    assert called.code == 0
    for foreign in ("<bool>", "<list", "<str>", "<path>", "int range", "[["):
        assert foreign not in called.out
    assert called.out == samcli(*command.split(), "--help").out


def test_help_breaks_lines_only_where_the_terminal_ends(samcli: Samcli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    words = samcli("sharpness", "-h").out
    assert "lower bound of the worst case in the ball." in words
    assert "evaluation, recalibrated, batch" in " ".join(words.replace("│", " ").split())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENAMETOOLONG, "File name too long", "aaa"), "A name is longer than this system allows"),
        (OSError(errno.EEXIST, "File exists", "results"), "Something else has this name already"),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "Out of memory; take a smaller --batch-size"),
        (MemoryError(), "Out of memory; take a smaller --batch-size"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "Out of memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "Out of memory"),
    ],
)
def test_what_the_machine_refuses(
    samcli: Samcli, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def refuse(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("samcli.config.read", refuse)
    called = samcli("train", "x.yaml")
    assert called.code == 2
    assert words in called.err
    assert "Traceback" not in called.err


def test_ctrl_c_at_any_time(samcli: Samcli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    for place in ("samcli.config.read", "samcli.registry.load_plugin"):
        monkeypatch.setattr(place, interrupt)
    for arguments in (("train", "x.yaml"), ("check", "x.py")):
        called = samcli(*arguments)
        assert called.code == 75
        assert "Interrupted" in called.err


def test_a_reader_that_goes_away_ends_nothing() -> None:
    program = f"{sys.executable} -m samcli list datasets; echo $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({program}) | true"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == "0\n"


def test_quiet_and_verbose(samcli: Samcli, tmp_path: Path) -> None:
    small = ("train", "--dataset", "wine", "--optimizer", "sgd", "--optimizer", "sam", "--epochs", "1")
    called = samcli(*small, "--results", tmp_path, "-q")
    assert called.code == 0
    assert called.err == ""
    assert "sgd" in called.out
    assert "sam" in called.out
    again = samcli(*small, "--results", tmp_path, "-v")
    assert f"finished  {tmp_path}/wine/wine-linear-sam-" in again.err
    assert samcli(*small, "-q", "-v").code == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("sharpness", "x", "--eta", "abc"), "--eta must be a number at least 0, not 'abc'."),
        (("sharpness", "x", "--eta", "-1"), "--eta must be a number at least 0, not '-1'."),
        (("sharpness", "x", "--m", "0"), "--m must be a whole number at least 1, not '0'."),
        (("sharpness", "x", "--examples", "1.5"), "--examples must be a whole number at least 1, not '1.5'."),
        (
            ("landscape", "x", "--dimensions", "3"),
            "--dimensions must be a whole number at least 1 and at most 2, not '3'.",
        ),
        (("landscape", "x", "--span", "wide"), "--span must be a number, not 'wide'."),
        (("landscape", "x", "--directions", "up"), "--directions must be one of random, leading, not 'up'."),
        (("compare", "--budget", "foo"), "--budget must be one of epochs, gradients, seconds, not 'foo'."),
        (("compare", "--format", "pdf"), "--format must be one of table, markdown, latex, csv, json, not 'pdf'."),
    ],
)
def test_a_value_that_does_not_fit_is_told_in_our_words(
    samcli: Samcli, arguments: tuple[str, ...], sentence: str
) -> None:
    called = samcli(*arguments)
    assert (called.code, called.out) == (2, "")
    assert called.err.strip() == f"samcli: {sentence}"
