import type { Ctx } from "../../../shared/context.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { askCourier } from "./rates.ts";

/** Districts whose name contains the text, with the id that rates and addresses need. */
export async function searchAreas(ctx: Ctx, text: string) {
  const areas = await askCourier(() => ctx.providers.kiriminaja.searchAreas(text));
  return areas.map((area) => ({ area_id: area.areaId, name: area.label }));
}

/**
 * Whether the courier knows a district. It has no look-up by id; it tells, as with a buyer's address, by pricing a
 * parcel there: a made-up district is refused.
 */
export async function isKnownArea(ctx: Ctx, areaId: string): Promise<boolean> {
  const parcel = { originAreaId: areaId, destinationAreaId: areaId, weightGram: 1000 };
  try {
    await askCourier(() => ctx.providers.kiriminaja.getRates({ ...parcel, itemValueIdr: 10_000 }));
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === "invalid_input") return false;
    throw error;
  }
}
