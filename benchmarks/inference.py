"""How much faster our path is than librosa and the networks as drawn, each part and end to end, in one interleaved run.

    python benchmarks/inference.py [--json] [--write docs/performance.md]

The peer does what most taggers' code does: `librosa.load` of the whole file at 12 kHz, librosa's mel spectrogram in dB,
the literal network in eager float32 with the default memory layout; the same windows as ours. Ratios are the peer's
median time over ours.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import torch
from measuring import cpu_name, interleaved, replace_section, write_mp3

from msecnn import audio
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models import registry
from msecnn.models.fast.folded import FoldedNetwork
from msecnn.tagger import Tagger, tag

CONFIG = MelConfig()
#: Multiply-adds of either network's convolutions for one window.
MULTIPLY_ADDS = 1_621.5e6


def peer_mel(waveform: np.ndarray) -> np.ndarray:
    mel = librosa.feature.melspectrogram(y=waveform, sr=12_000, n_fft=512, hop_length=256, n_mels=96)
    return librosa.power_to_db(mel, top_db=None)


def peer_end_to_end(path: Path, networks: list[torch.nn.Module], starts_s: tuple[float | None, ...]) -> None:
    """Windows at these seconds; None is the last full window, as our path moves it back."""
    waveform, _ = librosa.load(path, sr=12_000, mono=True)
    for start_s in starts_s:
        start = len(waveform) - CONFIG.window_samples if start_s is None else round(start_s * 12_000)
        mel = torch.from_numpy(peer_mel(waveform[start : start + CONFIG.window_samples]))
        for network in networks:
            network(mel[None, None])


def cases(folder: Path) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Name to (peer, ours)."""
    short, long = folder / "short.mp3", folder / "long.mp3"
    write_mp3(short, 30)
    write_mp3(long, 300)
    waveform = audio.read_recording(short, duration_s=CONFIG.window_s).waveform
    batch = torch.from_numpy(waveform)[None]
    frontend = LogMelSpectrogram(CONFIG)
    mel = frontend(batch)
    literal = {name: registry.create(name).eval() for name in ("fcn5", "msecnn")}
    taggers = [Tagger.from_checkpoint(name, device="cpu") for name in literal]
    result: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "decode": (lambda: librosa.load(short, sr=12_000, mono=True), lambda: audio.read_recording(short)),
        "mel": (lambda: peer_mel(waveform), lambda: frontend(batch)),
    }
    for dtype, suffix in ((torch.float32, "f32"), (torch.bfloat16, "bf16")):
        for name, network in literal.items():
            fast = FoldedNetwork(network, dtype)
            result[f"{name}_{suffix}"] = (lambda n=network: n(mel), lambda n=fast: n(mel))  # type: ignore[misc]
    networks = list(literal.values())
    middle = {"start_s": 135.0, "duration_s": CONFIG.window_s}
    result["end_to_end_30s"] = (
        lambda: peer_end_to_end(short, networks, (0, None)),
        lambda: tag(short, taggers),
    )
    result["end_to_end_5min"] = (
        lambda: peer_end_to_end(long, networks, (135,)),
        lambda: tag(long, taggers, **middle),
    )
    return result


def matmul_ceiling(repeats: int) -> float:
    """Multiply-adds a second of a large float32 matrix product on this machine."""
    a = torch.randn(2048, 2048)
    return 2048**3 / float(np.median(interleaved({"matmul": lambda: a @ a}, repeats)["matmul"]))


def measure(n_threads: int, repeats: int) -> dict[str, dict[str, float]]:
    torch.set_num_threads(n_threads)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        pairs = cases(Path(folder))
        functions = {(name, i): pair[i] for name, pair in pairs.items() for i in (0, 1)}
        seconds = {key: float(np.median(times)) for key, times in interleaved(functions, repeats).items()}
        ceiling = matmul_ceiling(repeats)
    rows = {}
    for name in pairs:
        peer, ours = seconds[name, 0], seconds[name, 1]
        rows[name] = {"peer_ms": 1e3 * peer, "ours_ms": 1e3 * ours, "ratio": peer / ours}
        if name.endswith("_f32"):
            rows[name]["share_of_matmul"] = MULTIPLY_ADDS / ours / ceiling
    return rows


def table(result: dict[str, Any]) -> str:
    lines = [
        f"Measured by `python benchmarks/inference.py` on {result['cpu']}, torch {result['torch']}, medians of "
        f"{result['repeats']} interleaved runs; ratio = peer's time / ours.",
        "",
        "| part | peer | ours | ratio, 1 thread | ratio, default threads |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, row in result["one_thread"].items():
        both = result["default_threads"][name]["ratio"]
        lines.append(
            f"| {name} | {row['peer_ms']:.1f} ms | {row['ours_ms']:.1f} ms | {row['ratio']:.1f} | {both:.1f} |"
        )
    share = result["one_thread"]["msecnn_f32"]["share_of_matmul"]
    lines += ["", f"MsE-CNN in float32 runs at {share:.0%} of the multiply-add rate of this machine's matrix product."]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into its section of this file")
    args = parser.parse_args()
    default_threads = torch.get_num_threads()
    one = measure(1, args.repeats)
    default = one if default_threads == 1 else measure(default_threads, args.repeats)
    result = {
        "cpu": cpu_name(),
        "torch": torch.__version__,
        "repeats": args.repeats,
        "ratios": {name: round(row["ratio"], 2) for name, row in one.items()},
        "one_thread": one,
        "default_threads": default,
        "n_default_threads": default_threads,
    }
    if args.write:
        replace_section(args.write, "inference", table(result))
    print(json.dumps(result, indent=2) if args.json else table(result))


if __name__ == "__main__":
    main()
