"""What an export was asked for: whether the list can give it, and how to say it in words."""

from uuid import UUID

from django.utils.translation import gettext as _

from apps.access.selectors import branches, scope
from apps.jobs.contracts import NewExport, Source
from apps.kit import errors, masks, phones, redaction


class ExportFilterInvalid(errors.Invalid):
    """The list has no such filter, or the filter no such value."""

    code = "export_filter_invalid"
    title = "Filter invalid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail, errors=[errors.FieldError(pointer, self.code, detail)])


def check(source: Source, request: NewExport) -> None:
    """Raise ExportFilterInvalid for a filter or a value that the list does not have."""
    if request.from_date and request.to_date and request.to_date < request.from_date:
        raise ExportFilterInvalid("/to_date", "The last day is before the first one.")
    if request.search and source.search is None:
        raise ExportFilterInvalid("/search", "This list cannot be searched.")
    known = {choice.name: choice for choice in source.choices}
    for name, values in request.choices.items():
        if name not in known:
            raise ExportFilterInvalid(f"/filters/{name}", f"This list has no filter {name!r}.")
        for value in values:
            if value not in known[name].words():
                raise ExportFilterInvalid(
                    f"/filters/{name}", f"{name} is not {value.lower()!r} in this list."
                )


def summary(source: Source, request: NewExport, caller: scope.Principal) -> list[list[str]]:
    """Return in words what of the list the caller asks for: label and text."""
    lines = [[_("Branch"), _branches(source, caller, request.branch_id)]]
    if request.from_date or request.to_date:
        first = request.from_date.isoformat() if request.from_date else _("the beginning")
        last = request.to_date.isoformat() if request.to_date else _("today")
        lines.append([_("Days"), _("%(first)s to %(last)s") % {"first": first, "last": last}])
    for choice in source.choices:
        if values := request.choices.get(choice.name):
            words = dict.fromkeys(str(choice.words()[value]) for value in values)
            lines.append([str(choice.title), ", ".join(words)])
    if request.search:
        lines.append([_("Search"), _recognised(request.search)])
    return lines


def _recognised(term: str) -> str:
    """Return a term as files and the trail keep it: without the whole of a telephone number, an address or a card."""
    if "@" in term:
        return masks.email(term)
    try:
        return phones.masked(phones.normalise(term, pointer="/search"))
    except phones.PhoneInvalid:
        return redaction.text(term)


def _branches(source: Source, caller: scope.Principal, branch_id: UUID | None) -> str:
    """Return the name of the one branch, or of all whose rows the caller sees."""
    reach = scope.party_branch_ids(caller) if source.is_of_parties else scope.branch_ids(caller)
    if branch_id is None and reach is None:
        return _("All branches")
    names = branches.names()
    wanted = names.keys() if reach is None else reach
    shown = [name for key, name in names.items() if key in wanted and branch_id in (None, key)]
    return ", ".join(sorted(shown))
