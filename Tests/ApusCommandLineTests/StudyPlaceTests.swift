import Apus
import Foundation
import Testing

/// Studies where nothing can be written: in read-only folders and on full disks, which take a mount to make.
@Suite(.blocking, .enabled(if: Mounts.arePossible, "needs the right to mount a file system"))
struct StudyPlaceTests {
  private static let search = [
    "search", "iris", "--estimator", "random-forest-classifier", "--param", "treeCount=[20,30,40,50,60,70]",
    "--param", "maxDepth=range(1,10)", "--quiet",
  ]

  @Test func aStudyInAFolderThatIsReadOnlyIsLookedAt() throws {
    let scratch = try Scratch()
    let folder = scratch.path("archive")
    let study = folder + "/sweep.sqlite"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    #expect(try ApusBinary.run(arguments: Self.search + ["--study", study]).status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["sweep.sqlite"])
    let here = try ApusBinary.run("study", "show", study)
    let there = try Mounts.shell(
      """
      mount --bind \(folder) \(folder) && mount -o remount,ro,bind \(folder)
      ! touch \(folder)/x 2> /dev/null && \(ApusBinary.url.path) study show \(study) \
        && \(ApusBinary.url.path) study export \(study) \(scratch.path("table.csv")) \
        && \(ApusBinary.url.path) study report \(study) --output \(scratch.path("page.html"))
      """)
    #expect(there.status == 0, "\(there.errors)")
    #expect(there.output.hasPrefix(here.output) && here.output.contains("60 candidates, finished"))
    #expect(try scratch.read("table.csv").split(separator: "\n").count == 61)
    let served = try Mounts.shell(
      """
      mount --bind \(folder) \(folder) && mount -o remount,ro,bind \(folder)
      \(ApusBinary.url.path) study serve \(study) --port 0 > \(scratch.path("served")) &
      server=$!
      for wait in $(seq 100); do grep -q http \(scratch.path("served")) && break; sleep 0.1; done
      port=$(sed -n 's|.*:\\([0-9]*\\)/.*|\\1|p' \(scratch.path("served")))
      bash -c "exec 3<> /dev/tcp/127.0.0.1/$port; printf 'GET /metrics HTTP/1.0\\r\\nHost: 127.0.0.1:$port\\r\\n\\r\\n' >&3; cat <&3"
      kill $server
      """)
    #expect(served.output.contains("apus_study_fits_total"), "\(served.output) \(served.errors)")
    let writing = try Mounts.shell(
      """
      mount --bind \(folder) \(folder) && mount -o remount,ro,bind \(folder)
      \(ApusBinary.url.path) \(Self.search.map { "'\($0)'" }.joined(separator: " ")) --study \(study)
      """)
    #expect(
      writing.status == 3 && writing.errors.contains("must be readable and writable"), "\(writing.errors)")
  }

  @Test func aFullDiskEndsTheSearchAndTheStudyIsLookedAt() throws {
    let scratch = try Scratch()
    let folder = scratch.path("disk")
    let study = folder + "/sweep.sqlite"
    let words = Self.search.map { "'\($0)'" }.joined(separator: " ")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    let run = try Mounts.shell(
      """
      mount -t tmpfs -o size=200k tmpfs \(folder)
      \(ApusBinary.url.path) \(words) --study \(study); echo "first $?"
      # The index of the log goes with the last process; what is free then is used up.
      cat /dev/zero > \(folder)/filler 2> /dev/null
      \(ApusBinary.url.path) study list \(study) --json; echo "looked $?"
      \(ApusBinary.url.path) \(words) --study \(study); echo "again $?"
      rm \(folder)/filler; mount -o remount,size=8m \(folder)
      \(ApusBinary.url.path) \(words) --study \(study); echo "with room $?"
      \(ApusBinary.url.path) study show \(study)
      """)
    #expect(
      run.output.contains("first 3\n") && run.errors.contains("what was finished is kept"), "\(run.errors)")
    #expect(run.output.contains("looked 0\n"), "\(run.errors)")
    #expect(run.output.contains("again 3\n"), "\(run.errors)")
    #expect(run.output.contains("with room 0\n"), "\(run.errors)")
    #expect(run.output.contains("60 candidates, finished"))
    let fits = run.output.firstMatch(of: #/"fits"\s*:\s*(\d+)/#).flatMap { Int($0.1) }
    #expect((1..<300).contains(fits ?? 0))
    #expect(!run.errors.contains("300 of 300") && !run.errors.contains("damaged"))
  }
}
