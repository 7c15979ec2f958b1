import type { Input, Parser } from "./input.ts";
import type { Limits } from "./meter.ts";
import { cleanEntry, type Entry, nameText } from "./names.ts";
import { refuse } from "./refusal.ts";
import {
  CENTRAL,
  checkAttributes,
  comparedFlags,
  type DirectoryEnd,
  END,
  END_64,
  Extras,
  endAgrees,
  LOCATOR_64,
  readEnd,
  readStated,
  uint64,
  view,
} from "./zip-fields.ts";

/** An entry as its local header and its bytes have shown it. */
export interface Seen {
  raw: string;
  entry: Entry;
  flags: number;
  method: number;
  crc: number;
  compressed: number;
  size: number;
}

/** A zip64 end record is 44 bytes and seldom more. */
const LONGEST_END_64 = 1024;

/** The directory behind the entries, whose first signature has been taken, to the end of the file. */
export function* readDirectory(
  input: Input,
  seen: Map<number, Seen>,
  limits: Limits,
  first: number,
): Parser {
  const offset = input.position - 4;
  const unlisted = new Map(seen);
  let signature = first;
  while (signature === CENTRAL) {
    yield* readListed(input, unlisted, limits);
    signature = yield* readSignature(input);
  }
  if (unlisted.size > 0) refuse("mismatch");
  const found = { entries: seen.size, offset, size: input.position - 4 - offset };
  const is64 = signature === END_64;
  if (is64) {
    yield* readEnd64(input, found);
    signature = yield* readSignature(input);
  }
  if (signature !== END) refuse("broken");
  const end = readEnd(view(yield* input.take(18)));
  if (!endAgrees(end, found, is64)) refuse("mismatch");
  yield* readComment(input, end.commentLength);
  if (!(yield* input.isOver())) refuse("mismatch");
}

function* readSignature(input: Input): Parser<number> {
  return view(yield* input.take(4)).getUint32(0, true);
}

/** One entry of the directory: it must be one that was seen, in every point that an extractor goes by. */
function* readListed(input: Input, unlisted: Map<number, Seen>, limits: Limits): Parser {
  const data = view((yield* input.take(42)).slice());
  const head = readStated(data, 4);
  const rawName = (yield* input.take(head.nameLength)).slice();
  const extras = new Extras(yield* input.take(head.extraLength));
  yield* input.pass(data.getUint16(28, true), () => undefined);
  if (data.getUint16(30, true) !== 0) refuse("broken");
  const { stated, offset } = extras.widen(head, data.getUint32(38, true));
  const local = unlisted.get(offset ?? -1) ?? refuse("mismatch");
  unlisted.delete(offset ?? -1);
  const entry = cleanEntry(nameText(extras.unicodeName() ?? rawName), limits);
  const agrees =
    nameText(rawName) === local.raw &&
    entry.path === local.entry.path &&
    entry.kind === local.entry.kind &&
    comparedFlags(stated) === local.flags &&
    stated.method === local.method &&
    stated.crc === local.crc &&
    stated.compressed === local.compressed &&
    stated.size === local.size;
  if (!agrees) refuse("mismatch");
  checkAttributes(data.getUint32(34, true), entry.kind === "folder");
}

/** The zip64 end record and its locator: they must point here and count what was seen. */
function* readEnd64(input: Input, found: DirectoryEnd): Parser {
  const at = input.position - 4;
  const length = uint64(view(yield* input.take(8)), 0);
  if (length < 44 || length > LONGEST_END_64) refuse("broken");
  const data = view((yield* input.take(length)).slice());
  const disks = [data.getUint32(4, true), data.getUint32(8, true)];
  const stated = { entries: uint64(data, 20), size: uint64(data, 28), offset: uint64(data, 36) };
  if (disks.some((disk) => disk !== 0) || uint64(data, 12) !== stated.entries) refuse("broken");
  if (!endAgrees(stated, found, false)) refuse("mismatch");
  if ((yield* readSignature(input)) !== LOCATOR_64) refuse("broken");
  const locator = view(yield* input.take(16));
  if (uint64(locator, 4) !== at) refuse("mismatch");
}

/** A second end record in the comment would be the first that a reader from behind meets. */
function* readComment(input: Input, length: number): Parser {
  const comment = yield* input.take(length);
  const data = view(comment);
  for (let at = 0; at + 4 <= length; at += 1) {
    if (data.getUint32(at, true) === END) refuse("mismatch");
  }
}
