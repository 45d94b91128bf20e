"""`explain`: why a model gave a tag, as a table, as JSON, and as a folder of pictures, sounds and a report."""

import argparse
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from msecnn.errors import MsecnnError
from msecnn.files import write_atomically, write_json

if TYPE_CHECKING:
    from msecnn.explain.contributions import Contributions
    from msecnn.explain.faithfulness_card import Verdict
    from msecnn.explain.saliency import SaliencyMaps
    from msecnn.explain.winning_cells import Evidence
    from msecnn.tagger import Tagger, TagPrediction

#: Events that the table and the report list, and that become sounds of their own.
N_IN_FAVOUR, N_AGAINST, N_SOUNDS = 12, 6, 3
#: An event over more of the window than this would sound like the recording itself.
BRIEF = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from msecnn.explain import BASELINES, METHODS

    parser.add_argument("file", metavar="FILE", help="mp3, ogg, opus, flac, wav, m4a, webm or mp4")
    parser.add_argument("--model", default="msecnn", metavar="NAME", help="bundled model or folder (default: msecnn)")
    parser.add_argument("--tag", metavar="TAG", help="the tag to explain (default: the most probable one)")
    parser.add_argument(
        "--window", type=int, metavar="I", help="which window, from 0 (default: where the tag is most probable)"
    )
    parser.add_argument(
        "--method", choices=METHODS, default="gradient_x_input", help="of the saliency maps (default: gradient_x_input)"
    )
    parser.add_argument(
        "--baseline", choices=BASELINES, default="clip_mean", help="what the maps measure from (default: clip_mean)"
    )
    parser.add_argument("--top", type=float, default=5, metavar="PERCENT", help="of the map that is heard (default: 5)")
    parser.add_argument("--equal-loudness", action="store_true", help="make every sound as loud as the recording")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write maps, pictures, sounds and a report there")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: a GPU if there is one)")


@dataclass(frozen=True)
class Explained:
    """One tag of one window, and all that is known of it."""

    file: str
    tagger: "Tagger"
    prediction: "TagPrediction"
    window: int
    tag_index: int
    split: "Contributions"
    evidence: "Evidence"
    maps: "SaliencyMaps"

    @property
    def tag(self) -> str:
        return self.prediction.tags[self.tag_index]

    @property
    def start_s(self) -> float:
        return float(self.prediction.window_starts_s[self.window])

    @property
    def logit(self) -> float:
        return float(self.split.logits[0, self.tag_index])

    @property
    def probability(self) -> float:
        return float(self.prediction.window_probabilities[self.window, self.tag_index])

    @property
    def verdict(self) -> "Verdict":
        from msecnn.explain.faithfulness_card import verdicts

        return verdicts(self.tagger.checkpoint)[self.maps.method]

    def to_json(self) -> dict[str, Any]:
        from msecnn.explain.answer import explanation_json

        return explanation_json(
            self.split,
            self.evidence,
            file=self.file,
            model=self.prediction.model,
            window=self.prediction.windows[self.window],
            probability=self.probability,
            saliency=self.maps,
            verdict=self.verdict,
        )


def run(args: argparse.Namespace) -> int:
    if not 0 < args.top <= 100:
        raise MsecnnError(f"--top is a percentage above 0 and up to 100, not {args.top:g}.")
    explained = explain(args)
    for note in _notes(explained):
        print(f"msecnn explain: {note}", file=sys.stderr)
    if args.out is not None:
        try:
            write_folder(args.out, explained, share=args.top / 100, equal_loudness=args.equal_loudness)
        except OSError as error:
            raise MsecnnError(f"{args.out} cannot be written: {error.strerror}.") from error
    if args.format == "json":
        print(json.dumps(explained.to_json(), ensure_ascii=False, indent=2))
    else:
        _print_table(explained)
    return 0


