"""The bridge with a real scheduler and real workers, some of them on strange hosts."""

import json
import os
import shutil
import signal
import sys
import time
import unittest

SOURCES, PROGRAM = sys.argv.pop(1), sys.argv.pop(1)
sys.path.insert(0, SOURCES)
from cluster import FORGET, PUT, Client, Cluster, free_port, job, kill  # noqa: E402

# No room for any file, as on a full disk, for as long as there is a file `full`.
FULL = """
import os
class Space:
    f_frsize, f_flag = 4096, 0
    def __init__(self, path):
        self.f_bavail = 0 if os.path.exists(os.path.join(os.environ["TMPDIR"], "full")) else 1 << 30
os.statvfs = Space
"""

# Nothing may be run there, as on a file system that is mounted so.
NOEXEC = """
import os, posix
os.chmod = lambda path, mode: posix.chmod(path, mode & (0o666 if str(path).endswith(".part") else 0o777))
"""


# The folder for temporary files is on a file system that lets no program run; there is another one.
NOEXEC_MOUNT = """
import os
os.environ["XDG_CACHE_HOME"] = os.path.join(os.environ["TMPDIR"], "cache")
class Space:
    def __init__(self, real, path):
        self.f_bavail, self.f_frsize = real.f_bavail, real.f_frsize
        self.f_flag = 0 if "/cache/" in str(path) and OPEN else os.ST_NOEXEC
os.statvfs = lambda path, statvfs=os.statvfs: Space(statvfs(path), path)
"""


