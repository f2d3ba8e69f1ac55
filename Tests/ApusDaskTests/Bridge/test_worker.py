"""The half of the bridge that runs on Dask's workers, without a cluster: files, leases and messages."""

import contextlib
import hashlib
import json
import os
import struct
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

sys.path.insert(0, sys.argv.pop(1))
import apus_worker  # noqa: E402
from apus_worker import blobs, jobs, process, wire  # noqa: E402

TERMS = '{"name": "s", "executable": "", "arguments": [], "wireNames": [], "threads": 1, "crashLimit": 2}'


class BlobTests(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.TemporaryDirectory()
        self.addCleanup(self.root.cleanup)
        folder = os.path.join(self.root.name, "files")
        os.mkdir(folder, 0o700)
        self.folder = folder
        patch = mock.patch.object(apus_worker.Blobs, "folders", lambda *_, **__: [folder])
        patch.start()
        self.addCleanup(patch.stop)

    def store(self, session, data, digest=None):
        digest = digest or hashlib.sha256(data).hexdigest()
        middle = len(data) // 2
        if middle:
            apus_worker.store_part(session, digest, len(data), 0, data[:middle], False, "upload")
        apus_worker.store_part(session, digest, len(data), middle, data[middle:], False, "upload")
        return digest

    def test_parts_become_a_file_and_sessions_share_it(self):
        for data in (b"", b"x", b"abc" * 1000):
            digest = self.store("one", data)
            with open(apus_worker.Blobs.path("one", digest), "rb") as file:
                self.assertEqual(file.read(), data)
            own, shared = (os.stat(apus_worker.Blobs.path(name, digest)) for name in ("one", "two"))
            self.assertEqual(own.st_ino, shared.st_ino)
            self.assertEqual(own.st_mode & 0o777, 0o600)
            apus_worker.Blobs.remove("one")
            self.assertEqual(os.listdir(self.folder), [f"{digest}.two"])
            apus_worker.Blobs.remove("two")

    def test_uploads_beside_each_other_do_not_mix(self):
        data = b"abcdef"
        digest = hashlib.sha256(data).hexdigest()
        for offset in (0, 3):
            for upload in ("first", "second"):
                apus_worker.store_part("one", digest, 6, offset, data[offset : offset + 3], False, upload)
        self.assertTrue(apus_worker.has_blob("one", digest, False))
        self.assertEqual(os.listdir(self.folder), [f"{digest}.one"])

    def test_the_latest_programs_stay_for_the_next_session(self):
        digests = []
        for number in range(4):
            data = bytes([number])
            digests.append(hashlib.sha256(data).hexdigest())
            apus_worker.store_part("one", digests[-1], 1, 0, data, True, "upload")
            path = os.path.join(self.folder, f"{digests[-1]}.one")
            os.utime(path, (time.time() - 100 + number,) * 2)
            apus_worker.Blobs.remove("one", digests[0] + "0")
            self.assertTrue(os.path.exists(path))
            apus_worker.Blobs.remove("one")
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(f"{digest}.kept" for digest in digests[2:]))
        self.assertTrue(apus_worker.has_blob("two", digests[3], True))
        apus_worker.Blobs.remove("two")
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(f"{digest}.kept" for digest in digests[2:]))

    def test_what_is_not_what_it_says_is_refused(self):
        with self.assertRaisesRegex(ValueError, "with digest [0-9a-f]{64}, expected 0{64}"):
            self.store("one", b"abc", "0" * 64)
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_session_whose_name_is_part_of_another_keeps_to_itself(self):
        digest = self.store("abc", b"1")
        self.store("abcdef", b"2")
        apus_worker.Blobs.remove("abc")
        self.assertEqual([name.split(".")[1] for name in os.listdir(self.folder)], ["abcdef"])
        self.assertIsNone(apus_worker.Blobs.path("abc", digest))

    def test_what_arrives_after_a_session_has_ended_is_not_kept(self):
        data = b"abc" * 1000
        digest = self.store("goes on", data)
        apus_worker.store_part("ends", digest, len(data), 0, data[:5], False, "upload")
        other = hashlib.sha256(b"other").hexdigest()
        apus_worker.store_part("ends", other, 5, 0, b"ot", False, "upload")
        source = os.path.join(self.root.name, "source")
        os.mkfifo(source)
        outcomes = []

        def fetch():
            try:
                apus_worker.fetch_blob("ends", hashlib.sha256(b"third").hexdigest(), 5, source)
            except Exception as error:
                outcomes.append(type(error))

        fetching = threading.Thread(target=fetch)
        fetching.start()
        # Who reads may stop as soon as the session has ended.
        with contextlib.suppress(BrokenPipeError), open(source, "wb", buffering=0) as file:
            file.write(b"thi")
            apus_worker.end_session("ends")
            file.write(b"rd")
        fetching.join()
        self.assertEqual(outcomes, [blobs.Ended])
        with self.assertRaises(blobs.Ended):
            apus_worker.store_part("ends", other, 5, 2, b"her", False, "upload")
        with self.assertRaises(blobs.Ended):
            apus_worker.fetch_blob("ends", digest, len(data), source)
        self.assertFalse(apus_worker.has_blob("ends", digest, False))
        self.assertEqual(os.listdir(self.folder), [f"{digest}.goes on"])

    def test_a_lease_ends_after_a_day_unless_the_file_is_used(self):
        digest = self.store("one", b"1")
        path = os.path.join(self.folder, f"{digest}.one")
        yesterday = time.time() - apus_worker.Blobs.LEASE - 60
        os.utime(path, (yesterday, yesterday))
        apus_worker.Blobs.path("one", digest)
        apus_worker.Blobs.remove()
        self.assertTrue(os.path.exists(path))
        os.utime(path, (yesterday, yesterday))
        apus_worker.Blobs.remove()
        self.assertFalse(os.path.exists(path))

    def test_whoever_keeps_files_or_workers_clears_up(self):
        batch = struct.pack("<Q", 1) + wire.sized("x")
        for use in (
            lambda: self.store("one", b"1"),
            lambda: apus_worker.fetch_blob("two", self.store("one", b"1"), 1, "nowhere"),
            lambda: jobs.run_batch(TERMS, {}, batch, 1),
        ):
            with mock.patch.object(blobs, "_cleaner", None), mock.patch.object(
                blobs.threading, "Thread"
            ) as thread, mock.patch.object(jobs, "ApusWorker", side_effect=process.Missing([])), mock.patch.object(
                jobs, "FILES_PATIENCE", 0
            ):
                use()
                use()
                thread.assert_called_once_with(target=blobs._clean, daemon=True)
        idle = mock.Mock(session=mock.Mock(), used=time.monotonic() - apus_worker.Blobs.LEASE)
        idle.session.name = "s"
        with mock.patch.dict(jobs._idle, {"s": [idle]}), mock.patch.object(
            blobs.time, "sleep", side_effect=KeyboardInterrupt
        ), self.assertRaises(KeyboardInterrupt):
            blobs._clean()
        idle.close.assert_called_once()

    def test_a_full_disk_is_said(self):
        with self.assertRaisesRegex(OSError, "no room for [0-9]+ bytes on"):
            apus_worker.Blobs.place(1 << 60, False)

    def test_a_store_that_fails_leaves_nothing(self):
        wrong = os.path.join(self.root.name, "wrong")
        with open(wrong, "wb") as file:
            file.write(b"123")
        with self.assertRaisesRegex(ValueError, "wrong arrived on"):
            apus_worker.fetch_blob("one", "0" * 64, 3, wrong)
        with self.assertRaisesRegex(RuntimeError, "there is no such file"):
            apus_worker.fetch_blob("one", "0" * 64, 3, wrong + "er")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_disk_that_becomes_full_keeps_nothing(self):
        data = b"abcdef"
        digest = hashlib.sha256(data).hexdigest()
        apus_worker.store_part("one", digest, 6, 0, data[:3], False, "upload")
        self.assertEqual(len(os.listdir(self.folder)), 1)
        with mock.patch.object(blobs, "open", side_effect=OSError("no space left"), create=True):
            with self.assertRaisesRegex(OSError, "no space left"):
                apus_worker.store_part("one", digest, 6, 3, data[3:], False, "upload")
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_file_is_on_disk_before_it_has_its_name(self):
        done = []
        with mock.patch.object(blobs.os, "fsync", lambda handle: done.append(os.readlink(f"/proc/self/fd/{handle}"))):
            digest = self.store("one", b"1")
        self.assertEqual(done, [os.path.join(self.folder, f"{digest}.one.upload.part")])

    def test_a_missing_library_is_named(self):
        reason = blobs.reason_of(ImportError("no module"), "gs://bucket/file")
        self.assertIn("pip install gcsfs", reason)


