import ApusParallel
import Foundation
import Synchronization

/// Results on their way out of a worker: several tiny ones leave in one write, none waits long.
final class ResultBuffer: Sendable {
  private let descriptor: Int32
  private let state = Mutex(State())
  private let armed = DispatchSemaphore(value: 0)

  private struct State {
    var results: [ResultMessage] = []
    var byteCount = 0
    var isArmed = false
  }

  /// Starts the thread that sends what was held back.
  init(descriptor: Int32) {
    self.descriptor = descriptor
    Thread.detachNewThread { [self] in
      while true {
        armed.wait()
        usleep(1000)
        flush()
      }
    }
  }

  /// Adds a result; it leaves at once when nothing else is to be done, else within a few milliseconds.
  func add(_ result: ResultMessage, leavesAtOnce: Bool) {
    let (isFull, arms) = state.withLock { state in
      state.results.append(result)
      state.byteCount += result.payload.count + 64
      defer { state.isArmed = true }
      return (state.byteCount > 1 << 16, !state.isArmed)
    }
    if leavesAtOnce || isFull { flush() } else if arms { armed.signal() }
  }

  /// Sends whatever there is.
  func flush() {
    state.withLock { state in
      state.isArmed = false
      guard !state.results.isEmpty else { return }
      var writer = ByteWriter()
      writer.writeFrame(.results) { writer in
        writer.write(UInt64(Self.privateBytes()))
        for result in state.results { result.write(to: &writer) }
      }
      state.results.removeAll(keepingCapacity: true)
      state.byteCount = 0
      // Inside the lock: the order of frames is the order of results.
      Self.write(writer.bytes, to: descriptor)
    }
  }

  /// Writes all bytes; a reader that went away ends the worker.
  static func write(_ bytes: [UInt8], to descriptor: Int32) {
    bytes.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = Foundation.write(
          descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { _exit(0) }
        written += count
      }
    }
  }

  /// Memory that belongs to this process alone: resident pages without those of mapped files.
  private static func privateBytes() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
    let pages = text.split(separator: " ").compactMap { Int($0) }
    guard pages.count > 2 else { return 0 }
    return max(0, pages[1] - pages[2]) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
