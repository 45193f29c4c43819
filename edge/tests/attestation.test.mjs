// Fear: the Worker believes an authenticator's signature that is none, or refuses a real one. Credentials of all
// three algorithms are made and used with node's crypto; the judgement is the Worker's, by WebCrypto.

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { after, before, test } from "node:test";
import { canonical, World } from "./support.mjs";
import { vectorsBundle } from "./build.mjs";

const RP = "app.example.org";
const ORIGIN = "https://app.example.org";

let world;
let judge;
before(async () => {
  world = await World.start({ bundle: vectorsBundle(), guard: null });
  judge = async (vau, credential, policy = {}) => {
    const text = JSON.stringify({
      vau: world.device.sign(vau), credential, rpId: RP, origins: [ORIGIN], requireUserVerification: false, ...policy,
    });
    const body = JSON.stringify({ name: "attestationVector", values: [text] });
    const { result, error } = await (await world.caller.fetch("http://caller/", { method: "POST", body })).json();
    if (error) throw new Error(error);
    return JSON.parse(result);
  };
});
after(() => world.stop());

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const b64 = (bytes) => Buffer.from(bytes).toString("base64url");

// --- CBOR, as much as a COSE key needs ---

function head(kind, n) {
  if (n < 24) return Buffer.from([(kind << 5) | n]);
  return n < 256 ? Buffer.from([(kind << 5) | 24, n]) : Buffer.from([(kind << 5) | 25, n >> 8, n & 255]);
}
const int = (n) => (n < 0 ? head(1, -1 - n) : head(0, n));
const cbor = (value) => (typeof value === "number" ? int(value) : Buffer.concat([head(2, value.length), value]));
const map = (...pairs) => Buffer.concat([head(5, pairs.length), ...pairs.flatMap(([key, value]) => [int(key), cbor(value)])]);

const jwkPart = (key, name) => Buffer.from(key.export({ format: "jwk" })[name], "base64url");

/** The three kinds: how a key is made, written, and used. */
const KINDS = {
  ES256: {
    make: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
    cose: (key) => map([1, 2], [3, -7], [-1, 1], [-2, jwkPart(key, "x")], [-3, jwkPart(key, "y")]),
    sign: (key, bytes) => sign("sha256", bytes, key),
  },
  EdDSA: {
    make: () => generateKeyPairSync("ed25519"),
    cose: (key) => map([1, 1], [3, -8], [-1, 6], [-2, jwkPart(key, "x")]),
    sign: (key, bytes) => sign(null, bytes, key),
  },
  RS256: {
    make: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
    cose: (key) => map([1, 3], [3, -257], [-1, jwkPart(key, "n")], [-2, jwkPart(key, "e")]),
    sign: (key, bytes) => sign("sha256", bytes, key),
  },
};

class Authenticator {
  constructor(kind) {
    this.kind = KINDS[kind];
    Object.assign(this, this.kind.make());
    this.id = b64(sha256(`credential ${kind}`));
    this.count = 1;
  }

  credential(change = {}) {
    return { credentialId: this.id, publicKey: b64(this.kind.cose(this.publicKey)), signCount: 0, ...change };
  }

  /** A VAU with an attestation; `change` alters parts before or after the signature is made. */
  attest(vau, change = {}) {
    const clientData = {
      type: "webauthn.get", challenge: b64(sha256(canonical(vau))), origin: ORIGIN, crossOrigin: false, ...change.clientData,
    };
    const clientBytes = change.clientBytes ?? Buffer.from(JSON.stringify(clientData));
    const count = Buffer.alloc(4);
    count.writeUInt32BE(change.count ?? this.count++);
    const data = change.data ?? Buffer.concat([sha256(change.rp ?? RP), Buffer.from([change.flags ?? 0x05]), count, change.tail ?? Buffer.alloc(0)]);
    const signed = Buffer.concat([data, sha256(clientBytes)]);
    const signature = (change.signer ?? this).kind.sign((change.signer ?? this).privateKey, signed);
    const attestation = {
      credentialId: change.id ?? this.id,
      clientDataJSON: b64(clientBytes),
      authenticatorData: b64(data),
      signature: b64(signature),
      ...change.sent,
    };
    return { ...vau, attestation };
  }
}

