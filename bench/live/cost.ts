/**
 * What a million chat messages and a million gifts cost in objects, on paper: counts from how the objects work, prices
 * as published for the paid plan (USD): requests 0.15 a million, twenty socket messages being one; 12.50 a million
 * GB-s at 128 MB an object; rows written 1.00 a million.
 */
const PRICE = { request: 0.15e-6, gigabyteSecond: 12.5e-6, row: 1e-6 };
const OBJECT_GB = 0.128;
const MILLION = 1_000_000;
/** What a busy shard writes for who is away, once a second: a piece of the log, and the oldest one's end. */
const LOG_ROWS = 2;
/** In a slow room each message is alone: the room writes its number and its list of the last messages. */
const SLOW_ROOM_ROWS = 2;
/** A shard says that it is behind, and that no more, and writes what it has heard of which room. */
const SLOW_SHARD_ROWS = LOG_ROWS + 3;

/** So many windows of gifts a room writes in a second of a rush. */
const WINDOWS = 10;

export function printCost({ shards }: { shards: number }): void {
  console.log(`On paper, a room on ${shards} shards, awake all the time:`);
  for (const perSecond of [0.1, 1, 10, 100]) {
    const seconds = MILLION / perSecond;
    const objects = shards + 1;
    // Socket messages in; shard to room; room to each shard. In a rush several ride in one call, which is not counted.
    const requests = MILLION / 20 + MILLION + MILLION * shards;
    // The room's last messages and the shards' logs are written behind, at most once a second.
    const isSlow = perSecond < 1;
    const each = isSlow ? SLOW_ROOM_ROWS + shards * SLOW_SHARD_ROWS : 1 + shards * LOG_ROWS;
    const rows = Math.min(MILLION, seconds) * each;
    print(`${perSecond} messages a second`, { requests, seconds: seconds * objects, rows });
  }
  for (const perSecond of [1, 10, 100]) {
    const seconds = MILLION / perSecond;
    const requests = MILLION / 20 + MILLION + MILLION * shards;
    // A gift is put down before it is taken and removed when it is answered; each window's are noted as shown.
    const windows = Math.min(MILLION, seconds * WINDOWS);
    const rows = 2 * MILLION + windows + Math.min(MILLION, seconds) * shards * LOG_ROWS;
    print(`${perSecond} gifts a second`, { requests, seconds: seconds * (shards + 1), rows });
  }
}

function print(name: string, of: { requests: number; seconds: number; rows: number }): void {
  const { requests, seconds, rows } = of;
  const gigabyteSeconds = seconds * OBJECT_GB;
  const dollars =
    requests * PRICE.request + gigabyteSeconds * PRICE.gigabyteSecond + rows * PRICE.row;
  const amount = (value: number) => Math.round(value).toLocaleString("en");
  console.log(
    `  a million at ${name.padEnd(22)} ${amount(requests)} requests, ${amount(gigabyteSeconds)} GB-s, ${amount(rows)} rows: $${dollars.toFixed(2)}`,
  );
}
