"""Certificates for tests, by openssl: authorities and what they sign, all for the loopback address."""

import pathlib
import subprocess


def openssl(*words) -> None:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Authority:
    """A certificate authority; `certificate` is its own."""

    def __init__(self, folder: pathlib.Path, name: str):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.key, self.certificate = folder / f"{name}.key", folder / f"{name}.pem"
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        openssl("req", "-x509", *new_key, "-keyout", self.key, "-out", self.certificate, "-days", 2, "-subj", f"/CN={name}")

    def sign(self, name: str, serial: int) -> tuple[pathlib.Path, pathlib.Path]:
        """The key and the certificate of somebody at 127.0.0.1; a serial that was signed before makes another pair."""
        key, request, certificate = (self.folder / f"{name}-{serial}.{end}" for end in ("key", "csr", "pem"))
        extension = self.folder / "extension.cnf"
        extension.write_text("subjectAltName=IP:127.0.0.1\n")
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        openssl("req", "-new", *new_key, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        signer = ("-CA", self.certificate, "-CAkey", self.key, "-set_serial", serial)
        openssl("x509", "-req", "-in", request, *signer, "-days", 2, "-extfile", extension, "-out", certificate)
        return key, certificate
