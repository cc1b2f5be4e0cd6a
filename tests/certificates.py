"""Certificates for tests, made anew in each run and trusted by nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

__all__ = ["Authority", "Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key, each in a file."""

    certificate: Path
    key: Path

    def with_password(self, password: str) -> Identity:
        """The same, with a key that only who knows the password can read."""
        key = serialization.load_pem_private_key(self.key.read_bytes(), password=None)
        locked = self.key.with_suffix(".locked")
        locked.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(password.encode()),
            )
        )
        return Identity(self.certificate, locked)


class Authority:
    """Issues certificates; `file` is what whoever is to trust them is given."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._folder = folder
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def issue(self, name: str, *addresses: str, until: datetime | None = None) -> Identity:
        """A certificate with this common name, for a server at these addresses or for a client."""
        given = addresses or (f"{name}@example.org",)
        issued = self._authority.issue_cert(*given, common_name=name, not_after=until)
        identity = Identity(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        issued.private_key_pem.write_to_path(str(identity.key))
        identity.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return identity
