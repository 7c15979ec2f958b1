/** What a request says of itself, whatever the application that it came to. */
interface Asked {
  req: { raw: Request };
}

/** The platform's own name for who connects, null where it names nobody; no header that the caller chooses counts. */
export const connectingAddress = ({ headers }: Request): string | null =>
  headers.get("cf-connecting-ip");

/** The same as a party whose requests are counted: those without a name are one. */
export const callerAddress = (c: Asked): string => connectingAddress(c.req.raw) ?? "unknown";
