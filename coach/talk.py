"""Answers that come sentence by sentence: what a model says is filled and checked before anybody reads it."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from coach.chat import Answer, answer, introduction, lift_asked, settled
from coach.check import check_text
from coach.domain.errors import ServiceError
from coach.domain.guidance import Check, Guidance, Language
from coach.domain.lift import Lift, Report
from coach.guidance import pictures_in
from coach.model_text import plain_text, quoted_measures, whole_sentences
from coach.patterns import word_index
from coach.quantities import normalised
from coach.quotes import fill
from coach.writer import Talks, Writer
from corpus.knowledge.library import Library

MAX_ANSWER_CHARACTERS = 1500

_NOTICES: dict[Language, dict[str, str]] = {
    "en": {
        "unsupported": "What the model answered does not hold or misses the question, so this answer comes from the rules.",
        "unreachable": "The model could not be asked, so this answer comes from the rules: {problem}",
        "broken": "The answer breaks off here: {problem}",
    },
    "zh-Hant": {
        "unsupported": "模型的回答不符合量測結果或沒有回答問題，所以這個回答由規則產生。",
        "unreachable": "無法詢問模型，所以這個回答由規則產生：{problem}",
        "broken": "回答在這裡中斷：{problem}",
    },
    "zh-Hans": {
        "unsupported": "模型的回答不符合测量结果或没有回答问题，所以这个回答由规则产生。",
        "unreachable": "无法询问模型，所以这个回答由规则产生：{problem}",
        "broken": "回答在这里中断：{problem}",
    },
}


class AnswerStream(Iterator[str]):
    """The text of an answer in checked pieces; joined, they are the text of `answer`.

    Closing it ends the request to a server; use it in a `with` statement where it may not be read to its end.
    """

    def __init__(self, answers: Iterator[Answer]) -> None:
        """Take an answer that grows: each item holds all that has been said so far."""
        self._answers = answers
        self._last = Answer(text="", check=Check(numbers_found=0, numbers_supported=0))

    @property
    def answer(self) -> Answer:
        """Return what has been said so far: the whole answer once the stream has ended."""
        return self._last

    def __next__(self) -> str:
        """Return the next piece of text."""
        for longer in self._answers:
            new = longer.text[len(self._last.text) :]
            self._last = longer
            if new:
                return new
        raise StopIteration

    def close(self) -> None:
        """End the answer here, and the request with it."""
        if isinstance(self._answers, Generator):
            self._answers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk about one analysed clip.

    Attributes:
        report: The analysis, with findings in its lifts.
        guidances: What was said about each lift, by lift number.
        number: The lift that is meant when a question names none.
        folder: Folder of the analysis, for its key frames.
        library: Fault texts and phrases.
        language: Language of the answers.
        history: Earlier questions and answers, oldest first.
    """

    report: Report
    guidances: Mapping[int, Guidance]
    number: int
    folder: Path
    library: Library
    language: Language
    history: Sequence[tuple[str, str]] = ()

    def by_rules(self, question: str, notice: str = "") -> Answer:
        """Return the answer that needs no model."""
        said = answer(self.report, self.guidances[self.number], self.library, question, self.language)
        return said.model_copy(update={"notice": notice})


def answer_stream(talk: Talk, question: str, writer: Writer) -> AnswerStream:
    """Return an answer that can be read while it is written; from the rules where the writer does not talk.

    Pain, referees, loads, comparisons and what no camera sees are answered before any model is asked. Of a model's
    answer only sentences that pass the check are shown; when none does, or the server fails, the rules answer and
    `notice` says so.
    """
    about = talk.guidances[talk.number]
    told = settled(talk.report, about, talk.library, question, talk.language)
    lift, is_named = lift_asked(talk.report, about, talk.library, question) if told is None else (None, False)
    said = talk.guidances.get(lift.number) if lift is not None else None
    if lift is None or said is None or not isinstance(writer, Talks):
        return AnswerStream(iter([told or talk.by_rules(question)]))
    return AnswerStream(_by_model(talk, lift, said, question, writer, is_named))


