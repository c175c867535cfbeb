"""`aura cost`: what generated files cost together."""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, TEXT, examples, json_option
from aura_vcs.cli.output.console import Console, faint, red, strong
from aura_vcs.cli.output.humanize import count
from aura_vcs.cli.session import Session, pass_repository, pass_session
from aura_vcs.errors.input import InvalidFact

if TYPE_CHECKING:
    from aura_vcs.annotations.provenance import CostSum
    from aura_vcs.repository.repository import Repository

_KEYS = ("model", "program", "kind", "person", "month", "project")


@click.command(
    "cost",
    context_settings=HELP,
    epilog=examples("aura cost", "aura cost --by month", "aura cost --budget 50", "aura cost --all --by project"),
)
@click.option("--by", type=click.Choice(_KEYS), default="model", show_default=True, help="What to add up by")
@click.option("--budget", metavar="NUMBER", type=TEXT, help="End with exit code 3 if a currency's sum is above this")
@click.option("--all", "everything", is_flag=True, help="Add up all projects on your list, not only this one")
@json_option
@pass_session
def cost_command(session: Session, *, by: str, budget: str | None, everything: bool) -> None:
    """Add up what generated files cost

    The costs are those that `aura provenance set` and programs have recorded. Each content counts once.
    """
    limit = _budget(budget)
    if everything:
        with session.studio() as studio:
            from aura_vcs.studio.costs import costs_of_all

            found, left = costs_of_all(studio, by)  # type: ignore[arg-type]  # one of _KEYS
        _show(session.console, found, by, limit)
        for said in left:
            session.console.warn(f"left out: {said}")
    else:
        _of_this(by, limit)


@pass_repository
def _of_this(repo: "Repository", console: Console, by: str, limit: Decimal | None) -> None:
    from aura_vcs.annotations.provenance import costs

    _show(console, costs(repo, by), by, limit)  # type: ignore[arg-type]  # one of _KEYS


def _show(console: Console, found: "list[CostSum]", by: str, budget: Decimal | None) -> None:
    totals: dict[str, Decimal] = {}
    for item in found:
        totals[item.currency] = totals.get(item.currency, Decimal(0)) + item.cost
    above = budget is not None and any(total > budget for total in totals.values())
    console.exit_code = 3 if above else 0
    if console.as_json:
        console.data(
            {
                "by": by,
                "costs": [_to_json(item) for item in found],
                "totals": {currency: format(total, "f") for currency, total in totals.items()},
                "budget": None if budget is None else format(budget, "f"),
                "above_budget": above,
            }
        )
        return
    for item in found:
        tokens = faint(f"  {count(item.tokens, 'token')}" if item.tokens else "")
        amount = f"{item.cost:f} {item.currency}".strip()
        console.line(
            f"  {amount:>14}  ", strong(item.key or "unknown"), faint(f"  {count(item.count, 'file')}"), tokens
        )
    if not found:
        console.line("No costs are recorded. `aura provenance set FILE --cost 0.04 --currency EUR` records one.")
        return
    console.line("Together ", strong(", ".join(f"{total:f} {name}".strip() for name, total in totals.items())))
    if above:
        console.line(red(f"That is above the budget of {budget:f}."))


def _to_json(item: "CostSum") -> dict[str, Any]:
    return {
        "key": item.key,
        "currency": item.currency,
        "cost": format(item.cost, "f"),
        "tokens": item.tokens,
        "files": item.count,
    }


def _budget(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise InvalidFact("budget", text, "it must be a number") from error
    if not found.is_finite():
        raise InvalidFact("budget", text, "it must be a number")
    return found
