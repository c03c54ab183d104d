"""The command as a whole."""

import subprocess
import sys

from command import Samcli

from samcli import __version__


def test_help_has_an_example_for_each_command(samcli: Samcli) -> None:
    called = samcli("--help")
    for command in ("train", "compare", "sharpness", "landscape", "list"):
        assert command in called.out
        assert f"Example: samcli {command}" in " ".join(samcli(command, "--help").out.split())


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
        "heavy = ('torch', 'pandas', 'scipy', 'numpy', 'pydantic', 'matplotlib')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
