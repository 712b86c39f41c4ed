"""OAuth of the Daraja face."""

import pytest

URL = "/daraja/oauth/v1/generate"
GRANT = {"grant_type": "client_credentials"}
PAIR = ("key-of-savanna", "secret-of-savanna")


def test_gives_a_token_for_the_pair(business):
    answer = business.http.get(URL, params=GRANT, auth=PAIR)

    assert answer.status_code == 200
    assert answer.json()["expires_in"] == "3599"
    assert len(answer.json()["access_token"]) == 28


@pytest.mark.parametrize("pair", [("key-of-savanna", "wrong"), ("wrong", "secret-of-savanna"), ("", "")])
def test_answers_a_bad_pair_with_400_and_nothing(business, pair):
    answer = business.http.get(URL, params=GRANT, auth=pair)

    assert (answer.status_code, answer.content) == (400, b"")


def test_answers_undecodable_credentials_with_400_and_nothing(business):
    answer = business.http.get(URL, params=GRANT, headers={"Authorization": "Basic ***"})

    assert (answer.status_code, answer.content) == (400, b"")


def test_refuses_another_grant(business):
    answer = business.http.get(URL, params={"grant_type": "password"}, auth=PAIR)

    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "400.008.02"


def test_refuses_another_authentication(business):
    answer = business.http.get(URL, params=GRANT, headers={"Authorization": "Bearer x"})

    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "400.008.01"


def test_refuses_another_method(business):
    answer = business.http.post(URL, params=GRANT, auth=PAIR)

    assert (answer.status_code, answer.json()["errorCode"]) == (405, "405.001")


def test_ends_a_token_after_its_time(business):
    business.tick(3_598)
    assert business.push().status_code == 200

    business.tick(2)
    answer = business.push()

    assert answer.status_code == 404
    assert answer.json()["errorCode"] == "404.001.03"
    assert answer.json()["errorMessage"] == "Invalid Access Token"
    assert len(business.prompts()) == 1


def test_keeps_earlier_tokens_good(business):
    first = business.token
    business.refresh()

    answer = business.post("/mpesa/stkpush/v1/processrequest", business.order(), token=first)

    assert business.token != first
    assert answer.status_code == 200
