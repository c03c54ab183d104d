"""Encoders of texts and their tokens against the libraries that people share them by."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from samcli.config import Draft, RunConfig, parse
from samcli.data.text_tokens import WordPiece, tokenizer_of
from samcli.errors import ConfigError, DataError
from samcli.models import build
from samcli.models.text_encoder import TextEncoderNetwork
from samcli.runs.folder import RunFolder
from samcli.shape import InputShape
from samcli.train import CATALOGUE, train_run
from samcli.train.session import Session
from samcli.weights.frozen import freeze
from samcli.weights.layers import depths_of, embeddings_of

pytest.importorskip("transformers", reason="transformers is not installed; make test-extras installs it")
import transformers

SHAPE = InputShape((16,), vocabulary=50)
SIZES = {"vocab_size": 50, "num_hidden_layers": 3, "num_attention_heads": 4, "hidden_size": 24}
BERT = {**SIZES, "intermediate_size": 96, "max_position_embeddings": 16}
CPU = torch.device("cpu")


def texts() -> Tensor:
    torch.manual_seed(2)
    tokens = torch.randint(1, 50, (5, 16))
    tokens[1, 9:], tokens[2, 3:] = 0, 0
    return tokens


def saved(folder: Path, config: Any, kind: Any = transformers.AutoModel) -> Any:
    """A model with random weights, biases and normalisations, in a folder."""
    torch.manual_seed(0)
    model = kind.from_config(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    return model


def run_of(folder: Path, model: str, length: int = 16) -> RunConfig:
    """Of texts whose tokens are those of a vocabulary of 50 pieces."""
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    (folder / "vocab.txt").write_text("\n".join([*marks, *(f"w{i}" for i in range(46))]))
    draw = random.Random(0)
    rows = []
    for i in range(60):
        words = [f"w{2 * draw.randrange(20) + i % 2}" for _ in range(draw.randint(2, 20))]
        rows.append(f"{' '.join(words)},{'odd' if i % 2 else 'even'}")
    (folder / "t.csv").write_text("\n".join(["text,label", *rows]))
    dataset = f"{{name: 'text-csv:{folder}/t.csv', tokenizer: '{folder}/vocab.txt', length: {length}}}"
    text = f"{{dataset: {dataset}, model: {model}, optimizer: {{name: adamw, lr: 0.003}}, batch_size: 16, epochs: 3}}"
    (config,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    return config


def test_vectors_are_those_of_bert(tmp_path: Path) -> None:
    theirs = saved(tmp_path, transformers.BertConfig(**BERT))
    ours = build("text-encoder", shape=SHAPE, outputs=2, layers=3, width=24, heads=4).eval()
    assert isinstance(ours, TextEncoderNetwork)
    missing, unexpected = ours.load_state_dict(theirs.state_dict(), strict=False)
    assert (missing, unexpected) == (["head.weight", "head.bias"], ["pooler.dense.weight", "pooler.dense.bias"])
    tokens = texts()
    there = tokens != 0
    with torch.no_grad():
        expected = theirs(tokens, attention_mask=there.long()).last_hidden_state
        torch.testing.assert_close(ours.encoded(tokens)[there], expected[there], rtol=1e-5, atol=1e-5)
        pooled = (expected * there[:, :, None]).sum(1) / there.sum(1, keepdim=True)
        torch.testing.assert_close(ours(tokens), ours.head(pooled), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", [transformers.AutoModel, transformers.AutoModelForMaskedLM])
def test_a_run_begins_with_the_weights_of_a_folder(tmp_path: Path, kind: Any) -> None:
    """By either model, of the encoder alone or of one with a head, and both then say the same."""
    theirs = saved(tmp_path / "bert", transformers.BertConfig(**BERT), kind)
    inner = theirs if kind is transformers.AutoModel else theirs.bert
    tokens = texts()
    for model in (
        f"{{name: text-encoder, weights: '{tmp_path}/bert/model.safetensors'}}",
        f"'transformers:{tmp_path}/bert'",
    ):
        session = Session(run_of(tmp_path, model), data_dir=tmp_path, device=CPU)
        assert session.initial is not None
        assert session.initial["drawn"] == ["head.weight", "head.bias"]
        network = session.model.eval()
        there = tokens != 0
        with torch.no_grad():
            found = inner(tokens, attention_mask=there.long()).last_hidden_state
            pooled = (found * there[:, :, None]).sum(1) / there.sum(1, keepdim=True)
            torch.testing.assert_close(network(tokens), network.head(pooled), rtol=1e-5, atol=1e-5)


def test_init_takes_the_file_of_a_bert_too(tmp_path: Path) -> None:
    theirs = saved(tmp_path / "bert", transformers.BertConfig(**BERT))
    sizes = "layers: 3, width: 24, heads: 4"
    config = run_of(tmp_path, f"{{name: text-encoder, {sizes}, init: '{tmp_path}/bert/model.safetensors'}}")
    session = Session(config, data_dir=tmp_path, device=CPU)
    with torch.no_grad():
        found = session.model.eval().encoded(texts())
        expected = theirs(texts(), attention_mask=(texts() != 0).long()).last_hidden_state
    torch.testing.assert_close(found[0], expected[0], rtol=1e-5, atol=1e-5)


CONFIGS = {
    "bert": transformers.BertConfig(**BERT),
    "distilbert": transformers.DistilBertConfig(
        vocab_size=50, dim=24, n_layers=3, n_heads=4, hidden_dim=96, max_position_embeddings=16
    ),
    "electra": transformers.ElectraConfig(embedding_size=24, **BERT),
    "deberta": transformers.DebertaV2Config(**BERT, relative_attention=True, pos_att_type=["p2c", "c2p"]),
}


@pytest.mark.parametrize("name", list(CONFIGS))
def test_encoders_of_a_folder_train_and_padding_changes_nothing(tmp_path: Path, name: str) -> None:
    transformers.AutoModel.from_config(CONFIGS[name]).save_pretrained(tmp_path / name)
    config = run_of(tmp_path, f"'transformers:{tmp_path}/{name}'")
    session = Session(config, data_dir=tmp_path, device=CPU)
    while not session.finished:
        row = session.train_epoch()
    assert row["train_loss"] < session.rows[0]["train_loss"]
    model, tokens = session.model.eval(), texts()
    with torch.no_grad():
        torch.testing.assert_close(model(tokens[1:2, :9]), model(tokens)[1:2], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", list(CONFIGS))
def test_embeddings_and_depths_of_encoders(tmp_path: Path, name: str) -> None:
    transformers.AutoModel.from_config(CONFIGS[name]).save_pretrained(tmp_path)
    model = build(f"transformers:{tmp_path}", shape=SHAPE, outputs=2, weights=None)
    own = [n for n, _ in model.named_parameters() if n.startswith("encoder.embeddings.")]
    assert embeddings_of(model) == own
    assert any("LayerNorm" in n for n in own)
    depths = depths_of(model, 2)
    assert {depths[n] for n in own} == {max(depths.values())}
    layers = [{depth for n, depth in depths.items() if f".layer.{i}." in n} for i in range(3)]
    nearest = 2 if name == "deberta" else 1  # it declares its table of distances after the layers
    assert layers == [{nearest + 2}, {nearest + 1}, {nearest}]
    freeze(model, ["backbone"], outputs=2)
    assert [n for n, p in model.named_parameters() if p.requires_grad] == ["head.weight", "head.bias"]


def test_what_it_pools_itself_may_be_taken(tmp_path: Path) -> None:
    theirs = saved(tmp_path, transformers.BertConfig(**BERT))
    model = build(f"transformers:{tmp_path}", shape=SHAPE, outputs=2, pooling="pooler", weights=None).eval()
    model.encoder.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        pooled = theirs(texts(), attention_mask=(texts() != 0).long()).pooler_output
        torch.testing.assert_close(model(texts()), model.head(pooled), rtol=1e-5, atol=1e-5)


def test_a_trained_run_predicts(tmp_path: Path) -> None:
    import samcli

    transformers.AutoModel.from_config(CONFIGS["bert"]).save_pretrained(tmp_path / "bert")
    config = run_of(tmp_path, f"'transformers:{tmp_path}/bert'")
    assert train_run(config, RunFolder(tmp_path / "run"), data_dir=tmp_path, device=CPU) == "finished"
    assert samcli.load(tmp_path / "run").predict(["w1 w3 w5", "w2 w4"]).shape == (2, 2)


def test_a_folder_is_known_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As data sets are; what is no folder is a name of the hub."""
    transformers.AutoModel.from_config(CONFIGS["bert"]).save_pretrained(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    models = "model: [transformers:tiny, transformers:org/tiny, cnn], only: {model: [transformers:tiny, cnn]}"
    text = f"{{{models}, optimizer: sgd}}"
    runs = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    assert [run.model["name"] for run in runs] == [f"transformers:{tmp_path}/tiny", "cnn"]


def test_no_pickle_is_read(tmp_path: Path) -> None:
    model = saved(tmp_path / "bert", transformers.BertConfig(**BERT))
    (tmp_path / "bert/model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "bert/pytorch_model.bin")
    with pytest.raises(Exception, match=r"model.safetensors is missing"):
        Session(run_of(tmp_path, f"'transformers:{tmp_path}/bert'"), data_dir=tmp_path, device=CPU)


def test_no_code_of_a_folder_is_run(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    (tmp_path / "config.json").write_text(
        '{"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config", "AutoModel": "mine.Model"}}'
    )
    with pytest.raises(ConfigError, match=r"transformers:.* cannot be had"):
        build(f"transformers:{tmp_path}", shape=SHAPE, outputs=2)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("config", "options", "sentence"),
    [
        (
            transformers.BertConfig(**{**BERT, "vocab_size": 40}),
            {},
            "has embeddings of 40 tokens, and the data have 50",
        ),
        (
            transformers.BertConfig(**{**BERT, "max_position_embeddings": 8}),
            {},
            "has 8 positions, and the texts have 16",
        ),
        (
            transformers.RobertaConfig(**BERT, pad_token_id=1),
            {},
            "pads texts with token 1, and here token 0 is padding",
        ),
        (CONFIGS["distilbert"], {"pooling": "pooler"}, "pools nothing itself; set model.pooling: mean"),
        (
            transformers.T5Config(vocab_size=50, d_model=24, num_layers=1, num_heads=2, d_ff=8, d_kv=12),
            {},
            r"is no encoder alone \(t5\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, config: Any, options: Any, sentence: str) -> None:
    config.save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match=sentence):
        build(f"transformers:{tmp_path}", shape=SHAPE, outputs=2, **options)


def test_without_a_folder_or_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    with pytest.raises(ConfigError, match=r"absent has no readable config.json \(No such file or directory\)"):
        build(f"transformers:{tmp_path}/absent", shape=SHAPE, outputs=2)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match=r"transformers:no-such/model cannot be had \(.*\); give the folder of a mod"):
        build("transformers:no-such/model", shape=SHAPE, outputs=2)


def test_pieces_are_those_of_the_library() -> None:
    from tokenizers.implementations import BertWordPieceTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?$'é"
    pieces = [*letters, *(f"##{letter}" for letter in letters), "the", "##ing", "un", "##able", "naive", "中"]
    vocabulary = {piece: i for i, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *pieces])}
    theirs, ours = BertWordPieceTokenizer(vocabulary), WordPiece("\n".join(vocabulary))
    draw = random.Random(0)
    alphabet = [*"abcdefgh  THE.,!?$'éÉñ中文€_-\t\n\x00\u00a0\u200b\u0301Ⅻß", "un", "able", "ing "]
    for _ in range(500):
        text = "".join(draw.choice(alphabet) for _ in range(draw.randint(0, 40)))
        assert ours.tokens(text, 100)[0] == theirs.encode(text).ids, repr(text)


def test_a_tokenizer_of_the_library_cuts_pads_and_marks(tmp_path: Path) -> None:
    from tokenizers.implementations import BertWordPieceTokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "##c"]
    theirs = BertWordPieceTokenizer({word: i for i, word in enumerate(words)})
    theirs.enable_padding(length=9)
    theirs.save(str(tmp_path / "tokenizer.json"))
    ours = tokenizer_of(tmp_path / "tokenizer.json")
    assert (ours.vocabulary, ours.unknown) == (7, 1)
    assert ours.tokens("a bc x", 9) == ([2, 4, 5, 6, 1, 3], False)
    assert ours.tokens("a bc x", 4) == ([2, 4, 5, 3], True)
    shuffled = {word: (i + 1) % 7 for i, word in enumerate(words)}
    BertWordPieceTokenizer(shuffled).save(str(tmp_path / "other.json"))
    with pytest.raises(DataError, match="has '##c' as token 0, which has to be padding here; take a tokenizer"):
        tokenizer_of(tmp_path / "other.json")
    (tmp_path / "none.json").write_text("{}")
    with pytest.raises(DataError, match=r"none.json is no tokenizer \("):
        tokenizer_of(tmp_path / "none.json")
