// What people and their pages really write: searches, titles, names, code, prices. All of it has to pass.

/** Searches and short texts. */
export const SEARCHES = [
  "running shoes", "laptop 15\" i7", "O'Brien", "D'Angelo & sons", "rock 'n' roll", "it's #1", "C# tutorial", "C++ vs Rust", "F# | OCaml",
  "#fashion #summer", "tag:#sale", "50% off", "100% cotton", "price < 100", "price > 50 and < 80", "a & b", "tea & cake", "cats & dogs",
  "men | women", "red|green|blue", "size:M;L;XL", "select a phone", "select all from the menu", "where to eat", "order by phone",
  "union station", "student union select committee", "credit union select account", "drop off table", "drop table lamp", "update your set of tyres",
  "insert coin into slot", "delete photos from phone", "create table runner pattern", "having fun", "group by size", "like a rolling stone",
  "either / or", "and/or", "this or that", "now or never", "black and white", "2 and 2 = 4", "1 or 2", "1 + 1 = 2", "x = y", "e = mc^2", "f(x) = 2x",
  "(blue)", "[new] jacket", "{curly}", "a*b", "5*4", "AC/DC", "w/o sugar", "24/7", "TCP/IP", "http://example.com/a?b=c&d=e", "https://shop.example/p/1#reviews",
  "me@example.com", "@alice", "$100", "US$ 20 - $ 40", "$5 in $10 bills", "€ 30–40", "¥1,000", "£9.99", "system of a down", "operating system", "public system",
  "system restore", "bash the drums", "sh", "nc state", "curl cream", "curly hair", "wget manual", "python course", "scraper tool for ice", "spider man",
  "web crawler jobs", "bot or not", "cat & mouse", "dog; cat; bird", "make | buy", "sort of; kind of", "who is who", "date night", "time & date",
  "sleep 8 hours", "sleep (band)", "ping pong", "ping & pong", "echo chamber", "host a party", "kill bill", "top 10; best of", "find friends", "man & woman",
  "zsh|bash", "name|id|date", "linux; windows", "ls swap miata", "rm williams boots", "id card | holder", "less is more", "tail light", "head & shoulders",
  "exec summary", "execute order 66", "declare variant", "shutdown schedule", "truncate text css", "alter ego", "grant application", "merge pdf",
  "waitfor godot", "benchmark results", "version 2.0 -- final", "foo -- bar", "well -- yes", "em--dash", "3 -- 4", "note: /* draft */", "/* comment */", "// todo",
  "1/2 cup", "1-2-3", "--help", "-v --verbose", "a--", "pre-order", "t-shirt (2 pack)", "size = 42", "color=red", "id=5", "name='Tom'", "name=\"Tom\"",
  "\"exact phrase\"", "'single quoted'", "say \"hi\"", "5' 10\"", "6'2\" tall", "rock'n'roll", "l'été", "aujourd'hui", "qu'est-ce que c'est", "dell'arte",
  "l'amour & l'eau", "jack o' lantern", "ma'am", "y'all or you'd", "'tis the season or 'twas", "students' union", "the '90s or the '80s", "dogs' and cats' toys",
  "über", "naïve café", "Zürich", "São Paulo", "Kraków", "Ελλάδα", "привет мир", "你好 世界", "日本語 テスト", "한국어 검색", "مرحبا بالعالم", "שלום עולם", "हिन्दी खोज", "ไทย",
  "emoji 😀😀", "❤️ & 💛", "👩‍👩‍👧‍👦 family", "ＦＵＬＬ ｗｉｄｔｈ", "½ price", "x² + y²", "π ≈ 3.14", "≤ 5", "→ next", "«quoted»", "„zitat“", "‘smart’ “quotes”",
  "<3", "I <3 you", "a < b", "a > b", "a<b", "x <= y", "=> arrow", "-> arrow", "<-", "<>", "</3", ">:(", "<- back | next ->", "if a < b and c > d",
  "<title> tag seo", "what is <div>", "how to use <script> tag", "close </script> tag", "<b>bold</b>", "<br>", "<p> vs <br>", "html <img> alt", "<iframe> alternatives",
  "onclick handler", "onboarding = done", "on = off", "one=1", "onload event", "onerror resume next", "javascript: the good parts", "JavaScript: void", "javascript course",
  "eval in python", "expression of interest", "embed youtube video", "object of desire", "alert (1984 film)", "document.cookie explained", "alert box css",
  "select * from users", "SELECT name, price FROM products WHERE price > 10", "select count(*) from orders", "sql inner join example", "sql union all", "union select sql example",
  "what is sql injection", "drop table sql", "INSERT INTO example", "delete from where clause", "order by 2 columns", "xp_cmdshell docs", "information schema", "exec sp_help",
  "etc/passwd meaning", "/etc/hosts file", "windows/system32 folder", "../ in paths", "./run.sh", "~/.bashrc", "C:\\Users\\me", "C:\\Program Files (x86)", "\\\\server\\share", "/usr/local/bin",
  "~5 km", "a!b", "!important", "wow!!!", "really?!", "yes|no", "(a|b)", "(a&b)", "not (a or b)", "(cn) china", "uid 1000", "mail=me", "f(x)(y)", "(a)(b)", "*.pdf", "*", "**", "a=*",
  "ldap filter syntax", "(&) operator", "objectClass vs type", "$ne operator mongodb", "$where clause", "mongodb $regex", "what is $in", "$or $and", "{a: 1}", "{\"a\":1}", "[1,2,3]",
  "{\"q\":\"shoes\",\"max\":50}", "regex ^[a-z]+$", "\\d+", ".*", "^$", "(?i)abc", "<?xml version=\"1.0\"?>", "<!DOCTYPE html>", "CDATA section", "xml entity", "doctype", "system id", "public|system",
  "file:// url", "php://input docs", "data:image/png;base64,iVBORw0KGgo=", "data science", "file: report.pdf", "expect: 100-continue", "jndi lookup", "${variable}", "${name} template",
  "{{name}} mustache", "{{ user.name }}", "%s %d", "100%", "%20", "a%b", "50%25", "\u0000".replace("\u0000", "nul"), "line one\nline two", "tab\tseparated", "note:\nbuy milk", "a\r\nb",
];

