"""Holds manifests to the schemas of Kubernetes, strictly: one a line comes in as JSON, and what is
wrong goes out, a line each. The versions are named by the arguments."""

import functools
import json
import sys

from kubernetes_validate import utils

# A schema is read once, not once for each manifest: nearly all of the time went there.
utils.schema_contents = functools.lru_cache(maxsize=None)(utils.schema_contents)


def problem(manifest, version):
    try:
        utils.validate(manifest, version, strict=True)
    except utils.SchemaNotFoundError:
        return "not known"
    except utils.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    return None


for line in sys.stdin:
    manifest = json.loads(line)
    for version in sys.argv[1:]:
        found = problem(manifest["manifest"], version)
        if found:
            print(f"{manifest['name']} in {version}: {found}")
