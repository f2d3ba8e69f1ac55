import Foundation
import Testing

/// The browser that pages are looked at with.
public enum InstalledBrowser {
  /// The program, where there is one.
  public static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Why a test that needs one does not run.
  public static let missing: Comment =
    "there is no Chromium, which Scripts/install-notebooks installs on Debian"
}
