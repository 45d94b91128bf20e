"""Answers into the recordings that they are about, with a list of what was there before, and the way back."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msecnn.errors import MsecnnError
from msecnn.library.fields import FileTagError, check_field, file_name, read_field, write_field
from msecnn.library.undo_list import Change, UndoList, tell
from msecnn.tagger import Tagger

#: The field that is ours: TXXX:MSECNN_TAGS in ID3, MSECNN_TAGS in Vorbis comments, a freeform atom in MP4.
FIELD = "MSECNN_TAGS"
#: Whose tags go into files when no model is named.
MODEL = "msecnn"


def write_tags(
    answers: Iterable[dict[str, Any]],
    *,
    model: str,
    top: int,
    min_probability: float,
    undo_list: UndoList | None,
    field: str = FIELD,
) -> Iterator[Change]:
    """Writes each answered file's most probable tags, most probable first, into a field of the file.

    Args:
        answers: as `answer_json` gives them; errors are passed over, but for stale answers, of which a change tells.
        model: whose tags.
        top: at most so many.
        min_probability: none below this.
        undo_list: None for a dry run, which touches nothing.

    Yields:
        A change for each file whose field is not yet what it should be, or could not be read or written.
    """
    for answer in answers:
        if "error" in answer:
            if answer.get("stale"):
                yield Change(answer["file"], None, None, answer["error"])
            continue
        ranked = sorted(answer["models"][model]["tags"].items(), key=lambda pair: -pair[1])
        values = [tag for tag, probability in ranked[:top] if probability >= min_probability] or None
        file = answer["file"]
        try:
            change = Change(file, read_field(file, field), values)
            if change.before == change.after:
                continue
            if undo_list is not None:
                undo_list.append(change, field)
                write_field(file, field, values)
        except FileTagError as error:
            change = Change(file, None, None, str(error))
        yield change


@dataclass(frozen=True)
class FileTagWriter:
    """What `--write-tags` does with a run's answers.

    Attributes:
        model: whose tags.
        top, min_probability: as in `write_tags`.
        undo_list: where what was there before is kept.
        field: the field's name.
        dry_run: only say what would be done.
        say: takes a sentence for a person.
    """

    model: str
    top: int
    min_probability: float
    undo_list: Path
    field: str
    dry_run: bool
    say: Callable[[str], None]

    @classmethod
    def of(cls, taggers: Sequence[Tagger], *, named: bool, **options: Any) -> "FileTagWriter":
        """For the first of some models, or for `MODEL` where none was named.

        Raises:
            MsecnnError: its weights are random, or the field's name is none.
        """
        preferred = None if named else next((one for one in taggers if one.name == MODEL), None)
        model = preferred or taggers[0]
        if model.checkpoint.untrained:
            raise MsecnnError(f"{model.name} has random weights: its tags are not written into files.")
        check_field(options["field"])
        return cls(model=model.name, **options)

    def __call__(self, answers: Iterable[dict[str, Any]]) -> int:
        """Writes the answers into their files; returns how many files could not be written."""
        changes = write_tags(
            answers,
            model=self.model,
            top=self.top,
            min_probability=self.min_probability,
            undo_list=None if self.dry_run else UndoList(self.undo_list),
            field=self.field,
        )
        n_changed, n_errors = tell(changes, self.field, dry_run=self.dry_run, say=self.say)
        would = "would be " if self.dry_run else ""
        undoing = "" if self.dry_run or not n_changed else f"; --undo {self.undo_list} takes it back"
        self.say(f"files whose {self.field} {would}changed: {n_changed:,}; that could not be: {n_errors:,}{undoing}")
        return n_errors


def tell_undo(path: Path, *, dry_run: bool, say: Callable[[str], None]) -> int:
    """Takes back what an undo list remembers, and says how it went; returns how many files could not be changed."""
    n_changed = n_errors = 0
    for field, change in undo(UndoList(path), dry_run=dry_run):
        changed, errors = tell([change], field, dry_run=dry_run, say=say)
        n_changed, n_errors = n_changed + changed, n_errors + errors
    would = "would be " if dry_run else ""
    say(f"files {would}given back what they had: {n_changed:,}; that could not be: {n_errors:,}")
    return n_errors


def undo(undo_list: UndoList, *, dry_run: bool = False) -> Iterator[tuple[str, Change]]:
    """Gives fields their former values, newest change first; what was changed since by others is left alone.

    Yields:
        Field and change of each entry that was not already undone.
    """
    for row in reversed(undo_list.rows()):
        file, field = row["file"], row["field"]
        change = Change(file, row["after"], row["before"])
        try:
            current = read_field(file, field)
            if current == row["before"]:
                continue
            if current != row["after"]:
                raise FileTagError(f"“{file_name(file)}” has another {field} than we wrote: it was left alone.")
            if not dry_run:
                write_field(file, field, row["before"])
        except FileTagError as error:
            change = Change(file, None, None, str(error))
        yield field, change
