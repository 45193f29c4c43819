// Writes the corpora from the fragments: `node edge/corpus/generate.mjs`. The same fragments give the same lines.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as B from "./fragments/benign-text.mjs";
import * as A from "./fragments/attack-text.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));

/** A small generator of numbers, so that a line does not depend on the machine. */
function dice(seed) {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const enc = encodeURIComponent;
/** As HTML forms write a query. */
const form = (text) => enc(text).replace(/%20/g, "+");
/** As much unescaped as a URL may hold. */
const loose = (text) => encodeURI(text).replace(/[#&+;]/g, enc);
const every = (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
const twice = (text) => enc(enc(text));
const thrice = (text) => enc(twice(text));

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const text = (roll, alphabet, length) => Array.from({ length }, () => alphabet[roll(alphabet.length)]).join("");
const hex = (roll, length) => text(roll, "0123456789abcdef", length);
const b64 = (roll, length) => text(roll, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", length);

function vau(roll, change = {}) {
  return {
    userId: text(roll, BASE58, 44), deviceId: hex(roll, 64), siteId: ["site-news", "shop.example", "blog/über", "app_42", "m.example.com:443"][roll(5)],
    timestamp: 1_795_000_000_000 + roll(1e9), payload: "{}", signature: hex(roll, 128), ...change,
  };
}

const attestation = (roll, change = {}) => ({
  credentialId: b64(roll, 43), clientDataJSON: b64(roll, 180), authenticatorData: b64(roll, 49), signature: b64(roll, 94), userHandle: b64(roll, 22), ...change,
});

const json = (value) => JSON.stringify(value);
const post = (path, body, headers = {}) => ({
  method: "POST", target: path, headers: { "content-type": "application/json", authorization: "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln", ...headers },
  body: typeof body === "string" ? body : json(body),
});
const get = (target, headers = {}) => ({ method: "GET", target, headers });

// --- what has to pass ---

function benign() {
  const roll = dice(1);
  const browser = () => ({ "user-agent": B.BROWSERS[roll(B.BROWSERS.length)], accept: "application/json, text/plain, */*", "accept-language": ["en-US,en;q=0.9", "de-DE,de;q=0.8,en;q=0.5", "ja", "*"][roll(4)] });
  const files = { queries: [], single: [], batches: [], machines: [] };
  const names = ["q", "search", "filter", "name", "title", "sort", "fields", "tags[]", "page[size]", "utm_campaign"];
  const paths = ["/api/v1/cohorts", "/api/v1/cohorts/sports/filter", "/api/v1/vau/status/0f1e2d3c4b5a69788796a5b4c3d2e1f0", "/api/v1/cohorts/news", "/health"];
  for (const words of [...B.SEARCHES, ...B.TITLES]) {
    for (const write of [enc, form]) {
      files.queries.push(get(`${paths[roll(paths.length)]}?${names[roll(names.length)]}=${write(words)}&page=${roll(50)}`, browser()));
    }
    if (roll(3) === 0) files.queries.push(get(`/api/v1/cohorts?${enc(words)}=1&sort=-price&limit=${roll(100)}`, browser()));
  }
  for (const words of B.SEARCHES) {
    const payload = json({ event: "search", [B.NAMES[roll(B.NAMES.length)]]: words, results: roll(1000) });
    files.single.push(post("/api/v1/vau", vau(roll, { payload }), browser()));
    if (roll(2) === 0) files.single.push(post("/api/v1/vau", vau(roll, { payload: words }), browser()));
  }
  for (const words of B.TITLES) {
    const page = { event: "view", url: `https://example.com/p/${roll(9999)}?ref=${form(words)}`, [B.NAMES[roll(B.NAMES.length)]]: words, visibleMs: roll(60_000), scroll: roll(100) / 100 };
    files.single.push(post("/api/v1/vau", vau(roll, { payload: json(page) }), browser()));
    files.single.push(post("/api/v1/vau", vau(roll, { payload: words, attestation: attestation(roll) }), browser()));
    files.single.push(post("/api/v1/vau", vau(roll, { payload: json({ $set: { plan: "pro" }, $browser: "Firefox", props: { nested: [{ text: words }, json({ again: words })] } }) }), { ...browser(), "x-key-id": "partner-1", "x-timestamp": "1795000000000", "x-hmac-signature": hex(roll, 64) }));
  }
  for (let n = 0; n < 150; n++) {
    const items = Array.from({ length: 1 + roll(12) }, () => {
      const words = roll(2) ? B.TITLES[roll(B.TITLES.length)] : B.SEARCHES[roll(B.SEARCHES.length)];
      return vau(roll, { payload: roll(3) ? json({ event: ["view", "click", "dwell"][roll(3)], title: words, n }) : words });
    });
    files.batches.push(post("/api/v1/vau/batch", { batchId: `${hex(roll, 8)}-${hex(roll, 4)}-4${hex(roll, 3)}-a${hex(roll, 3)}-${hex(roll, 12)}`, submittedAt: 1_795_000_000_000 + n, items, signature: hex(roll, 128) }, browser()));
  }
  for (const agent of B.BROWSERS) {
    for (const target of ["/health", "/metrics", "/api/v1/cohorts", `/api/v1/vau/status/${hex(roll, 32)}`]) {
      files.machines.push(get(target, { "user-agent": agent, "x-forwarded-for": `198.51.100.${roll(250)}, 10.0.0.${roll(250)}`, "x-real-ip": `198.51.100.${roll(250)}`, "x-forwarded-proto": "https", "cf-connecting-ip": `198.51.100.${roll(250)}`, "cf-visitor": '{"scheme":"https"}' }));
    }
    files.machines.push(post("/api/v1/vau", vau(roll), { "user-agent": agent, referer: "https://example.com/a?b=c&d='e'", cookie: "theme=dark; _ga=GA1.2.3", via: "1.1 proxy.corp.example", "x-forwarded-for": "203.0.113.9", "content-length": "400" }));
    files.machines.push({ method: "OPTIONS", target: "/api/v1/vau", headers: { "user-agent": agent, origin: "https://app.example", "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type,x-timestamp" } });
  }
  return files;
}

// --- what has to be stopped ---

/** Where a text can be put, and how it is written there. */
function places(roll) {
  const agent = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36" };
  const read = ["/api/v1/cohorts", "/api/v1/cohorts/sports", "/api/v1/vau/status/0f1e2d3c4b5a69788796a5b4c3d2e1f0", "/health", "/", "/search"];
  const path = () => read[roll(read.length)];
  return {
    query: (t) => get(`${path()}?${["q", "id", "user", "file", "name"][roll(5)]}=${enc(t)}`, agent),
    form: (t) => get(`${path()}?a=1&q=${form(t)}&b=2`, agent),
    loose: (t) => get(`${path()}?q=${loose(t)}`, agent),
    every: (t) => get(`${path()}?q=${every(t)}`, agent),
    twice: (t) => get(`${path()}?q=${twice(t)}`, agent),
    thrice: (t) => get(`${path()}?q=${thrice(t)}`, agent),
    key: (t) => get(`${path()}?${enc(t)}=1`, agent),
    prefixed: (t) => get(`${path()}?q=${enc(`abc${t}`)}`, agent),
    segment: (t) => get(`/api/v1/vau/status/${enc(t)}`, agent),
    referer: (t) => get(path(), { ...agent, referer: `https://example.com/?q=${/[^\x20-\x7e]/.test(t) ? enc(t) : t}` }),
    agent: (t) => get(path(), { "user-agent": `Mozilla/5.0 ${/[^\x20-\x7e]/.test(t) ? enc(t) : t}` }),
    idempotency: (t) => post("/api/v1/vau", vau(roll), { ...agent, "x-key-id": /[^\x20-\x7e]/.test(t) ? enc(t) : t }),
    site: (t) => post("/api/v1/vau", vau(roll, { siteId: t }), agent),
    user: (t) => post("/api/v1/vau/batch", { batchId: "b", submittedAt: 1, items: [vau(roll), vau(roll, { userId: t })] }, agent),
    attested: (t) => post("/api/v1/vau", vau(roll, { attestation: attestation(roll, { userHandle: t }) }), agent),
    member: (t) => post("/api/v1/vau", { ...vau(roll), [t]: 1 }, agent),
    escaped: (t) => post("/api/v1/vau", json(vau(roll, { siteId: "@" })).replace('"@"', () => `"${[...Buffer.from(t, "utf16le").swap16().toString("hex").matchAll(/..../g)].map(([u]) => `\\u${u}`).join("")}"`), agent),
    percent: (t) => post("/api/v1/vau", vau(roll, { siteId: enc(t) }), agent),
    payload: (t) => post("/api/v1/vau", vau(roll, { payload: t }), agent),
    nested: (t) => post("/api/v1/vau", vau(roll, { payload: json({ event: "view", title: t, n: 1 }) }), agent),
  };
}

const mixed = (t) => [...t].map((c, i) => (i % 2 ? c.toUpperCase() : c.toLowerCase())).join("");
const wide = (t) => t.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0));

/** Each probe in some of the places, each place with some of the probes. */
function spread(roll, probes, at, { count, ways = [(t) => t] }) {
  const put = places(roll);
  return probes.flatMap((probe, i) =>
    Array.from({ length: count }, (_, k) => put[at[(i * count + k) % at.length]](ways[roll(ways.length)](probe))),
  );
}

function attack() {
  const roll = dice(2);
  const same = (t) => t;
  const query = ["query", "form", "loose", "every", "twice", "thrice"];
  const strict = [...query, "site", "user", "attested", "escaped", "percent"];
  const spaces = (t) => t.replace(/ /g, "/**/");
  const tabs = (t) => t.replace(/ /g, "\t");
  const sql = [
    ...spread(roll, A.SQL, [...strict, "segment", "referer", "idempotency", "agent"], { count: 3, ways: [same, same, mixed, tabs] }),
    ...spread(roll, A.SQL.slice(0, 60), ["query", "site", "form"], { count: 1, ways: [spaces, wide] }),
    ...spread(roll, A.SQL.filter((t) => /^'|^"|'.*(--|#)|union/i.test(t)), ["payload", "nested"], { count: 1 }),
  ];
  const xss = [
    ...spread(roll, A.XSS, [...strict, "key", "prefixed", "member", "segment", "referer", "agent"], { count: 4, ways: [same] }),
    ...spread(roll, A.XSS.slice(0, 50), ["payload", "nested", "query"], { count: 1, ways: [same] }),
    ...spread(roll, A.XSS.slice(0, 40), ["query", "site"], { count: 1, ways: [wide] }),
  ];
  const traversal = [
    ...spread(roll, A.TRAVERSAL, [...query, "key", "site", "user", "percent", "referer"], { count: 3 }),
    ...A.PATHS.map((path) => get(path)), ...A.PATHS.map((path) => get(`${path}?x=1`, { "user-agent": "Mozilla/5.0" })),
  ];
  const command = spread(roll, A.COMMAND, [...strict, "key", "prefixed", "referer", "agent"], { count: 3 });
  const nosql = [
    ...A.NOSQL_QUERIES.flatMap((q) => [get(`/api/v1/cohorts?${q}`), get(`/api/v1/cohorts?a=1&${q.split("=").map(enc).join("=")}`)]),
    ...spread(roll, A.NOSQL, [...query, "site", "user"], { count: 3 }),
    ...A.NOSQL_VALUES.flatMap((value) => ["userId", "deviceId", "siteId", "signature", "payload"].map((name) => post("/api/v1/vau", vau(roll, { [name]: value })))),
    ...A.NOSQL_VALUES.map((value) => post("/api/v1/vau", vau(roll, { payload: json({ userId: value }) }))),
  ];
  const ldap = spread(roll, A.LDAP, [...strict, "key"], { count: 4 });
  const xml = spread(roll, A.XML, [...strict, "payload", "nested", "referer"], { count: 4 });
  const header = [
    ...spread(roll, A.CRLF, ["query", "every", "twice", "thrice", "segment", "form"], { count: 4 }),
    ...A.FORGED.flatMap((headers) => [get("/health", headers), post("/api/v1/vau", vau(roll), headers)]),
    ...A.CRLF.map((value) => get("/health", { "x-request-id": value })),
  ];
  const agents = A.SCANNERS.flatMap((agent) => [get("/api/v1/cohorts", { "user-agent": agent }), post("/api/v1/vau", vau(roll), { "user-agent": agent })]);
  const smuggling = A.SMUGGLING.flatMap((headers) => [post("/api/v1/vau", vau(roll), headers), get("/api/v1/cohorts", headers)]);
  const multipart = (name) => `--x\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\nContent-Type: image/png\r\n\r\nGIF89a\r\n--x--\r\n`;
  const upload = A.UPLOADS.flatMap((name) => [
    post("/api/v1/vau", multipart(name), { "content-type": "multipart/form-data; boundary=x" }),
    post(`/uploads/${name}`, "x", { "content-type": "multipart/form-data; boundary=x" }),
    post("/api/v1/vau", "x", { "content-type": "application/octet-stream", "content-disposition": `attachment; filename="${name}"` }),
  ]);
  const broken = ["{", "{}{}", "[", "[".repeat(200), '{"a":'.repeat(200), "{'a':1}", '{"a":1,}', "NaN", '{"a":1e999}x', '{"a":"\\ud800"}', "\ufeff{}", "", "x", '{"a":01}', '{"a":"\u0001"}', "nul", '{"a" 1}', "[1,2", '"', "{]"];
  const malformed = broken.flatMap((body) => [post("/api/v1/vau", body), post("/api/v1/vau/batch", body)]);
  const large = [1_048_577, 2_000_000, 9_007_199_254_740_991].map((length) => post("/api/v1/vau", "{}", { "content-length": String(length) }));
  return { sql, xss, traversal, command, nosql, ldap, xml, header, agents, smuggling, upload, malformed, large };
}

for (const [kind, files] of Object.entries({ benign: benign(), attack: attack() })) {
  rmSync(`${here}${kind}`, { recursive: true, force: true });
  mkdirSync(`${here}${kind}`, { recursive: true });
  for (const [name, lines] of Object.entries(files)) {
    const unique = [...new Set(lines.map((line) => JSON.stringify(line)))];
    writeFileSync(`${here}${kind}/${name}.jsonl`, `${unique.join("\n")}\n`);
    process.stdout.write(`${kind}/${name}: ${unique.length}\n`);
  }
}
