"""The writer that asks a vision-language model: it quotes measures by id, and what it writes is a draft like any other."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from coach.coverage import coverage_lines
from coach.domain.conversation import Picture, Turn
from coach.domain.errors import ServiceError
from coach.domain.guidance import Guidance, Language, Priority
from coach.domain.lift import Lift, Report
from coach.domain.passage import Passage
from coach.model_text import plain_text, quoted_measures, shortened
from coach.prompts import (
    WrittenDraft,
    WrittenPriority,
    chat_turns,
    cueable,
    draft_schema,
    lift_turns,
    repair_turn,
)
from coach.quantities import normalised
from coach.questions import (
    FILM,
    FIX,
    GOOD,
    HOW_SURE,
    PHASES,
    UNMEASURED,
    WHICH_LIFTS,
    instant_asked,
    longest_match,
    measures_asked,
)
from coach.quotes import fill, quote
from coach.reasons import grouped_not_measured
from coach.writer import Draft
from coach.writers.rules import RulesWriter
from corpus.knowledge.library import Library
from serving.client import CLIENTS, ChatClient

ANSWER_TOKENS = 400
QUESTION_PASSAGES = 1  # notes of coaches beside a question that the lift alone does not answer
_ABOUT_LIFT = (UNMEASURED, HOW_SURE, FILM, WHICH_LIFTS, GOOD, FIX, *(pattern for _, pattern, _ in PHASES))

FindPassages = Callable[[str, Language, Sequence[str], int], tuple[Passage, ...]]


def create(
    client: ChatClient | None = None,
    model: str | None = None,
    n_passages: int = 0,
    find: FindPassages | None = None,
) -> "VlmWriter":
    """Return the writer that asks a model.

    Args:
        client: Speaks to the server; the OpenAI protocol at `$LIFTCOACH_SERVER` with the key `$LIFTCOACH_API_KEY`
            when left out.
        model: Served name of a model or an adapter; `$LIFTCOACH_MODEL`, else the one the client chooses.
        n_passages: How many notes of coaches stand beside the measures, three at most; none, as `coach-tiny` was
            trained.
        find: Finds notes by (query, language, faults, limit); the search over the starter corpus when left out.
    """
    wanted = model or os.environ.get("LIFTCOACH_MODEL") or None
    return VlmWriter(client or CLIENTS.load("openai", model=wanted), wanted, n_passages, find or find_passages)


class VlmWriter:
    """Asks a model for drafts, repairs and answers."""

    name = "vlm"

    def __init__(self, client: ChatClient, model: str | None, n_passages: int, find: FindPassages) -> None:
        """Remember whom to ask; nothing is asked yet."""
        self._client, self._model, self._n_passages, self._find = client, model, n_passages, find

    def write(
        self,
        report: Report,
        lift: Lift | None,
        library: Library,
        language: Language,
        history: Sequence[Lift] = (),
        pictures: Sequence[Picture] = (),
    ) -> Draft:
        """Return what the model says about a lift; where nothing was measured, the rules say how to film."""
        if lift is None or lift.outcome == "no_attempt" or not lift.measures:
            return RulesWriter().write(report, lift, library, language, history)
        return self._draft(
            report, self._opening(report, lift, library, language, history, pictures), lift, library, language, history
        )

    def repair(
        self,
        draft: Draft,
        removed: Sequence[str],
        report: Report,
        lift: Lift,
        library: Library,
        history: Sequence[Lift] = (),
        pictures: Sequence[Picture] = (),
    ) -> Draft:
        """Return what the model writes when it is told what did not hold."""
        turns = (
            *self._opening(report, lift, library, draft.language, history, pictures),
            Turn(role="assistant", text=draft.written),
            repair_turn(removed, draft.language),
        )
        return self._draft(report, turns, lift, library, draft.language, history)

    def talk(
        self,
        report: Report,
        lift: Lift,
        library: Library,
        language: Language,
        said: Guidance,
        history: Sequence[tuple[str, str]],
        question: str,
        pictures: Sequence[Picture] = (),
    ) -> Iterator[str]:
        """Return the model's answer piece by piece."""
        turns = chat_turns(
            report,
            lift,
            library,
            language,
            as_written(said, lift, library),
            history,
            question,
            pictures=pictures,
            passages=self._about_question(question, lift, library, language),
            lift_passages=self._about_findings(lift, library, language, ()),
        )
        return self._client.stream(turns, max_tokens=ANSWER_TOKENS, model=self._model)

    def _opening(
        self,
        report: Report,
        lift: Lift,
        library: Library,
        language: Language,
        history: Sequence[Lift],
        pictures: Sequence[Picture],
    ) -> tuple[Turn, ...]:
        passages = self._about_findings(lift, library, language, history)
        return lift_turns(report, lift, library, language, pictures, passages, history)

    def _about_findings(
        self, lift: Lift, library: Library, language: Language, history: Sequence[Lift]
    ) -> tuple[Passage, ...]:
        found = [f.fault for f in cueable(lift, library, history)]
        if not found or not self._n_passages:
            return ()
        names = " ".join(library.faults[name].texts[language].name for name in found)
        return self._find(names, language, found, self._n_passages)

    def _about_question(self, question: str, lift: Lift, library: Library, language: Language) -> tuple[Passage, ...]:
        """Return notes that fit a question; none where it is about this lift, whose facts the model has already."""
        asked = normalised(question)
        found = (text for f in lift.findings for text in library.faults[f.fault].texts.values())
        if (
            measures_asked(library, asked)
            or instant_asked(library, asked)
            or any(longest_match(text, asked) for text in found)
            or any(pattern.search(asked) for pattern in _ABOUT_LIFT)
        ):
            return ()
        return self._find(question, language, (), QUESTION_PASSAGES)

    def _draft(
        self,
        report: Report,
        turns: Sequence[Turn],
        lift: Lift,
        library: Library,
        language: Language,
        history: Sequence[Lift],
    ) -> Draft:
        schema = draft_schema(lift, library, history)
        reply = self._client.complete(turns, schema=schema, model=self._model)
        said = _read(reply.text, reply.model)
        model, adapter = self._names(reply.model)
        texts, limits = _Texts(lift, library, language), _limits(schema)
        return Draft(
            language=language,
            writer=self.name,
            model=model,
            adapter=adapter,
            strength=texts.filled(said.strength, limits["strength"]),
            strength_evidence=quoted_measures(said.strength, lift),
            priorities=tuple(texts.priority(p, limits) for p in said.priorities),
            next_film=texts.filled(said.next_film, limits["next_film"]),
            safety=texts.safety(said.safety, limits["safety"]),
            not_measured=(
                *coverage_lines(lift, report.camera, library, language, history),
                *grouped_not_measured(lift, library, language),
            ),
            written=reply.text,
        )

    def _names(self, served: str) -> tuple[str, str | None]:
        """Return base model and adapter of a served name; an adapter is called `name@sha`."""
        if "@" not in served:
            return served, None
        base = next((name for name in self._client.models() if "@" not in name), None)
        return base or served, served