/** Titles of pages and messages: longer, with all kinds of punctuation. */
export const TITLES = [
  "Tom & Jerry's \"Best Of\" — 50% off; buy 1, get 1 free!", "How to use <script defer> in HTML (and when not to)", "What does `ls -la` do? | Linux basics",
  "10 things you didn't know about SELECT ... FROM ... WHERE", "UNION vs UNION ALL: which one to select?", "Why DROP TABLE is dangerous; a story", "Robert'); the Bobby Tables comic explained",
  "OR 1=1: what it means and why it works", "rm -rf / explained to children", "Piping curl to bash: curl example.sh | bash, good idea?", "The <marquee> tag is back -- really",
  "Kubernetes: kubectl get pods | grep web", "git commit -m 'fix' && git push", "awk '{print $1}' file.txt | sort | uniq -c", "if (a < b && c > d) { return x; }", "for (let i = 0; i < 10; i++) { sum += i; }",
  "let f = |x| x + 1;", "const s = `hello ${name}`;", "document.querySelector('div > a[href*=\"x\"]')", "a { color: red; } /* note */", "div#main > ul.list li:nth-child(2n+1)", "@media (max-width: 600px) { … }",
  "SELECT name FROM users WHERE id = 1", "SELECT id, title FROM posts ORDER BY created_at DESC LIMIT 10;", "INSERT INTO notes (text) VALUES ('hi');", "UPDATE users SET name = 'x' WHERE id = 5", "SELECT u.name, o.total FROM users u JOIN orders o ON o.user_id = u.id",
  "DELETE FROM sessions WHERE expires_at < now()", "CREATE TABLE t (id INT PRIMARY KEY, name TEXT); -- schema", "It's 5 o'clock -- somewhere", "She said: \"it's fine\" -- and left", "Don't panic; and don't forget your towel", "To be, or not to be: that's the question",
  "He's 6'1\" or 6'2\"", "Q&A: ask me anything (AMA) #42", "R&D | M&A | P&L", "AT&T; H&M; C&A", "50% of 200 = 100", "(a+b)^2 = a^2 + 2ab + b^2", "x > 0 or y < 0", "true && false || true", "NULL is not NULL", "1 = 1 is true", "'a' = 'a' in most languages",
  "Weather: 21°C | wind 5 km/h", "Flight LH123; gate B12 & boarding 10:05", "GBP/USD = 1.27 (-0.3%)", "[LIVE] Team A 2–1 Team B | 87'", "Ep. 5: \"The One Where…\"", "Beethoven: Symphony No. 5 in C minor, Op. 67", "ÄÖÜ äöü ß – „Straße“", "¿Qué tal? ¡Muy bien!",
  "Ça va? C'est l'heure d'aller à l'école", "今日は & 明日", "Привет; как дела?", "مرحبا | أهلا", "नमस्ते — दुनिया", "Line one\nLine two\n\n- item 1\n- item 2", "# Heading\n\nSome *text* with `code` and [link](https://example.com/a?b=1&c=2).", "> quoted\n\nreply",
  "```sh\nnpm ci && npm test\n```", "```sql\nselect * from t where a = 'b';\n```", "Run `docker ps` then `docker logs -f web`", "| a | b |\n| - | - |\n| 1 | 2 |", "<p>Hello <b>world</b> &amp; friends</p>", "<a href=\"https://example.com/?a=1&amp;b=2\">link</a>", "<img src=\"/a.png\" alt=\"it's a cat\">",
  "<!DOCTYPE html><html lang=\"en\"><head><title>x</title></head>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed><title>News</title></feed>", "<svg width=\"10\" height=\"10\"><rect width=\"10\" height=\"10\"/></svg>", "<ul><li>one</li><li>two</li></ul>", "5 < 6 > 4", "<unknown>", "List<String> and Map<String, List<Integer>>", "Vec<Option<&'a str>>", "std::vector<int> v;", "template <typename T>",
  "path: ../../assets/logo.png", "import x from '../lib/y.js'", "C:\\Users\\Ana\\Pictures\\cat.jpg", "/home/ana/docs/report.pdf", "s3://bucket/key?versionId=1", "file.tar.gz", "https://example.com/search?q=a+b&sort=-price&filter[]=x#top", "mailto:a@b.example?subject=Hi%20there", "tel:+49-30-123", "data:text/plain;base64,SGVsbG8=",
  "{\"a\":{\"b\":[1,2,{\"c\":\"d\"}]}}", "[\"x\",\"y\"]", "key=value&other=thing", "a=1;b=2;c=3", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "2026-11-28T20:15:00Z", "P3DT4H", "en-US,en;q=0.9", "rgb(255, 0, 0)", "linear-gradient(to right, #fff 0%, #000 100%)", "^(?:[a-z0-9]+)@example\\.com$", "\\bfoo\\b|\\bbar\\b",
  "$set $unset $browser $lib", "costs $in total", "price $gt 5?", "Use $ne to exclude", "uid=1000(ana) gid=1000(ana)", "(&) and (|) in LDAP", "cn is short for common name", "SYSTEM requirements: 8 GB", "PUBLIC notice", "<[CDATA] what is it", "Log4j: what was ${jndi} about?", "Shellshock explained", "0x1F4A9", "1e10", "NaN", "-0", "null", "undefined", "true", "''", "\"\"", "--", ";", "|", "&", "#", "<", ">", "%", "\\", "/", "*", "(", ")", "' '", "\" \"",
  "sleep(8) hours a night", "benchmark(s) of 2026", "user() friendly", "version() 2", "char(3) column", "concat(a, b) in SQL", "count(*) is slow", "if(x) then y", "load_file() docs", "md5('a')", "exec(open('f').read()) in Python", "system('clear') in C", "print(\"hi\"); exit()", "alert('hi') tutorial", "console.log(\"x\");", "eval(expr) considered harmful", "setTimeout(fn, 100)", "window.location.href", "new Function('a', 'return a')",
];

export const NAMES = ["name", "title", "label", "q", "comment", "text", "caption", "note", "element", "message"];

export const BROWSERS = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
  "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
  "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "facebookexternalhit/1.1", "WhatsApp/2.24", "Twitterbot/1.0", "LinkedInBot/1.0",
  "okhttp/4.12.0", "Dart/3.5 (dart:io)", "CFNetwork/1490 Darwin/23.0", "twist-client/0.1.0", "axios/1.7.2", "node-fetch", "node", "undici", "Go-http-client/2.0", "python-requests/2.32.3", "python-httpx/0.27", "curl/8.9.1", "Java-http-client/21", "reqwest/0.12", "PostmanRuntime/7.40", "Prometheus/2.53.0", "kube-probe/1.30", "UptimeRobot/2.0", "GoogleHC/1.0", "Mozilla/5.0 (Cubot X30; Android 12) Chrome/120", "Scannly/1.0 (receipt app)", "",
];
