/** The protocol's own error codes with their texts. */
const MESSAGES = {
  0: "Transport unknown",
  1: "Session ID unknown",
  2: "Bad handshake method",
  3: "Bad request",
  4: "Forbidden",
  5: "Unsupported protocol version",
} as const;

export type RefusalCode = keyof typeof MESSAGES;

/** The protocol's answer to a request that it does not take. */
export function refuse(code: RefusalCode): Response {
  return Response.json({ code, message: MESSAGES[code] }, { status: code === 4 ? 403 : 400 });
}

/** What a request wants, or why it cannot have it; the checks and their order are the official server's. */
export type Wish =
  | { kind: "refused"; code: RefusalCode }
  | { kind: "open"; transport: "polling" | "websocket" }
  /** `misused`: a bad request, if there is such a session at all. */
  | { kind: "poll" | "post" | "upgrade" | "misused"; sid: string };

export function wishOf(request: Request): Wish {
  const query = new URL(request.url).searchParams;
  const transport = query.get("transport");
  if (transport !== "polling" && transport !== "websocket") return { kind: "refused", code: 0 };
  const isUpgrade = request.headers.get("upgrade")?.toLowerCase() === "websocket";
  const isMixed = isUpgrade !== (transport === "websocket");
  const isOther = query.get("EIO") !== "4";
  const sid = query.get("sid");
  if (sid !== null) {
    return { kind: isMixed || isOther ? "misused" : useOf(request.method, isUpgrade), sid };
  }
  if (request.method !== "GET") return { kind: "refused", code: 2 };
  if (isMixed) return { kind: "refused", code: 3 };
  if (isOther) return { kind: "refused", code: 5 };
  return { kind: "open", transport };
}

function useOf(method: string, isUpgrade: boolean): "poll" | "post" | "upgrade" | "misused" {
  if (isUpgrade) return "upgrade";
  if (method === "GET") return "poll";
  return method === "POST" ? "post" : "misused";
}
