"""The quiz before and after, compared person by person: mean difference, its interval, and how likely chance is.

Interval: percentile bootstrap over participants (Efron and Tibshirani 1993). Test: the signs of the differences are
flipped at random, which changes nothing if before and after differ by chance only (Fisher 1935); exact for few people.
Axis letters: P participants.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from msecnn.evaluation.metrics import Interval, interval
from msecnn.teaching.cells import csv_text
from msecnn.teaching.quiz import FORMS, N_QUESTIONS, form_questions
from msecnn.teaching.quiz_answers import FilledIn

#: Resamples of the bootstrap and of the test; up to so many participants all flips are tried.
N_RESAMPLES, MOST_EXACT = 10_000, 13
#: With fewer, a difference is told without interval and test.
LEAST = 5


@dataclass(frozen=True)
class Pair:
    """One participant's two quizzes."""

    before: FilledIn
    after: FilledIn

    @property
    def difference(self) -> int:
        return self.after.score - self.before.score


@dataclass(frozen=True)
class Paired:
    """The comparison.

    Attributes:
        pairs: of those who took both, by their code.
        n_single: who took one only, and so are not compared.
        interval: 95 % of the mean difference; None with fewer than `LEAST` participants.
        p: two-sided; None likewise.
    """

    pairs: tuple[Pair, ...]
    n_single: int
    interval: Interval | None
    p: float | None

    @property
    def mean_difference(self) -> float:
        return float(np.mean([pair.difference for pair in self.pairs]))

    def text(self) -> str:
        """What can be said, and what cannot."""
        before, after = (np.array([getattr(pair, when).score for pair in self.pairs]) for when in ("before", "after"))
        lines = [
            f"{len(self.pairs)} participants took both quizzes, {self.n_single} only one, who are left out.",
            f"Before: mean {before.mean():.2f} of {N_QUESTIONS} right. After: {after.mean():.2f}.",
            f"Difference: {self.mean_difference:+.2f}{self._uncertainty()}.",
            *self._by_order(),
            "Right answers by topic, before and after:",
            *(f"  {topic:<10} {was:>4.0%} {now:>5.0%}" for topic, was, now in self.topics()),
            "A difference shows that scores changed, not why: whoever takes a quiz twice may do better for that alone.",
        ]
        return "\n".join(lines) + "\n"

    def _uncertainty(self) -> str:
        if self.interval is None:
            return f" (fewer than {LEAST} participants: no interval, no test)"
        low, high = self.interval
        return f" (95 % interval {low:+.2f} to {high:+.2f}; sign-flip test p = {self.p:.3g})"

    def _by_order(self) -> Iterable[str]:
        """By which form came first: where the two differ much, one form is harder."""
        for form in FORMS:
            differences = [pair.difference for pair in self.pairs if pair.before.form == form != pair.after.form]
            if differences:
                yield f"  form {form.upper()} first: {np.mean(differences):+.2f} (n = {len(differences)})"
        same = [pair for pair in self.pairs if pair.before.form == pair.after.form]
        if same:
            yield f"  {len(same)} took the same form twice: they may have remembered it."

    def topics(self) -> list[tuple[str, float, float]]:
        """Each topic with the share of right answers before and after."""
        topics = [question.topic for question in form_questions(FORMS[0])]
        before, after = (np.mean([_by_topic(getattr(pair, when)) for pair in self.pairs], axis=0)
                         for when in ("before", "after"))  # fmt: skip
        return [(topic, float(was), float(now)) for topic, was, now in zip(topics, before, after, strict=True)]

    def csv(self) -> str:
        """A row a participant."""
        header = ("participant", "form_before", "before", "form_after", "after", "difference")
        rows = (
            (pair.before.participant, pair.before.form, pair.before.score, pair.after.form, pair.after.score,
             pair.difference) for pair in self.pairs
        )  # fmt: skip
        return csv_text(header, rows)


def compare(filled: Iterable[FilledIn], *, seed: int = 0) -> Paired | None:
    """Pairs what each participant filled in; None where nobody took both."""
    quizzes: dict[str, dict[str, FilledIn]] = {}
    for quiz in filled:
        quizzes.setdefault(quiz.participant, {})[quiz.occasion] = quiz
    pairs = tuple(Pair(both["before"], both["after"]) for _, both in sorted(quizzes.items()) if len(both) == 2)
    if not pairs:
        return None
    differences = np.array([pair.difference for pair in pairs], np.float64)  # (P,)
    enough = len(pairs) >= LEAST
    return Paired(
        pairs,
        len(quizzes) - len(pairs),
        bootstrap_interval(differences, seed=seed) if enough else None,
        sign_flip_p(differences, seed=seed) if enough else None,
    )


def bootstrap_interval(differences: np.ndarray, *, seed: int = 0) -> Interval:
    """95 % interval of the mean of (P,) differences."""
    drawn = np.random.default_rng(seed).integers(len(differences), size=(N_RESAMPLES, len(differences)))
    return interval(differences[drawn].mean(axis=1))


def sign_flip_p(differences: np.ndarray, *, seed: int = 0) -> float:
    """Share of sign flips of (P,) differences whose mean is at least as far from 0 as the one seen."""
    n = len(differences)
    if n <= MOST_EXACT:
        flips = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    else:
        flips = np.random.default_rng(seed).choice((-1.0, 1.0), size=(N_RESAMPLES, n))
        flips[0] = 1.0  # what was seen is one of the possible ones, so no p is 0
    means = np.abs(flips @ differences)
    return float(np.mean(means >= abs(differences.sum()) - 1e-9))


def _by_topic(quiz: FilledIn) -> Sequence[bool]:
    """Whether each topic was answered rightly, in the order of the first form's topics."""
    right = dict(zip((question.topic for question in form_questions(quiz.form)), quiz.right, strict=True))
    return [right[question.topic] for question in form_questions(FORMS[0])]
