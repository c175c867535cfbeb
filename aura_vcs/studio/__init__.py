"""What belongs to a person and not to one project: configuration, templates, list of projects, setup."""
