"""Writes what an image is made of, as CycloneDX: Debian packages, Python packages and Swift packages.

usage: bill-of-materials.py VERSION PACKAGE_RESOLVED
"""

import importlib.metadata
import json
import subprocess
import sys
from urllib.parse import quote

version, resolved = sys.argv[1:]


def component(kind, name, version, address, **more):
    return {"type": kind, "name": name, "version": version, "purl": address, "bom-ref": address, **more}


def debian():
    layout = "${Package}\t${Version}\t${Architecture}\n"
    for line in subprocess.check_output(["dpkg-query", "-W", "-f", layout], text=True).splitlines():
        name, version, architecture = line.split("\t")
        yield component(
            "library", name, version, f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}"
        )


def python():
    for package in importlib.metadata.distributions():
        name = package.metadata["Name"]
        yield component("library", name, package.version, f"pkg:pypi/{quote(name.lower())}@{package.version}")


def swift():
    with open(resolved) as file:
        for pin in json.load(file)["pins"]:
            place = pin["location"].removeprefix("https://").removesuffix(".git")
            version = pin["state"]["version"]
            yield component(
                "library", pin["identity"], version, f"pkg:swift/{place}@{version}",
                hashes=[{"alg": "SHA-1", "content": pin["state"]["revision"]}],
            )


components = sorted([*debian(), *python(), *swift()], key=lambda part: part["purl"])
json.dump(
    {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "apus", "version": version, "bom-ref": "apus"}},
        "components": components,
    },
    sys.stdout,
    indent=1,
)
