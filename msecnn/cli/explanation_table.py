"""An explanation as a table for the terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msecnn.explain import Explanation
    from msecnn.explain.cell_evidence import Evidence
    from msecnn.explain.scale_split import ScaleSplit

#: Events and absences that the table lists.
N_IN_FAVOUR, N_AGAINST, N_ABSENCES = 12, 6, 6


def print_split(split: "ScaleSplit", name: str) -> None:
    """Each scale's contribution to the logit of a recording called `name`."""
    answer = split.to_json()
    print(f"{name}\n{split.sentence}\n")
    print(f"{'scale':<10}{'features':>9}{'contribution':>14}{'relative':>10}")
    for scale in answer["scales"]:
        print(f"{scale['name']:<10}{scale['features']:>9}{scale['contribution']:>14.3f}{scale['relative']:>10.3f}")
    print(f"{'bias, base':<19}{answer['bias']:>14.3f}{answer['base_value']:>10.3f}")
    print(f"{'logit':<19}{split.logit:>14.3f}{split.logit:>10.3f}")


def print_cells(evidence: "Evidence") -> None:
    """The winning cells that add most to the logit and take most from it, of everything that each depends on."""
    print(f"\n{'relative':>8}  {'scale':<8}{'channel':>8}  where the winning cell looks")
    for cell in (*evidence.cells[:N_IN_FAVOUR], *evidence.cells[::-1][:N_AGAINST]):
        print(
            f"{cell.relative:+8.3f}  {cell.scale:<8}{cell.channel:>8}{cell.start_s:8.2f} to {cell.end_s:6.2f} s "
            f"{cell.low_hz:6.0f} to {cell.high_hz:5.0f} Hz"
        )


def print_table(explanation: "Explanation") -> None:
    """Each scale's contribution, then the events and absences that weigh most."""
    print_split(explanation.split, explanation.name)
    print()
    for event in (*explanation.events[:N_IN_FAVOUR], *explanation.events_against[:N_AGAINST]):
        print(
            f"{event.share:+8.3f}  {event.scale:<8}{event.start_s:8.2f} to {event.end_s:6.2f} s "
            f"{event.low_hz:6.0f} to {event.high_hz:5.0f} Hz"
        )
    for absence in explanation.absences[:N_ABSENCES]:
        print(f"{absence.share:+8.3f}  {absence.sentence}")
    print()
    for part in (explanation.smallest_sound, explanation.smallest_cut):
        print(part.sentence if part else "The tag is kept whatever part of its evidence is cut.")
    if explanation.louder:
        print(explanation.louder.sentence)
