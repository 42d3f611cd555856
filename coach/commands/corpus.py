"""`coach corpus`: add texts, decide about them, search, count and export them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from coach.commands.terminal import complain, print_table, progress
from coach.domain.errors import CoachError, InputError, SetupError
from coach.domain.passage import Passage, PassageStatus, TextLanguage
from coach.domain.words import plain, printable
from coach.folders import check_out, whole_folder

if TYPE_CHECKING:
    from corpus.reader import ReadDocument
    from corpus.search import Source
    from corpus.store import Added, Decision, Store

app = typer.Typer(
    help="Texts that the coach learns from: add, review, search, count and export them.", no_args_is_help=True
)
review_app = typer.Typer(help="List passages, or decide about one.", invoke_without_command=True)
app.add_typer(review_app, name="review")

SHOWN_PROBLEMS = 20  # of one file; --json lists all
SHOWN_CHARACTERS = 160  # of a passage in a list
SHOWN_FAULTS = 10  # that no passage speaks of
STORE_HELP = (
    "The corpus is a file in ~/.local/share/liftcoach; LIFTCOACH_DATA names another folder, LIFTCOACH_DATABASE another "
    "database, such as postgresql://me@server/texts."
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
StarterOption = Annotated[bool, typer.Option("--starter/--no-starter", help="With the texts that come with the coach.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="A passage, from the list.", show_default=False)]
ReviewerOption = Annotated[
    str,
    typer.Option("--reviewer", envvar="LIFTCOACH_REVIEWER", help="Your name.", prompt="Your name", show_default=False),
]
NoteOption = Annotated[str, typer.Option("--note", help="Why; others read it in the history.")]
TagsOption = Annotated[
    str | None,
    typer.Option("--tags", help='New tags: "lifts: snatch; phases: turnover; faults: late_pull_under; kind: cue".'),
]
VersionOption = Annotated[
    int | None, typer.Option("--version", min=1, help="The version you looked at; refused when there is a newer one.")
]


@app.command(epilog=STORE_HELP)
def add(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files, or folders of files.")],
    licence: Annotated[
        str | None, typer.Option("--licence", help="Such as CC-BY-4.0; without one, a text is kept but never exported.")
    ] = None,
    language: Annotated[TextLanguage | None, typer.Option("--language", help="Found out when left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Read texts and training records, and put their passages up for review."""
    from corpus.reader import read_document
    from corpus.store import open_store

    files = list(_files(paths))
    store = open_store()
    results: list[tuple[Path, ReadDocument, Added] | tuple[Path, CoachError]] = []
    with progress() as on_progress:
        for i, path in enumerate(files):
            on_progress("files", i, len(files))
            try:
                read = read_document(path, licence=licence, language=language)
                results.append((path, read, store.add(read.document, read.passages)))
            except InputError as problem:
                results.append((path, problem))
        on_progress("files", len(files), len(files))
    if as_json:
        print(json.dumps([_added_for_machines(*result) for result in results], ensure_ascii=False, indent=2))
    else:
        print_table(
            ("file", "new", "known", "repeat others", "nearly repeat", "masked", "problems", "licence"),
            (_added_line(*result) for result in results),
        )
        for result in results:
            _complain_about(*result)
        complain(f"{store.count('proposed')} passages wait for a decision: coach corpus review")
    if any(len(result) == 2 for result in results):
        raise typer.Exit(1)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield files; of a folder, those in formats that can be read."""
    from corpus.source import READERS

    suffixes = {suffix for name in READERS.names() for suffix in READERS.load(name).suffixes}
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes and p.is_file())
        if not inside:
            raise InputError(f"{printable(path)} holds no file that can be read ({', '.join(sorted(suffixes))})")
        yield from (p for p in inside if not any(part.startswith(".") for part in p.relative_to(path).parts))


def _added_line(path: Path, read: "ReadDocument | CoachError", added: "Added | None" = None) -> tuple[str, ...]:
    if added is None or isinstance(read, CoachError):
        return (printable(path), *("–",) * 5, "not added", "–")
    counts = (added.n_new, added.n_known, len(added.exact_duplicates), len(added.near_duplicates))
    masked = sum(read.masked.values())
    return (
        printable(path),
        *map(str, counts),
        str(masked),
        str(len(read.problems)),
        added.document.licence or "none: never exported",
    )


def _added_for_machines(path: Path, read: "ReadDocument | CoachError", added: "Added | None" = None) -> object:
    if added is None or isinstance(read, CoachError):
        return {"path": str(path), "error": str(read)}
    return {
        "path": str(path),
        **added.model_dump(mode="json"),
        "masked": read.masked,
        "problems": [problem.model_dump() for problem in read.problems],
        "warnings": [warning.model_dump() for warning in read.warnings],
    }


def _complain_about(path: Path, read: "ReadDocument | CoachError", added: "Added | None" = None) -> None:
    if added is None or isinstance(read, CoachError):
        complain(f"Not added: {printable(str(read))}")
        return
    for kind, said in (("left out", read.problems), ("look at this", read.warnings)):
        for problem in said[:SHOWN_PROBLEMS]:
            complain(f"{printable(path.name)}, {printable(problem.place)}: {kind}: {printable(problem.message)}")
        if len(said) > SHOWN_PROBLEMS:
            complain(f"{printable(path.name)}: {len(said) - SHOWN_PROBLEMS} more like these; --json lists all")


@review_app.callback(epilog=STORE_HELP)
def review(
    context: typer.Context,
    status: Annotated[
        Literal["proposed", "accepted", "rejected", "all"], typer.Option("--status", help="Which passages to list.")
    ] = "proposed",
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many.")] = 20,
    offset: Annotated[int, typer.Option("--offset", min=0, help="How many to skip.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """List passages in the order they came, or decide: `coach corpus review accept ID`."""
    if context.invoked_subcommand is not None:
        return
    from corpus.store import open_store

    store, wanted = open_store(), None if status == "all" else status
    passages = store.passages(wanted, limit, offset)
    if as_json:
        print(json.dumps([passage.model_dump(mode="json") for passage in passages], ensure_ascii=False, indent=2))
        return
    like = {duplicate.passage_id: duplicate for duplicate in store.duplicates()}
    documents, n = store.documents(), store.count(wanted)
    for p in passages:
        where = printable(f"{documents[p.document_id].title}, {p.place}")
        print(f"{p.id}  {p.status}, version {p.version} · {where} · {_tag_words(p)}")
        if p.id in like:
            print(f"  repeats {like[p.id].other_id} ({like[p.id].similarity:.0%})")
        print(f"  {_short(p.text)}\n")
    complain(f"{len(passages)} of {n}. Decide: coach corpus review accept|edit|reject ID --reviewer NAME")


@review_app.command("show")
def show(passage_id: IdArgument) -> None:
    """Show a passage in full, with everything that was decided about it."""
    from corpus.store import open_store

    store = open_store()
    passage = store.get(passage_id)
    document = store.documents()[passage.document_id]
    print(printable(f"{document.title}, {passage.place} · {passage.licence or 'no licence'}"))
    print(f"{passage.status}, version {passage.version} · {_tag_words(passage)}\n")
    print("\n".join(map(printable, passage.text.splitlines())), end="\n\n")
    for review in store.history(passage_id):
        said = f", {review.note}" if review.note else ""
        print(f"{review.decided_at:%Y-%m-%d %H:%M} UTC  {_line(f'{review.reviewer}: {review.decision}{said}')}")
        if review.text_before != review.text_after:
            print(f"  before: {_line(review.text_before)}\n  after:  {_line(review.text_after)}")


@review_app.command("accept")
def accept(
    passage_id: IdArgument,
    reviewer: ReviewerOption,
    note: NoteOption = "",
    tags: TagsOption = None,
    version: VersionOption = None,
) -> None:
    """Accept a passage as it stands; it can be found and exported then."""
    _decide(passage_id, reviewer, "accept", note, None, tags, version)


@review_app.command("reject")
def reject(
    passage_id: IdArgument, reviewer: ReviewerOption, note: NoteOption = "", version: VersionOption = None
) -> None:
    """Take a passage out; it stays in the corpus, but is neither found nor exported."""
    _decide(passage_id, reviewer, "reject", note, None, None, version)


@review_app.command("edit")
def edit(
    passage_id: IdArgument,
    reviewer: ReviewerOption,
    text: Annotated[str | None, typer.Option("--text", help="The new words.", show_default=False)] = None,
    note: NoteOption = "",
    tags: TagsOption = None,
    version: VersionOption = None,
) -> None:
    """Accept a passage in other words or with other tags; what stood there stays in its history."""
    _decide(passage_id, reviewer, "edit", note, text, tags, version)


def _decide(
    passage_id: str,
    reviewer: str,
    decision: "Decision",
    note: str,
    text: str | None,
    tags: str | None,
    version: int | None,
) -> None:
    from corpus.starter import read_tags
    from corpus.store import open_store

    store = open_store()
    seen = store.get(passage_id)
    after = store.review(
        passage_id,
        reviewer,
        decision,
        note,
        text=text,
        tags=None if tags is None else read_tags(tags),
        expected_version=version or seen.version,
    )
    print(f"{after.id} is {after.status}, version {after.version}")


@app.command(epilog=STORE_HELP)
def search(
    query: Annotated[str, typer.Argument(help="A question, in English or Chinese.")],
    language: Annotated[
        TextLanguage | None, typer.Option("--language", help="Only texts in this language; either Chinese script.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="How many passages.")] = 5,
    starter: StarterOption = True,
    as_json: JsonOption = False,
) -> None:
    """Find what coaches wrote about a question, with where it stands."""
    from corpus.search import search as search_passages

    hits = search_passages(_source(starter), query, language=language, limit=limit)
    if as_json:
        rows = [{"score": hit.score, "citation": hit.citation, **hit.passage.model_dump(mode="json")} for hit in hits]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for hit in hits:
        print(f"{printable(hit.citation)}  [{hit.passage.id}]\n  {_line(hit.passage.text)}\n")
    if not hits:
        complain("Nothing found: try other words, or leave --language out.")


@app.command(epilog=STORE_HELP)
def stats(starter: StarterOption = True, as_json: JsonOption = False) -> None:
    """Count what is in the corpus, and say what it lacks."""
    from corpus.overview import Overview, overview
    from corpus.starter import open_starter

    sources = {"own": overview(_store())} | ({"starter": overview(open_starter())} if starter else {})
    if as_json:
        print(
            json.dumps({name: n.model_dump(mode="json") for name, n in sources.items()}, ensure_ascii=False, indent=2)
        )
        return
    statuses: tuple[PassageStatus, ...] = ("proposed", "accepted", "rejected")
    print_table(
        ("texts", "language", *statuses),
        (
            (name, language, *(str(counts.get(status, 0)) for status in statuses))
            for name, numbers in sources.items()
            for language, counts in numbers.statuses.items()
        ),
    )

    def row(what: str, numbers: Overview) -> tuple[str, ...]:
        return (
            what,
            str(numbers.n_documents),
            str(numbers.n_passages),
            str(numbers.n_exportable),
            str(numbers.n_without_licence),
            f"{numbers.n_exact_duplicates} + {numbers.n_near_duplicates}",
            ", ".join(f"{kind} {n}" for kind, n in numbers.kinds.items()),
        )

    print_table(
        ("texts", "documents", "passages", "may be exported", "no licence", "repeat + nearly repeat others", "kinds"),
        (row(name, numbers) for name, numbers in sources.items()),
    )
    for reviewer, n in sources["own"].reviewers.items():
        print(f"{printable(reviewer)}: {n} decisions")
    lacking = sorted(set.intersection(*(set(numbers.faults_without_passage) for numbers in sources.values())))
    if lacking:
        more = f" and {len(lacking) - SHOWN_FAULTS} more" if len(lacking) > SHOWN_FAULTS else ""
        print(f"No accepted passage speaks of: {', '.join(map(plain, lacking[:SHOWN_FAULTS]))}{more}")


@app.command(epilog=STORE_HELP)
def export(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the data set.", show_default=False)],
    starter: StarterOption = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the accepted passages as a data set for training, with a card; `datasets.load_dataset(DIR)` opens it."""
    from corpus.export import export as export_passages

    check_out(out, lambda entry: entry.name in ("README.md", "data"), overwrite)
    source = _source(starter)
    with whole_folder(out) as work_dir:
        exported = export_passages(source.passages(), source.documents(), work_dir)
    if as_json:
        print(exported.model_dump_json(indent=2))
        return
    print_table(("split", "rows"), ((split, str(n)) for split, n in exported.n_rows.items()))
    print(f"{exported.n_groups} groups that share no document, athlete or text; SHA-256 {exported.content_sha256}")
    for reason, n in exported.left_out.items():
        complain(f"Left out: {n} {reason}")
    for title in exported.without_licence:
        complain(f"  without a licence: {printable(title)}; coach corpus add FILE --licence NAME gives it one")
    for split, n in exported.n_rows.items():
        if not n:
            complain(f"Note: {split} is empty, because too few texts stand on their own; add more documents")
    complain(f"Written to {printable(out)}")


