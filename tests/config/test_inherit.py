"""Experiment files that begin from others: `base:`."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from samcli.config import Draft, RunConfig, Source, parse, read
from samcli.errors import ConfigError
from samcli.train import CATALOGUE

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes files by their names without suffix, and gives the path of the last one, relative to here."""
    monkeypatch.chdir(tmp_path)

    def files(**texts: str) -> Path:
        for name, text in texts.items():
            Path(f"{name}.yaml").write_text(text)
        return Path(f"{list(texts)[-1]}.yaml")

    return files


def expand(source: Source) -> list[RunConfig]:
    return Draft.of(source, CATALOGUE).expand()


BASE = """\
name: base
dataset: {name: digits, label_noise: 0.4}
model: mlp
epochs: 3
sharpness: {rho: 0.1, examples: 100}
optimizer: {name: sam, lr: 0.2, rho: 0.1}
only: {seeds: 0}
seeds: 0-1
"""


@pytest.mark.parametrize(
    ("own", "written_out"),
    [
        ("", ""),
        ("epochs: 5\n", "epochs: 5\n"),
        # a block without a name, or of the same name, is merged
        ("optimizer: {rho: 0.5}\n", "optimizer: {name: sam, lr: 0.2, rho: 0.5}\n"),
        ("optimizer: {name: sam, rho: 0.5}\n", "optimizer: {name: sam, lr: 0.2, rho: 0.5}\n"),
        ("sharpness: {every: 2}\n", "sharpness: {rho: 0.1, examples: 100, every: 2}\n"),
        ("dataset: {validation: 0.1}\n", "dataset: {name: digits, label_noise: 0.4, validation: 0.1}\n"),
        # a name alone is a block of that name, on either side
        ("model: {depth: 3}\n", "model: {name: mlp, depth: 3}\n"),
        ("optimizer: sam\n", "optimizer: {name: sam, lr: 0.2, rho: 0.1}\n"),
        # everything else is replaced
        ("optimizer: {name: asam}\n", "optimizer: {name: asam}\n"),
        ("optimizer: sgd\n", "optimizer: sgd\n"),
        ("optimizer: [sgd, {name: sam, rho: 0.5}]\n", "optimizer: [sgd, {name: sam, rho: 0.5}]\n"),
        ("optimizer: {rho: [0.3, 0.4]}\n", "optimizer: {name: sam, lr: 0.2, rho: [0.3, 0.4]}\n"),
        ("dataset: wine\n", "dataset: wine\n"),
        ("only: {optimizer: sam}\n", "only: {optimizer: sam}\n"),
        ("only: null\n", "only: null\n"),
    ],
)
def test_a_file_over_its_base_is_the_one_that_is_written_out(write: Write, own: str, written_out: str) -> None:
    inherited = expand(read(write(base=BASE, own=f"name: own\nbase: base.yaml\n{own}")))
    keys = {line.partition(":")[0] for line in written_out.splitlines()} | {"name"}
    lines = [line for line in BASE.splitlines() if line.partition(":")[0] not in keys]
    plain = expand(parse("name: own\n" + "\n".join(lines) + f"\n{written_out}", "plain.yaml"))
    assert [run.document() for run in inherited] == [run.document() for run in plain]
    assert "base" not in inherited[0].document()


def test_a_file_has_its_own_name(write: Write) -> None:
    assert "name" not in read(write(base=BASE, own="base: base.yaml\n")).data


def test_lists_are_replaced_also_where_the_base_has_one(write: Write) -> None:
    source = read(write(base="optimizer: [sgd, sam]\n", own="base: base.yaml\noptimizer: {rho: 0.1}\n"))
    with pytest.raises(ConfigError, match=r"^own\.yaml, line 2: this optimizer has no name"):
        expand(source)


