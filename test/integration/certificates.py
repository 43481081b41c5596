# SPDX-License-Identifier: Apache-2.0
"""Certificates made on the spot by the openssl program."""

import os
import pathlib
import subprocess


def write(folder, certificate="tls.crt", key="tls.key"):
    """A self-signed certificate for localhost and 127.0.0.1, as a secret of type kubernetes.io/tls holds it.

    Each file takes the place of the one before at once. Gives the certificate's path, which is its own authority.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    command += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", folder / "new.key", "-out", folder / "new.crt"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    os.replace(folder / "new.key", folder / key)
    os.replace(folder / "new.crt", folder / certificate)
    return folder / certificate
