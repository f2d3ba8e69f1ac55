"""The bridge's parts by themselves."""

import asyncio
import gc
import os
import struct
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, sys.argv.pop(1))
import apus_bridge  # noqa: E402
import apus_worker  # noqa: E402
from apus_client import Batch, Connection, Placement, Room, describe_program  # noqa: E402
from apus_client import connection as connection_module, hosts, stores  # noqa: E402


class HostsTests(unittest.TestCase):
    def setUp(self):
        self.now = 1000.0
        patch = mock.patch.object(hosts.time, "monotonic", lambda: self.now)
        patch.start()
        self.addCleanup(patch.stop)
        self.hosts = hosts.Hosts()
        self.slots = {"tcp://a:1": 1, "tcp://a:2": 1, "tcp://b:1": 1}
        self.assertEqual(set(self.hosts.update(self.slots)), {"tcp://a", "tcp://b"})

    def test_jobs_go_to_hosts_that_are_ready_as_soon_as_there_are_some(self):
        self.assertIsNone(self.hosts.choose())
        self.hosts.admit("tcp://a")
        self.assertEqual(self.hosts.choose(), {"tcp://a:1", "tcp://a:2"})
        self.hosts.admit("tcp://b")
        self.assertIsNone(self.hosts.choose())

    def test_failures_far_apart_do_no_harm(self):
        for _ in range(5):
            self.hosts.fail("tcp://a", "has no room")
            self.now += 61
        self.assertEqual(self.hosts.excluded, {})

    def test_a_host_that_fails_is_left_out_and_gets_other_chances_ever_more_rarely(self):
        self.hosts.admit("tcp://b")
        for pause in (3, 60, 300, 300):
            for _ in range(3):
                self.hosts.fail("tcp://a", "has no room")
            self.assertEqual(self.hosts.choose(), {"tcp://b:1"})
            self.now += pause - 1
            self.assertEqual(self.hosts.update(self.slots), {})
            self.now += 1
            self.assertEqual(self.hosts.update(self.slots), {"tcp://a": "tcp://a:1"})
        self.assertEqual(self.hosts.news(), [("tcp://a", "has no room")])
        self.assertEqual(self.hosts.news(), [])
        self.assertIsNone(self.hosts.verdict())
        self.hosts.admit("tcp://a")
        self.assertIsNone(self.hosts.choose())

    def test_a_new_worker_gives_its_host_another_chance_at_once(self):
        self.hosts.exclude("tcp://a", "has no room")
        self.assertEqual(set(self.hosts.update(self.slots)), {"tcp://b"})
        self.assertEqual(set(self.hosts.update({**self.slots, "tcp://a:3": 1})), {"tcp://a", "tcp://b"})
        self.hosts.update({"tcp://b:1": 1})
        self.assertEqual(self.hosts.excluded, {})

    def test_it_is_over_when_no_host_is_left_and_each_had_another_chance(self):
        self.hosts.exclude("tcp://a", "has no room")
        self.hosts.exclude("tcp://b", "has no room either")
        self.assertEqual(self.hosts.choose(), set())
        self.assertEqual(self.hosts.news(), [])
        self.assertIsNone(self.hosts.verdict())
        self.now += 3
        self.hosts.exclude("tcp://a", "has no room")
        self.hosts.exclude("tcp://b", "has no room either")
        self.assertEqual(
            self.hosts.verdict(), "worker host tcp://a has no room\n1 other host cannot be used either"
        )


class ConnectionTests(unittest.IsolatedAsyncioTestCase):
    async def test_why_it_cannot_connect_again_is_known(self):
        terms = {"scheduler": "tcp://a:1", "session": {"name": "s"}}
        connection = Connection(terms, apus_worker, "", mock.AsyncMock())
        outcomes = [OSError("nobody answers"), RuntimeError("it has another version"), OSError("nobody answers"), None]
        refusals = []

        async def pause(seconds):
            refusals.append(connection.refusal)

        connection.open = mock.AsyncMock(side_effect=outcomes)
        with mock.patch.object(connection_module.asyncio, "sleep", pause):
            await connection.reconnect(mock.AsyncMock())
        self.assertEqual(refusals, [None, "it has another version", None])
        self.assertIsNone(connection.refusal)


