"""The pages that a person uses."""

import re
import threading

import pytest

PHONE = "/phone/254712345678"


def press(business, checkout, **form):
    """Press a button of a prompt on its phone."""
    return business.http.post(f"{PHONE}/prompts/{checkout}", data=form)


def test_shows_a_prompt_with_its_three_buttons(business):
    checkout = business.pushed()

    page = business.http.get(PHONE).text

    assert f'data-prompt="{checkout}"' in page
    assert "Savanna Kitchens Ltd" in page
    assert "KES\N{NO-BREAK SPACE}1,500.00" in page
    assert "ORD-2041" in page
    assert re.findall(r'<button [^>]*name="([a-z-]+)"', page) == ["approve", "cancel", "wrong-pin"]


def test_shows_the_prompts_of_all_phones_together(business):
    first, second = business.pushed(), business.pushed(phone="254733000111")

    page = business.http.get("/phone").text

    assert page.index(first) < page.index(second)
    assert "0733 000 111" in page


def test_approving_shows_the_message_of_mpesa(business):
    checkout = business.pushed()

    answer = press(business, checkout, pin="1234", approve="1")

    assert (answer.status_code, answer.headers["location"]) == (303, PHONE)
    receipt = business.prompts()[0]["receipt"]
    page = business.http.get(PHONE).text
    assert f"{receipt} Confirmed. KES\N{NO-BREAK SPACE}1,500.00 paid to Savanna Kitchens Ltd" in page
    assert "data-prompt" not in page
    business.inbox.wait(1)


@pytest.mark.parametrize("pin", ["", "12", "12345", "abcd"])
def test_approving_needs_four_digits(business, pin):
    checkout = business.pushed()

    answer = press(business, checkout, pin=pin, approve="1")

    page = business.http.get(answer.headers["location"]).text
    assert "Enter the 4 digits of the PIN." in page
    assert business.prompts()[0]["state"] == "waiting"
    assert business.statement()["rows"] == []


@pytest.mark.parametrize(
    ("button", "code", "words"),
    [("cancel", "1032", "You cancelled."), ("wrong-pin", "2001", "The PIN was not right.")],
)
def test_the_other_buttons_take_nothing(business, button, code, words):
    checkout = business.pushed()

    press(business, checkout, **{button: "1", "pin": ""})

    assert business.prompts()[0]["result_code"] == code
    assert words in business.http.get(PHONE).text
    assert business.statement()["rows"] == []


def lipa(business, /, **form):
    """Fill in and send the form with which a person pays unasked."""
    typed = {"business": "600100", "account": "INV-7", "amount": "500", "pin": "9876", **form}
    return business.http.post(f"{PHONE}/pay", data=typed)


def test_a_person_pays_unasked_and_reads_how_it_ended(business, inbox, eventually):
    business.register_urls()
    inbox.answers["check"] = {"ResultCode": "C2B00012", "ResultDesc": "Rejected"}
    form = business.http.get(f"{PHONE}/pay?account=INV-7").text

    answer = lipa(business, account="INV-9")
    eventually(lambda: business.payments()[0]["state"] == "failed")
    refused = business.http.get(PHONE).text
    inbox.answers["check"] = {"ResultCode": "0", "ResultDesc": "Accepted"}
    lipa(business)
    eventually(lambda: business.payments()[0]["state"] == "paid")
    paid = business.http.get(PHONE).text

    assert ('value="INV-7"' in form, 'http-equiv="refresh"' in form) == (True, False)
    assert 'value="600100">Savanna Kitchens Ltd' in form
    assert (answer.status_code, answer.headers["location"]) == (303, PHONE)
    assert "Savanna Kitchens Ltd does not know account INV-9. KES\N{NO-BREAK SPACE}500.00" in refused
    receipt = business.payments()[0]["receipt"]
    assert (
        f"{receipt} Confirmed. KES\N{NO-BREAK SPACE}500.00 paid to Savanna Kitchens Ltd for account INV-7"
        in paid
    )
    assert "2 unasked" in business.http.get("/").text
    assert receipt in business.http.get("/statement/600100").text


