"""`aura prune`: old autosaves and restore points go."""

from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_vcs.cli.options import COUNT, HELP, Days, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green, red, strong
from aura_vcs.cli.output.humanize import age, call, count
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.studio import retention_rules
from aura_vcs.maintenance.retention import execute_prune, plan_prune

if TYPE_CHECKING:
    from aura_vcs.maintenance.retention import PrunePlan
    from aura_vcs.repository.repository import Repository


@click.command(
    "prune",
    context_settings=HELP,
    epilog=examples("aura prune --dry-run", "aura prune --keep-daily 14", "aura prune --keep-autosaves 3"),
)
@dry_run_option
@click.option("--keep-autosaves", metavar="COUNT", type=COUNT, help="This many of the newest always stay")
@click.option("--autosave-days", metavar="DAYS", type=Days(), help="Other autosaves are deleted after this many days")
@click.option(
    "--restore-point-days", metavar="DAYS", type=Days(), help="Restore points are deleted after this many days"
)
@click.option("--keep-hourly", metavar="COUNT", type=COUNT, help="Keep one autosave for each of this many hours")
@click.option("--keep-daily", metavar="COUNT", type=COUNT, help="Keep one autosave for each of this many days")
@click.option("--keep-weekly", metavar="COUNT", type=COUNT, help="Keep one autosave for each of this many weeks")
@click.option("--keep-monthly", metavar="COUNT", type=COUNT, help="Keep one autosave for each of this many months")
@json_option
@pass_repository
def prune_command(repo: "Repository", console: Console, /, *, dry_run: bool, **rules: Any) -> None:
    """Delete old autosaves and restore points

    Commits, important versions, and those that have a branch or tag always stay. The others are deleted
    as with `aura version delete`: undo brings it back until gc has freed it.
    """
    given = {name: value for name, value in rules.items() if value is not None}
    plan = plan_prune(repo, msgspec.structs.replace(retention_rules(repo), **given))
    removed = 0 if dry_run else execute_prune(repo, plan)
    if console.as_json:
        console.data(plan_to_json(plan, removed, dry_run=dry_run))
        return
    for decision in plan.decisions:
        mark = green("stays") if decision.keep else red("goes ")
        name = call(repo, decision.version).ljust(6)
        console.line(mark, "  ", strong(name), faint(f"{age(decision.version.created_at):<16}"), decision.reason)
    verb, stay = ("would be deleted", "would stay") if dry_run else ("deleted", "kept")
    kept = len(plan.decisions) - len(plan.to_delete)
    console.line(f"{count(len(plan.to_delete), 'version')} {verb}, {kept} {stay}.")


def plan_to_json(plan: "PrunePlan", removed: int, *, dry_run: bool) -> dict[str, Any]:
    """Convert a plan to JSON: a decision and its reason for every version."""
    return {
        "dry_run": dry_run,
        "removed": removed,
        "decisions": [
            {
                "id": d.version.id,
                "number": d.version.number,
                "type": str(d.version.type),
                "keep": d.keep,
                "reason": d.reason,
            }
            for d in plan.decisions
        ],
    }
