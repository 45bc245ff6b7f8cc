// Keeps the playground for use without a network: every file of this build, by name; another build has another store.
const STORE = "costcalc-BUILD";
const FILES = FILE_LIST;

addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(STORE)
      .then((store) => store.addAll(FILES.map((name) => new Request(name, { cache: "no-cache" }))))
      .then(() => skipWaiting()),
  );
});

addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name.startsWith("costcalc-") && name !== STORE);
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(old(names).map((name) => caches.delete(name))))
      .then(() => clients.claim()),
  );
});

// Files of the build come from the store; anything else is not ours, and goes on as it would.
addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const url = new URL(event.request.url);
  if (url.origin !== location.origin || !url.pathname.startsWith(new URL("./", location.href).pathname)) return;
  event.respondWith(
    caches.open(STORE).then(async (store) => (await store.match(event.request, { ignoreSearch: true })) ?? fetch(event.request)),
  );
});
