import type { Ctx } from "../../../../shared/context.ts";
import { isStorable } from "../../../../shared/providers/storable.ts";
import { placeNumbered, ungrouped } from "../../orders/index.ts";
import { inPanelWords, panelError, WORDS } from "./errors.ts";
import { incorrectRequest, isSaid, numberOf, type PanelFields } from "./request.ts";

/** Fields of order types that we do not sell. Leaving them out would buy something else than was meant. */
const UNSUPPORTED = [
  "runs",
  "interval",
  "comments",
  "usernames",
  "username",
  "hashtags",
  "hashtag",
  "media",
  "keywords",
  "groups",
  "answer_number",
];

/**
 * `add`: one order of the key's owner, paid from his wallet in the transaction that checks the key. The dialect has no
 * idempotency key: a caller that sends one (`idempotency_key`, or the header) gets the first order again, any other
 * repeat within the orders' window is refused as a duplicate. Nor has it a price: an order costs what it costs now, unless
 * its caller says how much at most (`max_charge`).
 */
export async function addOrder(
  ctx: Ctx,
  fields: PanelFields,
  caller: { keyId: string; idempotencyKey: string | undefined },
): Promise<{ order: number }> {
  // Runs and intervals of nothing are how a plain order says that it is no other.
  if (UNSUPPORTED.some((name) => isSaid(fields[name]) && fields[name]?.trim() !== "0")) {
    throw panelError("This order type is not available");
  }
  const link = fields.link?.trim();
  const zone = isSaid(fields.zone) ? fields.zone : undefined;
  const isLink = link && link.length <= 500 && (zone ?? "").length <= 100;
  if (!isLink || !isStorable(link + zone)) throw panelError(WORDS.link);
  const idempotencyKey = fields.idempotency_key || caller.idempotencyKey;
  if (idempotencyKey && (idempotencyKey.length > 255 || !isStorable(idempotencyKey))) {
    throw incorrectRequest();
  }
  const quantity = isSaid(fields.quantity) ? quantityOf(fields.quantity) : null;
  const placed = await placeNumbered(ctx, {
    service: numberOf(fields.service),
    goods: goodsOf(link, zone),
    quantity,
    most: isSaid(fields.max_charge) ? chargeOf(fields.max_charge) : undefined,
    idempotencyKey,
    orderedVia: "api",
    resellerKeyId: caller.keyId,
  }).catch((error: unknown) => {
    throw inPanelWords(error);
  });
  if ("refused" in placed) throw panelError(WORDS[placed.refused]);
  return { order: placed.number };
}

/** What a link means in each family. A game's is `id` or `id|zone`; a third part is left where no zone can have it. */
function goodsOf(link: string, zone: string | undefined) {
  const [gameId = "", ...zones] = link.split("|").map((part) => part.trim());
  const gameZone = zones.length > 0 ? zones.join("|") : zone;
  return {
    prepaid: { target: ungrouped(link) },
    social: { target: link },
    game: { target: gameId, zone: gameZone?.trim() || null },
  };
}

/** A bound that cannot be read is none that may be left out. */
function chargeOf(text: string): number {
  if (!/^\s*\d{1,12}(\.\d{1,2})?\s*$/.test(text)) throw incorrectRequest();
  return Math.floor(Number(text));
}

/** What is no whole number is not enough of anything; one beyond all bounds is too much. */
const quantityOf = (text: string): number =>
  numberOf(text) ?? (/^\s*\d+\s*$/.test(text) ? Number.MAX_SAFE_INTEGER : 0);
