#!/usr/bin/env node
// A codec adapter from the spec alone, on Node's own crypto. amscj.mjs has AMS-CJ, keys.mjs has
// key.verify. Try it: ams-conform vectors --sut conformance/adapter/samples/node/adapter.mjs
import crypto from 'node:crypto';
import readline from 'node:readline';

import {Refused, b64, canonical, decode, has, need, unb64, utf8} from './amscj.mjs';
import {keyVerify} from './keys.mjs';

const AEAD = {a256gcm: 'aes-256-gcm', c20p1305: 'chacha20-poly1305'};
const hmac = (key, ...parts) =>
  crypto.createHmac('sha256', key).update(Buffer.concat(parts)).digest();

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

function streamOpen({aead, key_b64: key, context_b64: context, sealed_b64: sealed}) {  // STR
  const rest = sealed.subarray(56);
  need(has(AEAD, aead), 'crypto/unknown_algorithm');
  need(rest.length % 16_400 >= 16, 'encoding/stream_truncated');
  const prk = hmac(sealed.subarray(0, 24), key);
  const derive = (label) => hmac(prk, utf8(`AMS-STREAM-${label}\0`), context, utf8('\x01'));
  const commitment = sealed.subarray(24, 56);
  need(crypto.timingSafeEqual(derive('COMMIT'), commitment), 'crypto/key_commitment');
  const plain = [];
  for (let at = 0; at < rest.length; at += 16_400) {
    const chunk = rest.subarray(at, at + 16_400);
    const nonce = Buffer.alloc(12);
    nonce[0] = chunk.length < 16_400 ? 1 : 0;
    nonce.writeBigUInt64BE(BigInt(at / 16_400), 4);
    const cipher =
      crypto.createDecipheriv(AEAD[aead], derive('KEY'), nonce, {authTagLength: 16});
    cipher.setAuthTag(chunk.subarray(-16));
    plain.push(cipher.update(chunk.subarray(0, -16)));
    try {
      cipher.final();
    } catch {
      throw new Refused('crypto/chunk');
    }
  }
  return {plain_b64: b64(Buffer.concat(plain))};
}

const OPS = {
  'hello': () => ({impl: 'sample-node', roles: ['codec'], spec_versions: ['0.1'],
                   ops: Object.keys(OPS).filter((op) => op !== 'hello')}),
  'codec.decode': ({raw_b64}) => ({canonical_b64: b64(canonical(decode(raw_b64)))}),
  'frame.parse': frameParse,
  'stream.open': streamOpen,
  'key.verify': keyVerify,
};

function answer(line) {
  let id = null;
  try {
    const request = JSON.parse(line);
    id = request.id ?? null;
    need(request.op === undefined || has(OPS, request.op), 'schema/unsupported');
    const args = {...request.args};
    for (const name in args) if (name.endsWith('_b64')) args[name] = unb64(args[name]);
    return {id, ok: OPS[request.op](args)};
  } catch (error) {
    if (!(error instanceof Refused)) return {id, fault: String(error)};
    const [phase, code] = error.message.split('/');
    return {id, error: {phase, code}};
  }
}

for await (const line of readline.createInterface({input: process.stdin})) {
  process.stdout.write(JSON.stringify(answer(line)) + '\n');
}
