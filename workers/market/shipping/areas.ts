import type { Ctx } from "../../../shared/context.ts";
import { askCourier } from "./rates.ts";

/** Districts whose name contains the text, with the id that rates and addresses need. */
export async function searchAreas(ctx: Ctx, text: string) {
  const areas = await askCourier(() => ctx.providers.kiriminaja.searchAreas(text));
  return areas.map((area) => ({ area_id: area.areaId, name: area.label }));
}