@app.command(epilog=STORE_HELP)
def examples(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New folder.", show_default=False)],
    lifts: Annotated[int, typer.Option("--lifts", min=0, help="Simulated lifts to talk about without a text.")] = 60,
    askings: Annotated[int, typer.Option("--askings", min=1, help="How often each passage is asked about.")] = 2,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of questions and pictures.")] = 0,
    starter: StarterOption = True,
) -> None:
    """Turn accepted passages and simulated lifts into conversations to train an adapter on, with key frames."""
    try:
        from finetune.lessons import write_lessons
    except ModuleNotFoundError as problem:
        raise SetupError(f"no {problem.name}: pip install 'liftcoach[simulator]'") from problem

    accepted = [passage for passage in _source(starter).passages() if passage.status == "accepted"]
    with progress() as on_progress:
        written = write_lessons(
            out,
            accepted,
            n_lifts=lifts,
            n_askings=askings,
            seed=seed,
            on_progress=lambda done, total: on_progress("lifts", done, total),
        )
    print_table(("split", "examples"), ((split, str(n)) for split, n in written.items()))
    complain(f"Written to {printable(out)}. Train on it: coach finetune run coach-tiny --data {printable(out)}")


def _store() -> "Store":
    from corpus.store import open_store

    return open_store()


def _source(with_starter: bool) -> "Source":
    from corpus.search import Together
    from corpus.starter import open_starter

    return Together(_store(), open_starter()) if with_starter else _store()


def _tag_words(passage: Passage) -> str:
    tags = passage.tags
    return "; ".join(filter(None, (", ".join(tags.lifts), ", ".join(tags.phases), ", ".join(tags.faults), tags.kind)))


def _line(text: str) -> str:
    return printable(" ".join(text.split()))


def _short(text: str) -> str:
    line = _line(text)
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[: SHOWN_CHARACTERS - 1]}…"
