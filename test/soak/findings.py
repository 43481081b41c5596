# SPDX-License-Identifier: Apache-2.0
"""What a soak makes of its figures: a line for each thing that it looks at, and whether that held."""

import statistics
from dataclasses import dataclass, field

# The median of each window stands for it, of many samples, since the pages of shared memory on which bodies are passed
# on come and go. The first window comes after buffers, pools and allocators have found their size.
EARLY = (0.2, 0.4)
LATE = (0.8, 1.0)
# Part by which resident memory may grow in a run of SETTLED_SECONDS or more. In a shorter one the early window is not
# settled yet: a pool grows when large bodies meet, which is rare.
MOST_DRIFT = 0.02
SETTLED_SECONDS = 600
# Of descriptors or processes: a connection or a replacement that is just under way. A leak has hundreds in a soak.
SLACK = 2
# A dead worker may have had one call in its hands and one that waited for it there.
MOST_LOST_BY_A_KILL = 2


@dataclass
class Sample:
    at: float  # part of the run that was over, 0 to 1
    resident: int  # bytes
    private: int  # of those the processor's own; the rest is programs and what is shared with workers
    descriptors: int
    processes: int


@dataclass
class Finding:
    good: bool
    text: str

    def __str__(self):
        return f"{'ok  ' if self.good else 'MISS'}  {self.text}"


@dataclass
class Tally:
    """The ends of requests of one kind: answers by status, failures and wrong bodies by name."""

    name: str
    expected: str
    ends: dict = field(default_factory=dict)

    def add(self, end, count=1):
        self.ends[str(end)] = self.ends.get(str(end), 0) + count

    @property
    def as_expected(self):
        return self.ends.get(self.expected, 0)

    @property
    def lost(self):
        return self.ends.get("502", 0)

    @property
    def unexpected(self):
        return {end: count for end, count in self.ends.items() if count and end not in (self.expected, "502")}


def window(samples, part):
    found = [sample for sample in samples if part[0] <= sample.at <= part[1]]
    if not found:
        raise ValueError(f"no sample between {part[0]:.0%} and {part[1]:.0%} of the run")
    return found


def middle(samples, what):
    return statistics.median(getattr(sample, what) for sample in samples)


def most_drift(seconds):
    return MOST_DRIFT * min(max(SETTLED_SECONDS / seconds, 1), 10)


def of_samples(name, samples, allowed):
    """`allowed`: part of the early resident memory by which the late one may be above it."""
    early, late = window(samples, EARLY), window(samples, LATE)
    before, after = middle(early, "resident"), middle(late, "resident")
    drift = after / before - 1
    own = [middle(samples, "private") / 1024 for samples in (early, late)]
    text = (
        f"{name}: resident memory {before / 1048576:.2f} MiB early, {after / 1048576:.2f} late, {drift:+.2%}; at most "
        f"{allowed:+.1%} (private {own[0]:.0f} and {own[1]:.0f} KiB)"
    )
    yield Finding(drift <= allowed, text)
    for what in ("descriptors", "processes"):
        before, after = middle(early, what), middle(late, what)
        yield Finding(after <= before + SLACK, f"{name}: {what} {before:g} early, {after:g} late; at most {SLACK} more")


def of_tallies(name, tallies, kills):
    for tally in tallies:
        text = f"{name}: {tally.name}: {tally.as_expected} answered {tally.expected}"
        # Without an answer nothing was tried.
        yield Finding(
            tally.as_expected > 0 and not tally.unexpected, f"{text}; unexpected: {tally.unexpected or 'none'}"
        )
    lost = sum(tally.lost for tally in tallies)
    most = MOST_LOST_BY_A_KILL * kills
    yield Finding(lost <= most, f"{name}: {lost} answered 502 by {kills} killed workers; at most {most}")
    yield Finding(kills > 0, f"{name}: {kills} workers were killed; more than none")


def of_the_end(name, before, after):
    """Samples without load, before all of it and after."""
    for what in ("descriptors", "processes"):
        was, now = getattr(before, what), getattr(after, what)
        yield Finding(
            now <= was + SLACK, f"{name}: {what} without load {was} before, {now} after; at most {SLACK} more"
        )
