"""A row of the table: what is measured, against whom, and which goals it has."""

import re
from dataclasses import dataclass, field
from typing import Callable

from bench import Bench
from measure import Samples, median, output


@dataclass(frozen=True)
class Goal:
    """A bound on what snapcat needs; with `peers`, on its ratio to the best of them."""

    limit: float
    peers: tuple[str, ...] = ()
    quantity: str = "wall"

    def value(self, samples: Samples) -> float:
        own = median(samples, "snapcat", self.quantity)
        if not self.peers:
            return own
        return own / min(median(samples, peer, self.quantity) for peer in self.peers)

    @property
    def text(self) -> str:
        match self.peers:
            case ():
                return f"≤ {quantity_text(self.quantity, self.limit)}"
            case (peer,):
                return f"≤ {self.limit:g} × {peer}"
            case _:
                return f"≤ {self.limit:g} × the better of " + " and ".join(self.peers)

    def value_text(self, value: float) -> str:
        return f"{value:.3g} ×" if self.peers else quantity_text(self.quantity, value)


def quantity_text(quantity: str, value: float) -> str:
    if quantity in ("peak", "size"):
        return f"{value / 1e6:,.0f} MB" if value >= 1e6 else f"{value / 1e3:,.0f} kB"
    return f"{value * 1000:.0f} ms" if value < 0.9995 else f"{value:.2f} s"


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    measure: Callable[[Bench], Samples]
    goals: tuple[Goal, ...]
    # The command, and perhaps an option of it, that snapcat must have.
    needs: tuple[str, ...] = ()
    # Ten times the size, and only where it is asked for.
    is_large: bool = False


@dataclass
class Result:
    row: Row
    samples: Samples = field(default_factory=dict)
    # Why there are no figures.
    absence: str = ""
    is_failure: bool = False


ROWS: list[Row] = []


def row(name: str, title: str, *goals: Goal, needs: tuple[str, ...] = (), is_large: bool = False):
    """Puts a function that measures into the table."""

    def add(measure: Callable[[Bench], Samples]) -> Callable[[Bench], Samples]:
        ROWS.append(Row(name, title, measure, goals, needs, is_large))
        return measure

    return add


def lacks(snapcat: str, needs: tuple[str, ...]) -> str:
    """What of `needs` the program does not have; empty where it has all."""
    if not needs:
        return ""
    command, *options = needs
    if not re.search(rf"^  (\S+, )*{re.escape(command)}(,|\s|$)", output([snapcat, "help"]), re.MULTILINE):
        return f"snapcat has no command '{command}'"
    described = output([snapcat, "help", command])
    missing = [option for option in options if not re.search(rf"(^|\s){re.escape(option)}\b", described)]
    return f"'snapcat {command}' has no {missing[0]}" if missing else ""
