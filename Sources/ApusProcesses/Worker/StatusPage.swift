import ApusParallel
import CApusSystem
import Foundation

/// A page of memory shared by a worker and its pool: which job the worker is running, and since when.
///
/// It tells the pool whose fault a sudden death is, and how long a job has been running, at the price of two
/// stores a job. It also keeps the peak of memory that the kernel counted for the worker when it started.
///
/// Unchecked Sendable: the words are written and read by atomic operations only.
final class StatusPage: @unchecked Sendable {
  private static let size = 4096
  private let words: UnsafeMutablePointer<UInt64>

  /// Maps the page that a descriptor names.
  init?(descriptor: Int32) {
    let address = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let address, address != MAP_FAILED else { return nil }
    words = address.bindMemory(to: UInt64.self, capacity: Self.size / 8)
  }

  deinit { munmap(words, Self.size) }

  /// A descriptor of a new page.
  static func makeDescriptor() -> Int32 { capus_memory_file("apus-status", Int64(size)) }

  /// Notes that a job starts.
  func start(_ id: UInt64) {
    capus_store(words + 1, UInt64(capus_monotonic_nanoseconds()))
    capus_store(words, id)
  }

  /// Notes that no job runs.
  func stop() { capus_store(words, 0) }

  /// The peak of resident memory, in bytes, that the worker took over from the process that started it.
  var inheritedPeak: Int64 {
    get { Int64(bitPattern: capus_load(words + 2)) }
    set { capus_store(words + 2, UInt64(bitPattern: newValue)) }
  }

  /// The job that runs and how long it has been running, in seconds.
  var running: (id: UInt64, seconds: Double)? {
    let id = capus_load(words)
    guard id != 0 else { return nil }
    let elapsed = capus_monotonic_nanoseconds() - Int64(bitPattern: capus_load(words + 1))
    return (id, Double(elapsed) * 1e-9)
  }
}
