import Foundation
import Testing

/// A cluster of Dask that starts and ends workers by itself, as `Adaptive` sees fit: from none up to some.
final class AdaptiveCluster {
  let address: String
  private let process = Process()
  private let input = Pipe()

  init(most: Int) throws {
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: LocalDask.python)
    process.arguments = [
      "-c",
      """
      import sys
      from distributed import LocalCluster
      if __name__ == "__main__":
          with LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=None) as cluster:
              cluster.adapt(minimum=0, maximum=\(most), interval="200ms", wait_count=10)
              print(cluster.scheduler_address, flush=True)
              sys.stdin.read()
      """,
    ]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    address = line.trimmingCharacters(in: .whitespacesAndNewlines)
    try #require(address.hasPrefix("tcp://"))
  }

  /// Ends the cluster with all its workers.
  func stop() {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
