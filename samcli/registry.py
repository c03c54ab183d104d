"""Registries: the names a user may write, and the options that each of them takes.

A *kind* (a data set, a model, an optimizer, a schedule) is a frozen dataclass; its fields are its options, declared
with `option`. That one declaration serves the library (as a constructor), the experiment file (validation and
defaults), and `samcli list` (documentation).
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.util
import inspect
import sys
import traceback
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from samcli.errors import ConfigError, OptionError, is_shortage, nearest, require_utf8
from samcli.fit import fits, sentence

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True)
class Option:
    """One option of a kind: its type, default, meaning and bounds.

    Attributes:
        minimum, maximum: inclusive bounds.
        above, below: exclusive bounds.
        choices: the allowed values (of each element, for a tuple).
        infinite: whether a number may be infinite; what is not a number never fits.
        canonical: what makes one value of all ways to write it, such as the absolute path of a file.
    """

    help: str
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    below: float | None = None
    choices: tuple[Any, ...] | None = None
    infinite: bool = False
    canonical: Callable[[Any], Any] | None = None
    name: str = ""
    type: Any = None
    default: Any = None

    @property
    def is_list(self) -> bool:
        """True for an option whose value is itself a list, so that a list is no grid axis."""
        return typing.get_origin(self.type) is tuple


def option(
    default: Any,
    help: str,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
    choices: tuple[Any, ...] | None = None,
    infinite: bool = False,
    canonical: Callable[[Any], Any] | None = None,
) -> Any:
    """A dataclass field that is an option; the arguments are those of `Option`.

    >>> @dataclass(frozen=True, kw_only=True)
    ... class Blur:
    ...     radius: float = option(1.0, "radius in pixels", above=0.0)
    >>> Blur().radius, options_of(Blur)["radius"].above
    (1.0, 0.0)
    """
    described = Option(help, minimum, above, maximum, below, choices, infinite, canonical)
    return dataclasses.field(default=default, metadata={"option": described})


def options_of(kind: type) -> dict[str, Option]:
    """The options of a kind by name, in the order of declaration, with types resolved.

    >>> @dataclass(frozen=True, kw_only=True)
    ... class Blur:
    ...     radius: float = option(1.0, "radius in pixels")
    ...     edges: bool = option(False, "whether edges are blurred too")
    >>> {name: o.type for name, o in options_of(Blur).items()}
    {'radius': <class 'float'>, 'edges': <class 'bool'>}
    """
    return dict(_options_of(kind))  # callers may change theirs


@functools.cache
def _options_of(kind: type) -> dict[str, Option]:
    hints = typing.get_type_hints(kind)
    return {
        field.name: dataclasses.replace(
            field.metadata["option"], name=field.name, type=hints[field.name], default=field.default
        )
        for field in dataclasses.fields(kind)
        if "option" in field.metadata
    }


def check_options(options: Mapping[str, Option], given: Mapping[str, Any]) -> None:
    """Refuse a value that does not fit the option of its name.

    Raises:
        OptionError: names the option, and says what it must be.

    >>> check_options({"radius": Option("in pixels", above=0.0, type=float)}, {"radius": 2})
    """
    for name, value in given.items():
        if name in options and not fits(options[name], value):
            raise OptionError(f"{name} {sentence(options[name], value)}")


def checks_options(kind: type[K]) -> type[K]:
    """A class decorator: the options that the constructor gets have to be there and to fit their declarations.

    Every registered kind has it. What YAML holds has been checked before, with the line that it stands on.

    >>> @checks_options
    ... @dataclass(frozen=True, kw_only=True)
    ... class Blur:
    ...     radius: float = option(1.0, "radius in pixels", above=0.0)
    >>> Blur(radius="2")
    Traceback (most recent call last):
    samcli.errors.OptionError: radius must be a number above 0, not '2'.
    """
    construct = kind.__init__

    @functools.wraps(construct)
    def checked(self: Any, *args: Any, **given: Any) -> None:
        known = [field.name for field in dataclasses.fields(kind)] if given else []  # type: ignore[arg-type]
        for name in given:
            if name not in known:
                advice = nearest(name, known) if known else "it has none."
                raise TypeError(f"{kind.__name__} has no option {name!r}; {advice}")
        if given:
            check_options(options_of(kind), given)
        construct(self, *args, **given)

    kind.__init__ = checked  # type: ignore[method-assign]
    return kind


_PLUGINS: dict[Path, ModuleType] = {}
_OWN = Path(__file__).parent  # samcli's own code
_DIGEST = "__samcli_digest__"  # of the file, in the module that it became


def load_plugin(file: str | Path) -> ModuleType:
    """Run a user's Python file, which enters its kinds into the registries; a second time does nothing.

    Afterwards its kinds are known by their names and as `FILE:NAME`.

    Raises:
        ConfigError: no such file, its path is not UTF-8, or it raises an error.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "mine.py")
    ...     _ = file.write_text("ANSWER = 42")
    ...     load_plugin(file).ANSWER
    42
    """
    path = Path(require_utf8(str(file))).resolve()  # configurations name it
    if path in _PLUGINS:
        return _PLUGINS[path]
    if path.suffix != ".py" or not path.is_file():
        found = f"{file} is no Python file" if path.is_file() else f"There is no Python file {file}"
        raise ConfigError(f"{found}; name a file that registers an optimizer, model or data set.")
    spec = importlib.util.spec_from_file_location(f"samcli_plugin_{len(_PLUGINS)}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    module.__dict__[_DIGEST] = hashlib.sha256(path.read_bytes()).hexdigest()
    try:
        with redirect_stdout(sys.stderr):  # standard output is the command's: a table, or one document
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a plug-in that ends the process would end every run
        line = next(
            (f.lineno for f in reversed(traceback.extract_tb(error.__traceback__)) if f.filename == str(path)), "?"
        )
        raise ConfigError(
            f"{file}, line {line}: {type(error).__name__}: {error}. Mend the file and try again."
        ) from error
    _PLUGINS[path] = module
    return module


def plugin_fault(error: BaseException) -> str | None:
    """A sentence for an error that a plug-in file raised, with its line; None for one that samcli's own code raised.

    >>> plugin_fault(KeyError("rho"))
    """
    frames = traceback.extract_tb(error.__traceback__)
    files = set(map(str, _PLUGINS))
    last = max((i for i, frame in enumerate(frames) if frame.filename in files), default=None)
    if last is None or any(Path(frame.filename).is_relative_to(_OWN) for frame in frames[last + 1 :]):
        return None
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"{frames[last].filename}, line {frames[last].lineno}: {told}. Mend the file and try again."


def is_plugins_own(error: BaseException) -> bool:
    """Whether the system refused something to a plug-in file, as a file of its own, and would not to every other run.

    >>> is_plugins_own(PermissionError(13, "Permission denied"))
    False
    """
    return isinstance(error, OSError) and not is_shortage(error) and plugin_fault(error) is not None


def plugin_digests(kind: type) -> dict[str, str]:
    """The SHA-256 of each plug-in file that a class or one of its bases is defined in, by its path.

    >>> plugin_digests(Option)
    {}
    """
    modules = [sys.modules.get(base.__module__) for base in kind.__mro__]
    return {str(m.__file__): m.__dict__[_DIGEST] for m in modules if m is not None and _DIGEST in m.__dict__}


def is_loaded(file: str | Path) -> bool:
    """Whether a plug-in has been run.

    >>> is_loaded("never_loaded.py")
    False
    """
    return Path(file).resolve() in _PLUGINS


def plugin_of(name: str) -> str | None:
    """The file in a name such as `path/to/file.py:name`; None for any other name.

    >>> plugin_of("mine.py:half-sam"), plugin_of("torchvision:resnet50")
    ('mine.py', None)
    """
    file, colon, inner = name.rpartition(":")
    return file if colon and inner and file.endswith(".py") else None


class Registry(Generic[T]):
    """Named kinds of one sort.

    A name ending in a colon is a prefix: `torchvision:` serves `torchvision:resnet50`, whose class then has a first
    field `argument` that takes the rest of the name. A name `FILE:NAME` is that of a kind in a plug-in, see
    `load_plugin`.

    Args:
        noun: what the entries are, for messages: "optimizer".
        advice: by the name of a method, what may help whoever registers a class that leaves it out.
    """

    def __init__(self, noun: str, advice: Mapping[str, str] | None = None) -> None:
        self.noun = noun
        self._advice = advice or {}
        self._kinds: dict[str, type[T]] = {}

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """A class decorator that enters a kind under a name.

        Raises:
            ConfigError: the class leaves out a method that it has to define.
        """

        def enter(kind: type[T]) -> type[T]:
            held = self._kinds.get(name)
            if held and held.__module__.startswith("samcli.") and held.__module__ != kind.__module__:
                raise ConfigError(f"samcli has its own {self.noun} named {name!r}; give {kind.__name__} another name")
            if missing := sorted(getattr(kind, "__abstractmethods__", ())):
                advice = "".join(f"; {self._advice[name]}" for name in missing if name in self._advice)
                raise ConfigError(f"{kind.__name__} does not define {' and '.join(missing)}{advice}")
            self._kinds[name] = checks_options(kind)
            return kind

        return enter

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __contains__(self, name: str) -> bool:
        name = _inner(name)
        return (name in self._kinds and not name.endswith(":")) or self._prefix(name) is not None

    def kind(self, name: str) -> type[T]:
        """The class behind a name.

        Raises:
            ConfigError: no such name; the message has the nearest one.
        """
        name = _inner(name)
        prefix = self._prefix(name)
        if name in self._kinds and not name.endswith(":"):
            return self._kinds[name]
        if prefix is not None:
            return self._kinds[prefix]
        meant = next((f"did you mean {known}{name}?" for known in self._kinds if self._serves(known, name)), None)
        raise ConfigError(f"There is no {self.noun} named {name!r}; {meant or nearest(name, self.shown())}")

    def options(self, name: str) -> dict[str, Option]:
        """The options of the kind behind a name."""
        return options_of(self.kind(name))

    def create(self, name: str, **options: Any) -> T:
        """The kind behind a name, built with the given options."""
        kind, name = self.kind(name), _inner(name)
        if name not in self._kinds:
            options["argument"] = name.partition(":")[2]
        return kind(**options)

    def canonical(self, name: str) -> str:
        """The name that identifies a kind wherever it is used: a kind with a prefix may define `canonical`."""
        prefix = self._prefix(name)
        rewrite = getattr(self._kinds[prefix], "canonical", None) if prefix else None
        return f"{prefix}{rewrite(name.partition(':')[2])}" if rewrite else name

    def _serves(self, prefix: str, name: str) -> bool:
        """Whether a name lacks no more than a prefix; a kind with one may define `serves`."""
        serves = getattr(self._kinds[prefix], "serves", None) if prefix.endswith(":") else None
        return bool(serves and serves(name))

    def shown(self) -> list[str]:
        """The names as a user would write them, prefixes with their argument in capitals."""
        return [
            name + getattr(kind, "ARGUMENT", "NAME") if name.endswith(":") else name
            for name, kind in self._kinds.items()
        ]

    def summary(self, name: str) -> str:
        """The first line of the kind's docstring."""
        return (inspect.getdoc(self._kinds.get(name) or self.kind(name)) or "").partition("\n")[0]

    def of_module(self, module: ModuleType) -> list[str]:
        """The names of the kinds that a plug-in has entered."""
        return [name for name, kind in self._kinds.items() if kind.__module__ == module.__name__]

    def _prefix(self, name: str) -> str | None:
        prefix = name.partition(":")[0] + ":"
        return prefix if prefix in self._kinds and len(name) > len(prefix) else None


def _inner(name: str) -> str:
    """The name without the file of a plug-in that was loaded."""
    file = plugin_of(name)
    return name.rpartition(":")[2] if file and is_loaded(file) else name
