/** What a request says of itself, whatever the application that it came to. */
interface Asked {
  req: { header(name: string): string | undefined };
}

/** The platform's own name for who connects; no header that the caller chooses counts. */
export const callerAddress = (c: Asked): string => c.req.header("cf-connecting-ip") ?? "unknown";
