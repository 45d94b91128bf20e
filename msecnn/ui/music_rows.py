"""Views of the recording that musicology knows, below the spectrogram and on its time axis, when they are asked for."""

import numpy as np

from msecnn import audio
from msecnn.explain.choices import choose_window
from msecnn.frontend import fill_window
from msecnn.music_rows import PITCH_CLASSES, ROWS, MusicRow, music_row, semitone_hz
from msecnn.ui.pictures import png_uri
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.request_fields import whole_number
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.session import Session, require_session

#: Frequencies and tempi that the axes may name.
HZ_TICKS, TEMPO_TICKS = (55, 110, 220, 440, 880, 1760, 3520), (40, 60, 90, 120, 180, 240)


def build(page: Page) -> None:
    page.mount_point("music-rows")
    page.endpoint("music-row", show_row, lane="slow")


def show_row(context: AppContext, session: Session | None, request: Request) -> Answer:
    """One view of one window of the open recording."""
    session = require_session(session)
    prediction = session.shown
    start_s = prediction.windows[choose_window(prediction, whole_number(request, "window"))][0]
    config = context.taggers[prediction.model].checkpoint.mel_config
    recording = audio.read_recording(
        session.path, sample_rate=config.sample_rate, start_s=start_s, duration_s=config.window_s
    )
    waveform = fill_window(recording.waveform[: config.window_samples], config.window_samples)
    row = music_row(str(request.get("row")), waveform, config)
    return Answer(_payload(row, start_s) | {"semitone_hz": semitone_hz(config), "n_rows": len(ROWS)})


def _payload(row: MusicRow, start_s: float) -> Payload:
    scaled = (row.values[::-1] - row.low) * (255 / (row.high - row.low))
    return {
        "name": row.name,
        "axis": row.axis,
        "picture": png_uri(np.clip(np.rint(scaled), 0, 255).astype(np.uint8)),
        "centres": np.round(row.centres, 2).tolist(),
        "ticks": _ticks(row),
        "beats_s": [round(start_s + second, 3) for second in row.beats_s],
        "tempo": row.tempo,
    }


def _ticks(row: MusicRow) -> list[tuple[int, str]]:
    """Rows with their names."""
    if row.axis == "pitch class":
        return list(enumerate(PITCH_CLASSES))
    wanted = TEMPO_TICKS if row.axis == "tempo" else HZ_TICKS
    inside = [value for value in wanted if row.centres.min() <= value <= row.centres.max()]
    return [(int(np.abs(row.centres - value).argmin()), str(value)) for value in inside]
