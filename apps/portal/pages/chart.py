"""The chart of daily money in and out under the closing balance, as numbers for an SVG that the server draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor, log10
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from apps.kit.admin import MINUS
from apps.kit.money import Money, exponent
from apps.portal.contracts import DayFlow

LEFT, RIGHT = 46, 556
LINE_TOP, LINE_BOTTOM = 8, 62
BARS_TOP, BARS_BOTTOM = 84, 172
BAR_SHARE = Decimal("0.6")
LINE_TICKS = 3
DATES_EVERY = 7
TEXT_DROP = 4
TICK_GAP = 16
UNITS = ((9, "B"), (6, "M"), (3, "K"))


@dataclass(frozen=True, slots=True)
class Tick:
    y: float
    label: str
    is_zero: bool = False

    @property
    def text_y(self) -> float:
        return self.y + TEXT_DROP


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    in_y: float
    in_height: float
    out_height: float
    title: str


@dataclass(frozen=True, slots=True)
class DayLabel:
    x: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Chart:
    """Coordinates in a view box of 560 by 196; bars start at zero and share one scale, the line has its own above."""

    title: str
    line: str
    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    days: tuple[DayLabel, ...]
    zero_y: float


def cash_flow(days: Sequence[DayFlow]) -> Chart | None:
    """Return the chart of these days (one currency, oldest first), or None when nothing moved and nothing is there."""
    if not days or all(
        day.money_in.is_zero and day.money_out.is_zero and day.closing.is_zero for day in days
    ):
        return None
    step = (RIGHT - LEFT) / len(days)
    centres = [round(LEFT + step * (index + 0.5), 1) for index in range(len(days))]
    line, line_ticks = _line(days, centres)
    bars, bar_ticks, zero = _bars(days, centres, step * float(BAR_SHARE))
    title = _("Closing balance and daily money in and out, %(first)s to %(last)s, %(currency)s") % {
        "first": formats.date_format(days[0].day, "j F"),
        "last": formats.date_format(days[-1].day, "j F"),
        "currency": days[0].closing.currency,
    }
    return Chart(title, line, (*line_ticks, *bar_ticks), bars, _labels(days, centres), zero)


def _line(days: Sequence[DayFlow], centres: Sequence[float]) -> tuple[str, list[Tick]]:
    values = [day.closing.minor for day in days]
    ticks = _nice(min(values), max(values), LINE_TICKS)
    low, high = ticks[0], ticks[-1]
    span = (high - low) or 1

    def y(minor: int) -> float:
        return round(LINE_BOTTOM - (minor - low) / span * (LINE_BOTTOM - LINE_TOP), 1)

    currency = days[0].closing.currency
    points = " ".join(f"{x},{y(value)}" for x, value in zip(centres, values, strict=True))
    return points, [Tick(y(tick), compact(Money(tick, currency), of=high)) for tick in ticks]


def _bars(
    days: Sequence[DayFlow], centres: Sequence[float], width: float
) -> tuple[tuple[Bar, ...], list[Tick], float]:
    currency = days[0].closing.currency
    most_in = max(day.money_in.minor for day in days)
    most_out = max(day.money_out.minor for day in days)
    scale = (BARS_BOTTOM - BARS_TOP) / ((most_in + most_out) or 1)
    zero = round(BARS_TOP + most_in * scale, 1) if most_in or most_out else (BARS_TOP + BARS_BOTTOM) / 2
    bars = tuple(
        Bar(
            x=round(x - width / 2, 1),
            width=round(width, 1),
            in_y=round(zero - day.money_in.minor * scale, 1),
            in_height=round(day.money_in.minor * scale, 1),
            out_height=round(day.money_out.minor * scale, 1),
            title=_bar_title(day),
        )
        for day, x in zip(days, centres, strict=True)
    )
    ticks = [Tick(zero, "0", is_zero=True)]
    for most, sign in ((most_in, 1), (most_out, -1)):
        top = _round_below(most)
        if top * scale >= TICK_GAP:  # else its label would lie on that of zero
            money = Money(sign * top, currency)
            ticks.append(Tick(round(zero - sign * top * scale, 1), compact(money, of=max(most_in, most_out))))
    return bars, ticks, zero


def _bar_title(day: DayFlow) -> str:
    facts: dict[str, Any] = {
        "day": formats.date_format(day.day, "j M Y"),
        "came": day.money_in,
        "went": day.money_out,
        "closing": day.closing,
    }
    return _("%(day)s: in %(came)s, out %(went)s, closing %(closing)s") % facts


def _labels(days: Sequence[DayFlow], centres: Sequence[float]) -> tuple[DayLabel, ...]:
    last = len(days) - 1
    chosen = [index for index in range(len(days)) if (last - index) % DATES_EVERY == 0]
    return tuple(
        DayLabel(
            centres[index], formats.date_format(days[index].day, "j M"), "end" if index == last else "middle"
        )
        for index in chosen
    )


def _nice(low: int, high: int, count: int) -> list[int]:
    """Return round values that enclose low and high, about ``count`` of them, ascending."""
    if low == high:
        return [low]
    rough = (high - low) / max(count - 1, 1)
    magnitude = 10 ** floor(log10(rough))
    step = max(
        1, next(int(factor * magnitude) for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough)
    )
    return list(range(floor(low / step) * step, ceil(high / step) * step + step, step))


def _round_below(most: int) -> int:
    """Return the largest of 1, 2, 5, 10, 20, … that is not above ``most``; 0 for nothing."""
    if most <= 0:
        return 0
    magnitude: int = 10 ** floor(log10(most))
    return max(factor * magnitude for factor in (1, 2, 5) if factor * magnitude <= most)


def compact(money: Money, *, of: int = 0) -> str:
    """Return 11.0 M or 0.5 M, signed, in the unit that the largest value beside it has; small sums as they are."""
    decimals = exponent(money.currency)
    reference = Decimal(max(abs(of), abs(money.minor))).scaleb(-decimals)
    value = abs(money.decimal)
    sign = MINUS if money.minor < 0 else ""
    for power, unit in UNITS:
        if reference >= 10**power:
            return f"{sign}{value.scaleb(-power):.1f} {unit}" if money.minor else "0"
    return f"{sign}{value:,.0f}"
