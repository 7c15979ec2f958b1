import type { Json } from "../common/fields.ts";

export interface Mail {
  id: string;
  from: string;
  to: string[];
  subject: string;
  html: string | null;
  text: string | null;
  createdAt: number;
  lastEvent: string;
  idempotencyKey: string | null;
  /** The message as it was sent, whole. */
  given: Json;
}

export interface ResendState {
  mails: Map<string, Mail>;
  /** By recipient in lower case, oldest first. */
  byRecipient: Map<string, Mail[]>;
}
