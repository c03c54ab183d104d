"""What makes tokens of texts that have a class: the words of the training part, WordPiece, or a `tokenizer.json`.

Token 0 is padding for all of them.
"""

from __future__ import annotations

import functools
import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

from samcli.data.tokenizer_file import library_tokenizer, tokenizer_content
from samcli.errors import DataError

MOST_WORDS = 10_000  # of a vocabulary that is learnt, with padding and the unknown word
LONGEST_WORD = 100  # characters; BERT takes longer ones for unknown
MARKS = ("[UNK]", "[CLS]", "[SEP]")  # of WordPiece, beside [PAD], its token 0


class TextTokenizer(ABC):
    """Makes tokens of texts.

    Attributes:
        kind: the name that a reading knows it by.
        vocabulary: how many tokens there are.
        unknown: the token of what it does not know; None if it knows all.
        document: what it is made of again, with `kind`, in one text.
    """

    kind: ClassVar[str]
    vocabulary: int
    unknown: int | None
    document: str

    @abstractmethod
    def tokens(self, text: str, length: int) -> tuple[list[int], bool]:
        """At most `length` tokens of a text, at least one, and whether there would be more."""


class Words(TextTokenizer):
    """Each word and each mark of punctuation is a token, in small letters and without accents; 1 is any unknown one.

    >>> words = Words.learned(["A good film.", "A bad film!", "Bad."])
    >>> words.tokens("A film, bad", length=8), words.vocabulary
    (([3, 5, 1, 4], False), 6)
    """

    kind = "words"

    def __init__(self, document: str) -> None:
        words = document.split("\n") if document else []
        self._place = {word: number for number, word in enumerate(words, 2)}
        self.vocabulary, self.unknown, self.document = 2 + len(words), 1, document

    @classmethod
    def learned(cls, texts: Iterable[str]) -> Words:
        """The words that two texts or more have, the most frequent first, at most `MOST_WORDS` with padding.

        Those of one text alone are unknown in it as they will be elsewhere, so that the unknown word is trained.
        """
        counts = Counter(word for text in texts for word in set(words_of(text)))
        ordered = sorted((word for word in counts if counts[word] > 1), key=lambda word: (-counts[word], word))
        return cls("\n".join(ordered[: MOST_WORDS - 2]))

    def tokens(self, text: str, length: int) -> tuple[list[int], bool]:
        found = [self._place.get(word, 1) for word in words_of(text)] or [1]
        return found[:length], len(found) > length


class WordPiece(TextTokenizer):
    r"""The tokens of BERT by a vocabulary of pieces of words, `vocab.txt`, between [CLS] and [SEP].

    A word is the longest piece that begins it, then the longest beginning with ## of what is left, and so on. Letters
    are made small and lose their accents unless the vocabulary has an A.

    Source: Wu et al., 2016, arXiv:1609.08144, section 4.1; Devlin et al., NAACL 2019.

    >>> pieces = WordPiece("[PAD]\n[UNK]\n[CLS]\n[SEP]\nfilm\n##ing\n##s")
    >>> pieces.tokens("Filming films x", length=8), pieces.tokens("film film", length=3)
    (([2, 4, 5, 4, 6, 1, 3], False), ([2, 4, 3], True))
    """

    kind = "wordpiece"

    def __init__(self, document: str) -> None:
        pieces = document.split("\n")
        self._place = {piece: number for number, piece in enumerate(pieces)}
        self._is_small = "A" not in self._place
        self.vocabulary, self.document = len(pieces), document
        self.unknown, self._first, self._last = (self._place[mark] for mark in MARKS)
        self._known: dict[str, list[int]] = {}

    @classmethod
    def of_file(cls, content: bytes, file: Path) -> WordPiece:
        """That of a `vocab.txt`.

        Raises:
            DataError: it is no vocabulary of WordPiece.
        """
        try:
            pieces = content.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n").split("\n")
        except UnicodeDecodeError:
            pieces = []
        if pieces[:1] != ["[PAD]"] or not set(MARKS) <= set(pieces):
            raise DataError(
                f"{file} is no tokenizer: neither a tokenizer.json nor a vocabulary of WordPiece, with a piece in each "
                f"line, [PAD] in the first and {', '.join(MARKS)} in others."
            )
        return cls("\n".join(pieces))

    def tokens(self, text: str, length: int) -> tuple[list[int], bool]:
        found = [piece for word in words_of(text, is_small=self._is_small) for piece in self._pieces(word)]
        room = max(length - 2, 0)
        return [self._first, *found[:room], self._last][:length], len(found) > room

    def _pieces(self, word: str) -> list[int]:
        if word not in self._known:
            self._known[word] = self._cut(word)
        return self._known[word]

    def _cut(self, word: str) -> list[int]:
        found: list[int] = []
        start = 0
        while start < len(word) <= LONGEST_WORD:
            ends = range(len(word), start, -1)
            pieces = (("##" if start else "") + word[start:end] for end in ends)
            end, piece = next(((e, p) for e, p in zip(ends, pieces, strict=True) if p in self._place), (0, ""))
            if not end:
                return [int(self.unknown or 0)]
            found.append(self._place[piece])
            start = end
        return found or [int(self.unknown or 0)]


