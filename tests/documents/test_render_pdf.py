"""Render PDF."""

import io

import pytest
from pypdf import PdfReader

from apps.documents.services import pdf


def test_takes_in_our_static_files():
    content = pdf.render(
        html='<link rel="stylesheet" href="static:invoicing/document.css"><body class="receipt">x</body>'
    )

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
        pdf.render(html=html)
