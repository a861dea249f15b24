#!/usr/bin/env node
// A codec adapter from the spec alone, on Node's own crypto; ams-conform vectors --sut adapter.mjs
import crypto from 'node:crypto';
import readline from 'node:readline';
class Refused extends Error {}  // phase/code, both of errors.json
const refuse = (code) => { throw new Refused(code); };
const need = (condition, code = 'schema/schema', value) => (condition ? value : refuse(code));
const has = (object, name) => Object.hasOwn(object, name);
const b64 = (raw) => Buffer.from(raw).toString('base64url');
const unb64 = (text, raw = Buffer.from(text, 'base64url')) =>  // ENC-9; undefined: it is none
  (b64(raw) === text ? raw : undefined);
const utf8 = (text) => Buffer.from(text);
const sha256 = (raw) => crypto.createHash('sha256').update(raw).digest();
const join = (...parts) => Buffer.concat(parts.map(utf8));
const hmac = (key, raw) => crypto.createHmac('sha256', key).update(raw).digest();

function canonical(value) {  // of values that AMS-CJ allows JSON.stringify writes RFC 8785
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((n) => `"${n}":${canonical(value[n])}`).join()}}`;
}
const STRING = '"(?:[^"\\\\\\0-\\x1f]|\\\\["\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4})*';  // without its end
const NUMBER = '-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?';
const TOKEN = new RegExp(`[ \\t\\n\\r]*([\\]\\[{},:]|${STRING}|true|false|null|${NUMBER}|$)`, 'y');
function decode(raw) {  // ENC-3; then from left to right, where the first violation decides
  const text = raw.toString(), stack = [];  // of {end, names seen}, outermost first
  const syntax = (condition) => need(condition, 'encoding/json_syntax');
  need(text[0] !== '\ufeff', 'encoding/bom');
  need(utf8(text).equals(raw), 'encoding/utf8');
  TOKEN.lastIndex = 0;
  let wanted = 'value', fresh = false;  // wanted: or 'name', 'colon', 'more'; fresh: after { or [
  for (let token; (token = TOKEN.exec(text)?.[1]) !== '' || wanted !== 'more' || stack.length;) {
    const inner = stack.at(-1), opens = token && '[{'.includes(token);
    syntax(token);
    if (token === inner?.end && (fresh || wanted === 'more')) {
      wanted = (stack.pop(), 'more');
    } else if (wanted === 'more' || wanted === 'colon') {
      syntax(token === (wanted === 'colon' ? ':' : inner && ','));
      wanted = wanted === 'more' && inner.end === '}' ? 'name' : 'value';
    } else if (token[0] === '"') {
      const value = JSON.parse(token + '"');
      need(!/[\ud800-\udfff]/u.test(value), 'encoding/surrogate');
      syntax(text[TOKEN.lastIndex++] === '"');
      const named = wanted === 'name';
      need(!named || /^[a-z][a-z0-9_]{0,31}$/.test(value), 'encoding/member_name');
      need(!named || !inner.names.has(value), 'encoding/duplicate_name');
      wanted = named ? (inner.names.add(value), 'colon') : 'more';
    } else {
      syntax(wanted === 'value' && !',:]}'.includes(token));
      need(!opens || stack.length < 16, 'encoding/depth');
      need(token !== 'null', 'encoding/null_value');
      need(opens || (/^(true|false|-?\d{1,16})$/.test(token) && !(Math.abs(token) >= 2 ** 53)),
           'encoding/number');
      if (opens) stack.push({end: token === '{' ? '}' : ']', names: new Set()});
      wanted = !opens ? 'more' : token === '{' ? 'name' : 'value';
    }
    fresh = opens && wanted !== 'more';
  }
  const value = JSON.parse(text);
  return need(utf8(canonical(value)).equals(raw), 'encoding/not_canonical', value);
}
function frameParse({raw_b64: raw}) {  // WIR-3 to WIR-7
  if (raw.length < 5) return {more: true};
  const [size, kind] = [raw.readUInt32BE(0), raw[4]];
  need(kind === 1 || kind === 2, 'encoding/frame_kind');
  need(size > 0, 'encoding/frame_empty');
  need(size <= (kind === 1 ? 1_048_576 : 65_552), 'limit/frame_too_large');
  need(kind === 1 || size >= 16, 'encoding/frame_short');
  if (raw.length < 5 + size) return {more: true};
  return {kind, payload_b64: b64(raw.subarray(5, 5 + size)), consumed: 5 + size};
}
const AEAD = {a256gcm: 'aes-256-gcm', c20p1305: 'chacha20-poly1305'};
function streamOpen({aead, key_b64: key, context_b64: context, sealed_b64: sealed}) {  // STR
  const prk = hmac(sealed.subarray(0, 24), key), plain = [];
  need(has(AEAD, aead), 'crypto/unknown_algorithm');
  need((sealed.length - 56) % 16_400 >= 16, 'encoding/stream_truncated');
  const derive = (label) => hmac(prk, join(`AMS-STREAM-${label}\0`, context, '\x01'));
  need(derive('COMMIT').equals(sealed.subarray(24, 56)), 'crypto/key_commitment');
  for (let i = 0, at = 56; at < sealed.length; i += 1, at += 16_400) {
    const chunk = sealed.subarray(at, at + 16_400), last = chunk.length < 16_400;
    const nonce = join([last, 0, 0, 0, 0, 0, 0, 0, i >> 24, i >> 16, i >> 8, i]);
    const cipher = crypto.createDecipheriv(AEAD[aead], derive('KEY'), nonce, {authTagLength: 16});
    plain.push(cipher.setAuthTag(chunk.subarray(-16)).update(chunk.subarray(0, -16)));
    try { cipher.final(); } catch { refuse('crypto/chunk'); }
  }
  return {plain_b64: b64(Buffer.concat(plain))};
}
const SIG = {ed25519: 64, rsa2048pss: 256, rsa3072pss: 384, rsa4096pss: 512};  // signature bytes
const P = 2n ** 255n - 19n;  // and y of two points of order 8; P - y of the other two:
const ED8 = 0x5fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const LOW = {ed25519: [0n, 1n, P - 1n, ED8, P - ED8], x25519: [0n, 1n, P - 1n,
  0xb8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0n,
  0x57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5fn]};
function isKey(name, raw) {  // KEY-5
  const bits = Number(/^rsa(\d+)/.exec(name)?.[1] ?? 256);
  if (raw.length * 8 !== bits) return false;
  if (bits > 256) return raw[0] >= 128 && raw.at(-1) % 2 === 1;
  const point = BigInt.asUintN(255, BigInt('0x' + Buffer.from(raw).reverse().toString('hex')));
  return !LOW[name].includes(point % P) && (name === 'x25519' || point < P);
}
const typed = (type) => (value) => need(typeof value === type, undefined, value);
const string = (s) => need(utf8(typed('string')(s)).length <= 1024, 'limit/object_too_large', s);
const binary = (low, high) => (value, raw = unb64(typed('string')(value))) =>
  need(raw && low <= raw.length && raw.length <= high, 'schema/base64url', raw);
const time = (value) => need(Number.isInteger(value) && value >= 0, undefined, value);
const names = (value) => need(Array.isArray(value) && value.length > 0, undefined, value) &&
  need(value.length <= 8, 'limit/object_too_large', value).map((name) => string(name))
    .map((name, i, all) => need(i === 0 || name > all[i - 1], undefined, name));
const MEMBERS = Object.entries({  // KEY-1, in the order of ENC-16
  sig_alg: string, kem: string, aeads: names, sk: binary(1, 1024), ek: binary(1, 1024),
  nonce: binary(16, 16), nbf: time, exp: time,
  custody: (value) => need(['client', 'corporate'].includes(string(value))), sig: binary(1, 1024)});
function keyVerify({raw_b64: raw, kid, fp}) {  // KEY-8
  const {ams, ...record} = typed('object')(decode(raw)), {sig: _, ...unsigned} = record;
  need(typed('string')(ams) === 'key/1', 'schema/unknown_ams_tag');
  const of = Object.fromEntries(MEMBERS.map(([name, kind]) => [name, kind(record[name])]));
  need(Object.keys(record).length === MEMBERS.length, 'schema/unknown_member');
  need(has(SIG, of.sig_alg) && /^(x25519|rsa(2048|3072|4096)kem)$/.test(of.kem) &&
       of.aeads.every((name) => has(AEAD, name)), 'crypto/unknown_algorithm');
  need(isKey(of.sig_alg, of.sk) && isKey(of.kem, of.ek), 'crypto/key_material');
  need(of.nbf < of.exp && of.exp - of.nbf <= 398 * 86_400_000);
  const text = canonical({ams, ...unsigned}), own = sha256('AMS-KEY/1\0' + text);
  const id = own.map((b, i) => i === 6 ? (b & 15) | 128 : i === 8 ? (b & 63) | 128 : b);  // KEY-2
  const ownKid = join(id).toString('hex', 0, 16).replace(/(?<=^.{8}|^.{12}|^.{16}|^.{20})/g, '-');
  need(kid === undefined || kid === ownKid, 'crypto/kid_mismatch');
  need(fp === undefined || fp === b64(own), 'crypto/fp_mismatch');
  need(of.sig.length === SIG[of.sig_alg], 'crypto/algorithm_mix');
  const rsa = of.sig_alg !== 'ed25519', n = b64(of.sk), PSS = {padding: 6, saltLength: 32};
  const key = rsa ? {kty: 'RSA', n, e: 'AQAB'} : {kty: 'OKP', crv: 'Ed25519', x: n};
  need(crypto.verify(rsa ? 'sha256' : null, join('AMS-SIG/1\0key/1\0', sha256(text)),  // SIG-1
                     {key, format: 'jwk', ...PSS}, of.sig), 'crypto/signature');
  return {kid: ownKid, fp: b64(own)};
}
const OPS = {'codec.decode': ({raw_b64}) => ({canonical_b64: b64(canonical(decode(raw_b64)))}),
  'frame.parse': frameParse, 'stream.open': streamOpen, 'key.verify': keyVerify, 'hello': () => ({
    impl: 'node', roles: ['codec'], spec_versions: ['0.1'], ops: Object.keys(OPS).slice(0, -1)})};
function answer(line) {
  let id = null;
  try {
    const request = JSON.parse(line, (name, value) => (/_b64$/.test(name) ? unb64(value) : value));
    id = request.id ?? null;
    need(request.op === undefined || has(OPS, request.op), 'schema/unsupported');
    return {id, ok: OPS[request.op](request.args)};
  } catch (error) {
    const [phase, code] = error.message.split('/');
    return error instanceof Refused ? {id, error: {phase, code}} : {id, fault: String(error)};
  }
}
for await (const line of readline.createInterface({input: process.stdin}))
  process.stdout.write(JSON.stringify(answer(line)) + '\n');
