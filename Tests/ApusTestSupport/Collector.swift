import Foundation
import Synchronization

/// Reads a file handle to its end on a thread of its own.
public final class Collector: Sendable {
  private let data = Mutex(Data())
  private let done = DispatchSemaphore(value: 0)

  /// Starts to read.
  public init(reading handle: FileHandle) {
    Thread.detachNewThread { [self] in
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        // A plain read: the reading side of a terminal ends with an error, which FileHandle would trap on.
        let count = read(handle.fileDescriptor, &buffer, buffer.count)
        guard count > 0 else { break }
        data.withLock { $0.append(contentsOf: buffer[..<count]) }
      }
      done.signal()
    }
  }

  /// What was read so far.
  public var text: String { String(decoding: data.withLock { $0 }, as: UTF8.self) }

  /// Waits until what was read so far meets a condition.
  ///
  /// - Returns: whether it did within a minute.
  public func wait(until condition: (String) -> Bool) -> Bool {
    for _ in 0..<6000 {
      if condition(text) { return true }
      Thread.sleep(forTimeInterval: 0.01)
    }
    return false
  }

  /// Waits for the end.
  public func wait() -> Data {
    done.wait()
    return data.withLock { $0 }
  }
}
