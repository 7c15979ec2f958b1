/** A product cannot be listed as it is; the reason tells its seller what to change. */
export class NotListableError extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super("the product cannot be listed");
    this.name = "NotListableError";
    this.reason = reason;
  }
}
