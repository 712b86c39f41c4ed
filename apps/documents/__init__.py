"""Files that the product makes: rendered once, stored once, never changed, with their checksum."""