const flipped = (text, place = 0) => {
  const bytes = Buffer.from(text, "base64url");
  bytes[place < 0 ? bytes.length + place : place] ^= 1;
  return b64(bytes);
};

for (const kind of Object.keys(KINDS)) {
  test(`${kind}: what the authenticator signed for this VAU is believed`, async () => {
    const authenticator = new Authenticator(kind);
    const vau = world.fields();
    // ECDSA signatures differ in length from one to the next.
    for (let n = 1; n <= 20; n++) {
      const verdict = await judge(authenticator.attest(vau), authenticator.credential());
      assert.deepEqual(verdict, { verified: true, signCount: n, userVerified: true });
    }
    const quiet = authenticator.attest(vau, { flags: 0x01, count: 0, tail: Buffer.alloc(0) });
    assert.deepEqual(await judge(quiet, authenticator.credential()), { verified: true, signCount: 0, userVerified: false });
  });

  test(`${kind}: nothing else is`, async () => {
    const authenticator = new Authenticator(kind);
    const stranger = new Authenticator(kind);
    const vau = world.fields();
    const credential = authenticator.credential();
    const refused = async (reason, attested, other = credential, policy) =>
      assert.deepEqual(await judge(attested, other, policy), { invalid: reason }, reason);

    await refused("signature", authenticator.attest(vau, { signer: stranger }));
    await refused("signature", authenticator.attest(vau), stranger.credential({ credentialId: authenticator.id }));
    const good = authenticator.attest(vau);
    const with_ = (change) => ({ ...good, attestation: { ...good.attestation, ...change } });
    await refused("signature", with_({ signature: flipped(good.attestation.signature, -1) }));
    await refused("signature", with_({ authenticatorData: flipped(good.attestation.authenticatorData, -2) }));
    const spaced = b64(`${Buffer.from(good.attestation.clientDataJSON, "base64url")} `);
    await refused("signature", with_({ clientDataJSON: spaced }));

    await refused("challenge", { ...good, payload: `${good.payload} ` });
    await refused("challenge", { ...good, timestamp: good.timestamp + 1 });
    await refused("challenge", { ...good, siteId: "another" });
    await refused("challenge", authenticator.attest(vau, { clientData: { challenge: sha256(canonical(vau)).toString("base64") } }));
    await refused("type", authenticator.attest(vau, { clientData: { type: "webauthn.create" } }));
    for (const origin of ["https://app.example.org.evil.org", "http://app.example.org", "https://example.org", "null"]) {
      await refused("origin", authenticator.attest(vau, { clientData: { origin } }));
    }
    await refused("origin", authenticator.attest(vau, { clientData: { crossOrigin: true } }));
    await refused("rp_id", authenticator.attest(vau, { rp: "example.org" }));
    await refused("user_absent", authenticator.attest(vau, { flags: 0x04 }));
    await refused("user_not_verified", authenticator.attest(vau, { flags: 0x01 }), credential, { requireUserVerification: true });
    await refused("replayed", authenticator.attest(vau, { count: 9 }), { ...credential, signCount: 9 });
    await refused("replayed", authenticator.attest(vau, { count: 0 }), { ...credential, signCount: 9 });
    await refused("credential", authenticator.attest(vau, { id: b64("another") }));
  });

  test(`${kind}: what cannot be read is refused, never an error`, async () => {
    const authenticator = new Authenticator(kind);
    const vau = world.fields();
    const refused = async (what, attested) =>
      assert.deepEqual(await judge(attested, authenticator.credential()), { invalid: "malformed" }, what);
    const good = authenticator.attest(vau).attestation;
    for (const field of ["clientDataJSON", "authenticatorData", "signature"]) {
      for (const text of ["", "=", `${good[field]}=`, "not base64!", "AA", good[field].slice(0, -5)]) {
        const attested = { ...vau, attestation: { ...good, [field]: text } };
        const verdict = await judge(attested, authenticator.credential());
        assert.ok(["malformed", "signature"].includes(verdict.invalid), `${field} ${text}: ${JSON.stringify(verdict)}`);
      }
    }
    await refused("text", authenticator.attest(vau, { clientBytes: Buffer.from("[]") }));
    await refused("invalid UTF-8", authenticator.attest(vau, { clientBytes: Buffer.from([0xff, 0xfe]) }));
    await refused("a second challenge", authenticator.attest(vau, { clientBytes: Buffer.from('{"type":"a","type":"b"}') }));
    await refused("a tail", authenticator.attest(vau, { tail: Buffer.from([0]) }));
    await refused("extensions that are none", authenticator.attest(vau, { flags: 0x85, tail: Buffer.from([0x80]) }));
    await refused("extensions without end", authenticator.attest(vau, { flags: 0x85, tail: Buffer.from([0xbf, 0xff]) }));
    await refused("a credential in it", authenticator.attest(vau, { flags: 0x45 }));
    await refused("backed up, not eligible", authenticator.attest(vau, { flags: 0x15 }));
    const extended = authenticator.attest(vau, { flags: 0x85, tail: Buffer.from([0xa1, 0x61, 0x61, 0xf5]) });
    assert.equal((await judge(extended, authenticator.credential())).verified, true);
  });
}

