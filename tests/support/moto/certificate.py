"""A certificate authority and a certificate of localhost, for one test: python certificate.py DIRECTORY

It is made here because moto brings the library for it, and not every machine has openssl.
"""

import datetime
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(name, issuer, key, signer, extension):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(extension, critical=False)
        .sign(signer, hashes.SHA256())
    )


directory = Path(sys.argv[1])
authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
authority = certificate(
    "test authority", None, authority_key, authority_key, x509.BasicConstraints(ca=True, path_length=0)
)
server = certificate(
    "localhost", authority.subject, key, authority_key, x509.SubjectAlternativeName([x509.DNSName("localhost")])
)
(directory / "ca.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
(directory / "server.pem").write_bytes(server.public_bytes(serialization.Encoding.PEM))
(directory / "server.key").write_bytes(
    key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
)