class LibraryTokenizer(TextTokenizer):
    """A tokenizer of the library `tokenizers`, with the special tokens that it puts around a text.

    Args:
        document: the content of its `tokenizer.json`.
        name: of the file, for messages.

    Raises:
        DataError: it is none, the library is not installed, or token 0 is no padding.
    """

    kind = "tokenizers"

    def __init__(self, document: str, name: str = "The tokenizer of the checkpoint") -> None:
        self._tokenizer = library_tokenizer(document.encode(), name, "for the words of the training part")
        first = str(self._tokenizer.id_to_token(0))
        if "pad" not in first.lower():
            raise DataError(
                f"{name} has {first!r} as token 0, which has to be padding here; take a tokenizer whose padding is "
                "token 0, as those of BERT, DistilBERT, ELECTRA and MiniLM."
            )
        self.vocabulary = 1 + max(self._tokenizer.get_vocab(with_added_tokens=True).values())
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        self.unknown = None if unknown is None else self._tokenizer.token_to_id(unknown)
        self.document = document

    def tokens(self, text: str, length: int) -> tuple[list[int], bool]:
        self._tokenizer.enable_truncation(length)
        encoded = self._tokenizer.encode(text)
        return list(encoded.ids) or [0], bool(encoded.overflowing)


def tokenizer_of(file: Path) -> TextTokenizer:
    """The tokenizer in a file: a `tokenizer.json`, which begins with a brace, or a `vocab.txt`.

    Raises:
        DataError: it cannot be read, or is none.
    """
    content = tokenizer_content(file)
    if not content.lstrip().startswith(b"{"):
        return WordPiece.of_file(content, file)
    try:
        return LibraryTokenizer(content.decode(), str(file))
    except UnicodeDecodeError:
        raise DataError(f"{file} is no tokenizer: it is not in UTF-8.") from None


@functools.lru_cache(maxsize=8)
def remade(kind: str, document: str) -> TextTokenizer:
    """The tokenizer that a reading tells of.

    Raises:
        ValueError: there is none of that kind.

    >>> remade("words", "film").tokens("Film", 4)
    ([2], False)
    """
    kinds: Sequence[type[TextTokenizer]] = (Words, WordPiece, LibraryTokenizer)
    for one in kinds:
        if one.kind == kind:
            return one(document)  # type: ignore[call-arg]
    raise ValueError(f"there is no tokenizer of the kind {kind!r:.60}")


def words_of(text: str, *, is_small: bool = True) -> list[str]:
    """The words and marks of punctuation of a text, as BERT parts it before WordPiece.

    Args:
        text: any.
        is_small: whether letters become small ones and lose their accents.

    >>> words_of("It's naïve!"), words_of("Été", is_small=False)
    (['it', "'", 's', 'naive', '!'], ['Été'])
    """
    if is_small:
        decomposed = unicodedata.normalize("NFD", text.lower())
        text = "".join(character for character in decomposed if unicodedata.category(character) != "Mn")
    return "".join(map(_apart, text)).split()


@functools.cache
def _apart(character: str) -> str:
    """A character as it stands in a text that is parted at spaces."""
    category = unicodedata.category(character)
    if character in "\t\n\r " or category == "Zs":
        return " "
    if category.startswith("C") or character == "\ufffd":
        return ""
    is_ascii_mark = character.isascii() and not character.isalnum()
    return f" {character} " if is_ascii_mark or category.startswith("P") or _is_ideograph(character) else character


def _is_ideograph(character: str) -> bool:
    """Whether it is one of the characters of Chinese and Japanese, each of which is a word to BERT."""
    point = ord(character)
    blocks = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2CEAF), (0xF900, 0xFAFF))
    return any(first <= point <= last for first, last in (*blocks, (0x2F800, 0x2FA1F)))
