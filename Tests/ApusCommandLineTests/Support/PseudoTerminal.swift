import ApusTestSupport
import Foundation
import Testing

/// A terminal of a given width, to see what a person would see.
struct PseudoTerminal {
  private let master: FileHandle
  private let slave: FileHandle

  init(columns: Int) throws {
    // What `posix_openpt`, `unlockpt` and `ptsname` do on Linux; Swift's Glibc does not have them.
    let descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    var (unlocked, number) = (Int32(0), UInt32(0))
    try #require(
      descriptor >= 0 && ioctl(descriptor, UInt(0x4004_5431), &unlocked) == 0
        && ioctl(descriptor, UInt(0x8004_5430), &number) == 0)
    let other = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
    try #require(other >= 0)
    master = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    slave = FileHandle(fileDescriptor: other, closeOnDealloc: true)
    try resize(columns: columns)
  }

  /// Gives the window another width.
  func resize(columns: Int) throws {
    var size = winsize(ws_row: 24, ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
    try #require(ioctl(master.fileDescriptor, UInt(TIOCSWINSZ), &size) == 0)
  }

  /// Runs the program with its standard error on this terminal.
  ///
  /// - Parameter whileRunning: is given the process and what it has written to the terminal so far.
  /// - Returns: the exit code, the standard output, and all that was written to the terminal.
  func run(
    _ arguments: [String], environment: [String: String] = [:],
    whileRunning: (Process, Collector) throws -> Void = { _, _ in }
  ) throws -> ApusBinary.Result {
    let output = Pipe()
    let process = try ApusBinary.start(arguments, environment: environment, output: output, errors: slave)
    slave.closeFile()
    let terminal = Collector(reading: master)
    let results = Collector(reading: output.fileHandleForReading)
    try whileRunning(process, terminal)
    let printed = results.wait()
    process.waitUntilExit()
    return ApusBinary.Result(
      status: process.exitStatus, output: String(decoding: printed, as: UTF8.self),
      errors: String(decoding: terminal.wait(), as: UTF8.self))
  }
}
