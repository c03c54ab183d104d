"""Texts by a tokenizer of the library `tokenizers`."""

import sys
from pathlib import Path

import pytest
import torch

from samcli.data import DATASETS
from samcli.data.base import Source
from samcli.data.sources._text import FileTokenizer
from samcli.errors import DataError
from samcli.tasks import LanguageModel

tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed; make test-extras installs it")

WORDS = "the cat sat on the mat and the naïve dog — a 🐕 — sat on the cat. " * 40


def trained(path: Path, *, bytes_too: bool) -> Path:
    """A tokenizer of byte pairs, or one of whole words that does not know all of them."""
    if bytes_too:
        made = tokenizers.Tokenizer(tokenizers.models.BPE())
        made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=300, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )
    else:
        made = tokenizers.Tokenizer(tokenizers.models.WordLevel(unk_token="[UNK]"))
        made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        trainer = tokenizers.trainers.WordLevelTrainer(vocab_size=6, special_tokens=["[UNK]"], show_progress=False)
    made.train_from_iterator([WORDS], trainer)
    made.enable_truncation(5)  # as many files ask for
    made.enable_padding(length=512)
    made.save(str(path))
    return path


def source(folder: Path, **options: object) -> Source:
    return DATASETS.create(f"text:{folder / 'a.txt'}", context=4, **options).source(Path())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(WORDS)
    return tmp_path


@pytest.mark.parametrize("bytes_too", [True, False])
def test_lengths_add_up_to_the_bytes_of_the_text(folder: Path, bytes_too: bool) -> None:
    tokenizer = FileTokenizer(trained(folder / "t.json", bytes_too=bytes_too))
    found = tokenizer.tokens(WORDS.encode(), folder / "a.txt")
    assert found.lengths is not None
    assert found.lengths.sum() == len(WORDS.encode())
    assert len(found.lengths) == len(found.numbers) > 500  # nothing is cut off, and nothing added
    assert found.numbers.max() < tokenizer.vocabulary


def test_a_text_by_its_tokens(folder: Path) -> None:
    file = trained(folder / "t.json", bytes_too=True)
    found = source(folder, tokenizer=str(file))
    reader = tokenizers.Tokenizer.from_file(str(file))
    reader.no_truncation()
    reader.no_padding()
    read = reader.decode(found.inputs.flatten().tolist())
    assert read == WORDS[: len(read)]
    assert found.vocabulary == found.task.outputs == reader.get_vocab_size()
    assert found.reading["tokenizer"] == file.read_text()
    assert isinstance(found.task, LanguageModel)
    # a guess that knows nothing: as many bits a token as the vocabulary has, over the bytes of a token
    logits = torch.zeros(*found.test_targets.shape, found.vocabulary)
    lengths = torch.tensor(found.task.token_bytes)[found.test_targets]
    expected = torch.tensor(float(found.vocabulary)).log2() / lengths.mean()
    score = found.task.score(found.task.statistics(logits, found.test_targets), len(logits))
    assert score == pytest.approx(expected.item(), rel=1e-5)
    assert score < 8.0
    assert "tokens of t.json" in found.notes


def test_what_it_does_not_know_is_told(folder: Path) -> None:
    notes = source(folder, tokenizer=str(trained(folder / "t.json", bytes_too=False))).notes
    assert notes[-1].endswith("of them [UNK], which flatters bits per byte")


def test_the_digest_knows_the_tokenizer(folder: Path) -> None:
    trained(folder / "t.json", bytes_too=True)
    trained(folder / "u.json", bytes_too=False)
    files = (None, f"{folder}/t.json", f"{folder}/u.json")
    kinds = [DATASETS.create(f"text:{folder / 'a.txt'}", tokenizer=file) for file in files]
    assert len({kind.digest(Path()) for kind in kinds}) == 3


def test_bad_tokenizers_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"There is no tokenizer .*missing\.json; give dataset\.tokenizer the path"):
        source(folder, tokenizer=str(folder / "missing.json"))
    (folder / "bad.json").write_text("{}")
    with pytest.raises(DataError, match=r"bad\.json is no tokenizer \(.*\); give the tokenizer\.json of the library"):
        source(folder, tokenizer=str(folder / "bad.json"))
    file = trained(folder / "t.json", bytes_too=True)
    (folder / "a.txt").write_bytes("naïve ".encode("latin-1") * 20)
    with pytest.raises(DataError, match=r"a\.txt is not in UTF-8 \(byte 3\)"):
        source(folder, tokenizer=str(file))
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(DataError, match=r"tokenizers, which is not installed; install samcli\[text\], or leave"):
        source(folder, tokenizer=str(file))
