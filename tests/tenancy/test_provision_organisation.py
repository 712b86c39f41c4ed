"""Provision organisation."""

from apps.tenancy.services import data_keys, schemas


def test_restores_a_schema_equal_to_the_template(db):
    assert schemas.drift("org_acme") == []
    assert schemas.drift("org_zuri") == []


def test_seals_secrets_for_one_organisation_only(acme, in_organisation):
    sealed = data_keys.encrypt(plaintext=b"secret", purpose="test")

    assert data_keys.decrypt(value=sealed, purpose="test") == b"secret"
