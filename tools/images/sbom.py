# SPDX-License-Identifier: Apache-2.0
"""What is in an image, as an SPDX 2.3 document. Equal images have equal documents."""

import hashlib
import json
import re
import time
import uuid
from email.parser import HeaderParser
from pathlib import Path
from urllib.parse import quote

import catalogue
from licences import NOTHING_SAID
from programs import PREFIX, RUNTIMES
from rootfs import Rootfs

# The text of a licence that SPDX has no word for.
IN_THE_IMAGE = "See the copyright files below /usr/share/doc in the image."


def identifier(*words: str) -> str:
    return "SPDXRef-" + "-".join(re.sub(r"[^A-Za-z0-9.-]+", "-", word) for word in words)


def package(name: str, version: str, purl: str, licence: str, kind: str, **more) -> dict:
    return {
        "SPDXID": identifier(kind, name),
        "name": name,
        "versionInfo": version,
        "supplier": "NOASSERTION",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl},
        ],
        **more,
    }


def of_debian(rootfs: Rootfs) -> list[dict]:
    packages = []
    for each in rootfs.packages:
        version = quote(each["version"], safe="~.-")
        packages.append(
            package(
                each["name"],
                each["version"],
                f"pkg:deb/debian/{quote(each['name'], safe='.-')}@{version}"
                f"?arch={each['architecture']}&distro={catalogue.SUITE}",
                each["licence"],
                "deb",
                supplier="Organization: Debian",
                sourceInfo=f"built from the source package {each['source']} {each['source_version']}",
            )
        )
    return packages


def of_ours(image: catalogue.Image, staged: Path, version: str) -> list[dict]:
    packages = []
    for program in image.programs:
        digest = hashlib.sha256((staged / PREFIX / "bin" / program).read_bytes()).hexdigest()
        packages.append(
            package(
                f"nuclio-{program}",
                version,
                f"pkg:generic/nuclio-{program}@{version}",
                "Apache-2.0",
                "program",
                packageFileName=f"/{PREFIX}/bin/{program}",
                checksums=[{"algorithm": "SHA256", "checksumValue": digest}],
            )
        )
    # What pip installed for the Python runtime.
    for metadata in sorted((staged / PREFIX / RUNTIMES).glob("*/site-packages/*.dist-info/METADATA")):
        fields = HeaderParser().parsestr(metadata.read_text())
        name = re.sub(r"[-_.]+", "-", fields["Name"]).lower()
        purl = f"pkg:pypi/{name}@{quote(fields['Version'])}"
        packages.append(package(name, fields["Version"], purl, NOTHING_SAID, "pypi"))
    return packages


def document(name: str, version: str, digest: str, content: list[dict], epoch: int) -> dict:
    whole = package(
        f"nuclio/{name}",
        version,
        f"pkg:oci/{name}@{quote(digest, safe='')}",
        "NOASSERTION",
        "image",
        primaryPackagePurpose="CONTAINER",
        checksums=[{"algorithm": "SHA256", "checksumValue": digest.removeprefix("sha256:")}],
    )
    unnamed = sorted({name for each in content for name in re.findall(r"LicenseRef-[\w.-]+", each["licenseDeclared"])})
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"nuclio/{name}:{version}",
        # Must be unique to the document and need not be found anywhere.
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "creationInfo": {
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch)),
            "creators": ["Tool: nuclio-images"],
        },
        "packages": [whole, *content],
        "hasExtractedLicensingInfos": [
            {"licenseId": name, "name": name.removeprefix("LicenseRef-Debian-"), "extractedText": IN_THE_IMAGE}
            for name in unnamed
        ],
        "relationships": [
            {
                "spdxElementId": "SPDXRef-DOCUMENT",
                "relationshipType": "DESCRIBES",
                "relatedSpdxElement": whole["SPDXID"],
            },
            *(
                {
                    "spdxElementId": whole["SPDXID"],
                    "relationshipType": "CONTAINS",
                    "relatedSpdxElement": each["SPDXID"],
                }
                for each in content
            ),
        ],
    }


def write(path: Path, image: catalogue.Image, digest: str, version: str, rootfs: Rootfs, staged: Path, epoch: int):
    content = of_debian(rootfs) + of_ours(image, staged, version)
    path.write_text(
        json.dumps(document(image.name, version, digest, content, epoch), indent=1, ensure_ascii=False) + "\n"
    )
