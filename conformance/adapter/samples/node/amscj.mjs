// AMS-CJ (ENC-1 to ENC-9) and refusals, for adapter.mjs and keys.mjs.
const STRING = /"(?:[^"\\\0-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*/y;  // to its end
const SCALAR = /true|false|null|-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;

export class Refused extends Error {}  // phase/code, both of errors.json
export function need(condition, code = 'schema/schema') {
  if (!condition) throw new Refused(code);
}
export const b64 = (raw) => Buffer.from(raw).toString('base64url');
export const utf8 = (text) => Buffer.from(text);
export const has = (object, name) => Object.hasOwn(object, name);

export function unb64(text) {  // ENC-9; undefined: it is none
  const raw = Buffer.from(text, 'base64url');
  return b64(raw) === text ? raw : undefined;
}

// Of the values that AMS-CJ allows JSON.stringify writes RFC 8785, but for the order of members.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((n) => `"${n}":${canonical(value[n])}`).join()}}`;
}

export function decode(raw) {  // ENC-3; then from left to right, where the first violation decides
  need(raw.subarray(0, 3).toString('hex') !== 'efbbbf', 'encoding/bom');
  const text = raw.toString();
  let at = 0;
  need(utf8(text).equals(raw), 'encoding/utf8');
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    need(found, 'encoding/json_syntax');
    at = pattern.lastIndex;
    return found[0];
  };
  const next = (...wanted) => {  // the next character but white space
    take(/[ \t\n\r]*/y);
    need(wanted.length === 0 || wanted.includes(text[at]), 'encoding/json_syntax');
    return text[wanted.length === 0 ? at : at++];
  };
  const string = () => {
    const value = JSON.parse(take(STRING) + '"');
    need(!/[\ud800-\udfff]/u.test(value), 'encoding/surrogate');
    need(text[at++] === '"', 'encoding/json_syntax');
    return value;
  };
  const item = (depth) => {
    const first = next();
    if (first === '"') return string();
    if (first !== '{' && first !== '[') {
      const token = take(SCALAR);
      need(token !== 'null', 'encoding/null_value');
      const value = JSON.parse(token);
      need(typeof value === 'boolean' || (Number.isSafeInteger(value) && !/[.eE]/.test(token)),
           'encoding/number');
      return value;
    }
    need(depth <= 16, 'encoding/depth');
    const [out, end] = first === '{' ? [{}, '}'] : [[], ']'];
    at += 1;
    let more = next() !== end || (at++, false);
    while (more) {
      if (end === '}') {
        next();
        const name = string();
        need(/^[a-z][a-z0-9_]{0,31}$/.test(name), 'encoding/member_name');
        need(!has(out, name), 'encoding/duplicate_name');
        next(':');
        out[name] = item(depth + 1);
      } else {
        out.push(item(depth + 1));
      }
      more = next(',', end) === ',';
    }
    return out;
  };
  const value = item(1);
  need(next() === undefined, 'encoding/json_syntax');
  need(utf8(canonical(value)).equals(raw), 'encoding/not_canonical');
  return value;
}
