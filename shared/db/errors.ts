import { NeonDbError } from "@neondatabase/serverless";
import { AppError, isErrorCode } from "../http/errors.ts";

/** SQLSTATE that our SQL functions raise through `app_error(code, words, meta)`. */
const RAISED = "LB001";

/** character_not_in_repertoire, untranslatable_character: text that Postgres cannot keep. */
const UNSTORABLE = ["22021", "22P05"];

/** Text that passed its schema but cannot be kept (NUL, half a surrogate pair): its sender's mistake. */
export class UnstorableText extends AppError {
  constructor() {
    super("invalid_input", "Teks berisi karakter yang tidak dapat dipakai");
  }
}

/** Postgres did not answer in time, or its answer broke off: what it was asked for may have been done all the same. */
export class Unanswered extends Error {
  override name = "Unanswered";
}

/** Whether what failed may have been done all the same: a refusal of ours undid it, silence or a mistake did not. */
export const mayBeDone = (error: unknown): boolean =>
  !(error instanceof AppError) || error.code === "unavailable";

/** What a named constraint means to the caller of one write. */
export type ConstraintErrors = Record<string, () => AppError>;

/** Turns a driver failure into what the caller may see; our own bugs pass through and become a plain 500. */
export function toAppError(error: unknown, constraints: ConstraintErrors = {}): unknown {
  if (error instanceof Unanswered) return unavailable(error);
  if (!(error instanceof NeonDbError)) return error;
  if (error.code === RAISED) return raised(error);
  const mapped = error.constraint ? constraints[error.constraint] : undefined;
  if (mapped) return mapped();
  if (error.code && UNSTORABLE.includes(error.code)) return new UnstorableText();
  return isOutage(error) ? unavailable(error) : error;
}

const unavailable = (cause: Error) =>
  new AppError("unavailable", "Layanan sedang terganggu. Silakan coba lagi sebentar lagi.", {
    cause,
  });

function raised(error: NeonDbError): AppError {
  const code = error.hint ?? "";
  if (!isErrorCode(code)) return new AppError("internal", "Internal error", { cause: error });
  const meta: unknown = error.detail ? JSON.parse(error.detail) : {};
  return new AppError(code, error.message, { meta: { ...(meta as Record<string, unknown>) } });
}

/** The SQLSTATE of a transaction that Postgres gave up for a rival's sake (serialization_failure, deadlock_detected). */
export function lostRace(error: unknown): string | null {
  if (!(error instanceof NeonDbError)) return null;
  return error.code === "40001" || error.code === "40P01" ? error.code : null;
}

/** Whether Postgres cannot keep what it was given (22: data exception, 23: constraint): a repeat would end the same. */
export const isRefusedData = (error: unknown): boolean =>
  error instanceof NeonDbError && /^2[23]/.test(error.code ?? "");

// No SQLSTATE: the endpoint was not reached. 08: connection; 53: resources; 57P: shutting down; 40: serialisation.
function isOutage(error: NeonDbError): boolean {
  return !error.code || /^(08|53|57P|40)/.test(error.code);
}
