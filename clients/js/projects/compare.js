// Two transcripts of a flow: where the engines answered differently.

/** Rows without an `order` come as an engine likes. */
function unordered(text) {
  try {
    const value = JSON.parse(text);
    return Array.isArray(value) ? JSON.stringify(value.map((row) => JSON.stringify(row)).sort()) : text;
  } catch {
    return text;
  }
}

/** Whether a request says how its rows come. */
const isOrdered = (request) => /[?&]([\w.]+\.)?order=/.test(request);

const sameBody = (a, b) => a.body === b.body || (!isOrdered(a.request) && unordered(a.body) === unordered(b.body));

const same = (a, b) => a && b && a.request === b.request && a.status === b.status && a.range === b.range && sameBody(a, b);

/** The pairs of entries that differ. */
export function differences(one, other) {
  const pairs = Array.from({ length: Math.max(one.length, other.length) }, (_, at) => [one[at], other[at]]);
  return pairs.filter(([a, b]) => !same(a, b));
}
