"""How data and programs get to the hosts of a real cluster, and who waits for that."""

import json
import os
import shutil
import struct
import sys
import tempfile
import unittest

SOURCES, PROGRAM = sys.argv.pop(1), sys.argv.pop(1)
sys.path.insert(0, SOURCES)
from cluster import FORGET, Client, Cluster, job  # noqa: E402

# Its files lie on the host itself: the memory that workers on one machine share is none.
ALONE = """
import os
class Nothing:
    f_frsize = f_bavail = f_flag = 0
os.statvfs = lambda path, real=os.statvfs: Nothing() if str(path).startswith("/dev/shm") else real(path)
"""

# Files of data get their names only when there is a file `go`.
SLOW = ALONE + """
import time
def wait_and_rename(source, target, rename=os.rename):
    while 1000 < os.stat(source).st_size < 1 << 20 and not os.path.exists(os.path.join(os.environ["TMPDIR"], "go")):
        time.sleep(0.05)
    rename(source, target)
os.rename = wait_and_rename
"""

# Counts what a process sends over the network.
COUNTING = """
import mmap, os, socket, struct
with open(os.path.join(os.environ["APUS_SENT"], str(os.getpid())), "w+b") as file:
    file.truncate(8)
    page = mmap.mmap(file.fileno(), 8)
def counted(send):
    def method(self, *arguments):
        count = send(self, *arguments)
        if self.family in (socket.AF_INET, socket.AF_INET6):
            page[:] = struct.pack("<Q", struct.unpack("<Q", page)[0] + count)
        return count
    return method
socket.socket.send, socket.socket.sendmsg = counted(socket.socket.send), counted(socket.socket.sendmsg)
"""


class PlacementTests(unittest.TestCase):
    def cluster(self, **environment):
        cluster = Cluster(**environment)
        self.addCleanup(cluster.close)
        return cluster

    def client(self, cluster, **session):
        client = Client(cluster, SOURCES, PROGRAM, **session)
        self.addCleanup(client.close)
        return client

    def sum_of(self, client, number, reference):
        client.submit({number: job(number, "sum-shared", numbers={"digest": {"hexadecimal": reference}})})
        client.wait(lambda: number in client.results)
        return json.loads(client.results[number][1])["sum"]

    def test_nobody_waits_for_the_long_jobs_of_others_to_get_data(self):
        cluster = self.cluster()
        cluster.worker(1)
        other = self.client(cluster)
        other.squares([1])
        other.wait(lambda: other.results)
        other.submit({2: job(2, "misbehave", deed="hang", amount=0)})
        client = self.client(cluster)
        for count in (10, 100_000):
            reference = client.put([float(os.getpid())] * count)
            self.assertIsNone(client.stored[reference])
        self.assertEqual(list(other.results), [1])

    def test_data_that_is_forgotten_can_be_put_again_at_once(self):
        cluster = self.cluster()
        for host in (1, 2):
            cluster.worker(host, preload=ALONE)
        client = self.client(cluster)
        numbers = [float(os.getpid())] * 50_000
        reference = client.put(numbers)
        for number in range(30):
            client.send(FORGET, reference=reference)
            client.put_file(reference, os.path.join(client.folder, reference))
            self.assertIsNone(client.stored[reference])
            if number % 10 == 0:
                self.assertEqual(self.sum_of(client, number, reference), sum(numbers))
        self.assertEqual(client.troubles, [])

    def test_jobs_run_where_the_data_is_and_spread_to_where_it_comes_late(self):
        cluster = self.cluster()
        cluster.worker(1, preload=ALONE)
        cluster.worker(2, preload=SLOW)
        client = self.client(cluster)
        client.wait(lambda: len(client.status.get("workers", ())) == 2)
        # It is there when one host has it.
        reference = client.put([float(os.getpid())] * 20_000)
        self.assertIsNone(client.stored[reference])
        for number in range(60):
            client.submit({number: job(number, "misbehave", deed="sleep", amount=500_000)})
        client.wait(lambda: len(client.results) == 5)
        self.assertEqual(len({worker for _, _, worker in client.results.values()}), 1)
        # What was sent while one host had none of it is not that host's only.
        open(os.path.join(cluster.folder, "host-2", "go"), "w").close()
        client.wait(lambda: len(client.results) == 60)
        # A process of a worker that is slow to answer may have been replaced.
        self.assertGreaterEqual(len({worker for _, _, worker in client.results.values()}), 2)
        self.assertEqual({status for status, *_ in client.results.values()}, {0})
        self.assertEqual((client.status["retries"], client.troubles), (0, []))

    def test_data_leaves_the_program_once_and_passes_no_scheduler(self):
        sent, code = tempfile.mkdtemp(prefix="apus-sent-"), tempfile.mkdtemp(prefix="apus-code-")
        for folder in (sent, code):
            self.addCleanup(shutil.rmtree, folder)
        with open(os.path.join(code, "sitecustomize.py"), "w") as file:
            file.write(COUNTING)
        cluster = self.cluster(PYTHONPATH=code, APUS_SENT=sent)
        workers = [cluster.worker(host, preload=ALONE) for host in range(1, 5)]
        client = self.client(cluster)

        def sent_by(process):
            with open(os.path.join(sent, str(process.pid)), "rb") as file:
                return struct.unpack("<Q", file.read())[0]

        def files():
            return [
                name for host in range(1, 5)
                for path, _, names in os.walk(os.path.join(cluster.folder, f"host-{host}"))
                for name in names if os.path.getsize(os.path.join(path, name)) > size
            ]

        client.wait(lambda: len(client.status.get("workers", ())) == 4)
        scheduler = cluster.processes[0]
        # The program is there.
        client.squares([1])
        client.wait(lambda: client.results)
        client.wait(lambda: all(process.poll() is None and sent_by(process) for process in workers))
        before = {process: sent_by(process) for process in (client.bridge, scheduler, *workers)}
        # Some parts.
        size = 70_000_000
        reference = client.put([float(os.getpid())] * (size // 8 + 1))
        client.wait(lambda: len(files()) == 4)
        after = {process: sent_by(process) - count for process, count in before.items()}
        self.assertEqual(self.sum_of(client, 2, reference), float(os.getpid()) * (size // 8 + 1))
        self.assertTrue(size <= after[client.bridge] < 1.1 * size, after)
        self.assertLess(after[scheduler], 0.1 * size, after)
        self.assertGreaterEqual(sum(after[process] for process in workers), 3 * size, after)
        # One that joins later gets it from the others, and the program too.
        before = sent_by(client.bridge)
        cluster.worker(5, preload=ALONE)
        numbers = iter(range(10, 10_000))

        def all_work():
            while client.numbers - len(client.results) < 8:
                number = next(numbers)
                client.submit({number: job(number, "misbehave", deed="sleep", amount=200_000)})
            return len({worker for number, (_, _, worker) in client.results.items() if number >= 10}) == 5

        client.wait(all_work)
        self.assertLess(sent_by(client.bridge) - before, 1_000_000)


if __name__ == "__main__":
    unittest.main()
