// Runs before the first paint and before the application has come: so that a chosen
// theme never flashes the other, that the page speaks the reader's language, and so that what the page begins with is on its way
// while the application is. src/api/early.ts takes the answers up.
(function () {
  try {
    var theme = localStorage.getItem('tidings.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is refused: the system's theme is used.
  }
  // The language of the page: what was set here, else the first of the browser's that there is.
  // What it says in that language is on its way too.
  var languages = ['en', 'de'];
  var language = null;
  try {
    language = localStorage.getItem('tidings.language');
  } catch {
    // Storage is refused: the browser chooses.
  }
  if (!languages.includes(language))
    language = (navigator.languages || [])
      .map(function (tag) {
        return tag.split('-')[0];
      })
      .find(function (tag) {
        return languages.includes(tag);
      });
  document.documentElement.lang = language || 'en';
  var catalogue = document.currentScript.dataset[language || 'en'];
  if (catalogue) {
    var link = document.createElement('link');
    link.rel = 'modulepreload';
    link.href = catalogue;
    document.head.append(link);
  }
  // A sign-in link begins a session of its own, and a part of another site's page has none.
  if (/token=/.test(location.hash + location.search) || /^\/(embed|signin)/.test(location.pathname))
    return;
  var early = { search: location.search, answers: {} };
  function ask(path) {
    early.answers[path] = fetch(path, { headers: { Accept: 'application/json' } });
    // Whoever takes it up is told of a failure.
    early.answers[path].catch(function () {});
  }
  ask('/v1/session');
  try {
    var first = JSON.parse(localStorage.getItem('tidings.first'));
    if (first && location.pathname === '/' && first.search === location.search) ask(first.path);
  } catch {
    // Nothing is remembered: the application asks itself.
  }
  window.tidingsEarly = early;
})();
