"""What crosses the border of invoicing."""

from enum import StrEnum


class DocumentType(StrEnum):
    """The kinds of document that are built."""

    RECEIPT = "RECEIPT"


NUMBER_PREFIX = {DocumentType.RECEIPT: "RCT"}
ID_PREFIX = {DocumentType.RECEIPT: "rcp"}
SOURCE_TYPE = "document"
