"""`lem`: every command of the project. A command imports its modules when it runs, so that help is quick and the
service never needs torch.

Exit codes: 0 done, 1 failed on the way, 2 cannot start as asked, 130 interrupted from the keyboard.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from app import __version__
from app.extras import EXTRAS, install_command
from app.settings import ClockKind
from app.terminal import refuse, refusing

cli = typer.Typer(
    name="lem",
    help="Schedule large orders with a Large Execution Model.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

FORWARD = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""All words go to the parser of the command itself, --help too."""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lem {__version__}")
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Tell the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Schedule large orders with a Large Execution Model."""


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 picks a free port and prints it.")] = 8000,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the embedded store.  [LEM_DATA_DIR, default data]")
    ] = None,
    clock: Annotated[
        ClockKind | None, typer.Option(help="Live time, or the time of the newest bar.  [LEM_CLOCK, default wall]")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="The model's bundle.  [LEM_BUNDLE, default the shipped one]")
    ] = None,
    bundles: Annotated[
        Path | None, typer.Option(help="Folder with further bundles, to be activated while it serves.  [LEM_BUNDLES]")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port and the store.")] = 1,
    allow_no_keys: Annotated[
        bool, typer.Option("--allow-no-keys", help="Listen beyond the loopback without API keys.  [LEM_ALLOW_NO_KEYS]")
    ] = False,
) -> None:
    """Serve the HTTP interface until a signal ends it."""
    from pydantic import ValidationError

    from app.main import CannotStart
    from app.serve import run
    from app.settings import Settings, said_of

    given: dict[str, Any] = {"data_dir": data_dir, "clock": clock, "bundle": bundle, "bundles": bundles}
    given["allow_no_keys"] = allow_no_keys or None
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        refuse("lem", said_of(error))
    with refusing("lem", CannotStart):
        if workers == 1:
            run(settings, host, port)
        else:
            from app.workers.parent import run_workers

            run_workers(settings, host, port, workers)


@cli.command()
def demo(
    bundle: Annotated[Path | None, typer.Option(help="The model's bundle.  [default the shipped one]")] = None,
    bars_per_second: Annotated[float, typer.Option(min=0.1, max=1000.0, help="Speed of the replay.")] = 3.0,
    stay: Annotated[
        bool, typer.Option("--stay", help="Keep the service and its desk page after the summary, until Ctrl-C.")
    ] = False,
) -> None:
    """Start the service, replay real bars at speed, and trade orders of all 8 scenarios.

    At the end each order stands beside what TWAP and blind stopping would have made of it on the same bars. The
    service has a free port of the loopback and a store of its own, and is gone when the demo ends. The desk page's
    address is in the first lines.
    """
    from app.demo.interrupts import Stopped, stopping

    try:
        with stopping():
            with _extras_told("demo"):
                from app.demo.show import DemoFailed, run_demo
            try:
                run_demo(bundle, bars_per_second, stay=stay)
            except DemoFailed as error:
                typer.echo(f"lem: {error}", err=True)
                raise typer.Exit(1) from error
    except Stopped as stopped:
        typer.echo("stopped", err=True)
        raise typer.Exit(stopped.exit_code) from None


@cli.command("store-keys")
def store_keys() -> None:
    """List the Redis keys, their types and lifetimes."""
    from app.store import keys as documented

    typer.echo(documented.__doc__)


FORWARDED = {
    "backtest": ("app.backtest.lem_backtest", "Run the service's own decisions over bar files."),
    "quote": ("app.quoting.lem_quote", "Say what an order may earn and cost, from a bar file."),
    "bench": ("app.bench.lem_bench", "Measure the service beside a bare handler in the same run."),
    "simulate": ("app.backtest.lem_backtest", "Write bar files of random walks."),
    "train": ("models.lem_train", "Train a model. Needs the train extra."),
    "ablate": ("models.lem_train", "Train without each part of the network in turn. Needs the train extra."),
    "export": ("models.lem_train", "Export a trained model as a bundle. Needs the train extra."),
    "calibrate": (
        "models.calibration.lem_calibrate",
        "Measure what a bundle's orders earn, for quotes to rest on. Needs the train extra, but no torch.",
    ),
    "evaluate": (
        "models.evaluation.lem_evaluate",
        "Measure a model beside the baselines on bars. Needs the train extra, but no torch.",
    ),
    "replay": ("app.replaying.lem_replay", "Decide a past order again, from the bars of a running service."),
    "keys": ("app.issuing.lem_keys", "Make, list and revoke API keys."),
    "data": ("models.data.lem_data", "Check, convert or fetch bar files."),
}
"""Commands of other modules, which are imported only when the command runs."""


def _add_forwarded(name: str, module: str, about: str) -> None:
    @cli.command(name, help=about, context_settings=FORWARD)
    def forwarded(context: typer.Context) -> None:
        _forward(context, module, name)


for _name, (_module, _about) in FORWARDED.items():
    _add_forwarded(_name, _module, _about)


def _forward(context: typer.Context, module: str, name: str) -> None:
    """Run `name` of `module`: a typer command function, or a command of the module's typer named `app`."""
    with _extras_told(name):
        found = import_module(module)
    command = _command(found, name)
    if command is None:
        refuse("lem", f"lem {name} is not there yet")
    command.main(args=context.args, prog_name=f"lem {name}")


@contextmanager
def _extras_told(name: str) -> Iterator[None]:
    """Say which extra the command needs where a package of it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = error.name or ""
        extra = EXTRAS.get(missing.split(".")[0])
        if extra is None:
            raise
        refuse("lem", f"lem {name} needs {missing}: install the {extra} extra, {install_command(extra)}")


def _command(module: Any, name: str) -> Any:
    mounted = getattr(module, "app", None)
    if isinstance(mounted, typer.Typer):
        commands = getattr(typer.main.get_command(mounted), "commands", {})
        return commands.get(name)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command()(getattr(module, name))
    return typer.main.get_command(alone)


def main() -> None:
    cli()


if __name__ == "__main__":
    main()
