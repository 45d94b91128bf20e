"""What is wrong with a signal that a listener may not notice and a network does: level, offset, cancelling channels."""

import math

import numpy as np

#: Mean power under which a recording is far quieter than music is made, dB of full scale. One of a hundred clips of the
#: corpus's training music is quieter, and each would be if made 30 dB quieter.
QUIET_DB = -33.0
#: Share of the power that a constant offset may have: a hundred times that of any of those clips.
MAX_OFFSET_SHARE = 0.01
#: Share of the channels' power that the mix to one must keep: half of it for unrelated channels, a twentieth for two
#: channels whose correlation is -.9.
MIN_KEPT = 0.1
SILENCE = 1e-4  # peak, full scale 1 (-80 dB)
SILENT = "The recording is silent (peak below −80 dB), so its tags mean nothing."
LOUD = 8.0  # peak; float files that were never scaled to 1 reach thousands


class Condition:
    """Adds up a signal of blocks `(T_i,)`, full scale 1."""

    def __init__(self) -> None:
        self._n = 0
        self._peak = 0.0
        self._sum = self._squares = 0.0

    def add(self, block: np.ndarray, peak: float) -> None:
        """Takes a block and the largest of its magnitudes."""
        self._peak = max(self._peak, peak)
        self._n += len(block)
        self._sum += float(block.sum(dtype=np.float64))
        self._squares += float(np.dot(block, block))

    def notes(self, kept_in_mix: float) -> list[str]:
        """Sentences on what changes tags without being heard, none for a usual recording.

        Args:
            kept_in_mix: power of the mix over the mean power of the channels.
        """
        if not self._n:
            return []
        notes = []
        if kept_in_mix < MIN_KEPT:
            notes.append(
                f"The channels nearly cancel: mixed to one, {100 * kept_in_mix:.2g} % of their power is left, so the "
                "networks get little of what you hear."
            )
        if self._peak < SILENCE:
            return [*notes, SILENT]
        if self._peak > LOUD:
            notes.append(f"The samples reach {self._peak:,.0f} times full scale, so the tags may mean little.")
        power, offset = self._squares / self._n, self._sum / self._n
        if offset**2 > MAX_OFFSET_SHARE * power:
            notes.append(f"The samples have a constant offset (DC) of {offset:+.2g}, which may change the tags.")
        level_db = 10 * math.log10(max(power - offset**2, 1e-12))
        if level_db < QUIET_DB:
            notes.append(
                f"The recording is far quieter ({level_db:.0f} dB) than the music the networks learned from, which "
                "changes its tags."
            )
        return notes
