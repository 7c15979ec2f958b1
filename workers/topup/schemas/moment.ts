import { z } from "@hono/zod-openapi";

/** A moment as the contract has it (ISO, `Z`), however Postgres wrote it. */
export const moment = () => z.string().overwrite((text) => new Date(text).toISOString());
