"""Pictures with C2PA manifests, signed by the library's own signer with certificates made for the test."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CREATED: Mapping[str, Any] = {
    "action": "c2pa.created",
    "digitalSourceType": SOURCE,
    "softwareAgent": {"name": "flux", "version": "1"},
}


def picture() -> io.BytesIO:
    """Return a small PNG file."""
    from PIL import Image

    made = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(made, "PNG")
    made.seek(0)
    return made


def sign(made_from: bytes | None = None, *, remote: str = "") -> bytes:
    """Sign a picture that a model made, or that was edited from another; at `remote`, the manifest lies elsewhere."""
    from c2pa import Builder, C2paBuilderIntent, C2paSignerInfo, Signer

    chain, key = _certificates()
    actions = [{"action": "c2pa.color_adjustments"}] if made_from else [CREATED]
    builder = Builder(
        {
            "claim_generator_info": [{"name": "Painter", "version": "3.1"}],
            "title": "mars.png",
            "format": "image/png",
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
        }
    )
    if made_from is not None:
        builder.set_intent(C2paBuilderIntent.EDIT)
        builder.add_ingredient({"title": "first.png", "relationship": "parentOf"}, "image/png", io.BytesIO(made_from))
    if remote:
        builder.set_no_embed()
        builder.set_remote_url(remote)
    signer = Signer.from_info(C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=key, ta_url=None))
    out = io.BytesIO()
    builder.sign(signer, "image/png", picture(), out)
    return out.getvalue()


def _certificates() -> tuple[bytes, bytes]:
    """Make a chain of two certificates; return it with the key of the first, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, person),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, firm),
            ]
        )
        for person, firm in (("Mara", "Solar Films"), ("Root", "Tests"))
    ]
    usage = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    today, made = datetime.now(UTC), []
    for number, (key, name) in enumerate(zip(keys, names, strict=True)):
        wanted = {"digital_signature": True} if number == 0 else {"key_cert_sign": True, "crl_sign": True}
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[1])
            .public_key(key.public_key())
            .serial_number(number + 1)
            .not_valid_before(today - timedelta(days=1))
            .not_valid_after(today + timedelta(days=900))
            .add_extension(x509.BasicConstraints(number == 1, None), critical=True)
            .add_extension(x509.KeyUsage(**(usage | wanted)), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[1].public_key()), critical=False)
        )
        if number == 0:
            mail = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(mail, critical=False)
        made.append(builder.sign(keys[1], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key = keys[0].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return b"".join(made), key
