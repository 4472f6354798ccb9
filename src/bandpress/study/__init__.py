"""A study as data: schema, file, model families, claims, comparison; figures and page drawn from its results."""
