"""`coach app`: the web app, and the names that may use it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The web app: load a lift, see it, talk about it, curate texts, rate guidance.")

AccountsOption = Annotated[
    Path | None, typer.Option("--accounts", metavar="FILE", help="Names and password hashes; without it, one person.")
]


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Where to listen; others than this machine need --accounts.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Where to listen.")] = 7860,
    accounts: AccountsOption = None,
    pairs: Annotated[
        Path | None,
        typer.Option("--pairs", metavar="FILE", help="JSONL of guidance to be rated blind on the Rate page."),
    ] = None,
) -> None:
    """Open the web app on this machine; lifts and conversations lie in $LIFTCOACH_DATA."""
    if context.invoked_subcommand is not None:
        return
    from coach.app.server import Config, run
    from coach.database import data_folder

    config = Config(host=host, port=port, accounts=accounts, folder=data_folder(), pairs=pairs)
    run(config, on_open=lambda: _say(f"Liftcoach is open at {config.address} — stop it with Ctrl+C."))


@app.command("add-user")
def add_user(
    name: Annotated[str, typer.Argument(help="Who may log in.")],
    accounts: Annotated[Path, typer.Option("--accounts", metavar="FILE", help="The file of accounts.")],
    password: Annotated[
        str,
        typer.Option(
            "--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when left out."
        ),
    ],
) -> None:
    """Let somebody log in, or give them a new password."""
    from coach.app.accounts import add_user as add

    add(accounts, name, password)
    _say(f"{name} may log in: coach app --accounts {accounts}")


def _say(text: str) -> None:
    typer.echo(text, err=True)
