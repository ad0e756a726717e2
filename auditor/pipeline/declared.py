"""What has to be known before the first packet is read: the policy, if there is one, and the services of its generation."""

from __future__ import annotations

import os

from auditor.policy.model import Policy
from auditor.records import record
from auditor.services import Catalogue, load_catalogue


@record
class Declared:
    """A policy, None where roles are to be inferred, and the services of its product generation."""

    policy: Policy | None
    catalogue: Catalogue


def declared(policy_path: str | os.PathLike[str] | None = None) -> Declared:
    """Load the policy and the services.

    Raises
    ------
    PolicyError, RuleError
        A file cannot be used; with all complaints about it at once.
    """
    if policy_path is None:
        return Declared(None, load_catalogue())
    # Only here: it takes the reader of YAML as well.
    from auditor.policy.load import load_policy

    policy = load_policy(os.fspath(policy_path))
    return Declared(policy, load_catalogue(policy.generation))
