"""Which hosts of a cluster can run a program."""

import time


class Hosts:
    """What is known of each host: whether it has all that jobs need, and whether it is left out for now.

    A host that cannot run jobs fails them at once, and so would draw more and more of them. It gets none.
    """

    # So many failures within so many seconds, and a host is left out.
    FAILURES, WINDOW = 3, 60
    # Seconds until it gets another chance: soon, since much passes, and then rarely. Often, for what is forgotten.
    PAUSES = [3, 60, 300]
    MEMORY = 600

    def __init__(self):
        self.addresses = {}  # by host: its workers
        self.welcoming = set()
        self.ready = {}  # since when
        self.failures = {}  # when
        self.excluded = {}  # why, and until when
        self.exclusions = {}  # how often in a row
        self.said = set()
        self.silent = set()  # workers that do not answer

    def update(self, slots):
        """Takes in which workers there are; gives a worker of each host that is to be made ready."""
        addresses = {}
        for address in slots:
            addresses.setdefault(host_of(address), set()).add(address)
        for host in self.addresses.keys() - addresses.keys():
            for known in (self.ready, self.failures, self.excluded, self.exclusions):
                known.pop(host, None)
        for host, (reason, _) in self.excluded.items():
            if addresses[host] - self.addresses[host]:  # a worker that is new may find more than the others
                self.excluded[host] = (reason, 0)
        self.addresses = addresses
        return {
            host: min(workers) for host, workers in addresses.items()
            if host not in self.ready and host not in self.welcoming
            and self.excluded.get(host, ("", 0))[1] <= time.monotonic()
        }

    def choose(self):
        """The workers that may get a batch: None for all there are, those to come too; none at all if no host can.

        Hosts that do not have yet what jobs need get none, as long as others have it; nor do workers that do not
        answer, as long as others do.
        """
        chosen = self.ready.keys() or self.addresses.keys() - self.excluded.keys()
        able = {address for host in chosen for address in self.addresses[host]}
        able = able - self.silent or able
        return None if len(able) == sum(map(len, self.addresses.values())) else able

    def admit(self, host):
        if host in self.addresses:
            self.excluded.pop(host, None)
            self.failures.pop(host, None)
            self.ready[host] = time.monotonic()

    def fail(self, host, reason):
        """Notes that a host could not do what others do."""
        now = time.monotonic()
        recent = [when for when in self.failures.get(host, ()) if now - when < self.WINDOW]
        self.failures[host] = [*recent, now]
        if len(recent) + 1 >= self.FAILURES:
            self.exclude(host, reason)

    def exclude(self, host, reason):
        if host not in self.addresses or self.excluded.get(host, ("", 0))[1] > time.monotonic():
            return
        if time.monotonic() - self.ready.pop(host, time.monotonic()) > self.MEMORY:
            self.exclusions.pop(host, None)
        times = self.exclusions[host] = self.exclusions.get(host, 0) + 1
        self.failures.pop(host, None)
        self.excluded[host] = (reason, time.monotonic() + self.PAUSES[min(times, len(self.PAUSES)) - 1])

    def forgive(self):
        """Gives all hosts another chance, as if they had not failed before."""
        self.excluded = {host: (reason, 0) for host, (reason, _) in self.excluded.items()}
        self.exclusions = dict.fromkeys(self.excluded, 0)

    def news(self):
        """The hosts that the jobs go on without, each told once, with the reason."""
        if len(self.excluded) == len(self.addresses):
            return []
        news = [(host, reason) for host, (reason, _) in self.excluded.items() if host not in self.said]
        self.said.update(host for host, _ in news)
        return news

    def verdict(self):
        """Why no host can run jobs, each of which had another chance; None while one can or may."""
        if not self.addresses or any(
            host not in self.excluded or self.exclusions[host] < 2 for host in self.addresses
        ):
            return None
        host, (reason, _) = next(iter(self.excluded.items()))
        others = len(self.excluded) - 1
        more = f"\n{others} other host{'s' if others > 1 else ''} cannot be used either" if others else ""
        return f"worker host {host} {reason}{more}"


def host_of(address):
    return address.rsplit(":", 1)[0]