class ClusterTests(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.close)

    def client(self, program=PROGRAM, **session):
        client = Client(self.cluster, SOURCES, program, **session)
        self.addCleanup(client.close)
        return client

    def test_a_late_host_without_room_is_left_out_and_said_once(self):
        self.cluster.worker(1)
        client = self.client()
        client.squares(range(3))
        client.wait(lambda: len(client.results) == 3)
        self.fill(2)
        self.cluster.worker(2, threads=4, preload=FULL)
        for number in range(100, 106):
            client.submit({number: job(number, "misbehave", deed="sleep", amount=300_000)})
        client.squares(range(3, 100))
        client.wait(lambda: len(client.results) == 106 and client.troubles)
        self.assertEqual({status for status, *_ in client.results.values()}, {0}, client.results)
        self.assertEqual(client.fatal, [])
        self.assertEqual(len(client.troubles), 1, client.troubles)
        self.assertIn("without worker host tcp://127.0.0.2, which cannot be given", client.troubles[0])
        self.assertIn("no room for", client.troubles[0])
        self.assertEqual(list(client.status["workers"].values()), [1])
        # There is room again.
        os.unlink(self.full)
        client.wait(lambda: len(client.status["workers"]) == 2, 120)
        for number in range(200, 205):
            client.submit({number: job(number, "misbehave", deed="sleep", amount=500_000)})
        client.wait(lambda: len(client.results) == 111)
        self.assertEqual(len({client.results[number][2] for number in range(200, 205)}), 5)
        self.assertEqual(len(client.troubles), 1, client.troubles)

    def fill(self, host):
        folder = os.path.join(self.cluster.folder, f"host-{host}")
        os.makedirs(folder)
        self.full = os.path.join(folder, "full")
        open(self.full, "w").close()

    def test_a_late_host_that_cannot_run_the_program_ends_nothing(self):
        self.cluster.worker(1)
        client = self.client()
        client.squares(range(3))
        client.wait(lambda: len(client.results) == 3)
        self.cluster.worker(2, threads=2, preload=NOEXEC)
        client.wait(lambda: client.troubles)
        self.assertIn("without worker host tcp://127.0.0.2, which cannot run this program", client.troubles[0])
        client.squares(range(3, 50))
        client.wait(lambda: len(client.results) == 50)
        self.assertEqual({status for status, *_ in client.results.values()}, {0}, client.results)
        self.assertEqual(client.fatal, [])

    def test_programs_lie_where_they_may_run(self):
        self.cluster.worker(1, preload=NOEXEC_MOUNT.replace("OPEN", "True"))
        client = self.client()
        client.squares([3])
        client.wait(lambda: client.results)
        self.assertEqual(client.results[3][:2], (0, "9"))
        (folder,) = os.listdir(os.path.join(self.cluster.folder, "host-1", "cache"))
        self.assertEqual(folder, f"apus-{os.getuid()}")

    def test_that_programs_may_run_nowhere_is_said(self):
        self.cluster.worker(1, preload=NOEXEC_MOUNT.replace("OPEN", "False"))
        client = self.client()
        client.squares([3])
        client.wait(lambda: client.fatal)
        self.assertRegex(client.fatal[0], "nowhere on .* may programs be run: not in .*host-1.*; set TMPDIR to another")

    def test_a_program_that_runs_nowhere_ends_the_work(self):
        self.cluster.worker(1, preload=NOEXEC)
        self.cluster.worker(2, preload=NOEXEC)
        client = self.client()
        client.squares(range(3))
        client.wait(lambda: client.fatal)
        self.assertRegex(client.fatal[0], r"cannot run this program: its worker exited with code 126[^$]*machine ")
        self.assertIn("1 other host cannot be used either", client.fatal[0])
        self.assertEqual(client.results, {})

    def test_the_work_ends_when_no_host_has_room(self):
        self.fill(1)
        self.cluster.worker(1, preload=FULL)
        client = self.client()
        client.squares(range(3))
        client.wait(lambda: client.fatal)
        self.assertIn("worker host tcp://127.0.0.1 cannot be given what jobs need", client.fatal[0])
        self.assertEqual(client.results, {})

    def test_a_program_that_is_built_anew_meanwhile_still_gets_to_later_hosts(self):
        program = shutil.copy(PROGRAM, os.path.join(self.cluster.folder, "program"))
        self.cluster.worker(1)
        client = self.client(program)
        client.squares([1])
        client.wait(lambda: client.results)
        os.unlink(program)
        with open(program, "w") as file:
            file.write("another one")
        self.cluster.worker(2)
        client.wait(lambda: len(client.status["workers"]) == 2)
        numbers = iter(range(10, 1000))

        def both_work():
            # A few at a time, as a program has them: what bounced off a host that is not ready stays with the other.
            while client.numbers - len(client.results) < 4:
                number = next(numbers)
                client.submit({number: job(number, "misbehave", deed="sleep", amount=200_000)})
            return len({worker for _, _, worker in client.results.values()}) == 2

        client.wait(both_work)
        self.assertEqual((client.troubles, client.fatal), ([], []))

    def test_which_job_runs_is_known_without_any_room_on_disk(self):
        self.cluster.worker(1)
        client = self.client(jobTimeout=1)
        client.submit({1: job(1, "misbehave", deed="hang", amount=0)})
        client.wait(lambda: client.results)
        self.assertEqual(client.results[1][0], 16)
        self.assertIn('"timedOut"', client.results[1][1])
        temporary = os.listdir(os.path.join(self.cluster.folder, "host-1"))
        self.assertEqual([name for name in temporary if "page" in name], [])

    def test_data_that_is_forgotten_is_let_go_of(self):
        self.cluster.worker(1)
        client = self.client()
        # More than is sent along with a question, and of a digest that no other test has.
        numbers = [float(os.getpid())] * 100_000
        reference = client.put(numbers)
        self.assertEqual(client.stored, {reference: None})
        client.submit({1: job(1, "sum-shared", numbers={"digest": {"hexadecimal": reference}})})
        client.wait(lambda: client.results)
        output = json.loads(client.results[1][1])
        self.assertEqual(output["sum"], sum(numbers))

        def mapped():
            with open(f"/proc/{output['pid']}/maps") as maps:
                return [line for line in maps if f".{client.session}" in line and "/dev/shm/" in line]

        self.assertEqual(len(mapped()), 1)
        client.send(FORGET, reference=reference)
        client.wait(lambda: not mapped())

    def test_a_client_that_is_lost_with_its_bridge_holds_no_slot(self):
        self.cluster.worker(1)
        lost = self.client()
        lost.submit({1: job(1, "misbehave", deed="nothing", amount=0)})
        lost.wait(lambda: lost.results)
        process = int(lost.results[1][1].strip('"').split()[1])
        lost.submit({2: job(2, "misbehave", deed="hang", amount=0)})
        time.sleep(1)
        kill(lost.bridge)
        client = self.client()
        client.squares([5])
        client.wait(lambda: client.results, 30)
        self.assertEqual(client.results[5][:2], (0, "25"))
        self.assertFalse(os.path.exists(f"/proc/{process}"))


    def test_a_job_that_ends_dask_workers_is_known_by_that(self):
        cluster = Cluster(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="1")
        self.addCleanup(cluster.close)
        cluster.worker(1, nanny=True)
        client = Client(cluster, SOURCES, PROGRAM)
        self.addCleanup(client.close)
        jobs = {number: job(number, "square", number=number) for number in range(1, 5)}
        client.submit({**jobs, 5: job(5, "misbehave", deed="killParent", amount=0)})
        client.wait(lambda: len(client.results) == 5, 120)
        self.assertEqual({number for number, (status, *_) in client.results.items() if status == 16}, {5})
        self.assertRegex(client.results[5][1], "lost.*Attempted to run task .* on 2 different workers")
        self.assertEqual(client.fatal, [])

    def test_a_batch_that_takes_longer_than_it_should_hands_back_what_it_has_not_begun(self):
        self.cluster.worker(1)
        client = self.client()
        marks = os.path.join(self.cluster.folder, "marks")
        client.submit({number: job(number, "mark", path=marks, microseconds=200_000) for number in range(20)})
        client.wait(lambda: client.results)
        # Some are back when others have not begun, and none is done twice.
        with open(marks) as file:
            self.assertLess(len(file.readlines()), 20)
        client.wait(lambda: len(client.results) == 20)
        with open(marks) as file:
            self.assertEqual(sorted(map(int, file)), list(range(20)))
        self.assertEqual({status for status, *_ in client.results.values()}, {0})
        self.assertEqual(client.status["retries"], 0)

    def test_what_a_dask_worker_has_that_does_not_answer_goes_to_others(self):
        ports = sorted(free_port() for _ in range(2))
        workers = [self.cluster.worker(1, port=port) for port in ports]
        client = self.client()
        client.wait(lambda: len(client.status.get("workers", ())) == 2)
        client.close()
        # The one that would be asked first.
        addresses = sorted(client.status["workers"])
        silent = workers[0] if addresses[0].endswith(f":{ports[0]}") else workers[1]
        silent.send_signal(signal.SIGSTOP)
        client = self.client()
        client.squares(range(20))
        client.wait(lambda: len(client.results) == 20, 240)
        self.assertEqual({status for status, *_ in client.results.values()}, {0})
        self.assertEqual(client.troubles, [f"the worker {addresses[0]} does not answer; what it has goes to others"])
        # It has its part again when it answers.
        silent.send_signal(signal.SIGCONT)
        numbers = iter(range(100, 10_000))

        def both_work():
            while client.numbers - len(client.results) < 4:
                number = next(numbers)
                client.submit({number: job(number, "misbehave", deed="sleep", amount=200_000)})
            return len({worker for number, (_, _, worker) in client.results.items() if number >= 100}) == 2

        client.wait(both_work, 240)
        # Where there is no other, it is waited for.
        for worker in workers:
            worker.send_signal(signal.SIGSTOP)
        client.wait(lambda: any("waits until Dask gives it up" in trouble for trouble in client.troubles), 240)
        for worker in workers:
            worker.send_signal(signal.SIGCONT)
        client.wait(lambda: len(client.results) == client.numbers, 240)
        self.assertEqual({status for status, *_ in client.results.values()}, {0})

    def files(self, client):
        """The files of a client's session, wherever hosts keep them."""
        places = ["/dev/shm", *(os.path.join(self.cluster.folder, name) for name in os.listdir(self.cluster.folder))]
        folders = [os.path.join(place, f"apus-{os.getuid()}") for place in places]
        names = [name for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)]
        return [name for name in names if client.session in name]

    def until(self, condition):
        deadline = time.monotonic() + 120
        while not condition():
            self.assertLess(time.monotonic(), deadline, "waited in vain")
            time.sleep(0.05)

    def test_the_last_worker_of_a_host_that_ends_takes_the_files_along(self):
        workers = [self.cluster.worker(host) for host in (1, 2)]  # they share the host's memory
        client = self.client()
        client.wait(lambda: len(client.status.get("workers", ())) == 2)
        client.put([float(os.getpid())] * 1000)
        for number in range(20):
            client.submit({number: job(number, "misbehave", deed="sleep", amount=200_000)})
        client.wait(lambda: len(client.results) == 20)
        self.assertEqual(len({worker for _, _, worker in client.results.values()}), 2)
        workers[0].send_signal(signal.SIGTERM)
        workers[0].wait()
        data = [name for name in self.files(client) if not name.startswith(".")]
        self.assertTrue(data)
        workers[1].send_signal(signal.SIGTERM)
        workers[1].wait()
        self.assertEqual(self.files(client), [])

    def test_workers_that_end_at_once_take_the_files_along(self):
        workers = [self.cluster.worker(1) for _ in range(4)]
        client = self.client()
        client.wait(lambda: len(client.status.get("workers", ())) == 4)
        client.put([float(os.getpid())] * 1000)
        for number in range(20):
            client.submit({number: job(number, "misbehave", deed="sleep", amount=200_000)})
        client.wait(lambda: len(client.results) == 20)
        self.assertTrue(self.files(client))
        for process in workers:
            process.send_signal(signal.SIGTERM)
        for process in workers:
            process.wait()
        self.assertEqual(self.files(client), [])

    def test_files_of_workers_that_were_killed_go_when_the_next_begins(self):
        worker = self.cluster.worker(1)
        client = self.client()
        client.put([float(os.getpid())] * 1000)
        client.squares([1])
        client.wait(lambda: client.results)
        kill(client.bridge)
        kill(worker)
        self.assertTrue(self.files(client))
        self.cluster.worker(1)
        other = self.client()
        other.squares([1])
        other.wait(lambda: other.results)
        # Workers of other clusters on this machine may be first, who do not see where this one has its program: like
        # others it stays for a day.
        digest = client.digest
        self.until(lambda: not [name for name in self.files(client) if not name.startswith(digest)])
        self.assertTrue(self.files(other))

    def test_a_client_that_ends_while_data_is_brought_leaves_none(self):
        for host in (1, 2, 3):
            self.cluster.worker(host)
        client = self.client()
        client.wait(lambda: len(client.status.get("workers", ())) == 3)
        path = os.path.join(client.folder, "data")
        with open(path, "wb") as file:
            file.write(os.urandom(1 << 20) * 200)
        client.send(PUT, reference=os.urandom(32).hex(), path=path)
        self.until(lambda: any(name.endswith(".part") for name in self.files(client)))
        client.close()
        self.until(lambda: not self.files(client))
        # Nothing comes after all.
        time.sleep(3)
        self.assertEqual(self.files(client), [])

    def test_each_sweep_has_a_bar_of_progress(self):
        self.cluster.worker(1)
        clients = [self.client(), self.client()]
        for client in clients:
            client.squares(range(3))
            client.wait(lambda: len(client.results) == 3)
        from distributed import Client as DaskClient

        with DaskClient(self.cluster.address) as client:
            bars = client.run_on_scheduler(lambda dask_scheduler: set(dask_scheduler.task_prefixes))
        self.assertEqual({bar for bar in bars if bar.startswith("fit")}, {f"fit test #{client.session[:4]}" for client in clients})


if __name__ == "__main__":
    unittest.main()
