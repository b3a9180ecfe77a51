"""Show a result to a person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from bench import figures
from bench.prices import load_prices

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from bench.figures import Figures


def show(result: Mapping[str, Any], console: Console) -> None:
    """Print everything that is known about a load."""
    prices = load_prices()
    outcome = result["outcome"]
    console.print(
        f"\n[bold]{outcome['steps_done']} steps in {outcome['seconds']} s: "
        f"{outcome['steps_per_second']} steps/s[/] (LocalStack's speed on this machine)\n"
    )
    measured = {result["plan"]["steps"]: result["counted"]["step"]["read_units"]}
    for each in (
        figures.counted(result),
        figures.functions(result),
        figures.dollars(result, prices),
        figures.peers(result, prices),
        figures.history(result, prices, measured),
        figures.budget(result),
    ):
        console.print(table(each))
    console.print(
        f"Counts are measured. Dollars are these counts at the prices of {prices['date']} in "
        f"{prices['region']}, with Lambda's billed time assumed.\n"
    )


def table(shown: Figures) -> Table:
    """Return figures as a table for the terminal."""
    drawn = Table(title=shown.title, title_justify="left", title_style="bold")
    for number, column in enumerate(shown.columns):
        drawn.add_column(column, justify="right" if number else "left")
    for row in shown.rows:
        drawn.add_row(*(_styled(cell) for cell in row))
    return drawn


def _styled(cell: str) -> str:
    if cell.startswith("**"):
        return f"[bold]{cell.strip('*')}[/]"
    return {"PASS": "[green]PASS[/]", "FAIL": "[bold red]FAIL[/]"}.get(cell, cell)
