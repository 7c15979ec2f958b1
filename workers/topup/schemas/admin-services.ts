import { z } from "@hono/zod-openapi";
import { AdminPage, optional, Reason } from "./admin.ts";
import { moment } from "./moment.ts";

const Family = z.enum(["prepaid", "game", "social"]);
const MOST_SWITCHED = 200;

/** A service by our id, or as the supplier knows it. */
const Named = z.union([
  z.strictObject({ id: z.uuid() }),
  z.strictObject({ family: Family, code: z.string().trim().min(1).max(200) }),
]);

export const ServiceSwitch = z
  .strictObject({
    services: z.array(Named).min(1).max(MOST_SWITCHED),
    active: z.boolean(),
    reason: Reason,
  })
  .openapi("TopupServiceSwitch");
export type ServiceSwitch = z.output<typeof ServiceSwitch>;

export const AdminServiceShape = z
  .object({
    id: z.uuid(),
    family: Family,
    code: z.string(),
    name: z.string(),
    brand: z.string(),
    supplierPrice: z.number(),
    price: z.number(),
    /** The supplier's word; sold only while it is `available` and the service is active. */
    status: z.enum(["available", "empty", "gone"]),
    /** The operator's switch. */
    active: z.boolean(),
    /** Null: not counted. */
    stock: z.number().nullable(),
    updatedAt: moment(),
  })
  .openapi("TopupAdminService");
export type AdminService = z.output<typeof AdminServiceShape>;

export const ServicesSwitched = z
  .object({ changed: z.number(), services: z.array(AdminServiceShape) })
  .openapi("TopupServicesSwitched");

export const AdminServiceQuery = z.object({
  ...AdminPage,
  active: optional(z.enum(["true", "false"])),
  family: optional(Family),
  code: optional(z.string().max(200)),
});
export type AdminServiceQuery = z.output<typeof AdminServiceQuery>;
