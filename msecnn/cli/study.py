"""`study`: the quiz before and after a class, as pages to fill in, and what its answers say."""

import argparse
import sys
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    forms = parts.add_parser("forms", help="write both forms in each language, and the key", allow_abbrev=False)
    forms.add_argument("folder", type=Path, metavar="FOLDER", help="where to; it is made")
    analyse = parts.add_parser("analyse", help="compare before and after, person by person", allow_abbrev=False)
    analyse.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="CSV files of answers, or folders of them")
    analyse.add_argument("--out", type=Path, metavar="TABLE.csv", help="write a row a participant")


def run(args: argparse.Namespace) -> int:
    return _forms(args.folder) if args.part == "forms" else _analyse(args)


def _forms(folder: Path) -> int:
    from msecnn.files import printable, write_atomically
    from msecnn.teaching.quiz import FORMS, LANGUAGES, form_page, key_table

    folder.mkdir(parents=True, exist_ok=True)
    for form in FORMS:
        for language in LANGUAGES:
            write_atomically(folder / f"quiz-{form}-{language}.html", form_page(form, language))
    write_atomically(folder / "key.txt", key_table())
    print(printable(f"{len(FORMS) * len(LANGUAGES)} forms and key.txt: {folder}"))
    return 0


def _analyse(args: argparse.Namespace) -> int:
    """Status 1 where a row or a file was left out."""
    from msecnn.files import printable, write_atomically
    from msecnn.teaching.quiz_analysis import compare
    from msecnn.teaching.quiz_answers import QuizError, read_answers

    if args.out is not None and args.out.suffix.lower() != ".csv":
        raise QuizError(f"{args.out} must end in .csv.")
    filled, problems = read_answers(args.paths)
    for problem in problems:
        print(printable(problem), file=sys.stderr)
    result = compare(filled)
    if result is None:
        raise QuizError("Nobody took both quizzes, so there is nothing to compare.")
    if args.out is not None:
        write_atomically(args.out, result.csv())
    print(result.text(), end="")
    return 1 if problems else 0
