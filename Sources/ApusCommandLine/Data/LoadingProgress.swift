import Dispatch

/// How far the loading of a remote file is: a live line on a terminal, a line now and then elsewhere, nothing for
/// files that are there within a second.
struct LoadingProgress {
  private let address: String
  private let start = DispatchTime.now()
  private var lastLine = -LiveText.logInterval

  /// - Parameter address: the file's address, as it may be shown.
  init(_ address: String) { self.address = address }

  mutating func show(_ loaded: Int, of total: Int?) {
    let elapsed = Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) / 1e9
    guard elapsed >= 1 else { return }
    let size = total.map { " of \(Quantities.bytes($0))" } ?? ""
    let text = "Loading \(address)" + (loaded == 0 ? " …" : ": \(Quantities.bytes(loaded))\(size)")
    if Terminal.standardError.canRewriteLines {
      Report.live(String(text.prefix((Terminal.standardError.width ?? 80) - 1)))
    } else if elapsed - lastLine >= LiveText.logInterval {
      lastLine = elapsed
      Report.note(text)
    }
  }

  /// Takes the live line away.
  func finish() { Report.live("") }
}