class StoreTests(unittest.TestCase):
    """What the program writes to the user's store."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.store = os.path.join(folder.name, "store")
        source = os.path.join(folder.name, "source")
        with open(source, "wb") as file:
            file.write(b"all of it")
        self.source, self.place = source, stores.DataStore(apus_worker, self.store)
        self.path = os.path.join(self.store, "d.apusdata")

    def publish(self):
        self.place.publish("d", self.source, os.path.getsize(self.source))
        with open(self.path, "rb") as file:
            self.assertEqual(file.read(), b"all of it")
        self.assertEqual(os.listdir(self.store), ["d.apusdata"])

    def test_a_file_of_another_size_is_written_again(self):
        self.publish()
        with open(self.path, "wb") as file:
            file.write(b"all")
        self.publish()
        self.place.place = "file://" + self.store
        os.truncate(self.path, 4)
        self.publish()

    def test_a_write_that_fails_leaves_nothing(self):
        def copy(source, target, length):
            target.write(source.read(4))
            raise OSError("the disk is full")

        with mock.patch.object(stores.shutil, "copyfileobj", copy):
            with self.assertRaisesRegex(RuntimeError, "cannot write .*/d.apusdata: OSError: the disk is full"):
                self.place.publish("d", self.source, os.path.getsize(self.source))
        self.assertEqual(os.listdir(self.store), [])
        self.publish()

    def test_an_object_that_is_not_whole_is_not_stored(self):
        from fsspec.spec import AbstractBufferedFile

        stored, discarded = [], []

        class Object(AbstractBufferedFile):
            def _initiate_upload(self):
                pass

            def _upload_chunk(self, final=False):
                self.buffer.seek(0)
                stored.append((self.buffer.read(), final))
                if stored[-1][0] != b"all of it":
                    raise OSError("the network is down")

            def discard(self):
                discarded.append(self)

        def open_url(url, mode="rb"):
            if mode == "rb":
                raise FileNotFoundError(url)
            return Object(mock.Mock(), url, mode)

        self.place.place = "s3://bucket"
        with mock.patch.object(apus_worker, "open_url", open_url):
            self.place.publish("d", self.source, os.path.getsize(self.source))
            self.assertEqual((stored, discarded), ([(b"all of it", True)], []))
            with open(self.source, "ab") as file:
                file.write(b" and more")
            with self.assertRaisesRegex(RuntimeError, "cannot write s3://bucket/d.apusdata: .*the network is down"):
                self.place.publish("d", self.source, os.path.getsize(self.source))
        gc.collect()
        self.assertEqual((len(stored), len(discarded)), (2, 1))


class SpreadTests(unittest.IsolatedAsyncioTestCase):
    """Who sends a file to whom."""

    def setUp(self):
        self.sent = []  # to whom, by whom
        self.broken = set()
        connection = mock.Mock(session={"name": "s"}, on_worker=mock.AsyncMock(return_value=False), ask=self.ask)
        self.placement = Placement(connection, None, apus_worker, None)
        self.placement.files["d"] = ("", 1 << 20, False)
        self.placement.send_file = self.send_file

    async def send_file(self, digest, address, *rest):
        self.sent.append((address, None))
        await asyncio.sleep(0.01)

    async def ask(self, address, function, session, digest, size, executable, upload, source):
        self.sent.append((address, source))
        await asyncio.sleep(0.01)
        if source in self.broken:
            raise apus_worker.PeerFailed(source)

    async def bring(self, *hosts):
        await asyncio.gather(*(self.placement.bring_file("d", f"tcp://{host}:1") for host in hosts))

    async def test_all_but_one_get_it_from_each_other(self):
        await self.bring(*range(20))
        self.assertEqual(len(self.sent), 20)
        self.assertEqual([sender for _, sender in self.sent].count(None), 1)
        holders = set()
        for receiver, sender in self.sent:
            self.assertTrue(sender is None or sender in holders)
            holders.add(receiver)
        # Those that have it share the work.
        senders = [sender for _, sender in self.sent if sender]
        self.assertLessEqual(max(map(senders.count, senders)), 10)

    async def test_who_cannot_give_it_is_asked_no_more(self):
        self.broken = {"tcp://1:1"}
        await self.bring(1)
        await self.bring(2, 3)
        self.assertEqual(self.sent[0], ("tcp://1:1", None))
        self.assertEqual([sender for _, sender in self.sent].count(None), 2)
        self.assertEqual({receiver for receiver, _ in self.sent}, {"tcp://1:1", "tcp://2:1", "tcp://3:1"})
        self.assertEqual(self.placement.spread("d").holders.keys(), {"tcp://2", "tcp://3"})

    async def test_one_that_stands_still_holds_nobody_back(self):
        stuck = asyncio.Event()
        with mock.patch.object(self.placement.spread("d"), "PATIENCE", 0), mock.patch.object(
            self.placement, "send_file", self.send_once_stuck(stuck)
        ):
            first = asyncio.create_task(self.bring(1))
            await asyncio.sleep(0)
            await self.bring(2, 3)
        self.assertEqual(self.sent[-1], ("tcp://3:1", "tcp://2:1"))
        self.assertFalse(first.done())
        stuck.set()
        await first

    def send_once_stuck(self, stuck):
        async def send(digest, address, *rest):
            self.sent.append((address, None))
            if address == "tcp://1:1":
                await stuck.wait()

        return send


class ProgramTests(unittest.TestCase):
    """What the table of a mismatch says of the program."""

    def describe(self, data):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return describe_program(file.name)

    def test_a_program_says_what_it_needs(self):
        with open(os.path.realpath(sys.executable), "rb") as file:
            data = file.read()
        facts = self.describe(data)
        self.assertEqual((facts["system"], facts["machine"]), ("Linux", os.uname().machine))
        self.assertRegex(facts["libc"], r"^glibc 2\.[0-9]+$|^musl$")
        # Its start alone, and for nobody's processor.
        start = bytearray(data[:4096])
        start[18:20] = b"\xfe\xca"
        self.assertEqual(self.describe(start), {"system": "Linux", "machine": "51966", "libc": "?"})
        # Nothing is loaded beside it.
        start[0x38:0x3A] = b"\0\0"
        self.assertEqual(self.describe(start)["libc"], "none needed")

    def test_what_is_no_program_of_linux_says_so(self):
        for data in (b"", b"MZ", b"#!/bin/sh\n"):
            self.assertEqual(self.describe(data)["system"], "not a program of Linux")


class KilledWorker(Exception):
    """What Dask says of a task that several of its workers ended with."""


class Task:
    """A future of a task, as the bridge sees it."""

    def __init__(self, key, status, result=None):
        self.key, self.status, self.result = key, status, result

    async def exception(self):
        return self.result


class BatchTests(unittest.IsolatedAsyncioTestCase):
    """What becomes of batches at a cluster that does as the test says."""

    def setUp(self):
        self.answers, self.submitted, self.gathers = [], {}, []
        self.bridge = apus_bridge.Bridge(
            apus_worker, None, None, mock.Mock(write=self.answers.append, get_write_buffer_size=lambda: 0)
        )
        self.bridge.terms, self.bridge.session_text = {"session": {"name": "s"}}, "{}"
        self.client = mock.Mock(status="running", submit=self.submit, gather=self.gather, run=mock.AsyncMock())
        self.bridge.connection = connection = mock.Mock(client=self.client, slots={})
        connection.up.is_set = lambda: True
        connection.key = lambda name, rest="": f"{name} {rest} {len(self.submitted)} {len(self.bridge.batches)}"
        connection.lacks_half = lambda error: False
        self.bridge.placement = mock.Mock(data={}, files={})
        self.bridge.completed = mock.Mock()
        self.bridge.cancel = mock.AsyncMock()

    def submit(self, function, session, data, jobs, run, task, key, **options):
        body = apus_worker.Body(jobs)
        self.submitted[key] = []
        while not body.at_end:
            self.submitted[key].append(body.take("Q"))
            body.sized()
        return Task(key, "pending")

    async def gather(self, futures, errors):
        self.gathers.append(list(futures))
        values = {}
        for key, future in futures.items():
            if isinstance(future.result, Exception):
                raise future.result
            values[key] = future.result
        return values

    def batch(self, *numbers):
        jobs = b"".join(struct.pack("<Q", number) + apus_worker.sized(f"job {number}") for number in numbers)
        before = set(self.submitted)
        self.bridge.submit(Batch(7, 1, "fit", 0, jobs))
        return (set(self.submitted) - before).pop()

    def records(self, *numbers, payload=b"x"):
        return b"".join(
            apus_worker.sized("worker")
            + apus_worker.sized(struct.pack("<QBdd", number, 0, 0, 0) + apus_worker.sized(payload))
            for number in numbers
        )

    def answered(self):
        """The jobs that were answered, each with its status and payload."""
        answered = {}
        for frame in self.answers:
            self.assertEqual(frame[4], apus_bridge.BATCH, frame)
            body = apus_worker.Body(frame[13:])
            while not body.at_end:
                body.sized()
                results = apus_worker.Body(body.sized())
                while not results.at_end:
                    number, status, *_ = results.take("QBdd")
                    answered[number] = (status, results.sized().decode())
        return answered

    async def settle(self):
        while self.bridge.tasks:
            await asyncio.gather(*self.bridge.tasks)

    async def test_a_result_that_cannot_be_read_harms_no_other_and_is_given_up(self):
        good, bad = self.batch(1), self.batch(2, 3)
        tasks = [
            Task(good, "finished", b"\0" + self.records(1)), Task(bad, "finished", MemoryError("no memory for it")),
        ]
        with mock.patch.object(apus_bridge.asyncio, "sleep", mock.AsyncMock()):
            await self.bridge.take(self.client, tasks)
            self.assertEqual(self.answered(), {1: (0, "x")})
            for _ in range(self.bridge.FETCHES + 1):
                await self.settle()
                await self.bridge.take(self.client, tasks[1:])
        self.assertEqual({number for number, (status, _) in self.answered().items() if status == 16}, {2, 3})
        self.assertIn("cannot be fetched; MemoryError: no memory for it", self.answered()[3][1])
        self.assertEqual(self.bridge.batches, {})

    async def test_a_result_that_a_worker_has_let_go_of_is_asked_for_again(self):
        """Older versions of Dask give None for it."""
        kept, lost = self.batch(1), self.batch(2)
        there = Task(kept, "finished", b"\0" + self.records(1))
        with mock.patch.object(apus_bridge.asyncio, "sleep", mock.AsyncMock()):
            await self.bridge.take(self.client, [there, Task(lost, "finished", None)])
            self.assertEqual(sorted(self.answered()), [1])
            await self.settle()
            await self.bridge.take(self.client, [Task(lost, "finished", b"\0" + self.records(2))])
        self.assertEqual(sorted(self.answered()), [1, 2])
        self.assertEqual(self.bridge.batches, {})

    async def test_large_results_are_not_fetched_all_at_once(self):
        keys = [self.batch(number) for number in range(1, 9)]
        tasks = [
            Task(key, "finished", b"\0" + self.records(number, payload=b"x" * 1000)) for number, key in enumerate(keys, 1)
        ]
        with mock.patch.object(self.bridge, "MOST_BYTES", 2200), mock.patch.object(
            self.bridge, "room", Room(2200)
        ):
            await self.bridge.take(self.client, tasks[:1])
            # Some finish together, and some more beside them.
            await asyncio.gather(self.bridge.take(self.client, tasks[1:5]), self.bridge.take(self.client, tasks[5:]))
        self.assertEqual(sorted(self.answered()), list(range(1, 9)))
        self.assertTrue(all(len(keys) <= 2 for keys in self.gathers), self.gathers)

    async def test_a_run_after_one_that_no_host_could_run_gives_them_another_chance(self):
        self.bridge.hosts.update({"tcp://a:1": 1})
        for _ in range(2):
            self.bridge.hosts.exclude("tcp://a", "has no room")
            self.bridge.hosts.excluded["tcp://a"] = ("has no room", 0)
        self.bridge.take_in(Batch(7, 1, "fit", 0, b""))
        self.bridge.tell_of_hosts()
        self.bridge.tell_of_hosts()
        self.assertEqual(len(self.answers), 1)
        self.bridge.hosts.excluded["tcp://a"] = ("has no room", float("inf"))
        self.bridge.take_in(Batch(8, 1, "fit", 0, b""))
        self.assertEqual(self.bridge.hosts.update({"tcp://a:1": 1}), {})
        self.bridge.take_in(Batch(9, 2, "fit", 0, b""))
        self.assertEqual(self.bridge.hosts.update({"tcp://a:1": 1}), {"tcp://a": "tcp://a:1"})
        self.assertIsNone(self.bridge.hosts.verdict())

    async def test_an_answer_that_makes_no_sense_is_an_answer(self):
        key = self.batch(1, 2)
        await self.bridge.take(self.client, [Task(key, "finished", b"\1garbage")])
        self.assertEqual([status for status, _ in self.answered().values()], [16, 16])

    async def test_what_cannot_be_submitted_is_answered(self):
        self.client.submit = mock.Mock(side_effect=TypeError("not today"))
        self.bridge.submit(Batch(7, 1, "fit", 0, struct.pack("<Q", 5) + apus_worker.sized("job")))
        self.assertIn("TypeError: not today", self.answered()[5][1])
        self.assertEqual(self.bridge.batches, {})

    async def test_a_worker_lacks_one_file_after_another_before_it_is_at_fault(self):
        """A worker that starts anew asks for the program, and when it has that for the data."""
        self.bridge.hosts = mock.Mock(ready={})
        self.bridge.placement.store = mock.AsyncMock()
        batch = Batch(7, 1, "fit", 0, b"")
        for digest in ("program", "data", "more data"):
            self.assertEqual(await self.bridge.supply(batch, "tcp://a:1", [digest]), "")
        self.assertEqual(await self.bridge.supply(batch, "tcp://b:1", ["data"]), "")
        self.assertIn("does not keep", await self.bridge.supply(batch, "tcp://a:1", ["data", "even more data"]))
        self.assertEqual(self.bridge.placement.store.await_count, 6)

    async def test_results_that_are_too_long_for_a_frame_come_in_several(self):
        key = self.batch(1, 2, 3, 4)
        record = len(self.records(1))
        with mock.patch.object(apus_worker, "LONGEST_FRAME", 2 * record + 1):
            await self.bridge.take(self.client, [Task(key, "finished", b"\0" + self.records(1, 2, 3, 4))])
        self.assertEqual([len(frame) for frame in self.answers], [13 + 2 * record] * 2)
        self.assertEqual(sorted(self.answered()), [1, 2, 3, 4])

    async def test_a_run_that_is_stopped_while_it_is_sent_again_is_not(self):
        self.batch(1)
        other = Batch(8, 2, "fit", 0, struct.pack("<Q", 2) + apus_worker.sized("job"))
        self.bridge.submit(other)
        self.submitted.clear()

        async def cancel(keys):
            if len(keys) == 2:
                await self.bridge.stop(1)

        self.bridge.cancel = cancel
        self.bridge.collect_from = mock.Mock()
        await self.bridge.send_again()
        self.assertEqual(list(self.submitted.values()), [[2]])
        self.assertEqual(list(self.bridge.batches.values()), [other])
        self.assertEqual(self.bridge.retries, 1)

    async def test_a_job_that_ends_workers_is_found_within_the_place_of_its_batch(self):
        self.batch(*range(16))
        tasks = 0
        while self.bridge.batches:
            # There is never more than one task at the cluster.
            ((key, _),) = self.bridge.batches.items()
            tasks += 1
            numbers = self.submitted[key]
            if 6 in numbers:
                await self.bridge.take(self.client, [Task(key, "error", KilledWorker("killed"))])
            else:
                await self.bridge.take(self.client, [Task(key, "finished", b"\0" + self.records(*numbers))])
            await self.settle()
        answered = self.answered()
        self.assertEqual(sorted(answered), list(range(16)))
        self.assertEqual([number for number, (status, _) in answered.items() if status == 16], [6])
        # All of them; by fours; the four of one by twos; the two of one by themselves.
        self.assertEqual(tasks, 1 + 4 + 2 + 2)

    async def test_what_waits_for_a_part_goes_with_its_run(self):
        key = self.batch(1, 2)
        await self.bridge.take(self.client, [Task(key, "error", KilledWorker("killed"))])
        await self.settle()
        ((key, part),) = self.bridge.batches.items()
        await self.bridge.stop(1)
        self.bridge.give_up(part, "lost", "it was stopped")
        self.assertEqual((self.bridge.batches, list(self.submitted.values())), ({}, [[1, 2], [1]]))

    async def test_an_error_of_dask_is_tried_again_twice(self):
        self.batch(1)
        for _ in range(3):
            (key,) = self.bridge.batches
            self.assertEqual(self.answers, [])
            with mock.patch.object(apus_bridge.asyncio, "sleep", mock.AsyncMock()):
                await self.bridge.take(self.client, [Task(key, "error", MemoryError("no memory"))])
                await self.settle()
        self.assertIn("MemoryError: no memory", self.answered()[1][1])
        self.assertEqual(self.bridge.batches, {})


if __name__ == "__main__":
    unittest.main()