def _by_model(
    talk: Talk, lift: Lift, said: Guidance, question: str, writer: Talks, is_named: bool
) -> Generator[Answer, None, None]:
    intro = introduction(talk.report, lift, talk.library, talk.language, is_named)
    spoken = _Spoken(talk, lift, intro, writer.name, _topic(talk, question))
    notice = ""
    try:
        pictures = pictures_in(lift, talk.folder)
        pieces = writer.talk(talk.report, lift, talk.library, talk.language, said, talk.history, question, pictures)
        with closing(_generator(pieces)) as pieces:
            for sentence in whole_sentences(pieces):
                if spoken.take(sentence) and spoken.is_to_the_point:
                    yield spoken.answer()
                if spoken.is_long:
                    break
    except ServiceError as problem:
        kind = "broken" if spoken.is_to_the_point else "unreachable"
        notice = _NOTICES[talk.language][kind].format(problem=problem)
    if spoken.is_to_the_point:
        yield spoken.answer(notice)
    else:
        yield talk.by_rules(question, notice or _NOTICES[talk.language]["unsupported"])


def _topic(talk: Talk, question: str) -> frozenset[str]:
    """Return the measures, instants and faults a question is about, as the rules understand it; empty if they do not."""
    ruled = talk.by_rules(question).text
    is_help = ruled.endswith(talk.library.texts[talk.language].say("chat_help"))
    return _named(question if is_help else ruled, talk.library)


def _named(text: str, library: Library) -> frozenset[str]:
    index, plain = word_index(library), normalised(text)
    return frozenset(
        name
        for words in (index.measures, index.instants, index.faults)
        for hit in words.find(plain)
        for name in hit.ids
    )


def _generator(pieces: Iterator[str]) -> Generator[str, None, None]:
    yield from pieces


@dataclass(slots=True)
class _Spoken:
    """The sentences of a model that passed the check, and what did not.

    An answer is to the point once a sentence names or quotes something of `topic`; until then nothing of it is shown.
    """

    talk: Talk
    lift: Lift
    intro: str
    writer: str
    topic: frozenset[str]
    kept: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    evidence: dict[str, None] = field(default_factory=dict)
    n_found: int = 0
    n_supported: int = 0

    @property
    def is_to_the_point(self) -> bool:
        """Return whether something was said, and about what was asked."""
        about = _named(" ".join(self.kept), self.talk.library) | set(self.evidence)
        return bool(self.kept) and (not self.topic or bool(about & self.topic))

    @property
    def is_long(self) -> bool:
        return sum(map(len, self.kept)) > MAX_ANSWER_CHARACTERS

    def take(self, sentence: str) -> bool:
        """Keep a sentence when it passes, and return whether it did; what was said already is left out."""
        plain = plain_text(sentence)
        quoted = quoted_measures(plain, self.lift)
        checked = check_text(
            fill(plain, self.lift, self.talk.library, self.talk.language).text,
            self.lift,
            self.talk.library,
            evidence=quoted or None,
            trusted=self._trusted(),
            language=self.talk.language,
        )
        self.n_found += checked.numbers_found
        self.n_supported += checked.numbers_supported
        self.removed.extend(checked.removed)
        if not checked.text or checked.text in self.kept:
            return False
        self.kept.append(checked.text)
        self.evidence |= dict.fromkeys(quoted)
        return True

    def _trusted(self) -> list[str]:
        """Return the texts of the library about what was found, which may hold numbers of their own."""
        found = [self.talk.library.faults[f.fault].texts[self.talk.language] for f in self.lift.findings]
        return [line for text in found for line in (*text.cues, *(d.line(self.talk.language) for d in text.drills))]

    def answer(self, notice: str = "") -> Answer:
        """Return what has been said so far."""
        glue = " " if self.talk.language == "en" else ""
        found = [f.fault for f in self.lift.findings if set(f.measures) & set(self.evidence)]
        sources = (source for fault in found for source in self.talk.library.faults[fault].sources)
        return Answer(
            text=self.intro + glue.join(self.kept),
            evidence=tuple(self.evidence),
            sources=tuple(dict.fromkeys(sources)),
            writer=self.writer,
            notice=notice,
            check=Check(numbers_found=self.n_found, numbers_supported=self.n_supported, removed=tuple(self.removed)),
        )
