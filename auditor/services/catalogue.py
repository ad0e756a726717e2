"""Loads the catalogue of a product generation from the files of ``rules/services``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache

from auditor.compiled import remembered
from auditor.digests import files_below
from auditor.documents.yaml_tree import Place
from auditor.errors import DocumentProblem, RuleError
from auditor.ports import PortSet
from auditor.services.model import (
    ANY_GENERATION,
    DEFAULT_GENERATION,
    NDMP_CONTROL,
    NDMP_DATA,
    Catalogue,
    Service,
    ServiceFile,
    Variant,
)

AnyPath = str | os.PathLike[str]


def rules_at(*below: str) -> str:
    """Return the folder of rules and services, or a place below it: the checkout's where there is one, else the installed copy.

    As text: ``pathlib``, with what it imports, is a fiftieth of an audit of a small capture. ``auditor.services.folder`` has
    it as a path.
    """
    return os.path.join(_rules(), *below)


@cache
def _rules() -> str:
    package = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    checkout = os.path.join(os.path.dirname(package), "rules")
    return checkout if os.path.isdir(os.path.join(checkout, "services")) else os.path.join(package, "_data", "rules")


def generations(folder: AnyPath | None = None) -> tuple[str, ...]:
    """Return the names of all product generations. Raises RuleError."""
    return _known(_read_folder(os.fspath(folder or rules_at("services"))))


def load_catalogue(generation: str = DEFAULT_GENERATION, folder: AnyPath | None = None) -> Catalogue:
    """Return the services of a generation: those it is based on, its own changes, then those of any generation.

    ``folder`` replaces the ``services`` folder of ``rules_at()``.

    Raises
    ------
    RuleError
        A file is not as docs/services.md describes it, or there is no such generation.
    """
    return _load(generation, os.fspath(folder or rules_at("services")))


@cache
def _load(generation: str, folder: str) -> Catalogue:
    files = _read_folder(folder)
    services: dict[str, Service] = {}
    for file in _lineage(generation, files, folder):
        for service_id, place in file.without:
            if services.pop(service_id, None) is None:
                raise RuleError([_problem(place, f"there is no service {service_id!r} to leave out")])
        services.update((service.id, service) for service in file.services)
    for file in files:
        if file.generation == ANY_GENERATION:
            services.update((service.id, service) for service in file.services)
    _check_references(services)
    return Catalogue(tuple(services.values()), generation)


def _known(files: tuple[ServiceFile, ...]) -> tuple[str, ...]:
    return tuple(sorted({file.generation for file in files} - {ANY_GENERATION}))


def _lineage(generation: str, files: tuple[ServiceFile, ...], folder: str) -> list[ServiceFile]:
    """Return the files of a generation and of those it is based on, oldest base first."""
    found: list[ServiceFile] = []
    wanted, at = generation, Place(folder, 1)
    while wanted:
        own = [file for file in files if file.generation == wanted]
        if not own or own[0] in found:
            message = "is based on itself" if own else "is not in the catalogue"
            raise RuleError([_problem(at, f"generation {wanted!r} {message}", _nearest(wanted, _known(files)))])
        found = own + found
        wanted = next((file.based_on for file in own if file.based_on), "")
        at = own[0].place
    return found


def _check_references(services: dict[str, Service]) -> None:
    problems = [
        _problem(service.place, f"part_of names no service: {service.part_of!r}", _nearest(service.part_of, services))
        for service in services.values()
        if service.part_of and service.part_of not in services
    ]
    problems += [
        _problem(Place("rules/services", 1), f"every generation needs the service {needed!r}")
        for needed in sorted({NDMP_CONTROL, NDMP_DATA} - set(services))
    ]
    if problems:
        raise RuleError(problems)


@cache
def _read_folder(folder: str) -> tuple[ServiceFile, ...]:
    paths = [path for path in files_below(folder, ".yaml") if os.path.dirname(path) == folder]
    if not paths:
        raise RuleError([_problem(Place(folder, 1), "the folder holds no service files (*.yaml)")])
    if folder != rules_at("services"):
        return _read_files(folder, paths)
    return remembered(
        "services", paths, (ServiceFile, Service, Variant, PortSet, Place), lambda: _read_files(folder, paths)
    )


def _read_files(folder: str, paths: list[str]) -> tuple[ServiceFile, ...]:
    # Only here: what is kept of the files that come with auditor need not be read.
    from auditor.documents.document import read_document
    from auditor.services.read import read_file

    problems: list[DocumentProblem] = []
    files = []
    for path in paths:
        document = read_document(path, shown=f"{os.path.basename(folder)}/{os.path.basename(path)}")
        files.append(read_file(document))
        problems += document.problems
    if problems:
        raise RuleError(problems)
    return tuple(files)


def _nearest(word: str, known: Iterable[str]) -> str:
    """Return advice for a name that is none."""
    from auditor.documents.document import did_you_mean

    return did_you_mean(word, known)


def _problem(place: Place, message: str, fix: str = "") -> DocumentProblem:
    return DocumentProblem(place.path, place.line, place.column, message, fix)
