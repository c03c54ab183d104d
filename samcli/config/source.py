"""Reading YAML the way an experimenter means it, and remembering where every key stands.

PyYAML follows YAML 1.1, where `1e-3` is a string, `no` is false, `10:30` is 630, and a repeated key silently wins.
Here `1e-3` is a number, only `true` and `false` are booleans, and a repeated key is an error.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from samcli.errors import ConfigError

KeyPath = tuple[str | int, ...]

MOST_CHARACTERS = 1_000_000
MOST_VALUES = 100_000
MOST_DIGITS = 1000
TABLES = (".csv", ".tsv", ".parquet")  # files that are data


@dataclass
class Source:
    """A parsed document and the line of each of its keys.

    Attributes:
        data: mappings, lists and scalars.
        name: the file, for messages.
        lines: key path to line number, from 1.
        files: key path to the file that it stands in, where that is another one.
        flags: key paths whose values come from the command line instead.
        trusted: whether the document may name Python files to run; what comes out of a checkpoint may not.
    """

    data: dict[str, Any]
    name: str = "the command line"
    lines: dict[KeyPath, int] = field(default_factory=dict)
    trusted: bool = True
    flags: set[KeyPath] = field(default_factory=set)
    files: dict[KeyPath, str] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """`file.yaml, line 7` for a key path or its nearest ancestor with a known line; else the file alone."""
        if path in self.flags:
            return "the command line"
        file, line = self.place(path)
        return f"{file}, line {line}" if line else file

    def place(self, path: KeyPath) -> tuple[str, int | None]:
        """The file and the line of a key path or its nearest ancestor with a known one."""
        known = next((path[:length] for length in range(len(path), 0, -1) if path[:length] in self.lines), None)
        return (self.name, None) if known is None else (self.files.get(known, self.name), self.lines[known])

    def file_named(self, file: str, path: KeyPath) -> str:
        """The file that a key names: of the current folder, or else of the folder of the document that has the key.

        >>> Source({}, "grids/wide.yaml").file_named("absent.py", ("plugins",))
        'absent.py'
        """
        beside = os.path.join(os.path.dirname(self.place(path)[0]), file)
        return beside if self.trusted and not os.path.isfile(file) and os.path.isfile(beside) else file


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core scalars: what looks like a number is one, and nothing else turns into anything."""


_CORE = "tag:yaml.org,2002:"
_SCALARS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+0123456789."),
    ("float", r"[-+]?\.?(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+.iI"),
    ("merge", r"<<", "<"),
)
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_CORE + _tag, re.compile(rf"^(?:{_pattern})$"), list(_first))


def _float(loader: yaml.SafeLoader, node: yaml.Node) -> float:
    return float(str(node.value).lower().replace(".inf", "inf").replace(".nan", "nan"))


_Loader.add_constructor(f"{_CORE}float", _float)
# decimal, whatever the leading zero: YAML 1.1 reads 010 as eight
_Loader.add_constructor(f"{_CORE}int", lambda loader, node: int(str(node.value), 10))


def parse_scalar(text: str) -> Any:
    """The value that a flag's text would have in a file: `0.1`, `true`, `[0.05, 0.1]`, `sgd`.

    >>> parse_scalar("1e-3"), parse_scalar("no"), parse_scalar("[1, 2]"), parse_scalar("inf")
    (0.001, 'no', [1, 2], inf)

    Raises:
        ConfigError: it is no YAML, or more than an experiment may hold.
    """
    try:
        return _load(text, Source({}))[1]
    except yaml.YAMLError as error:
        raise ConfigError(f"Cannot read the value {text[:100]!r}; write it as in a YAML file.") from error


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
    if path.suffix == ".py":
        raise ConfigError(f"{path} is a Python file; name it with --plugin {path}, or try it with: samcli check {path}")
    if path.suffix.lower() in TABLES:
        raise ConfigError(f"{path} is a table, not an experiment; train on it with: samcli train --dataset csv:{path}")
    try:
        if not path.is_file() and path.exists() and not path.is_dir():  # a pipe would never end
            raise ConfigError(f"{path} is no regular file; name an experiment file in YAML.")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no file {path}; name an experiment file, or one of samcli list experiments."
        ) from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path} is a directory; name an experiment file in it.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a text file; name an experiment file in YAML.") from error
    except OSError as error:
        raise ConfigError(f"Cannot read {path} ({error.strerror}); name another file, or mend this one.") from error
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
    source = Source({}, name)
    try:
        node, data = _load(text, source)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(
            f"{name}{line}: this is not YAML ({error.problem}); check indentation, colons and brackets."
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} is not YAML; check that it is a text file.") from error
    if node is None:
        raise ConfigError(f"{name} is empty; start from what samcli list experiments quickstart shows.")
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(
            f"{name} must hold keys and values such as 'epochs: 10'; samcli list experiments quickstart shows some."
        )
    source.data = data
    return source


