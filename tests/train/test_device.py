"""Where to train, and in which precision."""

import pytest
import torch
from small_run import MakeConfig

from samcli.errors import ConfigError
from samcli.train import device as module
from samcli.train.device import choose_device, computes_bf16, resolve_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["tpu", "xla", "cpu:x"])
def test_unknown_device(name: str) -> None:
    with pytest.raises(ConfigError, match="use auto, cpu, cuda or mps"):
        choose_device(name)


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="use --device cpu or auto"):
        choose_device("cuda:99")


@pytest.mark.parametrize("available", [True, False])
def test_an_apple_gpu_is_taken_where_torch_has_one_and_only_when_named(
    available: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == CPU
    if available:
        assert choose_device("mps") == torch.device("mps")
        assert not computes_bf16(torch.device("mps"))
    else:
        with pytest.raises(ConfigError, match="There is no Apple GPU for --device mps on this machine; use"):
            choose_device("mps")


def test_auto_device_is_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for available, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda available=available: available)
        assert choose_device("auto").type == device


@pytest.mark.parametrize(("supported", "precision"), [(True, "bf16"), (False, "fp32")])
def test_auto_precision_is_what_the_hardware_has(
    supported: bool, precision: str, config_of: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "computes_bf16", lambda device: supported)
    auto, named = config_of("precision=auto"), config_of(f"precision={precision}")
    assert resolve_precision(auto, CPU) == named
    assert resolve_precision(auto, CPU).identity == named.identity
    assert resolve_precision(named, CPU) is named


def test_the_processor_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert computes_bf16(CPU) in (True, False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": True})
    assert computes_bf16(CPU)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False})
    assert not computes_bf16(CPU)
