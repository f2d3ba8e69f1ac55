import ApusTestSupport
import Foundation
import Testing

/// Rows that do not fit into memory.
@Suite(.blocking) struct BeyondMemoryTests {
  private static let rows = 400_000
  private static let columns = 60

  /// Writes a list or a table of Doubles as a `.npy` file, piece by piece.
  private func write(
    _ path: String, shape: String, _ pieces: Int, _ piece: (Int) -> [Double]
  ) throws {
    var header = "{'descr': '<f8', 'fortran_order': False, 'shape': \(shape), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    try #require(header.utf8.count == 118)
    try (Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]) + Data(header.utf8)).write(
      to: URL(fileURLWithPath: path))
    let file = try #require(FileHandle(forWritingAtPath: path))
    defer { try? file.close() }
    try file.seekToEnd()
    for index in 0..<pieces { try piece(index).withUnsafeBytes { try file.write(contentsOf: Data($0)) } }
  }

  /// Two classes that a line parts but for some rows, in 192 MB; a process with 120 MB learns from them, and is ended
  /// when it copies them.
  @Test(.enabled(if: MemoryGroup.canBeMade, "needs the right to make control groups"))
  func stochasticDescentReadsAFileLargerThanMemory() throws {
    let scratch = try Scratch()
    let (features, labels) = (scratch.path("features.npy"), scratch.path("labels.npy"))
    var state: UInt64 = 88_172_645_463_325_252
    func noise() -> Double {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Double(state >> 11) / Double(1 << 53) - 0.5
    }
    let pieces = 100
    try write(features, shape: "(\(Self.rows), \(Self.columns))", pieces) { piece in
      var table = [Double](repeating: 0, count: Self.rows / pieces * Self.columns)
      for row in 0..<Self.rows / pieces {
        let isSecond = (piece * (Self.rows / pieces) + row) % 2 == 1
        for column in 0..<Self.columns {
          table[row * Self.columns + column] = noise() + (isSecond ? 0.1 : -0.1)
        }
      }
      return table
    }
    try write(labels, shape: "(\(Self.rows),)", 1) { _ in (0..<Self.rows).map { Double($0 % 2) } }
    let group = try MemoryGroup(bytes: 120 << 20)
    defer { group.remove() }
    func fit(_ more: String) throws -> ApusBinary.Result {
      // The shell puts itself into the group, and becomes the program.
      try ApusBinary.shell(
        "echo $$ >'\(group.path)/cgroup.procs'; exec '\(ApusBinary.url.path)' fit '\(features)' "
          + "--target-file '\(labels)' --estimator sgd-classifier --set batchSize=16 --set maxIterations=2 "
          + "--set tolerance=null --test '\(features)' --test-target-file '\(labels)' --threads 1 --json \(more)"
      )
    }
    let run = try fit("")
    #expect(run.status == 0, "\(run.errors)")
    let metrics = try #require(run.json()["metrics"] as? [String: Any])
    // 60 columns of difference 0.2 and deviation 0.29 each: five deviations apart.
    #expect(try #require(metrics["accuracy"] as? Double) > 0.98)
    #expect(try fit("--drop x0").status == 128 + SIGKILL)
  }

  @Test func whatDoesNotBelongTogetherIsRefused() throws {
    let scratch = try Scratch()
    let (features, labels) = (scratch.path("features.npy"), scratch.path("labels.npy"))
    try write(features, shape: "(10, 2)", 1) { _ in (0..<20).map(Double.init) }
    try write(labels, shape: "(9,)", 1) { _ in (0..<9).map(Double.init) }
    let fit = ["fit", features, "--estimator", "ridge", "--target-file", labels]
    let short = try ApusBinary.run(arguments: fit)
    #expect(short.status == 3 && short.errors.contains("9 elements") && short.errors.contains("10 rows"))
    let both = try ApusBinary.run(arguments: fit + ["--target", "x0"])
    #expect(both.status == 2 && both.errors.contains("--target-file"), "\(both.errors)")
    let csv = try ApusBinary.run("fit", "iris", "--estimator", "ridge", "--target-file", labels)
    #expect(csv.status == 2 && csv.errors.contains(".npy"), "\(csv.errors)")
    try write(labels, shape: "(10,)", 1) { _ in (0..<10).map { 3 * Double($0) + 1 } }
    let weights = scratch.path("weights.npy")
    try write(weights, shape: "(10,)", 1) { _ in (0..<10).map { $0 < 5 ? 1 : 0 } }
    let good = try ApusBinary.run(
      arguments: fit + [
        "--weights-file", weights, "--set", "alpha=0", "--test", features, "--test-target-file", labels,
      ])
    #expect(good.status == 0 && good.output.contains("r2 1.0"), "\(good.output)\(good.errors)")
  }
}