class ProcessTests(unittest.TestCase):
    def test_a_program_that_does_not_greet_is_ended(self):
        started = []

        class Recorded(process.subprocess.Popen):
            def __init__(self, *arguments, **options):
                super().__init__(*arguments, **options)
                started.append(self)

        session = wire.Session(TERMS)
        with mock.patch.object(process, "executable_path", lambda session: "/bin/true"), mock.patch.object(
            process.subprocess, "Popen", Recorded
        ), self.assertRaises(process.WorkerEnded):
            process.ApusWorker(session)
        self.assertIsNotNone(started[0].poll())
        self.assertTrue(started[0].stdout.closed)

    def test_data_that_a_batch_does_not_know_is_dropped_before_it(self):
        worker, sent = process.ApusWorker.__new__(process.ApusWorker), []
        worker.session, worker.renewed, worker.send = wire.Session(TERMS), time.monotonic(), sent.append
        worker.placed = {"old": "digest of old", "kept": "digest of kept"}
        with mock.patch.object(process.Blobs, "path", lambda session, blob: f"/{blob}"):
            worker.place({"kept": "digest of kept", "new": "digest of new"})
            self.assertEqual(sent, [
                wire.frame(wire.DROP, wire.sized("old")),
                wire.frame(wire.PLACE, wire.sized("new") + wire.sized("/digest of new")),
            ])
            # The lease is renewed, and nothing is lost sight of that the worker maps.
            worker.renewed -= process.Blobs.LEASE
            with mock.patch.object(process, "executable_path"):
                worker.place({"new": "digest of new"})
        self.assertEqual(sent[2], wire.frame(wire.DROP, wire.sized("kept")))
        self.assertEqual(worker.placed, {"new": "digest of new"})

    def test_a_run_that_ends_while_its_worker_starts_runs_nothing(self):
        class Starting:
            def __init__(self, session):
                jobs.end_run("s", 7)
                self.session, self.process, self.closed = session, mock.Mock(), False
                self.process.poll = lambda: None if not self.closed else 0

            def close(self):
                self.closed = True

            def kill(self):
                self.closed = True

        with mock.patch.object(jobs, "ApusWorker", Starting):
            self.assertEqual(jobs.run_batch(TERMS, {}, struct.pack("<Q", 1) + wire.sized("x"), 7), b"\0")
        self.assertEqual(jobs._busy, {})

    def test_jobs_that_come_before_the_check_say_what_it_says(self):
        class Foreign:
            def __init__(self, session):
                raise process.WorkerEnded("lost", "Exec format error")

        terms = TERMS.replace('"s"', '"foreign"')[:-1] + ', "platform": {"machine": "vax"}}'
        with mock.patch.object(jobs, "ApusWorker", Foreign):
            answer = jobs.run_batch(terms, {}, struct.pack("<Q", 1) + wire.sized("x"), 8)
        text = answer.decode(errors="replace")
        self.assertIn("cannot run this program: Exec format error", text)
        self.assertRegex(text, r"machine +vax +\S")

    def test_a_host_that_starts_no_worker_pauses_and_names_itself(self):
        tries, pauses = [], []

        class Full:
            def __init__(self, session):
                tries.append(session)
                raise OSError("no space left")

        batch = struct.pack("<Q", 1) + wire.sized("x")
        with mock.patch.object(jobs, "ApusWorker", Full), mock.patch.object(
            jobs.time, "sleep", pauses.append
        ), mock.patch.object(jobs, "_address", lambda: "tcp://full:1"):
            answer = jobs.run_batch(TERMS.replace('"s"', '"full"'), {}, batch, 9)
        self.assertEqual((len(tries), pauses), (3, [0.2, 1]))
        body = wire.Body(answer[1:])
        lacks = json.loads(body.sized())
        self.assertEqual((answer[0], lacks["worker"], body.at_end), (1, "tcp://full:1", True))
        self.assertIn("cannot run this program: no space left", lacks["trouble"])

    def test_a_program_that_is_busy_for_a_moment_is_tried_again(self):
        class Busy:
            tries = 0

            def __init__(self, session):
                self.session, self.process = session, mock.Mock()
                self.process.poll = lambda: None
                Busy.tries += 1
                if Busy.tries < 3:
                    raise process.WorkerEnded("trapped", "exited with code 126; last output: Text file busy")

        with mock.patch.object(jobs, "ApusWorker", Busy), mock.patch.object(jobs.time, "sleep"):
            self.assertIsNone(jobs.probe(TERMS.replace('"s"', '"busy"')))
            self.assertEqual(Busy.tries, 3)
            Busy.tries = -9
            self.assertIn("Text file busy", jobs.probe(TERMS.replace('"s"', '"still"')))
            self.assertEqual(Busy.tries, -6)

    def test_hosts_are_compared_side_by_side(self):
        text = jobs.platform_table({"machine": "x86_64", "libc": "glibc 2.41"}, {"machine": "aarch64"})
        self.assertRegex(text, r"program +worker on \?\n")
        self.assertRegex(text, r"machine +x86_64 +aarch64\n")
        self.assertRegex(text, r"libc +glibc 2.41 +\?$")

    def test_the_table_of_a_mismatch_shows_both_sides(self):
        table = process.mismatch_table(
            {"version": 1, "executable": "a" * 64, "wireNames": ["fit"]},
            {"version": 2, "executable": "b" * 64, "wireNames": ["score"]},
        )
        self.assertRegex(table, r"protocol version +1 +2\n")
        self.assertRegex(table, r"job fit +yes +no\n")


if __name__ == "__main__":
    unittest.main()
