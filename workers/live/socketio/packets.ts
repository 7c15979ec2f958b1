import { Encoder, type Packet, PacketType } from "socket.io-parser";

/** An event encoded once, for any number of sockets, namespaces and objects; it may travel by RPC. */
export interface PreparedEvent {
  /** The JSON array of name and arguments, attachments replaced by placeholders. */
  readonly body: string;
  readonly attachments: readonly (ArrayBuffer | ArrayBufferView)[];
  /**
   * Of a heavy event: the same in few words. Who gets it later, or cannot take the whole now, gets this; and of the whole
   * no more is sent than `SocketIoOptions.heavy` allows.
   */
  readonly light?: string;
}

export interface EmitOptions {
  /** Ids of sockets that do not get it. */
  except?: Iterable<string>;
  /** Not kept for replay: who is away misses it. For counters and other news that the next one replaces. */
  volatile?: boolean;
}

/** What goes out for one packet: Engine.IO message frames, a text and its attachments. */
export type Frame = string | ArrayBuffer | ArrayBufferView;

const encoder = new Encoder();
const HAS_DIGITS = /^[0-9]+-/;

/** Encodes an event once. `prepareEvent("chat", [{ text: "hai" }])` costs one JSON.stringify and a look for binary. */
export function prepareEvent(name: string, args: readonly unknown[]): PreparedEvent {
  const [text, attachments] = encode({ type: PacketType.EVENT, nsp: "/", data: [name, ...args] });
  return { body: text.slice(1).replace(HAS_DIGITS, ""), attachments };
}

/** An event as it is kept. */
export const lightOf = (event: PreparedEvent): PreparedEvent =>
  event.light === undefined ? event : { body: event.light, attachments: event.attachments };

/** The frames of a prepared event for one namespace; `offset` is appended as the last argument, as recovery wants. */
export function eventFrames(
  event: PreparedEvent,
  namespace: string,
  { offset, ackId }: { offset?: string; ackId?: number } = {},
): Frame[] {
  const count = event.attachments.length;
  const head = openEvent(namespace, count);
  const body =
    offset === undefined ? event.body : `${event.body.slice(0, -1)},${JSON.stringify(offset)}]`;
  return [`${head}${ackId ?? ""}${body}`, ...event.attachments];
}

/** How the text of an event begins, before its acknowledgement's number and its body. */
export const openEvent = (namespace: string, attachments = 0): string =>
  `${attachments === 0 ? "42" : `45${attachments}-`}${namespace === "/" ? "" : `${namespace},`}`;

/** The frames of any other packet. */
export function packetFrames(packet: Packet): Frame[] {
  const [text, attachments] = encode(packet);
  return [`4${text}`, ...attachments];
}

function encode(packet: Packet): [string, (ArrayBuffer | ArrayBufferView)[]] {
  const [text, ...attachments] = encoder.encode(packet);
  return [String(text), attachments.map(asBinary)];
}

/** The encoder's types say `any[]`; what follows its text are the buffers it found. */
function asBinary(value: unknown): ArrayBuffer | ArrayBufferView {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value;
  throw new TypeError("only ArrayBuffer and typed arrays can be attached");
}