def explain(args: argparse.Namespace) -> Explained:
    """Tags the recording, picks tag and window, and takes that answer apart."""
    from msecnn.explain.contributions import contributions, with_scales
    from msecnn.explain.saliency import saliency
    from msecnn.explain.winning_cells import evidence
    from msecnn.tagger import Tagger

    tagger = Tagger.from_checkpoint(args.model, device=args.device)
    checkpoint = tagger.checkpoint
    with_scales(tagger.model)
    prediction = tagger.tag(args.file)
    tag_index = _tag_index(prediction, args.tag)
    window = _window(prediction, args.window, tag_index)
    assert prediction.mel is not None  # it was asked for, and models with scales have one
    mel = prediction.mel[window]
    features = {scale: values[window : window + 1] for scale, values in prediction.features.items()}
    with tqdm(total=1.0, desc=args.method, leave=False, delay=2, disable=not sys.stderr.isatty()) as bar:
        maps = saliency(
            tagger.model,
            mel,
            tag_index,
            method=args.method,
            baseline=args.baseline,
            mel_config=checkpoint.mel_config,
            progress=lambda done: bar.update(done - bar.n) and None,
        )
    return Explained(
        file=args.file,
        tagger=tagger,
        prediction=prediction,
        window=window,
        tag_index=tag_index,
        split=contributions(tagger.model, features, mean_features=checkpoint.mean_features, tags=checkpoint.tags),
        evidence=evidence(
            tagger.model,
            mel,
            tag_index,
            mel_config=checkpoint.mel_config,
            mean_features=checkpoint.mean_features,
            window_start_s=float(prediction.window_starts_s[window]),
        ),
        maps=maps,
    )


def write_folder(folder: Path, explained: Explained, *, share: float, equal_loudness: bool) -> None:
    """Everything that can be seen and heard of an explanation, file by file, each whole or not at all."""
    from msecnn.audio import write_wav
    from msecnn.plots.contributions import waterfall
    from msecnn.plots.report import report
    from msecnn.plots.spectrogram import saliency_figure
    from msecnn.plots.static import image

    folder.mkdir(parents=True, exist_ok=True)
    config, split, k = explained.tagger.checkpoint.mel_config, explained.split, explained.tag_index
    title = f"{explained.tag}: {Path(explained.file).name}, {explained.prediction.model}"
    mel = explained.prediction.mel[explained.window]  # type: ignore[index]
    steps = waterfall(split.scales, split.relative[0, :, k], float(split.base_value[k]), mean_known=split.mean_known)
    strips = saliency_figure(mel, explained.maps.maps, explained.maps.scales, config, start_s=explained.start_s)
    pictures = {"contributions": image(steps, "png"), "saliency": image(strips, "png")}
    for name, data in pictures.items():
        write_atomically(folder / f"{name}.png", data)
    sounds = {}
    for name, waveform in _sounds(explained, share, equal_loudness).items():
        write_wav(folder / f"{name}.wav", waveform, config.sample_rate)
        sounds[name] = (folder / f"{name}.wav").read_bytes()
    write_atomically(folder / "saliency.npz", _npz(explained, mel))
    write_json(folder / "explanation.json", explained.to_json())
    page = report(
        title=title,
        sentence=_sentence(explained),
        warnings=_notes(explained),
        pictures={
            "From the average clip to this one, scale by scale": pictures["contributions"],
            f"Where each scale looks ({explained.maps.method.replace('_', ' ')})": pictures["saliency"],
        },
        in_favour=explained.evidence.positive[:N_IN_FAVOUR],
        against=explained.evidence.negative[:N_AGAINST],
        sounds=sounds,
    )
    write_atomically(folder / "report.html", page.encode())


