/** What a request says of itself, whatever the application that it came to. */
interface Asked {
  req: { raw: Request };
}

/** Headers, or whatever finds one by its name. */
interface Named {
  get(name: string): string | null | undefined;
}

/** The platform's own name for who connects, null where it names nobody; no header that the caller chooses counts. */
export const connectingAddress = ({ headers }: { headers: Named }): string | null =>
  headers.get("cf-connecting-ip") ?? null;

/** The same as a party whose requests are counted: those without a name are one. */
export const callerAddress = (c: Asked): string => connectingAddress(c.req.raw) ?? "unknown";
