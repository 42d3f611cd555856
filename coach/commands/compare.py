"""`coach compare`: two analysed lifts side by side."""

from pathlib import Path
from typing import Annotated

import typer

from coach.commands.terminal import complain, print_table
from coach.domain.words import printable


def compare(
    first: Annotated[Path, typer.Argument(metavar="DIR1", help="Folder of an analysis.", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="DIR2", help="Folder of another.", show_default=False)],
    first_number: Annotated[int | None, typer.Option("--first", metavar="N", help="Which lift of DIR1.")] = None,
    second_number: Annotated[int | None, typer.Option("--second", metavar="N", help="Which lift of DIR2.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the page with the plots; only the table when left out.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier comparison in that folder.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Say what differs between two lifts by more than the error of measuring."""
    from coach import session
    from coach.compare import curve_change_text, difference_text

    found = session.compare_lifts(first, second, (first_number, second_number), out=out, overwrite=overwrite)
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        print_table(
            ("measure", "first", "second", "difference (90 % interval)", "smallest real", "verdict"),
            (
                (*difference_text(d), "changed" if d.is_change else "no change that can be told")
                for d in found.differences
            ),
        )
        for change in found.curve_changes:
            print(curve_change_text(change))
    for warning in found.warnings:
        complain(f"Note: {warning}")
    if out is not None:
        complain(f"Open {printable(out / 'compare.html')} in a browser.")
