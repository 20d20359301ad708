// Runs before the first paint, so that a chosen theme never flashes the other.
(function () {
  try {
    var theme = localStorage.getItem('tidings.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is refused: the system's theme is used.
  }
})();