def test_a_chain_of_folders(write: Write, tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    write(first="epochs: 1\nseeds: 1\nbatch_size: 7\n")
    Path("a/second.yaml").write_text("base: ../first.yaml\nepochs: 2\nseeds: 2\n")
    Path("a/b/third.yaml").write_text("base: ../second.yaml\nepochs: 3\n")
    assert read(Path("a/b/third.yaml")).data == {"epochs": 3, "seeds": 2, "batch_size": 7}
    absolute = write(absolute=f"base: {tmp_path / 'a' / 'second.yaml'}\n")
    assert read(absolute).data == {"epochs": 2, "seeds": 2, "batch_size": 7}


@pytest.mark.parametrize(
    ("base", "own", "sentence"),
    [
        ("epochs: 2\nepoch: 3\n", "seeds: 1\n", "base.yaml, line 2: unknown key 'epoch'; did you mean epochs?"),
        ("epochs: 2\n", "epoch: 3\n", "own.yaml, line 2: unknown key 'epoch'; did you mean epochs?"),
        (
            "optimizer:\n  name: sam\n  lr: -1\n",
            "optimizer:\n  rho: 0.1\n",
            "base.yaml, line 3: lr must be a number at least 0, not -1.",
        ),
        (
            "optimizer:\n  name: sam\n  lr: 1\n",
            "optimizer:\n  rho: -1\n",
            "own.yaml, line 3: rho must be a number at least 0, not -1.",
        ),
        (
            "optimizer:\n  name: sam\n  lr: -1\n",
            "optimizer:\n  lr: -2\n",
            "own.yaml, line 3: lr must be a number at least 0, not -2.",
        ),
        (
            "x-common: &common {lr: -1}\noptimizer: {<<: *common, name: sam}\n",
            "optimizer: {rho: 0.1}\n",
            "base.yaml, line 2: lr must be a number at least 0, not -1.",
        ),
        ("optimizer: [sgd,\n {name: samm}]\n", "", "base.yaml, line 2: There is no optimizer named 'samm'"),
        ("only: {optimizer: samm}\n", "", "base.yaml, line 1: no run has optimizer samm; "),
        ("epochs: {\n", "", "base.yaml, line 2: this is not YAML"),
        ("", "", "base.yaml is empty"),
        ("- 3\n", "", "base.yaml must hold keys and values"),
        ("seeds: x\n", "", "base.yaml, line 1: seeds must be written as"),
    ],
)
def test_errors_name_the_file_and_line_where_a_key_stands(write: Write, base: str, own: str, sentence: str) -> None:
    file = write(base=base, own=f"base: base.yaml\n{own}")
    with pytest.raises(ConfigError) as caught:
        expand(read(file))
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            "nowhere.yaml",
            "own.yaml, line 1: there is no file nowhere.yaml; a base is looked for from the folder of own.",
        ),
        (".", "own.yaml, line 1: the base . is a directory; name an experiment file in it."),
        ("''", "own.yaml, line 1: base must be the path of one experiment file, such as other.yaml."),
        ("null", "own.yaml, line 1: base must be the path of one"),
        ("[a.yaml, b.yaml]", "own.yaml, line 1: base must be the path of one"),
        ("{name: a}", "own.yaml, line 1: base must be the path of one"),
        ("own.yaml", "own.yaml, line 1: the base own.yaml has this file as its base in turn; "),
        ("./own.yaml", "own.yaml, line 1: the base own.yaml has this file as its base in turn; "),
        ("x" * 5000, "own.yaml, line 1: there is no file xxx"),
        ("plug.py", "plug.py is a Python file"),
        ("pipe", "pipe is no regular file"),
    ],
)
def test_a_base_that_is_none(write: Write, value: str, sentence: str) -> None:
    os.mkfifo("pipe")
    Path("plug.py").touch()
    with pytest.raises(ConfigError) as caught:
        read(write(own=f"base: {value}\n"))
    assert str(caught.value).startswith(sentence)


def test_a_circle_is_told(write: Write) -> None:
    write(a="base: b.yaml\n", b="epochs: 2\nbase: c.yaml\n", c="base: b.yaml\n")
    with pytest.raises(ConfigError, match=r"^c\.yaml, line 1: the base b\.yaml has this file as its base in turn; "):
        read(Path("a.yaml"))
    Path("link.yaml").symlink_to("looped.yaml")
    with pytest.raises(ConfigError, match="has this file as its base in turn"):
        read(write(looped="base: link.yaml\n"))


def test_a_chain_has_an_end(write: Write) -> None:
    write(f0="epochs: 2\n", **{f"f{i}": f"base: f{i - 1}.yaml\n" for i in range(1, 11)})
    assert read(Path("f9.yaml")).data == {"epochs": 2}
    with pytest.raises(ConfigError, match=r"^f1\.yaml, line 1: more than 10 files stand on each other; "):
        read(Path("f10.yaml"))


def test_a_document_that_is_no_file_has_no_base() -> None:
    """A checkpoint, for one: nothing in it makes samcli look at another file."""
    with pytest.raises(ConfigError, match=r"^x, line 1: only an experiment file can have a base; leave it out\.$"):
        expand(parse("base: other.yaml\n", "x"))
    with pytest.raises(ConfigError, match=r"^--set base: base is no setting of a run; write it in a file\.$"):
        Draft.of(Source({}), CATALOGUE).set("base=other.yaml")


def test_flags_count_over_both(write: Write) -> None:
    draft = Draft.of(read(write(base=BASE, own="base: base.yaml\nepochs: 5\n")), CATALOGUE)
    draft.set("optimizer.lr=-1")
    with pytest.raises(ConfigError, match=r"^the command line: lr must be"):
        draft.expand()
