"""Reading YAML the way an experimenter means it, and remembering where every key stands.

PyYAML follows YAML 1.1, where `1e-3` is a string, `no` is false, `10:30` is 630, and a repeated key silently wins.
Here `1e-3` is a number, only `true` and `false` are booleans, and a repeated key is an error.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from samcli.errors import ConfigError

KeyPath = tuple[str | int, ...]


@dataclass
class Source:
    """A parsed document and the line of each of its keys.

    Attributes:
        data: mappings, lists and scalars.
        name: the file, for messages.
        lines: key path to line number, from 1.
        flags: key paths whose values come from the command line instead.
        trusted: whether the document may name Python files to run; what comes out of a checkpoint may not.
    """

    data: dict[str, Any]
    name: str = "the command line"
    lines: dict[KeyPath, int] = field(default_factory=dict)
    trusted: bool = True
    flags: set[KeyPath] = field(default_factory=set)

    def where(self, path: KeyPath) -> str:
        """`file.yaml, line 7` for a key path or its nearest ancestor with a known line; else the file alone."""
        if path in self.flags:
            return "the command line"
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return f"{self.name}, line {self.lines[path[:length]]}"
        return self.name


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core scalars: what looks like a number is one, and nothing else turns into anything."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+0123456789."),
    ("float", r"[-+]?\.?(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+.iI"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def _float(loader: yaml.SafeLoader, node: yaml.Node) -> float:
    return float(str(node.value).lower().replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor("tag:yaml.org,2002:float", _float)
# decimal, whatever the leading zero: YAML 1.1 reads 010 as eight
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(str(node.value), 10))


def parse_scalar(text: str) -> Any:
    """The value that a flag's text would have in a file: `0.1`, `true`, `[0.05, 0.1]`, `sgd`.

    >>> parse_scalar("1e-3"), parse_scalar("no"), parse_scalar("[1, 2]"), parse_scalar("inf")
    (0.001, 'no', [1, 2], inf)
    """
    try:
        return yaml.load(text, Loader=_Loader)  # a SafeLoader: builds plain values only
    except yaml.YAMLError as error:
        raise ConfigError(f"Cannot read the value {text!r}; write it as in a YAML file.") from error


def read(path: Path) -> Source:
    """The document in a file.

    Raises:
        ConfigError: no such file, a directory, not text, not YAML, empty, no mapping at the top, or a repeated key.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "small.yaml")
    ...     _ = file.write_text("epochs: 2")
    ...     read(file).data
    {'epochs': 2}
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no file {path}; name an experiment file such as experiments/quickstart.yaml."
        ) from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path} is a directory; name an experiment file in it.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a text file; name an experiment file in YAML.") from error
    except OSError as error:
        raise ConfigError(f"Cannot read {path} ({error.strerror}); check its permissions.") from error
    return parse(text, str(path))


def parse(text: str, name: str) -> Source:
    r"""The document in a text, with the errors of `read`.

    >>> source = parse("epochs: 2\noptimizer: {name: sgd, lr: 1e-1}", "small.yaml")
    >>> source.data["optimizer"], source.where(("optimizer", "lr"))
    ({'name': 'sgd', 'lr': 0.1}, 'small.yaml, line 2')

    Args:
        text: YAML.
        name: of the document, for messages.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # a SafeLoader: builds plain values only
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(
            f"{name}{line}: this is not YAML ({error.problem}); check indentation, colons and brackets."
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} is not YAML; check that it is a text file.") from error
    if node is None:
        raise ConfigError(f"{name} is empty; start from a copy of experiments/quickstart.yaml.")
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{name} must hold keys and values such as 'epochs: 10'; see experiments/quickstart.yaml.")
    source = Source({}, name)
    try:
        _record_lines(node, (), source)
    except RecursionError:
        raise ConfigError(f"{name} has an alias inside what it stands for; write the values out.") from None
    source.data = data
    return source


def _record_lines(node: yaml.Node, path: KeyPath, source: Source) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: dict[Hashable, int] = {}
        for key_node, value_node in node.value:
            key, line = key_node.value, key_node.start_mark.line + 1
            if key in seen and key != "<<":
                raise ConfigError(
                    f"{source.name}, line {line}: the key {key!r} is set in line {seen[key]} already; remove one."
                )
            seen[key] = line
            source.lines[(*path, key)] = line
            _record_lines(value_node, (*path, key), source)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            source.lines[(*path, index)] = item.start_mark.line + 1
            _record_lines(item, (*path, index), source)