def _load(text: str, source: Source) -> tuple[yaml.Node | None, Any]:
    """The nodes of a text and its value, after a look at each of them; the lines of keys go into the source.

    Raises:
        ConfigError: more than an experiment may hold, a tag or a character that has no place in one.
        yaml.YAMLError: no YAML.
    """
    if len(text) > MOST_CHARACTERS:
        raise ConfigError(f"{source.name} has {len(text):,} characters; an experiment has at most {MOST_CHARACTERS:,}.")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, None
        _Inspection(source).of(node, ())
        return node, loader.construct_document(node)  # a SafeLoader: builds plain values only
    except RecursionError:
        raise ConfigError(
            f"{source.name} is nested too deeply, or has an alias inside what it stands for; write the values out."
        ) from None
    finally:
        loader.dispose()


class _Inspection:
    """The inspection of every node, once all are composed and before anything is made of them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._nodes = 0

    def of(self, node: yaml.Node, path: KeyPath) -> None:
        """Inspect a node and what is below it."""
        self._nodes += 1
        if self._nodes > MOST_VALUES:
            raise ConfigError(
                f"{self._source.name} stands for more than {MOST_VALUES:,} values once its aliases are written out; "
                "leave some out."
            )
        if isinstance(node, yaml.MappingNode):
            self._of_mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            self._check_tag(node, "seq")
            for index, item in enumerate(node.value):
                self._source.lines[(*path, index)] = item.start_mark.line + 1
                self.of(item, (*path, index))
        elif isinstance(node, yaml.ScalarNode):
            self._of_scalar(node)

    def _of_mapping(self, node: yaml.MappingNode, path: KeyPath) -> None:
        self._check_tag(node, "map")
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(f"{self._place(key_node)}: a key must be a word, such as epochs.")
            self._of_scalar(key_node)
            key = key_node.value
            if key in seen and key != "<<":
                raise ConfigError(
                    f"{self._place(key_node)}: the key {key!r} is set in line {seen[key]} already; remove one."
                )
            seen[key] = line
            self._source.lines[(*path, key)] = line
            self.of(value_node, (*path, key))

    def _of_scalar(self, node: yaml.ScalarNode) -> None:
        tag = self._check_tag(node, "str", *(tag for tag, _, _ in _SCALARS))
        patterns = [pattern for known, pattern, _ in _SCALARS if known == tag]
        if patterns and not any(re.fullmatch(pattern, node.value) for pattern in patterns):
            raise ConfigError(f"{self._place(node)}: {node.value[:100]!r} is no {tag}; write the value plainly.")
        if tag == "int" and len(node.value) > MOST_DIGITS:
            raise ConfigError(f"{self._place(node)}: a number of {len(node.value):,} digits; write a smaller one.")
        if odd := next((c for c in node.value if _is_control(c)), None):
            raise ConfigError(f"{self._place(node)}: a text holds the control character {odd!r}; leave it out.")

    def _check_tag(self, node: yaml.Node, *known: str) -> str:
        tag = str(node.tag).removeprefix(_CORE)
        if tag not in known:
            raise ConfigError(f"{self._place(node)}: the tag {node.tag} has no meaning here; write the value plainly.")
        return tag

    def _place(self, node: yaml.Node) -> str:
        return f"{self._source.name}, line {node.start_mark.line + 1}"


def _is_control(character: str) -> bool:
    """Whether a character does something else than to be read: to a terminal, a path, or an encoder."""
    turns_text = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return turns_text or (unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t")
