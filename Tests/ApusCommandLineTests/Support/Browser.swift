import ApusTestSupport
import Foundation
import Testing

/// A real browser without a window, where there is one.
enum Browser {
  static var isInstalled: Bool { InstalledBrowser.path != nil }

  /// The document as it stands when the page has been drawn.
  static func document(
    _ url: String, width: Int = 1280, milliseconds: Int = 20_000, _ scratch: Scratch
  ) throws -> String {
    try run(["--dump-dom"], url, width, milliseconds, scratch) { $0.contains("</html>") }
  }

  /// A picture of the page.
  static func screenshot(_ url: String, width: Int, _ scratch: Scratch) throws -> Data {
    let picture = URL(fileURLWithPath: scratch.path("page \(UUID().uuidString).png"))
    _ = try run(["--screenshot=\(picture.path)"], url, width, 20_000, scratch) { _ in
      FileManager.default.fileExists(atPath: picture.path)
    }
    return try Data(contentsOf: picture)
  }

  /// Browsers give up now and then on a machine that is very busy, before they have looked at the page: then once
  /// more.
  private static func run(
    _ options: [String], _ url: String, _ width: Int, _ milliseconds: Int, _ scratch: Scratch,
    until isDone: (String) -> Bool
  ) throws -> String {
    var last = ""
    for attempt in 0..<3 {
      let (output, errors) = (Pipe(), Pipe())
      let arguments =
        [
          "240", try #require(InstalledBrowser.path), "--headless", "--no-sandbox", "--disable-gpu",
          "--hide-scrollbars",
          // The shared memory of a container is small, and other tests put data there.
          "--disable-dev-shm-usage", "--allow-file-access-from-files",
          "--user-data-dir=\(scratch.path("profile \(attempt) \(UUID().uuidString)"))",
          "--window-size=\(width),2600", "--virtual-time-budget=\(milliseconds)",
        ] + options + [url]
      let process = try ApusBinary.start(
        arguments, program: URL(fileURLWithPath: "/usr/bin/timeout"), output: output, errors: errors)
      let (printed, said) = (
        Collector(reading: output.fileHandleForReading), Collector(reading: errors.fileHandleForReading)
      )
      let document = String(decoding: printed.wait(), as: UTF8.self)
      last = String(decoding: said.wait().suffix(600), as: UTF8.self)
      process.waitUntilExit()
      if process.exitStatus == 0, isDone(document) { return document }
    }
    Issue.record("the browser does not show the page: \(last)")
    return ""
  }
}
