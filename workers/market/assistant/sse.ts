/** Where one answer goes, as Server-Sent Events. */
export interface EventStream {
  readable: ReadableStream<Uint8Array>;
  text(text: string): void;
  error(words: string): void;
  /** `[DONE]`, and no more. */
  close(): void;
  /** Aborted when the reader has gone. */
  gone: AbortSignal;
  /** Waits until a reader who had gone before the last word is known to have: only a write that fails tells of him. */
  noticed(): Promise<void>;
}

/** A write to nobody fails at once; this is for a busy isolate. */
const NOTICED_WITHIN_MS = 100;

const encoder = new TextEncoder();

/**
 * `data: {"text":…}` blocks, at most one `data: {"error":…}`, and `data: [DONE]` at the end of each. Source:
 * spec/tokoblitar.md, AI chat. Nothing waits for the reader: an answer is small, and what follows it must be stored.
 */
export function openEventStream(): EventStream {
  const gone = new AbortController();
  let controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  const readable = new ReadableStream<Uint8Array>({
    start(made) {
      controller = made;
    },
    cancel() {
      controller = null;
      gone.abort();
    },
  });
  const send = (data: string) => {
    try {
      controller?.enqueue(encoder.encode(`data: ${data}\n\n`));
    } catch {
      controller = null;
      gone.abort();
    }
  };
  return {
    readable,
    gone: gone.signal,
    text: (text) => send(JSON.stringify({ text })),
    error: (words) => send(JSON.stringify({ error: words })),
    noticed: async () => {
      if (!gone.signal.aborted) await scheduler.wait(NOTICED_WITHIN_MS);
    },
    close: () => {
      send("[DONE]");
      controller?.close();
      controller = null;
    },
  };
}
