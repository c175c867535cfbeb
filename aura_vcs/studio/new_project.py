"""Beginning a project with a template's documents."""

import os

from aura_vcs.errors import InputError
from aura_vcs.history.file_edits import edit_files
from aura_vcs.plain_text import now
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.studio.configuration import get_configuration
from aura_vcs.studio.studio import Studio
from aura_vcs.studio.template_files import NewProject, check_texts, project_files
from aura_vcs.studio.templates import Template, count_use, find_template


def template_for(studio: Studio, root: str, name: str) -> Template:
    """Find the template, if no file of it stands in the folder already.

    Raises:
        UnknownName. InputError: a file would be written over.
    """
    found = find_template(studio, name)
    taken = [
        path for path in (*found.documents, *found.texts, "project.json") if os.path.lexists(os.path.join(root, path))
    ]
    if taken:
        raise InputError(
            f"{root} has {taken[0]} already, which the template would write",
            hint="Begin in an empty folder, or without --template.",
        )
    return found


def apply_template(studio: Studio, repo: Repository, template: Template, title: str, topic: str | None) -> list[str]:
    """Write the template's documents, as an action of its own; returns their names."""
    defaults = get_configuration(studio, "render.defaults").value
    files = project_files(
        template.documents,
        NewProject(
            title=title,
            topic=topic or title,
            project=repo.format.project,
            template_id=template.id,
            at=now(),
            by=repo.author,
            render_defaults=defaults,
        ),
    )
    files |= {path: text.encode() for path, text in check_texts(template.texts, template.name).items()}
    edit_files(repo, files, draft=Draft("template.apply", f"Began with the template {template.name!r}"))
    count_use(studio, template)
    return sorted(files)
