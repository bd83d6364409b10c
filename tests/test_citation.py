"""CITATION.cff is as version 1.2.0 of its format wants it, and says the version of the package."""

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PERSON = {"family-names", "given-names", "name-particle", "name-suffix", "affiliation", "orcid", "email", "website"}
ENTITY = {"name", "address", "city", "country", "email", "orcid", "website"}


def of_format(author):
    """A person has a family name and given names, an entity a name; neither has keys of the other."""
    if "name" in author:
        return author.keys() <= ENTITY
    return {"family-names", "given-names"} <= author.keys() <= PERSON


def test_citation():
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    paper = found["preferred-citation"]
    assert found.keys() >= {"cff-version", "message", "title", "authors"}
    assert found["cff-version"] == "1.2.0" and found["type"] in ("software", "dataset")
    assert paper.keys() >= {"type", "title", "authors"} and set(paper["conference"]) <= ENTITY
    for authors in (found["authors"], paper["authors"]):
        assert authors and all(of_format(author) for author in authors)
        assert all(isinstance(value, str) for author in authors for value in author.values())
    assert [author["family-names"] for author in paper["authors"]][::5] == ["Chen", "Abbeel"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (found["version"], found["license"]) == (project["version"], project["license"])
    assert found["abstract"] == project["description"]
