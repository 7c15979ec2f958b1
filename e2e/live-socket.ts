import { WebSocket } from "ws";

type Answer = { success: boolean; [field: string]: unknown };

export interface LiveSocketOptions {
  /** `ws://127.0.0.1:…` */
  url: string;
  /** What goes with the CONNECT packet. */
  auth?: Record<string, unknown>;
  /** Said after every connect, as the app does. */
  claim?: Record<string, unknown>;
  hear?(event: string, payload: Record<string, unknown>): void;
}

/** How long a client waits before it connects again. */
const AGAIN_MS = { least: 300, most: 1_500 };

/**
 * What the stock client does, by hand and at a fraction of its cost, so that one process can be hundreds of viewers:
 * answers pings, misses them, connects again by itself with what it knows of its last session, and waits for
 * acknowledgements. After a refusal, or a goodbye of the server, it stays away, as the stock client does.
 */
export class LiveSocket {
  readonly #options: LiveSocketOptions;
  readonly #waiting = new Map<number, (answer: Answer | null) => void>();
  #socket: WebSocket | null = null;
  #isOpen = false;
  #isWanted = true;
  #lastAck = 0;
  #session: { pid?: string; offset?: string } = {};
  #patienceMs = 60_000;
  #pingDue: NodeJS.Timeout | undefined;
  #opened: (() => void)[] = [];
  /** How often it was let in. */
  connects = 0;
  /** Why it will not come back by itself, or null. */
  ended: string | null = null;

  constructor(options: LiveSocketOptions) {
    this.#options = options;
    this.#connect();
  }

  /** True while it is let in. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Settles when it is let in. */
  async opened(): Promise<this> {
    if (!this.#isOpen) await new Promise<void>((done) => this.#opened.push(done));
    return this;
  }

  emit(event: string, payload: Record<string, unknown>): void {
    this.raw(`42${JSON.stringify([event, payload])}`);
  }

  /** The server's answer, or null when none came in time or the connection was lost. */
  async ask(
    event: string,
    payload: Record<string, unknown>,
    patienceMs = 10_000,
  ): Promise<Answer | null> {
    if (!this.#isOpen) return null;
    this.#lastAck += 1;
    const id = this.#lastAck;
    return await new Promise((done) => {
      const late = setTimeout(() => settle(null), patienceMs);
      const settle = (answer: Answer | null) => {
        clearTimeout(late);
        this.#waiting.delete(id);
        done(answer);
      };
      this.#waiting.set(id, settle);
      this.raw(`42${id}${JSON.stringify([event, payload])}`);
    });
  }

  /** Whatever a bad client may send. */
  raw(frame: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame);
  }

  close(): void {
    this.#isWanted = false;
    this.#socket?.close();
  }

  #connect(): void {
    const address = `${this.#options.url}/socket.io/?EIO=4&transport=websocket`;
    const socket = new WebSocket(address, { perMessageDeflate: false });
    this.#socket = socket;
    socket.on("error", () => undefined);
    socket.on("close", () => this.#lost());
    socket.on("message", (data) => this.#frame(data.toString()));
  }

  #lost(): void {
    this.#isOpen = false;
    clearTimeout(this.#pingDue);
    for (const settle of [...this.#waiting.values()]) settle(null);
    if (!this.#isWanted || this.ended !== null) return;
    const { least, most } = AGAIN_MS;
    setTimeout(() => this.#isWanted && this.#connect(), least + Math.random() * (most - least));
  }

  #frame(text: string): void {
    const body = text.slice(2);
    if (text === "2") {
      this.#pinged();
      this.raw("3");
    } else if (text.startsWith("0")) this.#welcomed(text.slice(1));
    else if (text.startsWith("40")) this.#letIn(body);
    else if (text.startsWith("41")) this.ended = "the server said goodbye";
    else if (text.startsWith("42")) this.#heard(JSON.parse(body));
    else if (text.startsWith("43")) this.#answered(body);
    else if (text.startsWith("44")) this.ended = body;
  }

  #welcomed(json: string): void {
    const { pingInterval, pingTimeout } = JSON.parse(json);
    this.#patienceMs = pingInterval + pingTimeout;
    this.#pinged();
    this.raw(`40${JSON.stringify({ ...this.#options.auth, ...this.#session })}`);
  }

  /** A server that sends no ping in time is gone, whatever the network says. */
  #pinged(): void {
    clearTimeout(this.#pingDue);
    this.#pingDue = setTimeout(() => this.#socket?.terminate(), this.#patienceMs);
  }

  #letIn(json: string): void {
    const { pid } = JSON.parse(json);
    this.#session = pid === this.#session.pid ? this.#session : { pid };
    this.#isOpen = true;
    this.connects += 1;
    if (this.#options.claim) this.emit("user:join", this.#options.claim);
    for (const done of this.#opened.splice(0)) done();
  }

  #heard([event, ...args]: [string, ...unknown[]]): void {
    const last = args.at(-1);
    if (typeof last === "string") this.#session = { ...this.#session, offset: last };
    this.#options.hear?.(event, args[0] as Record<string, unknown>);
  }

  #answered(body: string): void {
    const at = body.indexOf("[");
    const [answer] = JSON.parse(body.slice(at)) as [Answer];
    this.#waiting.get(Number(body.slice(0, at)))?.(answer);
  }
}
