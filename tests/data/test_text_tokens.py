"""What makes tokens of texts: words, and the pieces of BERT."""

import sys
from pathlib import Path

import pytest

from samcli.data.text_tokens import MOST_WORDS, WordPiece, Words, remade, tokenizer_of, words_of
from samcli.errors import DataError

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##aff", "##able", "want", "##ed", ",", "!", "naive", "你"]


def test_words_are_those_of_two_texts_in_the_order_of_their_number() -> None:
    words = Words.learned(["b a c", "a b", "a d d"])
    assert words.document == "a\nb"
    assert words.tokens("A d, b", 9) == ([2, 1, 1, 3], False)
    assert words.vocabulary == 4


def test_a_text_of_no_word_is_one_unknown_one() -> None:
    assert Words("a").tokens("\u200b", 4) == ([1], False)


def test_no_more_words_than_there_is_room_for() -> None:
    texts = [" ".join(f"w{i}" for i in range(MOST_WORDS + 5))] * 2
    words = Words.learned(texts)
    assert words.vocabulary == MOST_WORDS
    assert max(words.tokens(texts[0], 2 * MOST_WORDS)[0]) == MOST_WORDS - 1


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Unaffable, WANTED!", [2, 4, 5, 6, 9, 7, 8, 10, 3]),
        ("unwanted", [2, 1, 3]),
        ("naïve\u00a0\x00你you", [2, 11, 12, 1, 3]),
        ("", [2, 3]),
        ("un" * 60, [2, 1, 3]),
    ],
)
def test_pieces_are_the_longest_that_fit(text: str, tokens: list[int]) -> None:
    assert WordPiece("\n".join(PIECES)).tokens(text, 20) == (tokens, False)


@pytest.mark.parametrize(("length", "tokens"), [(4, [2, 7, 8, 3]), (5, [2, 7, 8, 9, 3])])
def test_what_is_too_long_still_ends_with_its_mark(length: int, tokens: list[int]) -> None:
    assert WordPiece("\n".join(PIECES)).tokens("wanted, wanted", length) == (tokens, True)


def test_letters_stay_as_they_are_where_the_vocabulary_has_an_a() -> None:
    cased = WordPiece("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "A", "a"]))
    assert cased.tokens("A a á", 9)[0] == [2, 4, 5, 1, 3]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_vocabulary_is_read_from_its_file(tmp_path: Path, ending: str, mark: str) -> None:
    file = tmp_path / "vocab.txt"
    file.write_bytes((mark + ending.join([*PIECES, ""])).encode())
    tokenizer = tokenizer_of(file)
    assert tokenizer.vocabulary == len(PIECES)
    again = remade(tokenizer.kind, tokenizer.document)
    assert again.tokens("unaffable", 9) == tokenizer.tokens("unaffable", 9) == ([2, 4, 5, 6, 3], False)


@pytest.mark.parametrize("content", [b"", b"a\nb\n", b"\xff\xfe\x00", "\n".join(PIECES[1:]).encode()])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "v.txt").write_bytes(content)
    with pytest.raises(DataError, match=r"v\.txt is no tokenizer: neither a tokenizer.json nor a vocabulary"):
        tokenizer_of(tmp_path / "v.txt")
    with pytest.raises(DataError, match=r"There is no tokenizer .*absent"):
        tokenizer_of(tmp_path / "absent")
    with pytest.raises(ValueError, match="no tokenizer of the kind 'bytes'"):
        remade("bytes", "")


def test_marks_of_punctuation_stand_alone_and_other_signs_do_not() -> None:
    assert words_of("a-b $5 5€ «x» x_y") == ["a", "-", "b", "$", "5", "5€", "«", "x", "»", "x", "_", "y"]


def test_without_the_library_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(
        DataError, match=r"tokenizers, which is not installed; install samcli\[text\], or leave .* words"
    ):
        tokenizer_of(tmp_path / "tokenizer.json")
