"""Samples of what the product prints: each is whole, readable, and leaves as PDF and PNG where TREASURY_SAMPLES says."""

import io
import os
from pathlib import Path

import pypdfium2
import pytest
from pypdf import PdfReader

from tests.samples.catalogue import SAMPLES, Printed
from tests.samples.ledger import REPORTS

ALL = (*SAMPLES, *REPORTS)
TARGET = "TREASURY_SAMPLES"
DOTS_PER_POINT = 2
WHITE = 250
LEAST_INK = 0.01
"""The share of a page that is not white at least; a receipt has about 0.03, a blank page none."""
EDGE = 0.06
"""The share of a page's width and height that nothing may reach: text that does would be cut by a printer."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """The folder that script/samples names, else one that is thrown away."""
    named = os.environ.get(TARGET)
    return Path(named) if named else tmp_path_factory.mktemp("samples")


@pytest.fixture(params=ALL, ids=lambda sample: sample.name)
def printed(request, acme, folder) -> Printed:
    """Make one sample and leave its PDF and its pages as PNG."""
    made = request.param.make(request.param)
    (folder / f"{request.param.name}.pdf").write_bytes(made.content)
    for number, picture in enumerate(pictures(made.content), start=1):
        page = f"-{number}" if number > 1 else ""
        picture.save(folder / f"{request.param.name}{page}.png")
    return made


def pictures(content):
    with pypdfium2.PdfDocument(content) as document:
        return [page.render(scale=DOTS_PER_POINT).to_pil() for page in document]


def words(reader):
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def fonts(reader):
    """Every font of every page, those of composed ones included."""
    found = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    return [inner.get_object() for font in found for inner in font.get("/DescendantFonts", [font])]


def ink(picture):
    """Return the share of a picture that is not white."""
    counts = picture.convert("L").histogram()
    return sum(counts[:WHITE]) / sum(counts)


def edges(picture):
    """Return the strips at the left, the top, the right and the foot of a page."""
    width, height = picture.size
    across, down = int(width * EDGE), int(height * EDGE)
    strips = [
        (0, 0, across, height),
        (0, 0, width, down),
        (width - across, 0, width, height),
        (0, height - down // 2, width, height),
    ]
    return [picture.crop(strip) for strip in strips]


def test_is_whole_and_readable(printed):
    reader = PdfReader(io.BytesIO(printed.content))
    text = words(reader)

    assert len(reader.pages) == printed.pages
    assert [part for part in (printed.number, *printed.says) if part not in text] == []
    assert all(
        {"/FontFile", "/FontFile2", "/FontFile3"} & set(font["/FontDescriptor"]) for font in fonts(reader)
    )
    assert printed.number in reader.metadata.title
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert "/JavaScript" not in reader.trailer["/Root"].get("/Names", {})
    for picture in pictures(printed.content):
        assert ink(picture) > LEAST_INK
        assert [edge for edge in edges(picture) if ink(edge)] == []


def test_each_leaves_a_file_and_a_picture_of_its_own(folder):
    """What ``script/samples`` shows is what was checked: it runs this suite."""
    made = {path.name for path in folder.iterdir()}

    assert {f"{sample.name}{ending}" for sample in ALL for ending in (".pdf", ".png")} <= made
    assert len({sample.name for sample in ALL}) == len(ALL)
