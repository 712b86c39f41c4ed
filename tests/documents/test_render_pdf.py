"""Render PDF."""

import io

import pytest
from pypdf import PdfReader

from apps.documents.services import pdf

STYLE = "invoicing/document.css"


def test_takes_in_our_static_files():
    content = pdf.render(html='<body class="receipt">x</body>', style=STYLE)

    page = PdfReader(io.BytesIO(content)).pages[0]
    fonts = [font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()]
    assert [round(float(side) * 25.4 / 72) for side in page.mediabox[2:]] == [148, 210]
    assert all("Inter" in font for font in fonts)


@pytest.mark.parametrize(
    "html",
    [
        '<img src="file:///etc/passwd">',
        '<img src="http://127.0.0.1/x.png">',
        '<link rel="stylesheet" href="https://example.com/x.css">',
        '<img src="static:../manage.py">',
        "<style>body { background: url(data:image/png;base64,aGk=) }</style>x",
    ],
)
def test_loads_nothing_else(html):
    with pytest.raises(ValueError, match="Error fetching"):
        pdf.render(html=html, style=STYLE)


def test_the_colour_of_one_organisation_does_not_stay_for_the_next():
    def colours(brand):
        html = f'<style>:root {{ --brand: {brand} }}</style><body class="receipt"><div class="mark">SK</div></body>'
        drawn = PdfReader(io.BytesIO(pdf.render(html=html, style=STYLE))).pages[0].get_contents().get_data()
        return [line for line in drawn.splitlines() if line.endswith(b" rg")]

    assert b"1 0 0 rg" in colours("#f00")
    assert b"0 1 0 rg" in colours("#0f0")
    assert b"1 0 0 rg" not in colours("#0f0")