class _Texts:
    """Turns what a model wrote about one lift into plain text with its measures filled in."""

    def __init__(self, lift: Lift, library: Library, language: Language) -> None:
        self.lift, self.library, self.language = lift, library, language

    def filled(self, text: str, limit: int) -> str:
        return fill(shortened(plain_text(text), limit), self.lift, self.library, self.language).text

    def priority(self, said: WrittenPriority, limits: dict[str, int]) -> Priority:
        fault = self.library.faults.get(said.fault)
        measures = [self.lift.measures[name] for name in said.evidence if name in self.lift.measures]
        parts = {key: self.filled(getattr(said, key), limits[key]) for key in _PARTS}
        return Priority(
            fault=said.fault,
            **parts,
            evidence=said.evidence,
            sources=fault.sources if fault else (),
            at_frame=measures[0].frame if measures else None,
        )

    def safety(self, said: str, limit: int) -> str:
        """Return what the model says about safety, and always the library's own sentences."""
        own, always = self.filled(said, limit), self.library.texts[self.language].say("safety")
        return own if always in own else (" " if self.language == "en" else "").join(p for p in (own, always) if p)


_PARTS = ("observation", "consequence", "cue", "drill")


def _limits(schema: dict[str, Any]) -> dict[str, int]:
    """Return the most characters of each text in a schema, which a server may not keep to."""
    priority = schema["properties"]["priorities"]["items"]["properties"]
    texts = {**schema["properties"], **priority}
    return {name: part["maxLength"] for name, part in texts.items() if "maxLength" in part}


def _read(text: str, model: str) -> WrittenDraft:
    try:
        return WrittenDraft.model_validate_json(text)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise ServiceError(
            f"{model} gave no guidance that can be read ({place}: {first['msg']}); is it a model for Liftcoach?"
        ) from problem


def find_passages(query: str, language: Language, faults: Sequence[str], limit: int) -> tuple[Passage, ...]:
    """Return the notes of the starter corpus that fit best, in this very language."""
    from corpus.search import search
    from corpus.starter import open_starter

    hits = search(open_starter(), query, language=language, faults=faults, limit=3 * limit)
    return tuple(hit.passage for hit in hits if hit.passage.language == language)[:limit]


def as_written(guidance: Guidance, lift: Lift, library: Library) -> str:
    """Return guidance as a model would have written it: JSON with the measures quoted by id."""

    def quoted(text: str, first: Sequence[str] = ()) -> str:
        named = first or measures_asked(library, text)  # where two measures read alike, the words decide
        return quote(text, lift, library, guidance.language, named)

    priorities = tuple(
        WrittenPriority(
            fault=p.fault,
            observation=quoted(p.observation, p.evidence),
            consequence=p.consequence,
            cue=p.cue,
            drill=p.drill,
            evidence=p.evidence,
        )
        for p in guidance.priorities
    )
    return WrittenDraft(
        strength=quoted(guidance.strength),
        priorities=priorities,
        next_film=guidance.next_film,
        safety=guidance.safety,
    ).model_dump_json()
