import pytest
from typer.main import get_command

from samcli.cli.app import app


def params(command: str) -> dict[str, tuple[object, ...]]:
    """What the help of a command says of each option, by name."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    return {p.name: (p.opts, p.help, p.metavar, p.envvar, p.default, p.show_default) for p in commands[command].params}


@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        ("sharpness", "landscape", {"checkpoints", "plugin", "data_dir", "device"}),
        ("compare", "report", {"results", "baseline", "metric", "budget", "select", "margin"}),
        ("train", "check", {"data_dir"}),
        ("train", "sharpness", {"device"}),
    ],
)
def test_commands_describe_the_same_option_alike(one: str, other: str, names: set[str]) -> None:
    first, second = params(one), params(other)
    assert {name: first[name] for name in names} == {name: second[name] for name in names}