def test_the_phone_says_why_nothing_was_paid(business):
    business.register_urls()
    for form, words in (
        ({"pin": "", "wrong-pin": "1"}, "The PIN was not right. KES"),
        ({"business": "999999"}, "There is no business with this number. KES"),
        ({"amount": "250001"}, "Failed. KES\N{NO-BREAK SPACE}250,000.00 is the most at once."),
    ):
        lipa(business, **form)

        assert words in business.http.get(PHONE).text
    assert [made["state"] for made in business.payments()] == ["failed"] * 3
    assert business.statement()["rows"] == []


def test_a_form_that_is_sent_twice_pays_once(business):
    marks = [
        re.search(r'name="mark" value="([^"]+)"', business.http.get(f"{PHONE}/pay").text)[1] for _ in range(2)
    ]

    answers = [lipa(business, mark=mark) for mark in (marks[0], marks[0], marks[1])]

    assert {answer.headers["location"] for answer in answers} == {PHONE}
    assert len(business.payments()) == 2


def test_the_form_names_what_is_wrong_and_keeps_what_was_typed(business):
    for form, words in (
        ({"business": "12"}, "Enter the 5 to 7 digits"),
        ({"amount": "1.50"}, "Enter whole shillings"),
        ({"account": "X" * 21}, "Enter at most 20 characters."),
        ({"pin": "12"}, "Enter the 4 digits of the PIN."),
    ):
        answer = lipa(business, **form)

        assert (answer.status_code, words in answer.text) == (400, True)
        assert f'value="{form.get("account", "INV-7")}"' in answer.text
        assert "9876" not in answer.text
    assert business.payments() == []


def test_pressing_twice_at_once_pays_once(business):
    checkout = business.pushed()
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(press(business, checkout, pin="1234").status_code))
        for _ in range(6)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [303] * 6
    assert len(business.statement()["rows"]) == 2
    business.inbox.wait(1)
    assert len(business.inbox.bodies) == 1


def test_one_phone_cannot_answer_for_another(business):
    checkout = business.pushed(phone="254733000111")

    answer = press(business, checkout, pin="1234")

    assert answer.status_code == 404
    assert business.prompts()[0]["state"] == "waiting"


def test_an_ignored_prompt_leaves_the_screen(business):
    business.decide(business.pushed(), "ignore")

    assert "data-prompt" not in business.http.get(PHONE).text


def test_looks_again_soon_when_nothing_waits(business):
    assert '<meta http-equiv="refresh" content="3">' in business.http.get(PHONE).text

    business.pushed()

    assert '<meta http-equiv="refresh" content="20">' in business.http.get(PHONE).text


def test_lists_phones_and_businesses(business):
    business.decide(business.pushed(), "approve")
    business.pushed()

    page = business.http.get("/").text

    assert f'href="{PHONE}"' in page
    assert "1 waiting" in page
    assert 'href="/statement/600100"' in page


def test_shows_the_statement(business):
    business.decide(business.pushed(), "approve")

    page = business.http.get("/statement/600100").text

    assert re.findall(r'data-kind="([a-z]+)"', page) == ["payment", "charge"]
    assert "1,491.75" in page


def test_escapes_what_others_typed(business):
    business.control("PUT", "/accounts/600100", business.account | {"name": "<script>alert(1)</script>"})
    business.pushed(AccountReference="<b>x</b>")

    page = business.http.get(PHONE).text

    assert "<script>" not in page
    assert "<b>x</b>" not in page


@pytest.mark.parametrize("typed", ["0712345678", "+254 712 345 678", "712-345-678"])
def test_opens_the_phone_that_was_typed(business, typed):
    answer = business.http.get("/phone", params={"msisdn": typed})

    assert answer.headers["location"] == PHONE


@pytest.mark.parametrize("path", ["/nowhere", "/phone/12", "/statement/600999", "/phone?msisdn=12"])
def test_says_when_there_is_nothing(business, path):
    assert business.http.get(path).status_code == 404


def test_needs_no_asset_from_elsewhere(business):
    page = business.http.get(PHONE).text
    sheet = business.http.get("/static/simulator/simulator.css")

    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
    assert sheet.headers["content-type"].startswith("text/css")
    assert "url(" not in sheet.text
