import ApusParallel
import CApusBridge
import Foundation

/// A file of a web server or an object store, as a copy on this machine for as long as the value lives.
///
/// ```swift
/// let file = try RemoteFile("s3://bucket/train.csv")
/// let data = try file.reading { try Dataset(contentsOf: $0, options: TableOptions(target: "price")) }
/// ```
///
/// Python loads it: `http://` and `https://` need nothing beside the interpreter, `s3://` needs `s3fs`, `gs://` needs
/// `gcsfs`, and other addresses what fsspec asks for. Credentials are those of the environment. The copy lies in a
/// folder of its own that nobody else may open; it is removed with the value, and also when the program is killed.
public final class RemoteFile: Sendable {
  /// The file's address.
  public let address: String
  /// Where the copy lies; its name ends as the address does, since that tells the format.
  public let path: String
  private let folder: URL
  private let process: Process
  private let input: Pipe

  /// Whether a name is the address of a remote file: `s3://bucket/train.csv`.
  public static func isAddress(_ name: String) -> Bool {
    name.prefixMatch(of: /[A-Za-z][A-Za-z0-9+.\-]*:\/\//) != nil
  }

  /// An address without its query, which may hold a signature that lets anybody read the file.
  public static func withoutQuery(_ address: String) -> String {
    isAddress(address) ? String(address.prefix { $0 != "?" && $0 != "#" }) : address
  }

  /// Loads a file.
  ///
  /// - Parameters:
  ///   - address: such as `s3://bucket/train.csv`, `gs://…`, `https://…`.
  ///   - python: the interpreter; that of the environment's `APUS_PYTHON`, or `python3`, unless given.
  ///   - cancellation: ends the loading.
  ///   - onProgress: is called some ten times a second on the caller's thread, with the bytes that are there and,
  ///     where it is known, the size of the whole.
  /// - Throws: ``ApusError`` of kind `file` with what is missing: the interpreter, a library, credentials, the file;
  ///   `cancelled`.
  public init(
    _ address: String, python: String? = nil, cancellation: Cancellation = Cancellation(),
    onProgress: (_ loaded: Int, _ total: Int?) -> Void = { _, _ in }
  ) throws {
    self.address = Self.withoutQuery(address)
    let python = python ?? ProcessInfo.processInfo.environment["APUS_PYTHON"] ?? "python3"
    folder = try Self.makeFolder()
    path = folder.appendingPathComponent("data").appendingPathComponent(Self.fileName(of: address)).path
    process = Process()
    input = Pipe()
    let output = Pipe()
    let errors = folder.appendingPathComponent("errors").path
    do {
      let script = try Self.writeScript(to: folder)
      process.executableURL = URL(fileURLWithPath: python.contains("/") ? python : "/usr/bin/env")
      process.arguments = (python.contains("/") ? [] : [python]) + ["-B", script, address, path]
      process.standardInput = input
      process.standardOutput = output
      try Data().write(to: URL(fileURLWithPath: errors))
      process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
      try process.run()
    } catch {
      try? FileManager.default.removeItem(at: folder)
      throw Self.withoutPython(python)
    }
    var answers = Answers(output.fileHandleForReading.fileDescriptor)
    var (loaded, total): (Int, Int?) = (0, nil)
    while true {
      try cancellation.check()
      switch try answers.next() {
      case .waiting: break
      case .answer(let answer):
        if answer.done == true { return }
        if let failure = answer.failure {
          throw ApusError(.file, "\(self.address) cannot be loaded: \(failure)", hint: answer.hint)
        }
        (loaded, total) = (answer.loaded ?? loaded, answer.total)
      case .end:
        process.waitUntilExit()
        // What `env` says of a program that is not there.
        if process.terminationStatus == 127 { throw Self.withoutPython(python) }
        let said = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
        throw ApusError(
          .file,
          "\(self.address) cannot be loaded: \(python) ended with code \(process.terminationStatus)"
            + (said.split(separator: "\n").last.map { ": \($0)" } ?? ""))
      }
      onProgress(loaded, total)
    }
  }

  deinit {
    if process.isRunning {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    try? FileManager.default.removeItem(at: folder)
  }

  /// Reads the copy; errors name the address instead of the copy's path.
  public func reading<Value>(_ read: (_ path: String) throws -> Value) throws -> Value {
    try withExtendedLifetime(self) {
      do {
        return try read(path)
      } catch var error as ApusError {
        if error.location?.file == path { error.location?.file = address }
        error.message = error.message.replacing(path, with: address)
        error.hint = error.hint?.replacing(path, with: address)
        throw error
      }
    }
  }

  /// The last part of the address, which tells the format.
  private static func fileName(of address: String) -> String {
    let name = withoutQuery(address).split(separator: "/").last.map(String.init) ?? ""
    return name.isEmpty || name == "." || name == ".." ? "data" : String(name.suffix(100))
  }

  private static func makeFolder() throws -> URL {
    let parent = FileManager.default.temporaryDirectory
    var template = Array(parent.appendingPathComponent("apus-data-XXXXXX").path.utf8CString)
    // The system makes it with mode 0700.
    guard mkdtemp(&template) != nil else {
      throw ApusError(
        .file, "cannot make a folder in \(parent.path): \(String(cString: strerror(errno)))",
        hint: "TMPDIR names another place")
    }
    return URL(
      fileURLWithPath: String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
  }

  /// Writes the Python files that loading takes, and makes a folder for the copy.
  private static func writeScript(to folder: URL) throws -> String {
    let wanted = ["apus_fetch.py", "apus_worker/blobs.py", "apus_worker/uses.py"]
    for index in 0..<capusbridge_file_count() {
      let part = capusbridge_file_at(index)
      let name = String(cString: part.path)
      guard wanted.contains(name) else { continue }
      let file = folder.appendingPathComponent(name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes: part.bytes, count: part.count).write(to: file)
    }
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("data"), withIntermediateDirectories: false)
    return folder.appendingPathComponent(wanted[0]).path
  }

  private static func withoutPython(_ python: String) -> ApusError {
    ApusError(
      .file, "the Python interpreter \(python), which loads remote files, cannot be started",
      hint: "install Python 3, or name another interpreter in APUS_PYTHON")
  }
}

/// What the Python process says.
private struct Answer: Decodable {
  var loaded: Int?
  var total: Int?
  var done: Bool?
  var failure: String?
  var hint: String?
}

/// The lines of the Python process, waited for a tenth of a second at a time.
private struct Answers {
  enum Event {
    case waiting, end
    case answer(Answer)
  }

  private let descriptor: Int32
  private var buffer: [UInt8] = []

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  mutating func next() throws -> Event {
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        defer { buffer.removeSubrange(...end) }
        return .answer(try JSONDecoder().decode(Answer.self, from: Data(buffer[..<end])))
      }
      var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&waited, 1, 100) > 0 else { return .waiting }
      var part = [UInt8](repeating: 0, count: 4096)
      let count = read(descriptor, &part, part.count)
      if count < 0, errno == EINTR { return .waiting }
      guard count > 0 else { return .end }
      buffer.append(contentsOf: part[..<count])
    }
  }
}