test("a stored key that cannot be used is nobody's fault, a point that is not on the curve signs nothing", async () => {
  const authenticator = new Authenticator("ES256");
  const vau = world.fields();
  const attested = authenticator.attest(vau);
  for (const publicKey of ["", "AA", b64(map([1, 2], [3, -35], [-1, 2])), b64(map([1, 4]))]) {
    assert.deepEqual(await judge(attested, authenticator.credential({ publicKey })), { unsupported: true }, publicKey);
  }
  const off = b64(map([1, 2], [3, -7], [-1, 1], [-2, Buffer.alloc(32, 1)], [-3, Buffer.alloc(32, 2)]));
  assert.deepEqual(await judge(attested, authenticator.credential({ publicKey: off })), { invalid: "signature" });
  const weak = b64(map([1, 1], [3, -8], [-1, 6], [-2, Buffer.alloc(32)]));
  const ed = new Authenticator("EdDSA");
  assert.deepEqual(await judge(ed.attest(vau), ed.credential({ publicKey: weak })), { invalid: "signature" });
});

test("a device that attests is trusted more, one that replays or forges evidence less", async () => {
  const fresh = await World.start({ vars: { WEBAUTHN_RP_ID: RP, WEBAUTHN_ORIGINS: ORIGIN } });
  try {
    const authenticator = new Authenticator("ES256");
    fresh.backend.credentials.set(fresh.device.id, [authenticator.credential()]);
    const score = async (vau) => {
      const { status, body } = await fresh.submit(fresh.device.sign(vau));
      assert.equal(status, 200, JSON.stringify(body));
      return body.data.trustScore;
    };
    assert.equal(await score(fresh.fields()), 50);
    assert.equal(await score(authenticator.attest(fresh.fields())), 60);
    assert.equal(await score(authenticator.attest(fresh.fields())), 70);
    assert.equal(await score(fresh.fields()), 80, "two attestations held");
    // The same counter again: somebody has a copy.
    assert.equal(await score(authenticator.attest(fresh.fields(), { count: 1 })), 80);
    assert.equal(await score(fresh.fields()), 70);
    assert.equal(await score(authenticator.attest(fresh.fields(), { rp: "evil.example" })), 70);
    assert.equal(await score(fresh.fields()), 60);
    // Evidence of a credential nobody has registered says nothing.
    assert.equal(await score(new Authenticator("EdDSA").attest(fresh.fields())), 60);
    assert.equal(await score(fresh.fields()), 60);
  } finally {
    await fresh.stop();
  }
});