def _sounds(explained: Explained, share: float, equal_loudness: bool) -> dict[str, np.ndarray]:
    """The window, the strongest part of the map, all but it, each scale's strongest part, and the strongest events."""
    from msecnn.audio import read_recording
    from msecnn.explain.sonification import box_mask, render, top_mask

    config, maps = explained.tagger.checkpoint.mel_config, explained.maps
    recording = read_recording(
        explained.file, sample_rate=config.sample_rate, start_s=explained.start_s, duration_s=config.window_s
    )
    waveform = recording.waveform[: config.window_samples]
    top = top_mask(maps.total, share)
    masks = {"top": top, "rest": 1 - top}
    masks |= {f"scale-{scale}": top_mask(values, share) for scale, values in zip(maps.scales, maps.maps, strict=True)}
    brief = [event for event in explained.evidence.positive if event.end_s - event.start_s < BRIEF * config.window_s]
    for number, event in enumerate(brief[:N_SOUNDS], start=1):
        masks[f"event-{number}"] = box_mask([event], config, window_start_s=explained.start_s)
    heard = {name: render(waveform, mask, config, equal_loudness=equal_loudness) for name, mask in masks.items()}
    return {"window": waveform, **heard}


def _npz(explained: Explained, mel: np.ndarray) -> bytes:
    config, maps = explained.tagger.checkpoint.mel_config, explained.maps
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        maps=maps.maps,
        scales=np.array(maps.scales),
        mel=mel,
        frame_s=explained.start_s + config.frame_to_s(1) * np.arange(mel.shape[1]),
        band_hz=config.band_edges_hz(),
        method=np.array(maps.method),
        baseline=np.array(maps.baseline or ""),
        tag=np.array(explained.tag),
    )
    return packed.getvalue()


def _tag_index(prediction: "TagPrediction", tag: str | None) -> int:
    if tag is None:
        return int(prediction.probabilities.argmax())
    if tag not in prediction.tags:
        raise MsecnnError(f"{prediction.model} knows no tag {tag!r}; it knows {', '.join(prediction.tags)}.")
    return prediction.tags.index(tag)


def _window(prediction: "TagPrediction", window: int | None, tag_index: int) -> int:
    if window is None:
        return int(prediction.window_probabilities[:, tag_index].argmax())
    if not 0 <= window < len(prediction.windows):
        raise MsecnnError(f"The recording has windows 0 to {len(prediction.windows) - 1}, not {window}.")
    return window


def _notes(explained: Explained) -> list[str]:
    from msecnn.tagger import UNTRAINED

    prediction = explained.prediction
    notes = list(prediction.notes)
    if prediction.untrained:
        notes.insert(0, UNTRAINED.format(model=prediction.model))
    if not explained.verdict.faithful:
        notes.append(f"{explained.maps.method.replace('_', ' ').capitalize()}: {explained.verdict.sentence}")
    return notes


def _sentence(explained: Explained) -> str:
    start_s, end_s = explained.prediction.windows[explained.window]
    base = "an average clip" if explained.split.mean_known else "the bias alone"
    return (
        f"From {start_s:.2f} to {end_s:.2f} s {explained.prediction.model} gives {explained.tag!r} a logit of "
        f"{explained.logit:.3f}, a probability of {explained.probability:.3f}; {base} has a logit of "
        f"{explained.split.base_value[explained.tag_index]:.3f}."
    )


def _print_table(explained: Explained) -> None:
    k, split = explained.tag_index, explained.split
    print(f"{explained.file}\n{_sentence(explained)}\n")
    print(f"{'scale':<10}{'features':>9}{'contribution':>14}{'relative':>10}")
    for s, scale in enumerate(split.scales):
        print(f"{scale:<10}{split.n_features[scale]:>9}{split.terms[0, s, k]:>14.3f}{split.relative[0, s, k]:>10.3f}")
    print(f"{'bias, base':<19}{split.bias[k]:>14.3f}{split.base_value[k]:>10.3f}")
    print(f"{'logit':<19}{explained.logit:>14.3f}{explained.logit:>10.3f}\n")
    for event in (*explained.evidence.positive[:N_IN_FAVOUR], *explained.evidence.negative[:N_AGAINST]):
        print(
            f"{event.relative:+8.3f}  {event.scale:<8}{event.start_s:8.2f} to {event.end_s:6.2f} s "
            f"{event.low_hz:6.0f} to {event.high_hz:5.0f} Hz  {len(event.cells)} cells"
        )
