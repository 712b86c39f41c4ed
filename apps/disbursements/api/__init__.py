"""Connected accounts and transfers over the API."""
