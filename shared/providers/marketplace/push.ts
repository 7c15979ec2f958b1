export interface PushInput {
  /** The header `Authorization`. */
  authorization: string | null | undefined;
  /** Exactly as it came. */
  rawBody: string;
}

/** What an authentic push claims. `key` names the event for de-duplication. */
export interface MarketPush {
  key: string;
  /** Null where it concerns the app, not one shop. */
  shopId: string | null;
  at: Date | null;
  /** Which of our keys it was signed with, for the log; null for an unsigned test of the address. */
  signedWith: "app" | "push" | null;
  event:
    | { kind: "order"; orderId: string; status: string }
    | { kind: "listing"; itemId: string }
    /** The seller, or the platform, has taken the access away. */
    | { kind: "deauthorised" }
    /** Access ends soon; `shopIds` where one push names several shops. */
    | { kind: "expiring"; shopIds: string[] }
    /** Nothing to act on; `code` is the platform's number of it. */
    | { kind: "other"; code: string }
    /** The console's test of the address: answer it, do nothing. It may be unsigned. */
    | { kind: "ping" };
}
