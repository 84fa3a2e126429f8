"""A certificate authority for one test, and a server certificate of its on disk."""

from __future__ import annotations

from pathlib import Path

import trustme

from adapters.streams import CERTIFICATE, PRIVATE_KEY


def write_authority(folder: Path, name: str = "127.0.0.1") -> Path:
    """Write a new CA, and a certificate of its for `name`; return the CA's file."""
    authority = trustme.CA()
    issued = authority.issue_cert(name)
    folder.mkdir(exist_ok=True)
    issued.cert_chain_pems[0].write_to_path(folder / CERTIFICATE)
    issued.private_key_pem.write_to_path(folder / PRIVATE_KEY)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return folder / "ca.pem"
