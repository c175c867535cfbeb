"""Templates as files, for somebody else."""

from aura_vcs.errors import InputError
from aura_vcs.studio.studio import Studio
from aura_vcs.studio.templates import FILE_BYTES_LIMIT, Template, export_template, import_template


def write_template_file(template: Template, path: str, *, overwrite: bool = False) -> int:
    """Write a template to a file; returns its bytes.

    Raises:
        InputError: the file exists, or cannot be written.
    """
    data = export_template(template)
    try:
        with open(path, "wb" if overwrite else "xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise InputError(f"{path} exists already", hint="Choose another name, or give --overwrite.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    return len(data)


def read_template_file(studio: Studio, path: str, *, name: str | None = None) -> Template:
    """Take a template from somebody's file, of which no more is read than a template may have.

    Raises:
        InputError: the file cannot be read, or a template has that name. TemplateUnusable: it is not a template.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(FILE_BYTES_LIMIT + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    return import_template(studio, data, path, name=name)
