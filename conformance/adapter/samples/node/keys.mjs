// key.verify for adapter.mjs: KEY-1 to KEY-8, ENC-9 to ENC-17, SIG-1 to SIG-5.
import crypto from 'node:crypto';

import {b64, canonical, decode, has, need, unb64, utf8} from './amscj.mjs';

const SIG = {ed25519: 64, rsa2048pss: 256, rsa3072pss: 384, rsa4096pss: 512};  // signature bytes
const KEM = ['x25519', 'rsa2048kem', 'rsa3072kem', 'rsa4096kem'];
const AEAD = ['a256gcm', 'c20p1305'];
const P = 2n ** 255n - 19n;
const ED8 = 0x5fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;  // y of order 8
const LOW = {
  ed25519: [0n, 1n, P - 1n, ED8, P - ED8],
  x25519: [0n, 1n, P - 1n, 0xb8495f16056286fdb1329ceb8d09da6ac49ff1fae35616aeb8413b7c7aebe0n,
           0x57119fd0dd4e22d8868e1c58c45c44045bef839c55b1d0b1248c50a3bc959c5fn],
};
const LIFE_MAX = 398 * 86_400_000;
const sha256 = (...parts) => crypto.createHash('sha256').update(Buffer.concat(parts)).digest();

function string(value) {  // ENC-17
  need(typeof value === 'string');
  need(utf8(value).length <= 1024, 'limit/object_too_large');
  return value;
}

function names(value) {
  need(Array.isArray(value) && value.length > 0);
  need(value.length <= 8, 'limit/object_too_large');
  value.forEach((name, i) => need(string(name) > (value[i - 1] ?? '') || i === 0));
  return value;
}

function binary(value, low = 1, high = 1024) {
  need(typeof value === 'string');
  const raw = unb64(value);
  need(raw && low <= raw.length && raw.length <= high, 'schema/base64url');
  return raw;
}

function time(value) {
  need(Number.isInteger(value) && value >= 0);
  return value;
}

function isKey(name, raw) {  // KEY-5
  if (name.startsWith('rsa'))
    return raw.length === Number(name.slice(3, 7)) / 8 && raw[0] >= 128 && raw.at(-1) % 2 === 1;
  if (raw.length !== 32) return false;
  const point = BigInt.asUintN(255, BigInt('0x' + Buffer.from(raw).reverse().toString('hex')));
  return !LOW[name].includes(point % P) && (name === 'x25519' || point < P);
}

function verifies(alg, raw, sig, text) {
  const jwk = alg === 'ed25519' ? {kty: 'OKP', crv: 'Ed25519', x: b64(raw)}
                                : {kty: 'RSA', n: b64(raw), e: 'AQAB'};
  const key = crypto.createPublicKey({key: jwk, format: 'jwk'});
  if (alg === 'ed25519') return crypto.verify(null, text, key, sig);
  const padding = crypto.constants.RSA_PKCS1_PSS_PADDING;
  return crypto.verify('sha256', text, {key, padding, saltLength: 32}, sig);
}

export function keyVerify({raw_b64: raw, kid, fp}) {  // KEY-8
  const record = decode(raw);
  need(typeof record === 'object' && typeof record.ams === 'string');
  need(record.ams === 'key/1', 'schema/unknown_ams_tag');
  const {ams, ...of} = record;
  const [alg, kem, aeads] = [string(of.sig_alg), string(of.kem), names(of.aeads)];
  const [sk, ek] = [binary(of.sk), binary(of.ek)];
  binary(of.nonce, 16, 16);
  const [nbf, exp] = [time(of.nbf), time(of.exp)];
  need(['client', 'corporate'].includes(string(of.custody)));
  const sig = binary(of.sig);
  need(Object.keys(of).length === 10, 'schema/unknown_member');
  need(has(SIG, alg) && KEM.includes(kem) && aeads.every((name) => AEAD.includes(name)),
       'crypto/unknown_algorithm');
  need(isKey(alg, sk) && isKey(kem, ek), 'crypto/key_material');
  need(nbf < exp && exp - nbf <= LIFE_MAX);
  const {sig: _, ...signed} = record;
  const unsigned = utf8(canonical(signed));
  const own = sha256(utf8('AMS-KEY/1\0'), unsigned);
  const uuid = Buffer.from(own.subarray(0, 16));  // KEY-2
  uuid[6] = (uuid[6] & 15) | 128;
  uuid[8] = (uuid[8] & 63) | 128;
  const ownKid = uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  need(kid === undefined || kid === ownKid, 'crypto/kid_mismatch');
  need(fp === undefined || fp === b64(own), 'crypto/fp_mismatch');
  need(sig.length === SIG[alg], 'crypto/algorithm_mix');
  const text = Buffer.concat([utf8('AMS-SIG/1\0key/1\0'), sha256(unsigned)]);  // SIG-1
  need(verifies(alg, sk, sig, text), 'crypto/signature');
  return {kid: ownKid, fp: b64(own)};
}
