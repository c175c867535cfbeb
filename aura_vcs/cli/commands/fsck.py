"""`aura fsck`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, Share, completing, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green, red
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.remote_maintenance import check_remote_content
from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.maintenance.fsck import fsck

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command(
    "fsck",
    context_settings=HELP,
    epilog=examples("aura fsck", "aura fsck --quick", "aura fsck --remote nas --sample 5%"),
)
@click.option("--quick", is_flag=True, help="Do not read the content, only check that it is there")
@click.option(
    "--remote", metavar="NAME", shell_complete=completing("remote"), help="Check a remote instead of this project"
)
@click.option("--sample", type=Share(), metavar="SHARE", help="Read only this share of a remote's content, e.g. 5%")
@json_option
@pass_repository
def fsck_command(
    repo: "Repository", console: Console, *, quick: bool, remote: str | None, sample: float | None
) -> None:
    """Check that everything saved is intact

    Reads and hashes all content, follows every reference, and counts references again. Repairs nothing:
    `aura repair` does. Ends with exit code 30 if something is wrong.
    """
    if sample is not None and remote is None:
        raise InputError("--sample is for a remote", hint="Name one: `aura fsck --remote NAME --sample 5%`.")
    if quick and remote is not None:
        raise InputError("--quick is for this project", hint="For a remote, read a part: `--sample 1%`.")
    if remote is not None:
        check_remote_content(repo, console, remote, 1.0 if sample is None else sample)
        return
    report = fsck(repo, quick=quick)
    if not report.is_clean:
        console.exit_code = IntegrityError.exit_code
    if console.as_json:
        problems = [{"kind": p.kind, "what": p.what, "detail": p.detail} for p in report.problems]
        offloaded = {"files": report.offloaded, "bytes": report.offloaded_bytes}
        console.data(
            {
                "ok": report.is_clean,
                "problems": problems,
                "objects": report.objects,
                "bytes": report.bytes,
                "offloaded": offloaded,
                "evicted": {"files": report.evicted, "bytes": report.evicted_bytes},
            }
        )
        return
    for problem in report.problems:
        console.line(red(problem.kind.replace("_", " ")), f"  {problem.what}: {problem.detail}")
    looked = f"{count(report.objects, 'object')}, {size(report.bytes)} looked at"
    if report.offloaded:
        files = count(report.offloaded, "file")
        console.line(f"Offloaded: {files}, {size(report.offloaded_bytes)}; remotes hold them, which is as it should be")
    if report.evicted:
        files = count(report.evicted, "file")
        console.line(f"Evicted: {files}, {size(report.evicted_bytes)}; `aura derived make` makes them again")
    if report.is_clean:
        console.line(green("Everything is intact: "), looked)
    else:
        console.line(red(count(len(report.problems), "problem")), f"; {looked}")
        console.line(faint("Nothing was changed. Make a copy of the whole project folder before you try anything."))
