"""A user's own folder of texts, one subfolder a class."""

from __future__ import annotations

from collections import Counter
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import ClassVar

from samcli.data.base import DATASETS, DatasetKind, Source
from samcli.data.sources._folder import Examples, read_layout
from samcli.data.sources._labelled_texts import Labelled, labelled_source
from samcli.data.sources._path import OfPath, resolved_file
from samcli.data.sources._text import SUFFIXES
from samcli.data.texts import TABLES, read_text
from samcli.data.tokenizer_file import with_tokenizer
from samcli.registry import option
from samcli.words import count

TEXTS = Examples("text", "text-folder", tuple(suffix for suffix in SUFFIXES if suffix not in TABLES))


@DATASETS.register("text-folder:")
@dataclass(frozen=True)
class TextFolder(OfPath, DatasetKind):
    """Classes of your own texts: PATH/train/CLASS/*.txt and PATH/test/CLASS/*.txt, or PATH/CLASS/*.txt split 80 to 20.

    Each file is a text and becomes `length` tokens; docs/texts.md says which. Beside train and test a folder val is the
    validation part.
    """

    FORM: ClassVar[str] = "text-folder:PATH"
    NOUN: ClassVar[str] = "folder"
    ARGUMENT: ClassVar[str] = "PATH"
    title: ClassVar[str] = "the folder of texts"
    is_images: ClassVar[bool] = False
    is_tokens: ClassVar[bool] = True
    default_model: ClassVar[str | None] = "text-encoder"

    argument: str
    _: KW_ONLY
    tokenizer: str | None = option(
        None, "a vocab.txt of WordPiece or a tokenizer.json; null: the words of the training part",
        canonical=resolved_file,
    )  # fmt: skip
    length: int = option(64, "tokens of each text; more are cut off", minimum=4, maximum=1_000_000)
    split_seed: int = option(0, "decides which fifth is the test part, in a folder without one", minimum=0)

    def digest(self, data_dir: Path) -> str | None:
        return with_tokenizer(read_layout(self._root, TEXTS).digest(), self._tokenizer_file)

    def source(self, data_dir: Path) -> Source:
        layout = read_layout(self._root, TEXTS)
        digest = with_tokenizer(layout.digest(), self._tokenizer_file)
        names = tuple(sorted(next(iter(layout.parts.values()))[1]))
        encodings: Counter[str] = Counter()
        parts = {
            part: _read([(file, number) for number, name in enumerate(names) for file in classes[name]], encodings)
            for part, (_, classes) in layout.parts.items()
        }
        notes = [f"{count(number, 'text')} read as {name}" for name, number in encodings.items() if name != "utf-8"]
        return labelled_source(
            parts,
            names,
            where=self.label,
            tokenizer_file=self._tokenizer_file,
            length=self.length,
            split_seed=self.split_seed,
            notes=[*notes, *layout.notes()],
            digest=digest,
            reading={"text": None},
        )

    @property
    def _root(self) -> Path:
        return Path(self.argument).expanduser()

    @property
    def _tokenizer_file(self) -> Path | None:
        return None if self.tokenizer is None else Path(self.tokenizer).expanduser()


def _read(files: list[tuple[Path, int]], encodings: Counter[str]) -> Labelled:
    """The texts of files and their classes; counts what they are encoded in."""
    texts = []
    for file, _ in files:
        text, encoding = read_text(file)
        encodings[encoding] += 1
        texts.append(text)
    return Labelled(texts, [number for _, number in files])
