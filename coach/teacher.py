"""What the product itself would say about a lift, written as a model should write it: the source of training examples."""

from collections.abc import Sequence

from coach.chat import answer as answer_by_rules
from coach.check import check_text
from coach.domain.conversation import Turn
from coach.domain.guidance import Guidance, Language
from coach.domain.lift import Lift
from coach.domain.passage import Passage
from coach.guidance import write_guidance
from coach.prompts import lift_turns, question_turn
from coach.questions import measures_asked
from coach.quotes import fill, quote
from coach.writers.rules import RulesWriter
from coach.writers.vlm import as_written
from corpus.examples import Scene
from corpus.knowledge.library import Library

_MIN_KEPT = 0.6  # share of a passage that must pass the check


class RulesTeacher:
    """Teaches what the rules writer and the rules' answers say, with measures quoted by id."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def _guidance(self, scene: Scene, language: Language) -> Guidance:
        return write_guidance(scene.report, scene.report.lifts[0], self.library, RulesWriter(), language)

    def opening(self, scene: Scene, language: Language, passages: Sequence[Passage]) -> tuple[Turn, ...]:
        """Return the turns before the guidance."""
        lift = scene.report.lifts[0]
        return lift_turns(scene.report, lift, self.library, language, scene.pictures, passages)

    def guidance(self, scene: Scene, language: Language) -> str:
        """Return the rules' guidance as the JSON of a `WrittenDraft`."""
        return as_written(self._guidance(scene, language), scene.report.lifts[0], self.library)

    def question(self, text: str, language: Language, passages: Sequence[Passage]) -> Turn:
        """Return a question as a turn."""
        return question_turn(text, language, passages)

    def answer(self, scene: Scene, language: Language, question: str) -> str:
        """Return what the rules answer, measures quoted."""
        said = answer_by_rules(scene.report, self._guidance(scene, language), self.library, question, language)
        return self._quoted(said.text, scene.report.lifts[0], language, said.evidence)

    def from_passage(self, scene: Scene, language: Language, passage: Passage) -> str | None:
        """Return the sentences of a passage that hold for any lift, or None when too few do."""
        text = " ".join(passage.text.split())
        blank = scene.report.lifts[0].model_copy(update={"measures": {}, "instants": {}, "findings": ()})
        checked = check_text(text, blank, self.library, language=language)
        return checked.text if len(checked.text) >= _MIN_KEPT * len(text) else None

    def _quoted(self, text: str, lift: Lift, language: Language, first: Sequence[str] = ()) -> str:
        quoted = quote(text, lift, self.library, language, (*first, *measures_asked(self.library, text)))
        if fill(quoted, lift, self.library, language).text != text:
            raise ValueError(f"quoting changes the text: {text}")
        return quoted
